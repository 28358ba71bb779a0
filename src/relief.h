/*
 * relief: what is done when all connections together hold more than max_buffered.
 *
 * From then on who holds anything is not read from (buffers.h). Every 100 ms it
 * is counted again. If the sum has grown a tenth above the limit all the same, or
 * does not fall to a tenth below it in RELIEF_PATIENCE, those that hold the most
 * are aborted, the largest first: who has sent half a request that nobody reads
 * on would else hold his part for good.
 *
 * Threads: the main thread's. It looks with the workers held.
 */
#ifndef CISTERN_RELIEF_H
#define CISTERN_RELIEF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "buffers.h"
#include "log.h"

struct workers;

typedef void connection_visitor(struct connection *connection, void *context);

/* Milliseconds. */
#define RELIEF_INTERVAL 100U
#define RELIEF_PATIENCE 10000U

struct relief {
    struct workers *workers;
    void (*each_connection)(void *whose, connection_visitor *visit, void *context);
    void *whose;
    struct buffers buffers;
    struct event *woken;
    struct event *timer;
    bool on;               /* full, and all connections know */
    uint64_t since;        /* clock_now() when that began, or last led to something */
    uint64_t times;        /* that it began */
    struct log_limit told; /* that it began, and that connections were closed */
    struct log_limit shed;
};

/*
 * each_connection visits all connections of the workers; it is called with whose,
 * while they are held. False when memory or descriptors are out.
 */
bool relief_init(struct relief *relief, struct workers *workers,
                 void (*each_connection)(void *whose, connection_visitor *visit, void *context),
                 void *whose);
/* Only when there are no connections left; what was zeroed is allowed. */
void relief_clear(struct relief *relief);

/* bytes: PARAMETER_IS_NONE: no limit, and nothing is counted. Held. */
void relief_set_limit(struct relief *relief, uint64_t bytes);

#endif
