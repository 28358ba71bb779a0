/*
 * worker: a thread with its own event_base, and what its connections share.
 *
 * Memory that is needed only while something is being done is had once a
 * worker and not once a connection: the buffer that is read into, and the one
 * in which a session's writes gather until its callback returns.
 */
#ifndef CISTERN_WORKER_H
#define CISTERN_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "budget.h"
#include "protocol.h"

struct connection;

/* Read at once from one connection, and gathered for one: bytes. Measured: doc/architecture.md. */
#define WORKER_BUFFER_SIZE (256U * 1024)
/* What a worker has of them, bytes. */
#define WORKER_BUFFERS (2 * WORKER_BUFFER_SIZE)

TAILQ_HEAD(connection_list, connection);

struct worker {
    struct event_base *base;
    struct event *turn_end;
    struct connection_list attention; /* have something to do at the end of this turn */
    bool attending;                   /* and are doing it: what comes now waits for the next */
    struct connection *corked;        /* whose writes gather at the end of output; or NULL */
    char *input;
    char *output;
    size_t output_length;
    size_t connection_count;
    struct budget memory;     /* of all its factories: max_memory */
    uint64_t max_connections; /* of connection_count; listeners refuse what comes above it */
    uint64_t last_connection_id;
};

/* NULL when memory or descriptors are out. Free only after its last connection is gone. */
struct worker *worker_new(void);
void worker_free(struct worker *worker);

/*
 * Has connection_attend() called for it once the events of this loop turn have
 * been handled: for all that must not happen inside a module's call.
 */
void worker_attend(struct worker *worker, struct connection *connection);

/* Milliseconds as libevent's timers take them, so that none is early; not for `forever`. */
struct timeval worker_interval(uint64_t milliseconds);

#endif
