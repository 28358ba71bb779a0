#include "shard.h"

#include <unistd.h>

#include "accept.h"
#include "workers.h"

/* The last that the worker does with it: then the main thread may free the listener. */
static void count_out(struct shard *shard)
{
    struct worker *worker = shard->worker;
    tally_out(&shard->connections);
    workers_count_out(worker);
}

static void on_released(struct connection_owner *owner)
{
    struct shard *shard = (struct shard *)owner;
    if (shard->worker->thread == NULL)
        accept_keep_spare(shard->listener);
    count_out(shard);
}

void shard_init(struct shard *shard, struct listener *listener, const char *name,
                struct worker *worker)
{
    *shard = (struct shard){.listener = listener, .worker = worker};
    connection_owner_init(&shard->owner, name);
    shard->owner.released = on_released;
}

void shard_clear(struct shard *shard)
{
    factory_put(shard->factory);
    terms_put(shard->owner.terms);
}

void shard_set_factory(struct shard *shard, struct factory *factory)
{
    if (factory != NULL)
        factory_attach(factory, shard->worker);
    if (factory != NULL && shard->factory != NULL)
        factory_adopt(factory, shard->factory);
    factory_put(shard->factory);
    shard->factory = factory;
}

void shard_open(const struct handover *item)
{
    struct shard *shard = item->shard;
    char text[PEER_TEXT_SIZE];
    struct bufferevent *transport =
        bufferevent_socket_new(shard->worker->base, item->fd, BEV_OPT_CLOSE_ON_FREE);
    if (transport == NULL) {
        shard->owner.stats.refused[REFUSAL_NO_MEMORY]++;
        close(item->fd);
        source_leave(item->source);
        count_out(shard);
        return;
    }
    connection_open(shard->worker, &shard->owner, shard->factory, transport,
                    peer_format(&item->peer, text), item->source);
}

void shard_drain(struct shard *shard)
{
    struct connection *connection;
    TAILQ_FOREACH (connection, &shard->owner.connections, siblings) {
        if (!connection_protocol(connection)->is_privileged)
            connection_close(connection, LOST_STOPPED);
    }
}

void shard_abort(struct shard *shard)
{
    struct connection *connection;
    TAILQ_FOREACH(connection, &shard->owner.connections, siblings)
    connection_abort(connection, LOST_STOPPED);
}
