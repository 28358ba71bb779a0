/* accept: takes connections in on the sockets of listeners, within their limits. Main thread. */
#ifndef CISTERN_ACCEPT_H
#define CISTERN_ACCEPT_H

#include <event2/event.h>

#include "endpoint.h"

struct listener;

/* Accepts in one loop turn from one socket, so that a flood does not starve who is connected. */
#define ACCEPTS_PER_TURN 32

/* The event by which a socket is accepted from: to be added when its endpoint has a listener. */
struct event *accept_new_event(struct event_base *base, struct endpoint_socket *from);

/* The timer by which a listener goes on after a pause. */
struct event *accept_new_timer(struct event_base *base, struct listener *listener);

/* Keeps a descriptor for when there are no more, if the administrator comes here. */
void accept_keep_spare(struct listener *listener);

/* Accepts, or leaves off, as the listener's state says. */
void accept_update(struct listener *listener);

#endif
