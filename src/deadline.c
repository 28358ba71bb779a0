#include "deadline.h"

#include <event2/event.h>

#include "transport.h"

/* --- idle, flush, linger ------------------------------------------------------------- */

static void on_deadline(evutil_socket_t fd, short what, void *context);

void deadline_set(struct connection *connection, uint64_t milliseconds)
{
    if (connection->deadline == NULL)
        connection->deadline = evtimer_new(connection->worker->base, on_deadline, connection);
    struct timeval after = worker_interval(milliseconds);
    if (connection->deadline == NULL || evtimer_add(connection->deadline, &after) != 0)
        connection_abort(connection, LOST_ABORTED);
}

static void check_idle(struct connection *connection, bool progress)
{
    uint64_t timeout = connection->terms->idle_timeout;
    uint64_t idle = clock_now() - connection->active_at;
    size_t backlog = transport_backlog(connection);
    bool waits = connection->intake == INTAKE_PAUSED && backlog == 0;
    if (waits || progress)
        deadline_set(connection, timeout);
    else if (idle < timeout)
        deadline_set(connection, timeout - idle);
    else if (backlog > 0)
        connection_abort(connection, LOST_IDLE);
    else
        connection_close(connection, LOST_IDLE);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct connection *connection = context;
    size_t backlog = transport_backlog(connection);
    bool progress = backlog != connection->backlog_seen;
    connection->backlog_seen = backlog;
    if (connection->state == CONNECTION_OPEN)
        check_idle(connection, progress);
    else if (connection->state == CONNECTION_CLOSING && progress)
        deadline_set(connection, DEADLINE_FLUSH);
    else
        connection_abort(connection, connection->reason);
}

/* --- requests -------------------------------------------------------------------------- */

static void on_request(evutil_socket_t fd, short what, void *context);

static void set_request_timer(struct connection *connection, uint64_t milliseconds)
{
    if (connection->request == NULL)
        connection->request = evtimer_new(connection->worker->base, on_request, connection);
    struct timeval after = worker_interval(milliseconds);
    if (connection->request == NULL || evtimer_add(connection->request, &after) != 0)
        connection_abort(connection, LOST_ABORTED);
}

static void on_request(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct connection *connection = context;
    uint64_t timeout = connection->terms->request_timeout, now = clock_now();
    if (connection->state != CONNECTION_OPEN || connection->request_at == 0)
        return;
    if (!connection->reading) /* it is we who make it wait */
        connection->request_at = now;
    uint64_t age = now - connection->request_at;
    if (age < timeout)
        set_request_timer(connection, timeout - age);
    else
        connection_close(connection, LOST_REQUEST);
}

void deadline_begin_request(struct connection *connection, bool taken)
{
    uint64_t timeout = connection->terms->request_timeout;
    if (timeout == PARAMETER_IS_NONE)
        return;
    if (taken || connection->request_at == 0)
        connection->request_at = clock_now();
    if (connection->request == NULL || !evtimer_pending(connection->request, NULL))
        set_request_timer(connection, timeout);
}

/* --- a peer that takes nothing ----------------------------------------------------------- */

/* After so many looks in a row that saw no progress it has stalled. */
#define STALLS 4U

uint64_t deadline_stall_interval(const struct terms *terms)
{
    return (terms->write_timeout + STALLS - 1) / STALLS;
}

void deadline_check_stall(struct connection *connection)
{
    uint32_t progress = transport_progress(connection);
    connection->stalls = progress == connection->progress_seen ? connection->stalls + 1 : 0;
    connection->progress_seen = progress;
    if (connection->stalls < STALLS)
        transport_resume_writing(connection);
    else
        connection_abort(connection, LOST_STALLED);
}

/* --- a peer that leaves unread --------------------------------------------------------- */

/* A module that waits for somebody else has its input kept; when that is full, nothing is read. */
static bool is_deaf(const struct connection *connection)
{
    return connection->state == CONNECTION_OPEN && connection->intake == INTAKE_PAUSED &&
           !connection->reading && connection->eof == NOTICE_NONE;
}

static void on_watch(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct connection *connection = context;
    if (is_deaf(connection) && transport_peer_has_left(connection))
        connection_abort(connection, LOST_RESET);
    else
        deadline_watch(connection);
}

void deadline_watch(struct connection *connection)
{
    if (!is_deaf(connection))
        return;
    if (connection->watch == NULL)
        connection->watch = evtimer_new(connection->worker->base, on_watch, connection);
    struct timeval after = worker_interval(DEADLINE_WATCH_INTERVAL);
    if (connection->watch == NULL || evtimer_add(connection->watch, &after) != 0)
        connection_abort(connection, LOST_ABORTED);
}

void deadline_clear(struct connection *connection)
{
    if (connection->deadline != NULL)
        event_free(connection->deadline);
    if (connection->request != NULL)
        event_free(connection->request);
    if (connection->watch != NULL)
        event_free(connection->watch);
}
