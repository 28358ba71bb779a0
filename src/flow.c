/*
 * flow: the bytes of a connection. What comes in is offered to the module, what
 * it leaves is kept, what it writes is sent; and the bounds decide when to read.
 */
#include "connection.h"

#include <errno.h>

#include "buffers.h"
#include "deadline.h"
#include "transport.h"

/* --- output ------------------------------------------------------------------ */

/* The module hears of it at the turn's end: perhaps it was another session that wrote. */
void connection_pause(struct connection *connection)
{
    if (connection->full != NOTICE_NONE)
        return;
    connection->full = NOTICE_DUE;
    worker_attend(connection->worker, connection);
}

void connection_send(struct connection *connection, const char *data, size_t length)
{
    if (length == 0 || connection->state >= CONNECTION_LINGERING)
        return;
    if (!transport_write(connection, data, length)) {
        connection_abort(connection, errno == ENOMEM ? LOST_ABORTED : LOST_RESET);
        return;
    }
    connection->bytes_sent += length;
    connection_touch(connection);
    if (!connection->has_backlog)
        return;
    buffers_settle(connection);
    if (transport_backlog(connection) > connection->write_high)
        connection_pause(connection);
}

void connection_flush(struct connection *connection)
{
    struct worker *worker = connection->worker;
    size_t length = worker->output_length - connection->cork_base;
    worker->output_length = connection->cork_base;
    budget_settle(&worker->memory); /* what they hear of holds for other workers too */
    connection_send(connection, worker->output + connection->cork_base, length);
}

void connection_cork(struct connection *connection)
{
    struct worker *worker = connection->worker;
    if (connection->corks++ > 0) /* it is served inside its own callback */
        return;
    connection->cork_below = worker->corked;
    connection->cork_base = worker->output_length;
    worker->corked = connection;
}

void connection_uncork(struct connection *connection)
{
    if (--connection->corks > 0)
        return;
    connection_flush(connection);
    connection->worker->corked = connection->cork_below;
}

/* --- input ------------------------------------------------------------------- */

static void note_intake(struct connection *connection, enum intake intake)
{
    if (connection->intake != INTAKE_PAUSED)
        connection->intake = intake;
}

/* session_must_wait(), of a session that has gathered nothing; asked for each message. */
static inline bool has_to_wait(const struct connection *connection)
{
    return connection->state != CONNECTION_OPEN || connection->intake == INTAKE_PAUSED ||
           connection->full != NOTICE_NONE ||
           (connection->has_backlog && transport_backlog(connection) > connection->write_high);
}

/* Offers bytes to the module; returns how many it took. */
static size_t offer(struct connection *connection, const char *data, size_t length)
{
    const struct protocol *protocol = connection_protocol(connection);
    if (has_to_wait(connection)) {
        note_intake(connection, INTAKE_LEFT_OFF);
        return 0;
    }
    if (protocol->data_received == NULL)
        return length;
    connection_cork(connection);
    size_t consumed = protocol->data_received(&connection->session, data, length);
    /* It had to leave off; perhaps only until what it has gathered is sent. */
    bool left_off = consumed < length && session_must_wait(&connection->session);
    note_intake(connection, left_off ? INTAKE_LEFT_OFF : INTAKE_READY);
    connection_uncork(connection);
    return consumed;
}

/*
 * What the module has left, if anything, of which it took some or nothing: it
 * must wait, had to leave off, or wants more behind it.
 */
static void consider_rest(struct connection *connection, bool taken)
{
    size_t length = input_length(&connection->kept);
    if (length == 0 || session_must_wait(&connection->session))
        connection->request_at = 0;
    else if (connection->intake == INTAKE_LEFT_OFF)
        worker_attend(connection->worker, connection);
    else if (length >= connection->read_limit)
        connection_abort(connection, LOST_OVERFLOW);
    else
        deadline_begin_request(connection, taken);
}

static void offer_kept(struct connection *connection)
{
    struct input *kept = &connection->kept;
    if (input_length(kept) == 0)
        return;
    size_t consumed = offer(connection, input_data(kept), input_length(kept));
    input_consume(kept, consumed);
    consider_rest(connection, consumed > 0);
}

/* Bytes that lie in the worker's buffer: only what the module leaves is copied. */
static void offer_fresh(struct connection *connection, const char *data, size_t length)
{
    size_t consumed = offer(connection, data, length);
    if (consumed == length || connection->state != CONNECTION_OPEN)
        return;
    if (input_append(&connection->kept, data + consumed, length - consumed, connection->read_limit))
        consider_rest(connection, consumed > 0);
    else
        connection_abort(connection, LOST_ABORTED);
}

/* Whether there is input that the module has not seen, and will be shown. */
static bool has_unseen_input(const struct connection *connection)
{
    return input_length(&connection->kept) > 0 && connection->intake == INTAKE_LEFT_OFF;
}

