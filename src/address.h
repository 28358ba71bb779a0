/*
 * address: where a listener listens, as server.conf spells it.
 *
 *   127.0.0.1:7007      an IPv4 address and a port
 *   [::1]:7007          an IPv6 address (RFC 3986 brackets); never takes IPv4
 *   localhost:7007      a host name, resolved when the listener is bound
 *   *:7007              every IPv4 and every IPv6 address of the host
 *   unix:/run/x.sock    a unix-domain stream socket, absolute path
 *   systemd:jobs        every socket that the service manager passes under that name
 *
 * Pure: nothing here resolves a name or opens a socket.
 */
#ifndef CISTERN_ADDRESS_H
#define CISTERN_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum address_family {
    ADDRESS_IPV4,
    ADDRESS_IPV6,
    ADDRESS_NAME,
    ADDRESS_ANY,
    ADDRESS_UNIX,
    ADDRESS_SYSTEMD,
};

/* One RFC 1035 name (253), a path that fits sun_path (107), or a NAME (255), and the end. */
#define ADDRESS_HOST_SIZE 256

struct address {
    enum address_family family;
    char host[ADDRESS_HOST_SIZE]; /* canonical numeric address, lower-case name, path, or NAME */
    uint16_t port;                /* host order; 0 lets the kernel choose; 0 where there is none */
};

/* Owns its items. */
struct address_list {
    size_t count;
    struct address *items;
};

/* The longest canonical text: "systemd:" before or "[]:65535" round a host, and the end. */
#define ADDRESS_TEXT_SIZE (ADDRESS_HOST_SIZE + 16)

/* False, with the reason in why, when text is no address. */
bool address_parse(struct address *address, const char *text, char *why, size_t size);

/* The canonical text, which address_parse() takes back; returns buffer. */
const char *address_format(const struct address *address, char *buffer, size_t size);

/* The same spelling: what identifies a socket over a reload. */
bool address_equal(const struct address *one, const struct address *other);

/* Whether it has a port, which is all but the families that are a path or a NAME. */
bool address_has_port(const struct address *address);

/*
 * Whether the kernel would refuse to listen on both: equal, or one a wildcard
 * that covers the other's family, on one port. Port 0 never clashes. Names are
 * compared as names; what systemd passes is not known here.
 */
bool address_clash(const struct address *one, const struct address *other);

#endif
