/*
 * space: the queues of one listener (or, with `scope = connection`, of one
 * connection) by name, and who waits for items in them.
 *
 * A queue is made when it is first named and stays when it empties, so that its
 * counters do; a client sees it only while it holds items. When max_queues is
 * reached, the queue that has been empty and unwatched for longest makes room,
 * and its counters go into the total.
 */
#ifndef CISTERN_SPACE_H
#define CISTERN_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "parameters.h"
#include "queue.h"

/* The longest name of a queue, in bytes. */
#define QUEUE_NAME_MAX 1024U
/* What a queue costs besides its items and the bytes of its name: generously. */
#define QUEUE_COST 1024U

struct client;
struct named_queue;

/* A client's place in the line of one queue. Owned by the client. */
struct waiter {
    TAILQ_ENTRY(waiter) others;
    struct client *client;
    struct named_queue *queue;
};

struct named_queue {
    struct queue queue;
    UT_hash_handle hh;
    TAILQ_HEAD(, waiter) waiters; /* first come, first served */
    size_t waiting;
    TAILQ_ENTRY(named_queue) idle; /* in space->idle, longest idle first */
    bool is_idle;                  /* empty, and nobody waits */
    bool is_ready;                 /* in space->ready */
    TAILQ_ENTRY(named_queue) ready;
    size_t name_length;
    char name[]; /* any bytes */
};

TAILQ_HEAD(named_queue_list, named_queue);

struct space {
    unsigned references;
    struct space *root; /* whose limits and budget hold: itself, or the listener's (a reference) */
    struct queue_bound bound;
    uint64_t max_item_bytes;
    uint64_t max_queues;
    struct budget budget;
    struct named_queue *by_name; /* uthash */
    struct named_queue_list idle;
    struct named_queue_list ready;   /* have got items while somebody waits */
    struct queue_counters forgotten; /* of queues that made room */
};

/*
 * A listener's space, with one reference; space_configure() it. Or one inside a
 * root's limits and budget. NULL when memory is out.
 */
struct space *space_new(struct space *root);
struct space *space_get(struct space *space);
void space_put(struct space *space);

/* Sets a root's limits; they hold at once for the queues that are there. */
void space_configure(struct space *space, const struct queue_parameters *parameters);

/* NULL when there is none of that name; it may be empty. */
struct named_queue *space_find(const struct space *space, struct resp_argument name);

/*
 * Finds or makes. NULL when max_queues are in use (*full is true), or memory is
 * out. The caller has checked the name's length.
 */
struct named_queue *space_claim(struct space *space, struct resp_argument name, bool *full);

/* To be called when a queue has lost items or waiters: it may have become idle. */
void space_release(struct space *space, struct named_queue *queue);

/* To be called when a queue has got items: if somebody waits, it becomes ready. */
void space_announce(struct space *space, struct named_queue *queue);

void space_enqueue_waiter(struct space *space, struct named_queue *queue, struct waiter *waiter);
void space_remove_waiter(struct space *space, struct waiter *waiter);

/* The sum over all queues, those that made room included. */
struct space_totals {
    struct queue_counters counters;
    uint64_t queues; /* that hold items */
    uint64_t items;
    uint64_t bytes;
};
void space_sum(const struct space *space, struct space_totals *totals);

#endif