static void offer_eof(struct connection *connection)
{
    if (connection->eof != NOTICE_DUE || connection->state != CONNECTION_OPEN ||
        has_unseen_input(connection))
        return;
    connection->eof = NOTICE_GIVEN;
    bool stay = false;
    if (connection_protocol(connection)->eof_received != NULL) {
        connection_cork(connection);
        stay = connection_protocol(connection)->eof_received(&connection->session);
        connection_uncork(connection);
    }
    if (!stay)
        connection_close(connection, LOST_EOF);
}

void connection_offer(struct connection *connection)
{
    offer_kept(connection);
    offer_eof(connection);
    connection_settle(connection);
}

static bool wants_input(const struct connection *connection)
{
    if (connection->eof != NOTICE_NONE)
        return false;
    if (connection->state == CONNECTION_OPEN)
        return connection->full == NOTICE_NONE && !buffers_forbid(connection) &&
               input_length(&connection->kept) < connection->read_limit;
    return connection->state == CONNECTION_LINGERING;
}

void connection_update_reading(struct connection *connection)
{
    bool wanted = wants_input(connection);
    if (wanted == connection->reading)
        return;
    connection->reading = wanted;
    if (connection->request_at != 0) /* it does not pay for the time in which we did not read */
        connection->request_at = clock_now();
    if (!wanted)
        transport_stop_reading(connection);
    else if (!transport_start_reading(connection))
        connection_abort(connection, LOST_ABORTED);
    deadline_watch(connection);
}

static void tell_full(struct connection *connection)
{
    const struct protocol *protocol = connection_protocol(connection);
    connection->full = NOTICE_GIVEN;
    if (protocol->pause_writing == NULL)
        return;
    connection_cork(connection);
    protocol->pause_writing(&connection->session);
    connection_uncork(connection);
}

/* One that is closing reads on until the end of the turn, which most often wants it to. */
void connection_settle(struct connection *connection)
{
    buffers_settle(connection);
    if (connection->state == CONNECTION_OPEN && connection->full == NOTICE_DUE)
        tell_full(connection);
    if (connection->state == CONNECTION_OPEN)
        connection_update_reading(connection);
}

/* Where the next bytes go: behind what is kept, or into the worker's buffer. */
static char *receive_space(struct connection *connection, size_t *room)
{
    struct input *kept = &connection->kept;
    size_t limit = connection->read_limit, length = input_length(kept);
    char *space = connection->worker->input;
    *room = WORKER_BUFFER_SIZE;
    if (length > 0) {
        size_t wanted = limit - length < CONNECTION_KEEP_MIN ? limit - length : CONNECTION_KEEP_MIN;
        if (!input_reserve(kept, wanted, limit))
            return NULL;
        space = input_space(kept, room);
    }
    if (*room > limit - length)
        *room = limit - length;
    return space;
}

static void receive(struct connection *connection)
{
    size_t room;
    char *space = receive_space(connection, &room);
    if (space == NULL) {
        connection_abort(connection, LOST_ABORTED);
        return;
    }
    ssize_t length = transport_read(connection, space, room);
    if (length < 0) {
        if (errno != EAGAIN && errno != EINTR)
            connection_abort(connection, LOST_RESET);
        return;
    }
    connection->bytes_received += (size_t)length;
    connection_touch(connection);
    if (length == 0) {
        connection->eof = NOTICE_DUE;
        offer_eof(connection);
    } else if (space == connection->worker->input) {
        offer_fresh(connection, space, (size_t)length);
    } else {
        input_added(&connection->kept, (size_t)length);
        offer_kept(connection);
    }
    connection_settle(connection);
}

/* After our FIN: read on only to see the peer's. */
static void discard(struct connection *connection)
{
    ssize_t length = transport_read(connection, connection->worker->input, WORKER_BUFFER_SIZE);
    if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR))
        connection_abort(connection, connection->reason);
}

void connection_on_readable(struct connection *connection)
{
    if (connection->state == CONNECTION_OPEN && connection->reading)
        receive(connection);
    else if (connection->state == CONNECTION_LINGERING)
        discard(connection);
}

void connection_on_drained(struct connection *connection)
{
    connection_touch(connection);
    if (connection->state == CONNECTION_CLOSING)
        worker_attend(connection->worker, connection);
    if (connection->state != CONNECTION_OPEN || connection->full == NOTICE_NONE) {
        connection_settle(connection);
        return;
    }
    const struct protocol *protocol = connection_protocol(connection);
    bool told = connection->full == NOTICE_GIVEN;
    connection->full = NOTICE_NONE;
    if (told && protocol->resume_writing != NULL) {
        connection_cork(connection);
        protocol->resume_writing(&connection->session);
        connection_uncork(connection);
    }
    connection_offer(connection);
}

void connection_on_timer(struct connection *connection)
{
    if (connection->state != CONNECTION_OPEN)
        return;
    connection_cork(connection);
    connection_protocol(connection)->timer_expired(&connection->session);
    connection_uncork(connection);
    connection_settle(connection);
}
