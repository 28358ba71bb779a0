#include "listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accept.h"
#include "workers.h"

/* --- endpoints ------------------------------------------------------------------- */

struct endpoint *listener_open_endpoint(const struct workers *workers,
                                        const struct address *address,
                                        const struct endpoint_options *options, int *error,
                                        char *why, size_t size)
{
    struct endpoint *endpoint = endpoint_open(address, options, error, why, size);
    for (size_t i = 0; endpoint != NULL && i < endpoint->socket_count; i++) {
        struct endpoint_socket *from = &endpoint->sockets[i];
        from->acceptable = accept_new_event(workers->items[0]->base, from);
        if (from->acceptable == NULL) {
            *error = ENOMEM;
            snprintf(why, size, "out of memory");
            endpoint_close(endpoint);
            return NULL;
        }
    }
    return endpoint;
}

/* On Linux what is accepted inherits these: set once, and not for each connection. */
static void set_options(const struct listener *listener, const struct endpoint *endpoint)
{
    const int keepalive = listener->keepalive, nodelay = listener->nodelay;
    if (endpoint->address.family == ADDRESS_UNIX)
        return;
    for (size_t i = 0; i < endpoint->socket_count; i++) {
        int fd = endpoint->sockets[i].fd;
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keepalive, sizeof keepalive);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, sizeof nodelay);
    }
}

void listener_attach(struct listener *listener, struct endpoint *endpoint)
{
    endpoint->listener = listener;
    TAILQ_INSERT_TAIL(&listener->endpoints, endpoint, siblings);
    set_options(listener, endpoint);
    accept_update(listener);
}

void listener_detach(struct endpoint *endpoint)
{
    if (endpoint->listener == NULL)
        return;
    TAILQ_REMOVE(&endpoint->listener->endpoints, endpoint, siblings);
    endpoint->listener = NULL;
    for (size_t i = 0; i < endpoint->socket_count; i++)
        event_del(endpoint->sockets[i].acceptable);
}

void listener_close_endpoints(struct listener *listener)
{
    struct endpoint *endpoint;
    while ((endpoint = TAILQ_FIRST(&listener->endpoints)) != NULL) {
        listener_detach(endpoint);
        endpoint_close(endpoint);
    }
}

/* --- life -------------------------------------------------------------------------- */

static struct shard *make_shards(struct listener *listener)
{
    unsigned count = listener->workers->count;
    struct shard *shards = calloc(count, sizeof *shards);
    for (unsigned i = 0; shards != NULL && i < count; i++)
        shard_init(&shards[i], listener, listener->name, listener->workers->items[i]);
    return shards;
}

struct listener *listener_new(struct workers *workers, const char *name)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return NULL;
    TAILQ_INIT(&listener->endpoints);
    listener->workers = workers;
    listener->spare = -1;
    listener->name = strdup(name);
    listener->resume = accept_new_timer(workers->items[0]->base, listener);
    if (listener->name != NULL)
        listener->shards = make_shards(listener);
    listener->sources = sources_new();
    if (listener->resume == NULL || listener->shards == NULL || listener->sources == NULL) {
        listener_free(listener);
        return NULL;
    }
    return listener;
}

/* Its connections from now on are all on this worker; NULL: on every one. */
static void set_home(struct listener *listener, struct worker *home)
{
    if (listener->home != NULL)
        listener->home->homes--;
    if (home != NULL)
        home->homes++;
    listener->home = home;
}

void listener_free(struct listener *listener)
{
    listener_close_endpoints(listener);
    set_home(listener, NULL);
    if (listener->resume != NULL)
        event_free(listener->resume);
    if (listener->expiry != NULL)
        event_free(listener->expiry);
    for (unsigned i = 0; listener->shards != NULL && i < listener->workers->count; i++)
        shard_clear(&listener->shards[i]);
    free(listener->shards);
    sources_free(listener->sources);
    if (listener->spare >= 0)
        close(listener->spare);
    free(listener->name);
    free(listener);
}

static void take_options(struct listener *listener, const struct listener_options *options,
                         struct terms *const *terms, enum log_level log_level)
{
    listener->max_connections = options->max_connections;
    sources_set_limits(listener->sources,
                       &(struct sources_limits){
                           .max_connections = options->max_connections_per_source,
                           .rate = options->connect_rate,
                           .burst = options->connect_burst,
                           .prefix_ipv4 = (unsigned)options->source_prefix_ipv4,
                           .prefix_ipv6 = (unsigned)options->source_prefix_ipv6,
                       });
    listener->keepalive = options->keepalive;
    listener->nodelay = options->nodelay;
    listener_set_log_level(listener, log_level);
    for (unsigned i = 0; i < listener->workers->count; i++) {
        struct connection_owner *owner = &listener->shards[i].owner;
        terms_put(owner->terms);
        owner->terms = terms[i];
        owner->generation = listener->generation;
        owner->access_log.on = options->access_log;
        owner->access_log.rate = options->access_log_rate;
    }
}

