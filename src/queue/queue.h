/*
 * queue: one named, bounded deque: the bound, the policy when it is full, and
 * the counters that account for every item.
 *
 * The bound counts items and bytes; an item's bytes are its own and a constant
 * (deque_item_charge()), so that what is charged is what memory is held. Taking
 * never fails because something is full.
 *
 * Every item that ever came in is in one counter:
 *     pushed = popped + evicted + evicted_resize + removed + items
 *
 * Pure: no events, no sessions; who waits for items stands in space.h.
 */
#ifndef CISTERN_QUEUE_H
#define CISTERN_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deque.h"
#include "resp.h"

enum overflow_policy {
    OVERFLOW_DROP_OLDEST, /* takes all, drops from the opposite end: deque(maxlen) of Python */
    OVERFLOW_DROP_NEWEST, /* takes the leading items that fit, drops the rest */
    OVERFLOW_REJECT,      /* takes all or, with an error, none */
};

/* The bound of a queue; of a listener's parameters. */
struct queue_bound {
    uint64_t max_items;
    uint64_t max_bytes; /* in deque_charge() */
    enum overflow_policy overflow;
};

/* What all queues of a listener may hold together: shared by them, never exceeded. */
struct budget {
    uint64_t used;
    uint64_t limit;
};

struct queue_counters {
    uint64_t pushed;         /* items that came in */
    uint64_t popped;         /* items handed to clients */
    uint64_t evicted;        /* of pushed: dropped for newer ones */
    uint64_t evicted_resize; /* of pushed: dropped because a reload made the bound smaller */
    uint64_t removed;        /* of pushed: deleted by a client's command */
    uint64_t dropped;        /* never came in: drop-newest */
    uint64_t rejected;       /* never came in: refused with an error */
    uint64_t high_items;     /* the most there ever were */
    uint64_t high_bytes;
};

struct queue {
    struct deque items;
    const struct queue_bound *bound;
    struct budget *budget;
    struct queue_counters counters;
};

enum push_result {
    PUSH_DONE,      /* what the policy admits is in; the rest, if any, was counted */
    PUSH_FULL,      /* nothing is in: the policy refuses */
    PUSH_TOO_BIG,   /* nothing is in: an item (or a batch that must fit whole) never could */
    PUSH_BUDGET,    /* nothing is in: the listener's budget is spent */
    PUSH_NO_MEMORY, /* nothing is in */
};

void queue_init(struct queue *queue, const struct queue_bound *bound, struct budget *budget);
/* Frees the items, which count as removed. */
void queue_clear(struct queue *queue);

/* Adds a batch at one end, one item after the other, as the policy has it. */
enum push_result queue_push(struct queue *queue, enum deque_end end,
                            const struct resp_argument *items, size_t count);

/* The item at that end, until the queue changes; false when empty. */
bool queue_peek(const struct queue *queue, enum deque_end end, struct deque_item *item);
/* Takes off the item at that end, which exists: it has been handed out. */
void queue_pop(struct queue *queue, enum deque_end end);

/* After the bound has changed: drop-oldest drops what does not fit; the others keep it. */
void queue_resize(struct queue *queue);

size_t queue_count(const struct queue *queue);
uint64_t queue_bytes(const struct queue *queue);
/* Holds more than its bound, which was lowered. */
bool queue_over_bound(const struct queue *queue);

const char *overflow_policy_name(enum overflow_policy policy);
/* The names in the order of the enum; ends with NULL. */
extern const char *const overflow_policy_names[];

#endif
