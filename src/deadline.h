/*
 * deadline: what a connection may not take longer for, and its end when it does.
 *
 * No timer is moved with the bytes: when one runs out, the connection is asked
 * when they last moved, and if that was lately it gets the rest of the time.
 */
#ifndef CISTERN_DEADLINE_H
#define CISTERN_DEADLINE_H

#include "connection.h"

/* How long a connection that has said all waits for the peer's FIN, in milliseconds. */
#define DEADLINE_LINGER 2000U
/* How long a closing connection may go without the peer taking a byte, in milliseconds. */
#define DEADLINE_FLUSH 30000U
/* How often a peer is looked after whose input is full while its module waits, in milliseconds. */
#define DEADLINE_WATCH_INTERVAL 500U

/* Looks in so many milliseconds whether the connection has been idle, or does not come to its end.
 */
void deadline_set(struct connection *connection, uint64_t milliseconds);

/* Reading is off while the module waits: only asking shows whether the peer is still there. */
void deadline_watch(struct connection *connection);

/*
 * request_timeout: the module has left input, and wants more behind it. taken:
 * of what it was offered with it, so that what is left has begun just now.
 */
void deadline_begin_request(struct connection *connection, bool taken);

/* write_timeout: how often is looked whether the peer takes anything, in milliseconds. */
uint64_t deadline_stall_interval(const struct terms *terms);
/* To be called so often, while there is a backlog of which the socket takes nothing. */
void deadline_check_stall(struct connection *connection);

/* Frees the timers. */
void deadline_clear(struct connection *connection);

#endif
