/*
 * mailbox: accepted sockets on their way from the main thread to a worker.
 *
 * A ring of a fixed size for one thread that posts and one that takes, without
 * a lock. Nobody is woken by it: see wakeup.h.
 */
#ifndef CISTERN_MAILBOX_H
#define CISTERN_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>

#include "peer.h"

/* A power of two; at most so many sockets wait for a worker that is busy. */
#define MAILBOX_SIZE 512U

struct shard;
struct source;

struct handover {
    int fd;
    union peer_address peer;
    struct shard *shard;   /* that is to serve it */
    struct source *source; /* where it is counted; or NULL */
};

/* Zero it to begin. posted and taken only rise, and wrap; their difference is in the ring. */
struct mailbox {
    _Atomic unsigned posted; /* written by who posts */
    struct handover items[MAILBOX_SIZE];
    _Atomic unsigned taken; /* written by who takes: not in the cache line of the other */
};

/* For who posts. */
bool mailbox_is_full(const struct mailbox *mailbox);
/* Not when it is full. */
void mailbox_post(struct mailbox *mailbox, const struct handover *item);

/* For who takes. */
bool mailbox_is_empty(const struct mailbox *mailbox);
/* The oldest item. False when it is empty. */
bool mailbox_take(struct mailbox *mailbox, struct handover *item);

#endif
