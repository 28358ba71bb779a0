/*
 * The queue module: bounded queues with the names and the protocol of Redis'
 * list commands. A request is parsed (resp.h), its command found (command.h)
 * and executed on a queue (queue.h) of the client's space (space.h); then those
 * who wait for items or room are served (wait.h).
 */
#include "../protocol.h"

#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "command.h"
#include "inspect.h"
#include "parameters.h"
#include "service.h"
#include "snapshot.h"
#include "transaction.h"
#include "wait.h"

/* Room for so many words is kept from one request to the next. */
#define WORDS_KEPT 65536U

/* --- the factory ------------------------------------------------------------------- */

/* The factory's shared state: a pointer, for the service may outlive the factory. */
struct shared {
    struct service *service;
};

static struct service *service_of(struct factory *factory)
{
    struct shared *shared = factory_shared(factory);
    return shared->service;
}

static bool factory_start(struct factory *factory, char *why, size_t size)
{
    struct shared *shared = factory_shared(factory);
    shared->service = service_new(factory_parameters(factory));
    if (shared->service == NULL) {
        snprintf(why, size, "out of memory");
        return false;
    }
    shared->service->current = factory;
    return true;
}

static void factory_stop(struct factory *factory)
{
    struct service *service = service_of(factory);
    if (service->current == factory)
        service->current = NULL;
    service_put(service);
}

/* The queues stay as they are, for the old connections too; the new bounds hold for all. */
static void adopt(struct factory *factory, struct factory *old)
{
    struct shared *shared = factory_shared(factory);
    struct service *service = service_get(service_of(old));
    service_adopt_limits(service, shared->service);
    service_put(shared->service);
    shared->service = service;
    service->current = factory;
    factory_stop_timer(old);
    service_housekeep(service);
}

/* Items would be out of reach: without the listener, or each connection with its own queues. */
static bool may_change(struct factory *factory, const void *parameters, char *why, size_t size)
{
    const struct queue_parameters *now = factory_parameters(factory), *then = parameters;
    struct space_totals totals;
    space_sum(service_of(factory)->space, &totals);
    bool keeps = then != NULL && then->scope == now->scope;
    if (keeps || totals.items + totals.leased == 0)
        return true;
    snprintf(why, size, "its queues still hold %llu items, which nobody could reach",
             (unsigned long long)(totals.items + totals.leased));
    return false;
}

static void list(struct factory *factory, const char *pattern, figure_visitor *visit, void *context)
{
    inspect_list(service_of(factory), pattern, visit, context);
}

static bool purge(struct factory *factory, const char *name, size_t length, uint64_t *removed)
{
    return inspect_purge(service_of(factory), (struct resp_argument){name, length}, removed);
}

/* With queues of their own the connections have taken them along. */
static uint64_t save(struct factory *factory, struct contents_writer *writer)
{
    const struct queue_parameters *parameters = factory_parameters(factory);
    return parameters->scope == SCOPE_LISTENER ? snapshot_save(service_of(factory), writer) : 0;
}

/* New bounds hold as after a reload. */
static bool load(struct factory *factory, struct contents_reader *reader, char *why, size_t size)
{
    const struct queue_parameters *parameters = factory_parameters(factory);
    struct service *service = service_of(factory);
    if (parameters->scope != SCOPE_LISTENER) {
        snprintf(why, size, "its connections now have queues of their own");
        return false;
    }
    service->space->limits->budget.outer = factory_budget(factory);
    if (!snapshot_load(service, reader, why, size))
        return false;
    service->trims = true;
    service_housekeep(service);
    return true;
}

static void factory_timer_expired(struct factory *factory)
{
    service_housekeep(service_of(factory));
}

/* --- the session ------------------------------------------------------------------- */

static void write_reply(void *context, const void *data, size_t length)
{
    session_write(context, data, length);
}

static char *append_reply(void *context, size_t length)
{
    return session_append(context, length);
}