/* Where a module's sessions are to be. One that stays what it is stays where it is. */
static struct worker *choose_home(const struct listener *listener, const struct protocol *protocol)
{
    if (protocol->is_privileged)
        return listener->workers->items[0];
    if (!protocol->shares_state)
        return NULL;
    return listener->home != NULL ? listener->home : workers_choose_home(listener->workers);
}

size_t listener_factory_count(const struct workers *workers, const struct protocol *protocol)
{
    return protocol_spreads(protocol) ? workers->count : 1;
}

void listener_configure(struct listener *listener, const struct listener_options *options,
                        struct terms *const *terms, enum log_level log_level,
                        struct factory **factories)
{
    take_options(listener, options, terms, log_level);
    if (factories == NULL)
        return;
    set_home(listener, choose_home(listener, factory_protocol(factories[0])));
    for (unsigned i = 0; i < listener->workers->count; i++) {
        struct shard *shard = &listener->shards[i];
        bool serves = listener->home == NULL || listener->home == shard->worker;
        shard_set_factory(shard, serves ? *factories++ : NULL);
    }
    accept_keep_spare(listener);
}

struct factory *listener_factory(const struct listener *listener)
{
    for (unsigned i = 0; i < listener->workers->count; i++) {
        if (listener->shards[i].factory != NULL)
            return listener->shards[i].factory;
    }
    return NULL;
}

struct log_context listener_log_context(const struct listener *listener, const char *peer)
{
    return connection_owner_log_context(&listener->shards[0].owner, peer);
}

uint64_t listener_connections(const struct listener *listener)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < listener->workers->count; i++)
        count += tally_count(&listener->shards[i].connections);
    return count;
}

/* --- the end ----------------------------------------------------------------------- */

static void on_expiry(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct listener *listener = context;
    workers_hold(listener->workers);
    listener_abort(listener);
    workers_release(listener->workers);
}

void listener_retire(struct listener *listener, uint64_t timeout)
{
    listener->retired = true;
    listener_close_endpoints(listener);
    event_del(listener->resume);
    if (timeout == PARAMETER_IS_FOREVER || listener_connections(listener) == 0)
        return;
    struct timeval after = worker_interval(timeout);
    listener->expiry = evtimer_new(listener->workers->items[0]->base, on_expiry, listener);
    if (listener->expiry == NULL || evtimer_add(listener->expiry, &after) != 0)
        listener_abort(listener);
}

void listener_drain(struct listener *listener)
{
    for (unsigned i = 0; i < listener->workers->count; i++)
        shard_drain(&listener->shards[i]);
}

void listener_abort(struct listener *listener)
{
    for (unsigned i = 0; i < listener->workers->count; i++)
        shard_abort(&listener->shards[i]);
}

/* --- the administrator ------------------------------------------------------------- */

void listener_pause(struct listener *listener)
{
    listener->paused = true;
    accept_update(listener);
}

void listener_resume(struct listener *listener)
{
    listener->paused = false;
    accept_update(listener);
}

const char *listener_state(const struct listener *listener)
{
    if (listener->retired)
        return "retired";
    if (TAILQ_EMPTY(&listener->endpoints))
        return "closed";
    if (listener->paused)
        return "paused";
    return evtimer_pending(listener->resume, NULL) ? "waiting" : "accepting";
}

bool listener_is_privileged(const struct listener *listener)
{
    return factory_protocol(listener_factory(listener))->is_privileged;
}

void listener_set_log_level(struct listener *listener, enum log_level level)
{
    listener->log_level = level;
    for (unsigned i = 0; i < listener->workers->count; i++)
        listener->shards[i].owner.log_level = level;
}

void listener_each_factory(struct listener *listener,
                           void (*visit)(struct factory *factory, void *context), void *context)
{
    for (unsigned i = 0; i < listener->workers->count; i++) {
        if (listener->shards[i].factory != NULL)
            visit(listener->shards[i].factory, context);
    }
}

void listener_each_connection(const struct listener *listener,
                              void (*visit)(struct connection *connection, void *context),
                              void *context)
{
    for (unsigned i = 0; i < listener->workers->count; i++) {
        struct connection *connection;
        TAILQ_FOREACH(connection, &listener->shards[i].owner.connections, siblings)
        visit(connection, context);
    }
}

static void add_bytes(struct connection *connection, void *context)
{
    struct listener_stats *stats = context;
    stats->bytes_received += connection->bytes_received;
    stats->bytes_sent += connection_bytes_sent(connection);
}

struct listener_stats listener_stats(const struct listener *listener)
{
    struct listener_stats stats = listener->stats;
    for (unsigned i = 0; i < listener->workers->count; i++)
        stats_add(&stats, &listener->shards[i].owner.stats);
    listener_each_connection(listener, add_bytes, &stats);
    return stats;
}
