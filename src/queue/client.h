/* client: the state of one connection that speaks to the queues. */
#ifndef CISTERN_QUEUE_CLIENT_H
#define CISTERN_QUEUE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../protocol.h"
#include "resp.h"
#include "space.h"

/* The most arguments of one request, as Redis has it. */
#define CLIENT_ARGUMENTS_MAX 1048576U
/* Bytes of a request besides one largest item: name of the queue, command, headers. */
#define CLIENT_REQUEST_OVERHEAD 2048U

/* What all clients of a listener share: the factory's shared state. */
struct clients {
    struct space *space;     /* the listener's queues, and the limits of all */
    struct resp_words words; /* of the request being executed */
    uint64_t connected;
    uint64_t blocked;
    uint64_t commands; /* executed since the factory was made */
};

struct client {
    struct space *space; /* the listener's, or its own; a reference */
    struct resp_parser parser;
    struct resp_writer reply;
    struct waiter *waiters; /* while it waits: one for each queue; owned */
    size_t waiter_count;
    enum deque_end wait_end;
};

static inline struct session *client_session(struct client *client)
{
    return session_of_state(client);
}

static inline struct clients *client_shared(struct client *client)
{
    return factory_shared(session_factory(client_session(client)));
}

#endif
