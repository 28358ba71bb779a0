/*
 * worker: a thread with its own event_base, and what its connections share.
 *
 * Memory that is needed only while something is being done is had once a
 * worker and not once a connection: the buffer that is read into, and the one
 * in which a session's writes gather until its callback returns.
 */
#ifndef CISTERN_WORKER_H
#define CISTERN_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "budget.h"
#include "protocol.h"

struct buffers;
struct connection;
struct server;

/* Read at once from one connection, and gathered for one: bytes. Measured: doc/architecture.md. */
#define WORKER_BUFFER_SIZE (256U * 1024)
/* What a worker has of them, bytes. */
#define WORKER_BUFFERS (2 * WORKER_BUFFER_SIZE)

TAILQ_HEAD(connection_list, connection);

/*
 * How many connections there are: the main thread counts in, the worker's counts
 * out. Each writes what is his alone, so neither waits for the other's processor.
 */
struct tally {
    uint64_t in;
    _Atomic uint64_t out;
};

struct worker {
    struct event_base *base;
    struct workers *workers; /* that it is one of; NULL: of none */
    struct thread *thread;   /* its own (workers.c); NULL: it is the main thread's */
    struct event *turn_end;
    struct connection_list attention; /* have something to do at the end of this turn */
    bool attending;                   /* and are doing it: what comes now waits for the next */
    struct connection *corked;        /* whose writes gather at the end of output; or NULL */
    char *input;
    char *output;
    size_t output_length;
    struct server *server;    /* for privileged modules; NULL: there is none */
    size_t privileged_count;  /* of its connections: those of privileged modules */
    struct buffers *buffers;  /* in which its connections are counted; NULL: max_buffered is none */
    struct budget memory;     /* of all its factories: max_memory, or a part */
    uint64_t last_connection_id;
    uint64_t connection_id_step;
    struct tally connections; /* of listeners, those on their way here included */
    unsigned homes;           /* listeners that have all their connections here; main thread's */
};

static inline void tally_in(struct tally *tally)
{
    tally->in++;
}

static inline void tally_out(struct tally *tally)
{
    uint64_t out = atomic_load_explicit(&tally->out, memory_order_relaxed);
    atomic_store_explicit(&tally->out, out + 1, memory_order_release);
}

/* For the main thread. */
static inline uint64_t tally_count(const struct tally *tally)
{
    return tally->in - atomic_load_explicit(&tally->out, memory_order_acquire);
}

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
