/* session: what a module may do with its connection; protocol.h documents it. */
#include "protocol.h"

#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "connection.h"
#include "transport.h"

/* Larger pieces are not gathered: sending them as they are saves a copy. */
#define GATHER_MAX ((size_t)16 * 1024)

void *session_state(struct session *session)
{
    return (char *)session + SESSION_STATE_OFFSET;
}

struct session *session_of_state(void *state)
{
    return (struct session *)(void *)((char *)state - SESSION_STATE_OFFSET);
}

struct factory *session_factory(struct session *session)
{
    return session->factory;
}

const void *session_parameters(struct session *session)
{
    return factory_parameters(session->factory);
}

const char *session_peer(const struct session *session)
{
    return ((const struct connection *)session)->peer;
}

bool session_identity(const struct session *session, struct identity *identity)
{
    const struct connection *connection = (const struct connection *)session;
    return identity_of_peer(bufferevent_getfd(connection->transport), identity);
}

uint64_t session_id(const struct session *session)
{
    return ((const struct connection *)session)->id;
}

bool session_is_open(const struct session *session)
{
    return ((const struct connection *)session)->state == CONNECTION_OPEN;
}

static size_t gathered(const struct connection *connection)
{
    const struct worker *worker = connection->worker;
    return worker->corked == connection ? worker->output_length - connection->cork_base : 0;
}

size_t session_backlog(const struct session *session)
{
    const struct connection *connection = (const struct connection *)session;
    return transport_backlog(connection) + gathered(connection);
}

bool session_must_wait(const struct session *session)
{
    const struct connection *connection = (const struct connection *)session;
    return connection->state != CONNECTION_OPEN || connection->intake == INTAKE_PAUSED ||
           connection->full != NOTICE_NONE || session_backlog(session) > connection->write_high;
}

bool session_peer_has_left(const struct session *session)
{
    return transport_peer_has_left((const struct connection *)session);
}

void session_write(struct session *session, const void *data, size_t length)
{
    struct connection *connection = connection_of(session);
    struct worker *worker = connection->worker;
    if (connection->state != CONNECTION_OPEN)
        return;
    if (worker->corked != connection) {
        connection_send(connection, data, length);
        return;
    }
    if (length > WORKER_BUFFER_SIZE - worker->output_length || length > GATHER_MAX)
        connection_flush(connection);
    if (length > GATHER_MAX) {
        connection_send(connection, data, length);
        return;
    }
    memcpy(worker->output + worker->output_length, data, length);
    worker->output_length += length;
}

char *session_append(struct session *session, size_t length)
{
    struct connection *connection = connection_of(session);
    struct worker *worker = connection->worker;
    if (connection->state != CONNECTION_OPEN || worker->corked != connection ||
        length > WORKER_BUFFER_SIZE - worker->output_length)
        return NULL;
    char *end = worker->output + worker->output_length;
    worker->output_length += length;
    return end;
}

void session_cork(struct session *session)
{
    connection_cork(connection_of(session));
}

void session_uncork(struct session *session)
{
    connection_uncork(connection_of(session));
}

void session_pause_reading(struct session *session)
{
    connection_of(session)->intake = INTAKE_PAUSED;
}

void session_resume_reading(struct session *session)
{
    struct connection *connection = connection_of(session);
    connection->intake = INTAKE_LEFT_OFF;
    worker_attend(connection->worker, connection);
}

void session_set_read_limit(struct session *session, size_t bytes)
{
    connection_of(session)->read_limit = bytes;
}

void session_set_write_watermarks(struct session *session, size_t high, size_t low)
{
    struct connection *connection = connection_of(session);
    connection->write_high = high;
    transport_set_low_watermark(connection, low);
    if (transport_backlog(connection) > high)
        connection_pause(connection);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    connection_on_timer(context);
}

void session_set_timer(struct session *session, uint64_t milliseconds)
{
    struct connection *connection = connection_of(session);
    if (connection->timer == NULL)
        connection->timer = evtimer_new(connection->worker->base, on_timer, connection);
    /* Else it counts from the beginning of the loop's turn. */
    event_base_update_cache_time(connection->worker->base);
    struct timeval after = worker_interval(milliseconds);
    if (connection->timer == NULL || evtimer_add(connection->timer, &after) != 0)
        connection_abort(connection, LOST_ABORTED);
}

void session_stop_timer(struct session *session)
{
    struct connection *connection = connection_of(session);
    if (connection->timer != NULL)
        evtimer_del(connection->timer);
}

void session_close(struct session *session)
{
    connection_close(connection_of(session), LOST_FINISHED);
}

void session_abort(struct session *session)
{
    connection_abort(connection_of(session), LOST_ABORTED);
}

void session_log(struct session *session, enum log_level level, const char *format, ...)
{
    const struct connection *connection = connection_of(session);
    const struct log_context about = connection_log_context(connection);
    va_list arguments;
    va_start(arguments, format);
    log_about_v(&about, level, format, arguments);
    va_end(arguments);
}
