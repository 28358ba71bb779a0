#include "connection.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "buffers.h"
#include "deadline.h"
#include "transport.h"

/* --- life -------------------------------------------------------------------- */

void connection_owner_init(struct connection_owner *owner, const char *name)
{
    *owner = (struct connection_owner){.name = name, .log_level = log_get_level()};
    TAILQ_INIT(&owner->connections);
}

/*
 * Without an idle_timeout nobody asks often enough that a look at the clock with
 * each message would pay; and TCP, whose peers have a port, knows.
 */
uint64_t connection_idle(const struct connection *connection, uint64_t now)
{
    if (!connection->stamped)
        return transport_idle(connection);
    return now > connection->active_at ? now - connection->active_at : 0;
}

/* Counts what became of a connection that had been taken. */
static void count_lost(struct connection *connection)
{
    struct listener_stats *stats = &connection->owner->stats;
    stats->lost[connection->reason]++;
    stats->bytes_received += connection->bytes_received;
    stats->bytes_sent += connection_bytes_sent(connection);
}

uint64_t connection_bytes_sent(const struct connection *connection)
{
    return connection->bytes_sent - transport_backlog(connection);
}

struct log_context connection_owner_log_context(const struct connection_owner *owner,
                                                const char *peer)
{
    return (struct log_context){.listener = owner->name,
                                .peer = peer,
                                .generation = owner->generation,
                                .threshold = owner->log_level};
}

struct log_context connection_log_context(const struct connection *connection)
{
    struct log_context about = connection_owner_log_context(connection->owner, connection->peer);
    about.connection = connection->id;
    return about;
}

/* Frees what was allocated, at whatever stage it was left. */
static void release(struct connection *connection)
{
    struct connection_owner *owner = connection->owner;
    connection->attending = true; /* what connection_lost calls does not ask for one more turn */
    if (connection->made && connection_protocol(connection)->connection_lost != NULL)
        connection_protocol(connection)->connection_lost(&connection->session, connection->reason);
    if (connection->made) {
        count_lost(connection);
        access_log_write(&owner->access_log, connection);
    }
    TAILQ_REMOVE(&owner->connections, connection, siblings);
    owner->count--;
    if (connection_protocol(connection)->is_privileged)
        connection->worker->privileged_count--;
    if (connection->timer != NULL)
        event_free(connection->timer);
    deadline_clear(connection);
    buffers_forget(connection);
    transport_free(connection);
    input_free(&connection->kept);
    terms_put(connection->terms);
    factory_put(connection->session.factory);
    source_leave(connection->source);
    free(connection);
    if (owner->released != NULL)
        owner->released(owner);
}

void connection_close(struct connection *connection, enum lost_reason reason)
{
    if (connection->state != CONNECTION_OPEN)
        return;
    connection->state = CONNECTION_CLOSING;
    connection->reason = reason;
    transport_set_low_watermark(connection, 0);
    worker_attend(connection->worker, connection);
}

void connection_abort(struct connection *connection, enum lost_reason reason)
{
    if (connection->state == CONNECTION_LOST)
        return;
    if (connection->state != CONNECTION_LINGERING)
        connection->reason = reason;
    connection->state = CONNECTION_LOST;
    connection_update_reading(connection);
    bufferevent_disable(connection->transport, EV_WRITE);
    worker_attend(connection->worker, connection);
}

/* A closing connection: whether all is sent, and nobody is waited for. */
static bool finish(struct connection *connection)
{
    connection->backlog_seen = transport_backlog(connection);
    if (connection->backlog_seen > 0) {
        deadline_set(connection, DEADLINE_FLUSH);
    } else {
        if (connection->eof != NOTICE_NONE || !transport_shutdown(connection))
            return true;
        connection->state = CONNECTION_LINGERING;
        deadline_set(connection, DEADLINE_LINGER);
    }
    connection_update_reading(connection);
    return false;
}

/* Nothing of it is left behind. */
static void end(struct connection *connection)
{
    connection->state = CONNECTION_LOST;
    const struct log_context about = connection_log_context(connection);
    log_about(&about, LOG_LEVEL_DEBUG, "connection lost: %s",
              lost_reason_text(connection->reason));
    release(connection);
}

void connection_attend(struct connection *connection)
{
    switch (connection->state) {
    case CONNECTION_OPEN:
        connection_offer(connection);
        break;
    case CONNECTION_CLOSING:
        if (finish(connection))
            end(connection);
        break;
    case CONNECTION_LINGERING:
        break;
    case CONNECTION_LOST:
        end(connection);
        break;
    }
}

static struct connection *connection_new(struct worker *worker, struct connection_owner *owner,
                                         struct factory *factory, struct bufferevent *transport,
                                         const char *peer, struct source *source)
{
    size_t peer_offset = SESSION_STATE_OFFSET + factory_protocol(factory)->session_size;
    size_t peer_size = strlen(peer) + 1;
    struct connection *connection = calloc(1, peer_offset + peer_size);
    if (connection == NULL) {
        bufferevent_free(transport);
        source_leave(source);
        if (owner->released != NULL)
            owner->released(owner);
        return NULL;
    }
    connection->session.factory = factory_get(factory);
    connection->worker = worker;
    connection->owner = owner;
    connection->transport = transport;
    connection->read_limit = SESSION_READ_LIMIT;
    connection->write_high = SESSION_WRITE_HIGH;
    connection->terms = terms_get(owner->terms);
    connection->id = worker->last_connection_id += worker->connection_id_step;
    connection->opened_at = connection->active_at = clock_now();
    connection->stamped =
        owner->terms->idle_timeout != PARAMETER_IS_NONE || strchr(peer, ':') == NULL;
    connection->peer = memcpy((char *)connection + peer_offset, peer, peer_size);
    connection->source = source;
    TAILQ_INSERT_TAIL(&owner->connections, connection, siblings);
    owner->count++;
    if (connection_protocol(connection)->is_privileged)
        worker->privileged_count++;
    if (!transport_init(connection)) {
        release(connection);
        return NULL;
    }
    transport_set_low_watermark(connection, SESSION_WRITE_LOW);
    return connection;
}

bool connection_open(struct worker *worker, struct connection_owner *owner, struct factory *factory,
                     struct bufferevent *transport, const char *peer, struct source *source)
{
    struct connection *connection =
        connection_new(worker, owner, factory, transport, peer, source);
    if (connection == NULL) {
        const struct log_context about = connection_owner_log_context(owner, peer);
        owner->stats.refused[REFUSAL_NO_MEMORY]++;
        log_about(&about, LOG_LEVEL_WARNING, "out of memory");
        return false;
    }
    if (connection->terms->idle_timeout != PARAMETER_IS_NONE)
        deadline_set(connection, connection->terms->idle_timeout);
    const struct protocol *protocol = connection_protocol(connection);
    const char *refusal = NULL;
    if (protocol->connection_made != NULL) {
        connection_cork(connection);
        refusal = protocol->connection_made(&connection->session);
        connection_uncork(connection);
    }
    connection->made = refusal == NULL;
    if (refusal != NULL) {
        const struct log_context about = connection_log_context(connection);
        owner->stats.refused[REFUSAL_MODULE]++;
        log_about(&about, LOG_LEVEL_INFO, "refused: %s", refusal);
        connection_close(connection, LOST_ABORTED);
        return false;
    }
    owner->stats.accepted++;
    connection_settle(connection);
    return true;
}
