#include "buffers.h"

#include "transport.h"

size_t buffers_of(const struct connection *connection)
{
    if (connection->state == CONNECTION_LOST || connection_protocol(connection)->is_privileged)
        return 0;
    return connection->kept.capacity + transport_held(connection);
}

/* The main thread looks when the limit is crossed, and whenever it is worse than that. */
static void warn(struct buffers *buffers, int64_t held)
{
    if (held <= buffers->limit)
        return;
    bool known = atomic_exchange_explicit(&buffers->full, true, memory_order_relaxed);
    if (!known || held > buffers_ceiling(buffers))
        wakeup_send(&buffers->wakeup);
}

void buffers_count(struct connection *connection)
{
    struct buffers *buffers = connection->worker->buffers;
    size_t held = buffers_of(connection);
    if (held == connection->held)
        return;
    int64_t more = (int64_t)held - (int64_t)connection->held;
    connection->held = held;
    int64_t before = atomic_fetch_add_explicit(&buffers->held, more, memory_order_relaxed);
    if (more > 0)
        warn(buffers, before + more);
}

void buffers_forget(struct connection *connection)
{
    if (connection->held == 0)
        return;
    atomic_fetch_sub_explicit(&connection->worker->buffers->held, (int64_t)connection->held,
                              memory_order_relaxed);
    connection->held = 0;
}
