/*
 * The queue module: bounded queues with the names and the protocol of Redis'
 * list commands. A request is parsed (resp.h), its command found (command.h)
 * and executed on a queue (queue.h) of the client's space (space.h); then those
 * who wait for items are served (blocking.h).
 */
#include "../protocol.h"

#include <stdio.h>

#include "blocking.h"
#include "client.h"
#include "command.h"
#include "parameters.h"
#include "space.h"

/* --- the factory ------------------------------------------------------------------- */

static bool factory_start(struct factory *factory, char *why, size_t size)
{
    struct clients *clients = factory_shared(factory);
    clients->space = space_new(NULL);
    if (clients->space == NULL) {
        snprintf(why, size, "out of memory");
        return false;
    }
    space_configure(clients->space, factory_parameters(factory));
    return true;
}

static void factory_stop(struct factory *factory)
{
    struct clients *clients = factory_shared(factory);
    space_put(clients->space);
    resp_words_free(&clients->words);
}

/* The queues stay as they are, for the old connections too; the new bounds hold for all. */
static void adopt(struct factory *factory, struct factory *old)
{
    struct clients *clients = factory_shared(factory);
    const struct clients *former = factory_shared(old);
    space_put(clients->space);
    clients->space = space_get(former->space);
    space_configure(clients->space, factory_parameters(factory));
}

/* --- the session ------------------------------------------------------------------- */

static void write_reply(void *context, const void *data, size_t length)
{
    session_write(context, data, length);
}

static const char *connection_made(struct session *session)
{
    const struct queue_parameters *parameters = session_parameters(session);
    struct client *client = session_state(session);
    struct clients *clients = client_shared(client);
    client->space = parameters->scope == SCOPE_CONNECTION ? space_new(clients->space)
                                                          : space_get(clients->space);
    if (client->space == NULL)
        return "out of memory";
    client->reply = (struct resp_writer){.version = 2, .write = write_reply, .context = session};
    clients->connected++;
    /* Somewhat more than the parser admits, so that it is the parser that refuses. */
    uint64_t limit = parameters->max_request_bytes;
    session_set_read_limit(session, (limit > RESP_INLINE_MAX ? limit : RESP_INLINE_MAX) +
                                        CLIENT_REQUEST_OVERHEAD);
    return NULL;
}

/* False when the client is not to be listened to any more. */
static bool handle(struct client *client, enum resp_status status, const char *error)
{
    switch (status) {
    case RESP_REQUEST:
        command_execute(client, &client_shared(client)->words);
        blocking_serve(client->space);
        return true;
    case RESP_EMPTY:
        return true;
    case RESP_TOO_BIG:
        resp_error(&client->reply, "TOOBIG request is over max_request_bytes");
        return true;
    case RESP_ERROR:
        resp_error(&client->reply, "ERR %s", error);
        break;
    case RESP_NO_MEMORY:
        resp_error(&client->reply, "OOM out of memory");
        break;
    case RESP_INCOMPLETE:
        return false;
    }
    session_close(client_session(client));
    return false;
}

static size_t data_received(struct session *session, const char *data, size_t length)
{
    const struct queue_parameters *parameters = session_parameters(session);
    const struct resp_limits limits = {.max_request = parameters->max_request_bytes,
                                       .max_arguments = CLIENT_ARGUMENTS_MAX};
    struct client *client = session_state(session);
    size_t consumed = 0;
    while (consumed < length && !session_must_wait(session)) {
        char error[RESP_ERROR_SIZE];
        size_t used;
        enum resp_status status =
            resp_parse(&client->parser, &limits, data + consumed, length - consumed, &used,
                       &client_shared(client)->words, error);
        consumed += used;
        if (!handle(client, status, error))
            break;
    }
    return consumed;
}

/* As with Redis, a client that has closed its side while it waits has gone. */
static bool eof_received(struct session *session)
{
    blocking_cancel(session_state(session));
    return false;
}

static void timer_expired(struct session *session)
{
    blocking_timed_out(session_state(session));
}

static void connection_lost(struct session *session, enum lost_reason reason)
{
    (void)reason;
    struct client *client = session_state(session);
    blocking_cancel(client);
    client_shared(client)->connected--;
    space_put(client->space);
}

extern const struct protocol queue_protocol;
const struct protocol queue_protocol = {
    .name = "queue",
    .summary = "bounded queues that speak the Redis protocol",
    .parameters = queue_parameter_rows,
    .parameters_size = sizeof(struct queue_parameters),
    .shared_size = sizeof(struct clients),
    .session_size = sizeof(struct client),
    .check = queue_parameters_check,
    .footprint = queue_parameters_footprint,
    .factory_start = factory_start,
    .factory_stop = factory_stop,
    .factory_adopt = adopt,
    .connection_made = connection_made,
    .data_received = data_received,
    .eof_received = eof_received,
    .timer_expired = timer_expired,
    .connection_lost = connection_lost,
};
