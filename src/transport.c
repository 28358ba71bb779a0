#include "transport.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <event2/bufferevent_struct.h>

#include "deadline.h"

/* A backlog leaves in pieces as large as the reads, and not of 16 KiB, libevent's default. */
#define SINGLE_WRITE_MAX ((size_t)WORKER_BUFFER_SIZE)

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    const struct bufferevent *transport = context;
    connection_on_readable(transport->cbarg);
}

static void on_buffered_input(struct bufferevent *transport, void *context)
{
    (void)transport;
    connection_on_readable(context);
}

static void on_drained(struct bufferevent *transport, void *context)
{
    struct connection *connection = context;
    connection->has_backlog = evbuffer_get_length(bufferevent_get_output(transport)) > 0;
    connection_on_drained(connection);
}

static void on_event(struct bufferevent *transport, short what, void *context)
{
    (void)transport;
    struct connection *connection = context;
    if ((what & BEV_EVENT_EOF) != 0) {
        connection->transport_eof = true;
        connection_on_readable(connection);
    } else if ((what & BEV_EVENT_TIMEOUT) != 0) {
        deadline_check_stall(connection);
    } else if ((what & BEV_EVENT_ERROR) != 0) {
        connection_abort(connection, LOST_RESET);
    }
}

/*
 * The bufferevent's own read event, with another callback; libevent takes care of it in every
 * other respect, and so its argument has to stay the bufferevent. An event of ours beside it
 * would be 144 bytes more a connection.
 */
static bool take_over_reading(struct bufferevent *transport, evutil_socket_t fd)
{
    return event_assign(&transport->ev_read, bufferevent_get_base(transport), fd,
                        EV_READ | EV_PERSIST | EV_FINALIZE, on_readable, transport) == 0;
}

static bool set_write_timeout(struct connection *connection)
{
    const struct timeval interval = worker_interval(deadline_stall_interval(connection->terms));
    return bufferevent_set_timeouts(connection->transport, NULL, &interval) == 0;
}

bool transport_init(struct connection *connection)
{
    struct bufferevent *transport = connection->transport;
    const struct terms *terms = connection->terms;
    connection->fd = terms->rates == NULL ? bufferevent_getfd(transport) : -1;
    bufferevent_setcb(transport, on_buffered_input, on_drained, on_event, connection);
    bufferevent_set_max_single_write(transport, SINGLE_WRITE_MAX);
    if (terms->write_timeout != PARAMETER_IS_NONE && !set_write_timeout(connection))
        return false;
    if (terms->rates != NULL)
        return bufferevent_set_rate_limit(transport, terms->rates) == 0;
    return connection->fd < 0 || take_over_reading(transport, connection->fd);
}

/* Before the terms, which have the rates, may go. */
static void lift_rates(struct connection *connection)
{
    if (connection->terms->rates != NULL)
        bufferevent_set_rate_limit(connection->transport, NULL);
}

void transport_free(struct connection *connection)
{
    bufferevent_setcb(connection->transport, NULL, NULL, NULL, NULL);
    lift_rates(connection);
    bufferevent_free(connection->transport);
    connection->transport = NULL;
}

/* Whether the bufferevent has bytes, or the end of them. */
static bool has_input(const struct connection *connection)
{
    return connection->transport_eof ||
           evbuffer_get_length(bufferevent_get_input(connection->transport)) > 0;
}

bool transport_start_reading(struct connection *connection)
{
    if (connection->fd < 0) {
        bufferevent_setwatermark(connection->transport, EV_READ, 0, connection->read_limit);
        /* What came while reading was off has had its callback already. */
        if (has_input(connection))
            bufferevent_trigger(connection->transport, EV_READ, BEV_OPT_DEFER_CALLBACKS);
    }
    return bufferevent_enable(connection->transport, EV_READ) == 0;
}

void transport_stop_reading(struct connection *connection)
{
    bufferevent_disable(connection->transport, EV_READ);
}

ssize_t transport_read(struct connection *connection, char *buffer, size_t size)
{
    if (connection->fd >= 0)
        return recv(connection->fd, buffer, size, MSG_DONTWAIT);
    size_t length = bufferevent_read(connection->transport, buffer, size);
    /* Unlike a socket's event, its callback does not come again for what is left. */
    if (length > 0 && has_input(connection))
        bufferevent_trigger(connection->transport, EV_READ, BEV_OPT_DEFER_CALLBACKS);
    if (length > 0 || connection->transport_eof)
        return (ssize_t)length;
    errno = EAGAIN;
    return -1;
}

/* How much the socket takes at once: 0 if none, -1 with errno on a broken connection. */
static ssize_t send_now(struct connection *connection, const char *data, size_t length)
{
    if (connection->fd < 0 || connection->has_backlog)
        return 0;
    ssize_t sent = send(connection->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS))
        return 0;
    return sent;
}

bool transport_write(struct connection *connection, const char *data, size_t length)
{
    ssize_t sent = send_now(connection, data, length);
    if (sent < 0)
        return false;
    if ((size_t)sent == length)
        return true;
    connection->has_backlog = true;
    if (bufferevent_write(connection->transport, data + sent, length - (size_t)sent) == 0)
        return true;
    errno = ENOMEM;
    return false;
}

void transport_set_low_watermark(struct connection *connection, size_t bytes)
{
    bufferevent_setwatermark(connection->transport, EV_WRITE, bytes, 0);
}

bool transport_peer_has_left(const struct connection *connection)
{
    struct pollfd state = {.fd = bufferevent_getfd(connection->transport), .events = POLLRDHUP};
    if (state.fd < 0)
        return connection->transport_eof;
    return poll(&state, 1, 0) > 0;
}

uint32_t transport_progress(const struct connection *connection)
{
    int unsent = 0;
    if (ioctl(bufferevent_getfd(connection->transport), SIOCOUTQ, &unsent) != 0)
        unsent = 0; /* no socket: what has left the backlog has been taken */
    return (uint32_t)connection_bytes_sent(connection) - (uint32_t)unsent;
}

void transport_resume_writing(struct connection *connection)
{
    bufferevent_enable(connection->transport, EV_WRITE);
}

bool transport_shutdown(struct connection *connection)
{
    int fd = bufferevent_getfd(connection->transport);
    if (fd < 0) {
        /* A pair: its other side sees the end, but we could not read on. */
        bufferevent_flush(connection->transport, EV_WRITE, BEV_FINISHED);
        return false;
    }
    lift_rates(connection); /* what is still to be read is only in the way */
    return shutdown(fd, SHUT_WR) == 0;
}

uint64_t transport_idle(const struct connection *connection)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(bufferevent_getfd(connection->transport), IPPROTO_TCP, TCP_INFO, &info,
                   &length) != 0)
        return 0;
    return info.tcpi_last_data_recv < info.tcpi_last_data_sent ? info.tcpi_last_data_recv
                                                                : info.tcpi_last_data_sent;
}
