#include "relief.h"

#include <inttypes.h>

#include "workers.h"

/* The largest connections are found so many at a time, so that it takes no memory. */
#define BATCH 64U

/* --- all connections ------------------------------------------------------------------- */

static void each(struct relief *relief, connection_visitor *visit, void *context)
{
    relief->each_connection(relief->whose, visit, context);
}

static void count(struct connection *connection, void *context)
{
    int64_t *sum = context;
    connection->held = buffers_of(connection);
    *sum += (int64_t)connection->held;
}

/* What is true now, and not only when it was settled. */
static int64_t count_all(struct relief *relief)
{
    int64_t sum = 0;
    each(relief, count, &sum);
    atomic_store_explicit(&relief->buffers.held, sum, memory_order_relaxed);
    return sum;
}

static void forget(struct connection *connection, void *context)
{
    (void)context;
    buffers_forget(connection);
}

static void update_reading(struct connection *connection, void *context)
{
    (void)context;
    if (connection->state == CONNECTION_OPEN)
        connection_update_reading(connection);
}

/* --- the largest ------------------------------------------------------------------------- */

struct largest {
    size_t count;
    struct connection *items[BATCH]; /* the largest first */
};

static void consider(struct connection *connection, void *context)
{
    struct largest *largest = context;
    if (connection->held == 0)
        return;
    size_t i = largest->count;
    if (i < BATCH)
        largest->count++;
    else if (largest->items[--i]->held >= connection->held)
        return;
    for (; i > 0 && largest->items[i - 1]->held < connection->held; i--)
        largest->items[i] = largest->items[i - 1];
    largest->items[i] = connection;
}

/* Closes one after the other until no more than so many of the held bytes are left. */
static void shed(struct relief *relief, int64_t held, int64_t target)
{
    const int64_t before = held;
    size_t closed = 0;
    struct largest largest = {.count = 1};
    while (held > target && largest.count > 0) {
        largest.count = 0;
        each(relief, consider, &largest);
        for (size_t i = 0; i < largest.count && held > target; i++, closed++) {
            held -= (int64_t)largest.items[i]->held;
            buffers_forget(largest.items[i]);
            connection_abort(largest.items[i], LOST_BUFFERED);
        }
    }
    relief->since = clock_now();
    unsigned long held_back;
    if (log_limit_pass(&relief->shed, clock_now(), &held_back))
        log_warning("max_buffered: closed the %zu connections that held the most, %" PRId64
                    " bytes (%lu more such lines held back)",
                    closed, before - held, held_back);
}

/* --- what is done ------------------------------------------------------------------------ */

static void begin(struct relief *relief, int64_t held)
{
    unsigned long held_back;
    relief->times++;
    relief->since = clock_now();
    if (log_limit_pass(&relief->told, relief->since, &held_back))
        log_warning("max_buffered is reached: connections hold %" PRId64
                    " bytes, and those that hold any are not read from (%lu more such lines held "
                    "back)",
                    held, held_back);
}

/* What all connections go by; some may know of what a worker has found. */
static void tell(struct relief *relief, bool full)
{
    bool before = atomic_exchange_explicit(&relief->buffers.full, full, memory_order_relaxed);
    if (before != full || relief->on != full)
        each(relief, update_reading, NULL);
    relief->on = full;
}

static void look(struct relief *relief)
{
    const struct buffers *buffers = &relief->buffers;
    const struct timeval interval = worker_interval(RELIEF_INTERVAL);
    int64_t held = count_all(relief);
    bool full = held > buffers->limit || (relief->on && held > buffers_floor(buffers));
    if (full && !relief->on)
        begin(relief, held);
    if (held > buffers_ceiling(buffers))
        shed(relief, held, buffers->limit);
    else if (full && clock_now() - relief->since >= RELIEF_PATIENCE)
        shed(relief, held, buffers_floor(buffers));
    /* Without the timer nobody would end it. */
    tell(relief, full && evtimer_add(relief->timer, &interval) == 0);
}

void relief_set_limit(struct relief *relief, uint64_t bytes)
{
    const struct workers *workers = relief->workers;
    bool limited = bytes != PARAMETER_IS_NONE;
    if (!limited) {
        each(relief, forget, NULL);
        evtimer_del(relief->timer);
    }
    relief->buffers.limit = (int64_t)bytes;
    for (unsigned i = 0; i < workers->count; i++)
        workers->items[i]->buffers = limited ? &relief->buffers : NULL;
    if (limited)
        look(relief);
    else
        tell(relief, false);
}

/* --- life --------------------------------------------------------------------------------- */

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct relief *relief = context;
    workers_hold(relief->workers);
    if (relief->workers->items[0]->buffers != NULL)
        look(relief);
    workers_release(relief->workers);
}

static void on_woken(evutil_socket_t fd, short what, void *context)
{
    wakeup_clear(&((struct relief *)context)->buffers.wakeup);
    on_timer(fd, what, context);
}

bool relief_init(struct relief *relief, struct workers *workers,
                 void (*each_connection)(void *whose, connection_visitor *visit, void *context),
                 void *whose)
{
    struct event_base *base = workers->items[0]->base;
    struct wakeup *wakeup = &relief->buffers.wakeup;
    *relief =
        (struct relief){.workers = workers, .each_connection = each_connection, .whose = whose};
    if (!wakeup_init(wakeup))
        return false;
    relief->timer = evtimer_new(base, on_timer, relief);
    relief->woken = event_new(base, wakeup->fd, EV_READ | EV_PERSIST, on_woken, relief);
    return relief->timer != NULL && relief->woken != NULL && event_add(relief->woken, NULL) == 0;
}

void relief_clear(struct relief *relief)
{
    if (relief->workers == NULL)
        return;
    if (relief->timer != NULL)
        event_free(relief->timer);
    if (relief->woken != NULL)
        event_free(relief->woken);
    wakeup_close(&relief->buffers.wakeup);
}
