/*
 * transport: how a connection's bytes are moved; one interface, two ways.
 *
 * The bufferevent always owns the descriptor, both events and the backlog. On a
 * plain socket it does not read: libevent 2.1.12 reads 4 KiB at a time and asks
 * FIONREAD before each read, ten times slower on streams. There its read event
 * calls us instead, for one recv() into the worker's buffer, and one send() is
 * tried before anything becomes backlog. Where there is no plain socket
 * (bufferevent_pair in the tests, later TLS), or the connection has a rate, which
 * libevent keeps, the bufferevent does it all.
 */
#ifndef CISTERN_TRANSPORT_H
#define CISTERN_TRANSPORT_H

#include <event2/buffer.h>

#include "connection.h"

/* Sets up callbacks and events on connection->transport. False if libevent will not. */
bool transport_init(struct connection *connection);
void transport_free(struct connection *connection);

/* False when the kernel has no room for one more that is polled. */
bool transport_start_reading(struct connection *connection);
void transport_stop_reading(struct connection *connection);

/* As recv(2): bytes read, 0 at the end of the stream, -1 with errno. */
ssize_t transport_read(struct connection *connection, char *buffer, size_t size);

/*
 * Sends what can be sent at once and keeps the rest as backlog. False when the
 * connection or memory is gone, with errno.
 */
bool transport_write(struct connection *connection, const char *data, size_t length);

/* Bytes of backlog. */
static inline size_t transport_backlog(const struct connection *connection)
{
    if (!connection->has_backlog)
        return 0;
    return evbuffer_get_length(bufferevent_get_output(connection->transport));
}

/* Bytes that wait in the bufferevent, in either direction. */
static inline size_t transport_held(const struct connection *connection)
{
    size_t input = 0;
    if (connection->fd < 0)
        input = evbuffer_get_length(bufferevent_get_input(connection->transport));
    return input + transport_backlog(connection);
}

/* connection_on_drained() is called when the backlog falls to so many bytes. */
void transport_set_low_watermark(struct connection *connection, size_t bytes);

/* Whether the peer has closed or reset, behind whatever input there is. */
bool transport_peer_has_left(const struct connection *connection);

/*
 * Something that changes whenever the peer takes of what was sent, whether it
 * waits here or in the kernel: a socket of which much is taken in small pieces
 * becomes writable seldom.
 */
uint32_t transport_progress(const struct connection *connection);
/* After the write timeout: goes on to send. */
void transport_resume_writing(struct connection *connection);

/* Sends our FIN. False where the transport cannot half-close. */
bool transport_shutdown(struct connection *connection);

/* Milliseconds since bytes last moved, as tcp(7) knows; 0 where there is no TCP. */
uint64_t transport_idle(const struct connection *connection);

#endif
