/*
 * listener: accepts connections on its endpoints and makes sessions of them
 * with its factory, within its limits.
 *
 * It is known by its name: a reload changes its options, factory and endpoints
 * in place, and the connections it has stay. One that the configuration no
 * longer has is retired: it accepts nothing more and goes when the last of its
 * connections has gone.
 */
#ifndef CISTERN_LISTENER_H
#define CISTERN_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "config.h"
#include "connection.h"
#include "endpoint.h"
#include "factory.h"

/* Accepts in one loop turn from one socket, so that a flood does not starve who is connected. */
#define LISTENER_ACCEPTS_PER_TURN 32

struct listener {
    struct connection_owner owner; /* first: what a connection knows of its listener */
    TAILQ_ENTRY(listener) siblings;
    char *name;
    struct worker *worker;
    struct factory *factory;
    struct endpoint_list endpoints;
    uint64_t max_connections;
    bool keepalive;
    bool nodelay;
    bool retired;
    struct event *resume;  /* accepting again after descriptors or memory ran out */
    unsigned resume_delay; /* ms; doubles while that lasts, 0 when all is well */
    struct event *expiry;  /* of a retired listener's connections */
    struct log_limit refusals;
    struct log_limit failures;
    void (*released)(void *context); /* a connection has gone */
    void *context;
};

TAILQ_HEAD(listener_list, listener);

/* Without endpoints or factory. released is called after each connection that goes. */
struct listener *listener_new(struct worker *worker, const char *name,
                              void (*released)(void *context), void *context);
/* Closes everything. Only when it has no connections left. */
void listener_free(struct listener *listener);

/* Takes options over and, unless NULL, the factory (its reference too). */
void listener_configure(struct listener *listener, const struct listener_options *options,
                        enum log_level log_level, struct factory *factory);

/*
 * An endpoint ready to be attached to a listener of worker; the rest, and what
 * it returns, is as of endpoint_open().
 */
struct endpoint *listener_open_endpoint(struct worker *worker, const struct address *address,
                                        int backlog, int *error, char *why, size_t size);

/* Takes an endpoint that has no listener, and accepts on it. */
void listener_attach(struct listener *listener, struct endpoint *endpoint);
/* Leaves an endpoint, if it has one, without a listener: its connections wait in the kernel. */
void listener_detach(struct endpoint *endpoint);

/* Closes the endpoints that are left and lets the connections live for so long (milliseconds). */
void listener_retire(struct listener *listener, uint64_t timeout);

void listener_close_endpoints(struct listener *listener);

/* The end of each connection: in good order, or at once. */
void listener_drain(struct listener *listener);
void listener_abort(struct listener *listener);

#endif
