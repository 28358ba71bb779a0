/* dump: the state of the daemon in the log, for who has nothing but a signal to ask with. */
#include <inttypes.h>
#include <stdio.h>

#include "log.h"
#include "server.h"
#include "transport.h"

static void dump_connection(const struct connection *connection, uint64_t now)
{
    static const char *const states[] = {
        [CONNECTION_OPEN] = "open",
        [CONNECTION_CLOSING] = "closing",
        [CONNECTION_LINGERING] = "waiting for the peer's end",
        [CONNECTION_LOST] = "lost",
    };
    struct log_context about = connection_log_context(connection);
    about.threshold = LOG_LEVEL_NOTICE;
    uint64_t age = now - connection->opened_at;
    log_about(&about, LOG_LEVEL_NOTICE,
              "connection %" PRIu64 " is %s%s: for %" PRIu64 ".%03u s, %" PRIu64
              " bytes received, %" PRIu64 " sent, %zu to send",
              connection->id, states[connection->state],
              connection->intake == INTAKE_PAUSED ? ", its protocol waits" : "", age / 1000,
              (unsigned)(age % 1000), connection->bytes_received, connection_bytes_sent(connection),
              transport_backlog(connection));
}

struct dump {
    size_t shown;
    uint64_t now;
};

static void visit(struct connection *connection, void *context)
{
    struct dump *dump = context;
    if (dump->shown++ < SERVER_DUMP_CONNECTIONS)
        dump_connection(connection, dump->now);
}

static void dump_listener(const struct listener *listener)
{
    struct log_context about = listener_log_context(listener, NULL);
    about.threshold = LOG_LEVEL_NOTICE;
    const struct endpoint *endpoint;
    struct dump dump = {.now = clock_now()};
    log_about(&about, LOG_LEVEL_NOTICE, "%s%s: %" PRIu64 " connections of at most %" PRIu64,
              factory_protocol(listener_factory(listener))->name,
              listener->retired ? ", removed from the configuration" : "",
              listener_connections(listener), listener->max_connections);
    TAILQ_FOREACH (endpoint, &listener->endpoints, siblings) {
        log_about(&about, LOG_LEVEL_NOTICE, "listens on %s (sockets: %zu)", endpoint->text,
                  endpoint->socket_count);
    }
    listener_each_connection(listener, visit, &dump);
    if (dump.shown > SERVER_DUMP_CONNECTIONS)
        log_about(&about, LOG_LEVEL_NOTICE, "and %zu connections more",
                  dump.shown - SERVER_DUMP_CONNECTIONS);
}

/* A limit in words. */
static const char *describe_limit(uint64_t limit, char *buffer, size_t size)
{
    if (limit == UINT64_MAX)
        return "no limit";
    snprintf(buffer, size, "at most %" PRIu64, limit);
    return buffer;
}

void server_dump(struct server *server)
{
    struct workers *workers = server->workers;
    const struct listener *listener;
    uint64_t limit = server->config->options->max_memory;
    char memory[40], descriptors[40];
    /* He who asks wants to know, whatever the levels are. */
    const struct log_context about = {.threshold = LOG_LEVEL_NOTICE};
    server_hold(server);
    log_about(&about, LOG_LEVEL_NOTICE,
              "state: configuration %" PRIu64 ", %zu listeners%s; %" PRIu64 " connections of at most "
              "%" PRIu64 " (descriptors: %s); %" PRIu64 " bytes of items (%s)",
              server->generation, server->config->listener_count,
              server->draining ? ", stopping" : "", workers_connections(workers),
              workers->max_connections,
              describe_limit(server->descriptors, descriptors, sizeof descriptors),
              workers_memory(workers),
              describe_limit(limit == PARAMETER_IS_NONE ? UINT64_MAX : limit, memory,
                             sizeof memory));
    TAILQ_FOREACH(listener, &server->listeners, siblings)
    dump_listener(listener);
    TAILQ_FOREACH(listener, &server->retired, siblings)
    dump_listener(listener);
    server_release(server);
}
