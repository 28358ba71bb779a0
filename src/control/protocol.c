/*
 * The control module: the administrator's way in, on a unix socket, in the
 * protocol of Redis. Who may do what is decided when he connects; a request is
 * parsed (resp.h), checked (command.h) and executed (control.h).
 */
#include <unistd.h>

#include "control.h"

enum { CHANGE_OWNER, CHANGE_GROUP };

struct control_parameters {
    int change;
    uint64_t max_clients;
    uint64_t client_timeout; /* ms */
};

static const char *const change_names[] = {"owner", "group", NULL};

static const struct parameter parameters[] = {
    {.name = "change",
     .type = PARAMETER_CHOICE,
     .offset = offsetof(struct control_parameters, change),
     .initial = "owner",
     .choices = change_names,
     .reload = RELOAD_CONNECTIONS,
     .help = "who may change something, besides root and the daemon's own user: nobody, or the "
             "socket's group"},
    {.name = "max_clients",
     .type = PARAMETER_COUNT,
     .offset = offsetof(struct control_parameters, max_clients),
     .initial = "8",
     .minimum = 1,
     .maximum = CONFIG_RESERVED_FDS / 2,
     .reload = RELOAD_CONNECTIONS,
     .help = "the most connections at one time"},
    {.name = "client_timeout",
     .type = PARAMETER_DURATION,
     .offset = offsetof(struct control_parameters, client_timeout),
     .flags = PARAMETER_NONE,
     .initial = "5m",
     .minimum = 100,
     .maximum = UINT64_C(86400000),
     .reload = RELOAD_CONNECTIONS,
     .help = "a client that asks nothing, or does not read its replies, for so long is closed"},
    {0},
};

static void footprint(const void *block, struct footprint *footprint)
{
    const struct control_parameters *control = block;
    footprint->per_connection = CONTROL_REQUEST_MAX + SESSION_WRITE_HIGH;
    footprint->connections = control->max_clients;
}

/* --- the factory ------------------------------------------------------------------- */

/* The words of the request that is being executed: one does for all sessions. */
static void factory_stop(struct factory *factory)
{
    resp_words_free(factory_shared(factory));
}

/* --- who may do what ------------------------------------------------------------------ */

/* NULL lets him in; else the reason why not. */
static const char *admit(struct session *session)
{
    const struct control_parameters *own = session_parameters(session);
    struct control *client = session_state(session);
    struct identity peer;
    if (!session_identity(session, &peer))
        return "not by a unix socket";
    bool is_owner = peer.user == 0 || peer.user == geteuid();
    client->may_change = is_owner || (peer.in_group && own->change == CHANGE_GROUP);
    return is_owner || peer.in_group ? NULL : "neither root, nor the daemon, nor of the group";
}

/* It counts itself; the reply to one too many needs a descriptor, and no more. */
static bool is_full(struct session *session)
{
    const struct control_parameters *own = session_parameters(session);
    struct factory *factory = session_factory(session);
    const struct listener *listener =
        server_find_listener(factory_server(factory), factory_name(factory));
    return listener != NULL && listener_connections(listener) > own->max_clients;
}

static void write_reply(void *context, const void *data, size_t length)
{
    session_write(context, data, length);
}

/* For each request anew: what does not come, or is not read, is waited for so long. */
static void set_deadline(struct session *session)
{
    const struct control_parameters *own = session_parameters(session);
    if (own->client_timeout != PARAMETER_IS_NONE)
        session_set_timer(session, own->client_timeout);
}

static const char *connection_made(struct session *session)
{
    struct control *client = session_state(session);
    client->reply = (struct resp_writer){.version = 2, .write = write_reply, .context = session};
    if (factory_server(session_factory(session)) == NULL)
        return "there is no server";
    const char *refusal = admit(session);
    if (refusal != NULL) {
        resp_error(&client->reply, "NOPERM %s", refusal);
        return refusal;
    }
    if (is_full(session)) {
        resp_error(&client->reply, "ERR max_clients are connected");
        return "max_clients are connected";
    }
    session_set_read_limit(session, CONTROL_REQUEST_MAX);
    set_deadline(session);
    return NULL;
}

/* --- requests --------------------------------------------------------------------------- */

/* False when the client is not to be listened to any more. */
static bool handle(struct session *session, enum resp_status status, const char *error)
{
    struct control *client = session_state(session);
    switch (status) {
    case RESP_REQUEST:
        control_execute(session, factory_shared(session_factory(session)));
        return true;
    case RESP_EMPTY:
        return true;
    case RESP_TOO_BIG:
        resp_error(&client->reply, "TOOBIG request is over %u bytes", CONTROL_REQUEST_MAX);
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
    session_close(session);
    return false;
}

static size_t data_received(struct session *session, const char *data, size_t length)
{
    static const struct resp_limits limits = {.max_request = CONTROL_REQUEST_MAX,
                                              .max_arguments = CONTROL_ARGUMENTS_MAX};
    struct control *client = session_state(session);
    size_t consumed = 0;
    set_deadline(session);
    while (consumed < length && !session_must_wait(session)) {
        char error[RESP_ERROR_SIZE];
        size_t used;
        enum resp_status status =
            resp_parse(&client->parser, &limits, data + consumed, length - consumed, &used,
                       factory_shared(session_factory(session)), error);
        consumed += used;
        if (!handle(session, status, error))
            break;
    }
    return consumed;
}

static void timer_expired(struct session *session)
{
    session_abort(session);
}

extern const struct protocol control_protocol;
const struct protocol control_protocol = {
    .name = "control",
    .summary = "the administrator's way in, for cisternctl and redis-cli",
    .parameters = parameters,
    .parameters_size = sizeof(struct control_parameters),
    .is_privileged = true,
    .is_local = true,
    .shared_size = sizeof(struct resp_words),
    .session_size = sizeof(struct control),
    .footprint = footprint,
    .factory_stop = factory_stop,
    .connection_made = connection_made,
    .data_received = data_received,
    .timer_expired = timer_expired,
};
