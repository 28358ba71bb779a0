/*
 * endpoint: one address of a listener, bound and listening.
 *
 * One address may need several sockets: `*` is one for IPv4 and one for IPv6,
 * a host name one for each of its addresses, `systemd:NAME` as many as the unit
 * has. An endpoint belongs to one listener at a time; a reload moves it without
 * closing it.
 */
#ifndef CISTERN_ENDPOINT_H
#define CISTERN_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <event2/event.h>

#include "address.h"

/* The most sockets that one address may need; what a name has beyond is left out. */
#define ENDPOINT_SOCKETS_MAX 64U

struct activation;
struct listener;
struct endpoint;

/* Who may connect to a unix socket. */
struct endpoint_access {
    mode_t mode; /* 0: what the umask leaves */
    uid_t owner; /* (uid_t)-1, (gid_t)-1: the process's */
    gid_t group;
};
#define ENDPOINT_ACCESS_DEFAULT                                                                    \
    (struct endpoint_access)                                                                       \
    {                                                                                              \
        .mode = 0, .owner = (uid_t)-1, .group = (gid_t)-1                                          \
    }

/* How to listen on an address. */
struct endpoint_options {
    int backlog;
    struct endpoint_access access;
    struct activation *activation; /* what was passed or stored; NULL for nothing */
};

struct endpoint_socket {
    struct endpoint *endpoint;
    int fd;
    struct event *acceptable; /* the listener's, made with the endpoint */
};

struct endpoint {
    TAILQ_ENTRY(endpoint) siblings;
    struct listener *listener;
    struct address address;       /* as configured: its identity over a reload */
    char text[ADDRESS_TEXT_SIZE]; /* as bound: with the port that the kernel chose */
    dev_t device;                 /* of a unix socket's file, so that only our own is removed */
    ino_t inode;
    bool stored; /* the service manager has copies, and the file stays (fdstore.h) */
    size_t socket_count;
    struct endpoint_socket sockets[ENDPOINT_SOCKETS_MAX];
};

TAILQ_HEAD(endpoint_list, endpoint);

/*
 * Binds and listens, unless such a socket was stored, or passed. NULL with
 * errno-like *error and the reason in why: the address in use, not permitted, a
 * name that does not resolve (EHOSTUNREACH), or that nothing was passed by (ENOENT).
 * Resolves names, which may block: only at start and reload.
 */
struct endpoint *endpoint_open(const struct address *address,
                               const struct endpoint_options *options, int *error, char *why,
                               size_t size);

/*
 * Listens with another backlog, which keeps what is in the kernel's queue, and
 * lets others connect. What cannot be changed is logged.
 */
void endpoint_adjust(struct endpoint *endpoint, const struct endpoint_options *options);

/*
 * Has the service manager keep the sockets, if it does such; ends that. Not what
 * it passed itself, and not port 0, which nobody asks for again.
 */
void endpoint_store(struct endpoint *endpoint);
void endpoint_unstore(struct endpoint *endpoint);

/* Closes the sockets and, unless they are stored, removes a unix socket's file. */
void endpoint_close(struct endpoint *endpoint);

#endif
