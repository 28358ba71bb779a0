/*
 * shard: the part of a listener that is on one worker: a factory, and the
 * connections that it has made.
 *
 * Threads: it is its worker's; the main thread touches it while the workers are
 * held (workers.h), and counts connections in.
 */
#ifndef CISTERN_SHARD_H
#define CISTERN_SHARD_H

#include "connection.h"
#include "factory.h"
#include "mailbox.h"
#include "worker.h"

struct listener;

struct shard {
    struct connection_owner owner; /* first: what a connection knows of its listener */
    struct listener *listener;
    struct worker *worker;
    struct factory *factory;  /* NULL: the listener does not serve here; connections may be left */
    struct tally connections; /* those on their way here included */
};

void shard_init(struct shard *shard, struct listener *listener, const char *name,
                struct worker *worker);
/* Only when it has no connections left. */
void shard_clear(struct shard *shard);

/* Takes over the reference. What the old factory shares is adopted; NULL: it serves no more. */
void shard_set_factory(struct shard *shard, struct factory *factory);

/* Serves a socket, which it takes over, and which has been counted in. */
void shard_open(const struct handover *item);

void shard_drain(struct shard *shard);
void shard_abort(struct shard *shard);

#endif
