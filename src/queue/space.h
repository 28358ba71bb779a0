/*
 * space: the queues of one listener (or, with `scope = connection`, of one
 * connection) by name, their bounds, and who waits in line at each.
 *
 * A queue is made when it is first named and stays when it empties, so that its
 * counters do; a client sees it only while it holds items. When max_queues is
 * reached, the queue that has been idle for longest (empty, nobody waits,
 * nothing leased) makes room, and its counters go into the total.
 */
#ifndef CISTERN_SPACE_H
#define CISTERN_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "../log.h"
#include "parameters.h"
#include "queue.h"

/* The longest name of a queue, in bytes. */
#define QUEUE_NAME_MAX 1024U
/* What a queue costs besides its items and the bytes of its name: generously. */
#define QUEUE_COST 1024U

struct client;
struct named_queue;

/* A client's place in one line of one queue. Owned by the client. */
struct waiter {
    TAILQ_ENTRY(waiter) others;
    struct client *client;
    struct named_queue *queue;
    struct waiter_line *line;
    struct named_queue *destination; /* in line for room there; NULL unless among movers */
};

/* First come, first served. */
struct waiter_line {
    TAILQ_HEAD(, waiter) waiters;
    size_t length;
};

struct named_queue {
    struct queue queue;
    UT_hash_handle hh;
    struct waiter_line consumers; /* wait for items */
    struct waiter_line producers; /* wait for room */
    struct waiter_line movers;    /* wait for room elsewhere, for an item of this one */
    uint64_t losses;              /* items lost for want of room, when it was last logged */
    struct log_limit loss_lines;
    TAILQ_ENTRY(named_queue) idle;
    TAILQ_ENTRY(named_queue) ready;
    bool is_idle;  /* in space->idle */
    bool is_ready; /* in space->ready */
    bool is_seen;  /* holds items: counted in space->seen */
    size_t name_length;
    char name[]; /* any bytes */
};

TAILQ_HEAD(named_queue_list, named_queue);

/* A bound, and the queues for which it holds. */
struct space_bound {
    char *pattern; /* glob.h; NULL: all that no other has matched */
    struct queue_bound bound;
};

/* The limits of a listener: the same for its space and for those of its connections. */
struct limits {
    unsigned references;
    size_t bound_count; /* at least 1; the last is the one without a pattern */
    struct space_bound *bounds;
    uint64_t max_queues;
    bool auto_create;
    struct budget budget;
};

struct space {
    unsigned references;
    struct limits *limits;           /* a reference */
    bool is_private;                 /* of one connection: nobody else can bring or take an item */
    struct named_queue *by_name;     /* uthash */
    struct named_queue *found;       /* last: clients repeat themselves. NULL: it is gone */
    uint64_t hash_key;               /* random */
    struct named_queue_list idle;    /* longest idle first */
    struct named_queue_list ready;   /* somebody who waits may be served */
    size_t seen;                     /* queues that hold items */
    struct queue_counters forgotten; /* of queues that made room */
};

/* Without bounds: limits_set() comes before the first queue. NULL when memory is out. */
struct limits *limits_new(void);
struct limits *limits_get(struct limits *limits);
void limits_put(struct limits *limits);
/* Takes over what the parameters say. False, and nothing has changed, when memory is out. */
bool limits_set(struct limits *limits, const struct queue_parameters *parameters);
/* Takes over what the other has; the budget stays used. Then space_rebind() every space. */
void limits_adopt(struct limits *limits, struct limits *other);

/* With one reference. NULL when memory is out. */
struct space *space_new(struct limits *limits, bool is_private);
struct space *space_get(struct space *space);
void space_put(struct space *space);

/* After limits_set(): each queue gets the bound that now holds for its name. */
void space_rebind(struct space *space);

/* Looks it up in the hash table: for space_find(). */
struct named_queue *space_search(struct space *space, struct resp_argument name);

/* NULL when there is none of that name; it may be empty. */
static inline struct named_queue *space_find(struct space *space, struct resp_argument name)
{
    struct named_queue *found = space->found;
    if (found != NULL && found->name_length == name.length &&
        memcmp(found->name, name.data, name.length) == 0)
        return found;
    return space_search(space, name);
}

enum space_refusal {
    SPACE_MADE,
    SPACE_NAME_TOO_LONG,
    SPACE_FULL,       /* max_queues are in use */
    SPACE_UNDECLARED, /* auto_create is off, and no pattern matches */
    SPACE_NO_MEMORY,
};
/* Finds or makes; NULL with the reason. */
struct named_queue *space_claim(struct space *space, struct resp_argument name,
                                enum space_refusal *refusal);

/* Makes a queue of a name that none has, whatever the limits; NULL when memory is out. */
struct named_queue *space_restore(struct space *space, struct resp_argument name);

/* Keeps idle, ready and seen true: for space_changed(). */
void space_arrange(struct space *space, struct named_queue *queue);

/*
 * To be called after every change of a queue's items, leases or lines. A queue
 * that held items and does so still, at which nobody waits, stays where it is.
 */
static inline void space_changed(struct space *space, struct named_queue *queue)
{
    size_t waiting = queue->consumers.length + queue->producers.length + queue->movers.length;
    if (!queue->is_seen || queue_count(&queue->queue) == 0 || waiting > 0)
        space_arrange(space, queue);
}

/* The next queue of which somebody may be served, no longer ready; or NULL. */
struct named_queue *space_next_ready(struct space *space);

void space_join(struct space *space, struct named_queue *queue, struct waiter_line *line,
                struct waiter *waiter);
void space_leave(struct space *space, struct waiter *waiter);

/*
 * Steps through all queues: calls visit for those of at least `wanted` places
 * of the hash table, from cursor (0 begins), and returns the next cursor, 0 at
 * the end. What is there from the first call to the last is visited, whatever
 * comes and goes meanwhile; some perhaps twice.
 */
uint64_t space_scan(const struct space *space, uint64_t cursor, size_t wanted,
                    void (*visit)(struct named_queue *queue, void *context), void *context);

/* The sum over all queues, those that made room included. */
struct space_totals {
    struct queue_counters counters;
    uint64_t items;
    uint64_t leased;
    uint64_t bytes;
};
void space_sum(const struct space *space, struct space_totals *totals);

#endif
