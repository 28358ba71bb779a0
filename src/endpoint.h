/*
 * endpoint: one address of a listener, bound and listening.
 *
 * One address may need several sockets: `*` is one for IPv4 and one for IPv6,
 * a host name one for each of its addresses. An endpoint belongs to one
 * listener at a time; a reload moves it without closing it.
 */
#ifndef CISTERN_ENDPOINT_H
#define CISTERN_ENDPOINT_H

#include <stddef.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <event2/event.h>

#include "address.h"

/* The most sockets that one address may need; what a name has beyond is left out. */
#define ENDPOINT_SOCKETS_MAX 8U

struct listener;
struct endpoint;

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
    size_t socket_count;
    struct endpoint_socket sockets[ENDPOINT_SOCKETS_MAX];
};

TAILQ_HEAD(endpoint_list, endpoint);

/*
 * Binds and listens. NULL with errno-like *error and the reason in why: the
 * address in use, not permitted, a name that does not resolve (EHOSTUNREACH).
 * Resolves names, which may block: only at start and reload.
 */
struct endpoint *endpoint_open(const struct address *address, int backlog, int *error, char *why,
                               size_t size);

/* Listens with another backlog; the queue of the kernel keeps what is in it. */
void endpoint_set_backlog(struct endpoint *endpoint, int backlog);

/* Closes the sockets and removes a unix socket's file. */
void endpoint_close(struct endpoint *endpoint);

#endif
