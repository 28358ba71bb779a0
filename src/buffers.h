/*
 * buffers: the bytes that wait in all connections of the process, and the bound
 * on their sum (max_buffered): input that modules have not taken yet, and output
 * that peers have not. What is the administrator's does not count.
 *
 * A connection is counted when it is settled, for what it holds then. So the sum
 * may be above the truth, by output that has left meanwhile; who acts on it
 * (relief.h) counts again.
 *
 * Threads: everybody's, as each member says. Without the option no worker knows
 * of it, and nothing is counted.
 */
#ifndef CISTERN_BUFFERS_H
#define CISTERN_BUFFERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "wakeup.h"
#include "worker.h"

struct buffers {
    int64_t limit;        /* bytes; changes while the workers are held */
    _Atomic int64_t held; /* what all connections have been counted for */
    /* Above the limit, and not yet well below it: who holds anything is not read from. */
    atomic_bool full;
    struct wakeup wakeup; /* of the main thread: full has become true, or it is worse than that */
};

/* Above so many bytes it is not enough that nothing is read; below so many all is well. */
static inline int64_t buffers_ceiling(const struct buffers *buffers)
{
    return buffers->limit + buffers->limit / 10;
}

static inline int64_t buffers_floor(const struct buffers *buffers)
{
    return buffers->limit - buffers->limit / 10;
}

/* What counts of a connection at the moment, bytes. */
size_t buffers_of(const struct connection *connection);

/* Counts it anew, for what it holds now; or, for good, for nothing. */
void buffers_count(struct connection *connection);
void buffers_forget(struct connection *connection);

static inline void buffers_settle(struct connection *connection)
{
    if (connection->worker->buffers != NULL)
        buffers_count(connection);
}

/* Whether it is not to be read from. */
static inline bool buffers_forbid(const struct connection *connection)
{
    const struct buffers *buffers = connection->worker->buffers;
    return connection->held > 0 && buffers != NULL &&
           atomic_load_explicit(&buffers->full, memory_order_relaxed);
}

#endif