static const char *connection_made(struct session *session)
{
    const struct queue_parameters *parameters = session_parameters(session);
    struct client *client = session_state(session);
    struct service *service = service_of(session_factory(session));
    client->space = parameters->scope == SCOPE_CONNECTION ? space_new(service->space->limits, true)
                                                          : space_get(service->space);
    if (client->space == NULL)
        return "out of memory";
    client->service = service_get(service);
    client->reply = (struct resp_writer){
        .version = 2, .write = write_reply, .append = append_reply, .context = session};
    client->max_reply = parameters->max_reply_bytes;
    client->connected_at = client->active_at = service->now = clock_now();
    TAILQ_INIT(&client->leases);
    TAILQ_INSERT_TAIL(&service->clients, client, others);
    service->accepted++;
    service->connected++;
    service->space->limits->budget.outer = factory_budget(session_factory(session));
    service_schedule(service);
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
        command_execute(client, &client->service->words);
        wait_serve(client->space);
        return true;
    case RESP_EMPTY:
        return true;
    case RESP_TOO_BIG:
        client_error(client, "TOOBIG request is over max_request_bytes");
        if (client->transaction != NULL)
            transaction_spoil(client->transaction);
        return true;
    case RESP_ERROR:
        client_error(client, "ERR %s", error);
        break;
    case RESP_NO_MEMORY:
        client_error(client, "OOM out of memory");
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
    client->service->now = clock_now();
    while (consumed < length && !session_must_wait(session)) {
        char error[RESP_ERROR_SIZE];
        size_t used;
        enum resp_status status =
            resp_parse(&client->parser, &limits, data + consumed, length - consumed, &used,
                       &client->service->words, error);
        consumed += used;
        if (!handle(client, status, error))
            break;
    }
    if (client->service->words.capacity > WORDS_KEPT)
        resp_words_free(&client->service->words);
    return consumed;
}

/* As with Redis, a client that has closed its side while it waits has gone. */
static bool eof_received(struct session *session)
{
    struct client *client = session_state(session);
    client->service->now = clock_now();
    wait_cancel(client);
    wait_serve(client->space); /* those behind it: it may stay until its replies are sent */
    return false;
}

/* --- a client that does not read its replies --------------------------------------------- */

static void watch_reader(struct session *session)
{
    const struct queue_parameters *parameters = session_parameters(session);
    struct client *client = session_state(session);
    client->backlog_seen = session_backlog(session);
    if (parameters->reply_timeout != PARAMETER_IS_NONE)
        session_set_timer(session, parameters->reply_timeout);
}

static void check_reader(struct session *session)
{
    const struct client *client = session_state(session);
    if (session_backlog(session) < client->backlog_seen) {
        watch_reader(session);
        return;
    }
    session_log(session, LOG_LEVEL_WARNING, "closed: it does not read its replies (%zu bytes)",
                session_backlog(session));
    session_abort(session);
}

/* One timer serves both: a client that waits has nothing left to read, and one above the
 * watermark is not listened to, so it cannot begin to wait. */
static void timer_expired(struct session *session)
{
    struct client *client = session_state(session);
    client->service->now = clock_now();
    if (client->wait != NULL)
        wait_timed_out(client);
    else
        check_reader(session);
    wait_serve(client->space);
}

static void connection_lost(struct session *session, enum lost_reason reason)
{
    (void)reason;
    struct client *client = session_state(session);
    struct service *service = client->service;
    service->now = clock_now();
    wait_cancel(client);
    leases_return_client(&service->leases, client->space, client);
    wait_serve(client->space);
    transaction_free(client->transaction);
    free(client->name);
    TAILQ_REMOVE(&service->clients, client, others);
    service->connected--;
    space_put(client->space);
    service_put(service);
}

extern const struct protocol queue_protocol;
const struct protocol queue_protocol = {
    .name = "queue",
    .summary = "bounded queues that speak the Redis protocol",
    .parameters = queue_parameter_rows,
    .parameters_size = sizeof(struct queue_parameters),
    .shared_size = sizeof(struct shared),
    .session_size = sizeof(struct client),
    .shares_state = true,
    .check = queue_parameters_check,
    .footprint = queue_parameters_footprint,
    .factory_start = factory_start,
    .factory_stop = factory_stop,
    .factory_adopt = adopt,
    .factory_may_change = may_change,
    .factory_timer_expired = factory_timer_expired,
    .factory_save = save,
    .factory_load = load,
    .factory_list = list,
    .factory_purge = purge,
    .connection_made = connection_made,
    .data_received = data_received,
    .eof_received = eof_received,
    .pause_writing = watch_reader,
    .resume_writing = session_stop_timer,
    .timer_expired = timer_expired,
    .connection_lost = connection_lost,
};
