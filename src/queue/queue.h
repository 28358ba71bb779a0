/*
 * queue: one named, bounded deque: the bound, the policy when it is full, and
 * the counters that account for every item.
 *
 * The bound counts items and bytes; an item's bytes are its own and a constant
 * (deque_item_charge()), so that what is charged is what memory is held. Items
 * handed out under a lease still count. Taking never fails because something is
 * full.
 *
 * Every item that ever came in is in one counter:
 *     pushed = popped + evicted + evicted_resize + expired + removed + items + leased
 *
 * Pure: no events, no sessions; who waits stands in space.h. Times are
 * milliseconds of a clock that never steps back.
 */
#ifndef CISTERN_QUEUE_H
#define CISTERN_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../budget.h"
#include "../parameter.h"
#include "../resp/resp.h"
#include "deque.h"
#include "returns.h"

enum overflow_policy {
    OVERFLOW_DROP_OLDEST, /* takes all, drops from the opposite end: deque(maxlen) of Python */
    OVERFLOW_DROP_NEWEST, /* takes the leading items that fit, drops the rest */
    OVERFLOW_REJECT,      /* takes all or, with an error, none */
    OVERFLOW_BLOCK,       /* takes all or none; who pushes may wait for room */
};

/* What happens to the items that a smaller bound, set by a reload, has no room for. */
enum shrink_policy {
    SHRINK_AUTO, /* trim under drop-oldest, else drain */
    SHRINK_TRIM, /* the oldest are dropped */
    SHRINK_DRAIN /* all stay, and the queue is full until it has fallen below the bound */
};

/* The bound of a queue: of a listener's parameters, or of a `match` section. */
struct queue_bound {
    uint64_t max_items;
    uint64_t max_bytes; /* in deque_charge() */
    uint64_t max_item_bytes;
    enum overflow_policy overflow;
    enum shrink_policy shrink;
    uint64_t push_timeout; /* ms that a push waits under block; none: not at all; forever */
    uint64_t max_age;      /* ms; none: items stay as long as they must */
};

struct queue_counters {
    uint64_t pushed;         /* items that came in */
    uint64_t popped;         /* of pushed: handed to clients, and if under a lease acknowledged */
    uint64_t evicted;        /* of pushed: dropped for newer ones */
    uint64_t evicted_resize; /* of pushed: dropped because a reload made the bound smaller */
    uint64_t expired;        /* of pushed: older than max_age */
    uint64_t removed;        /* of pushed: deleted by a client's command */
    uint64_t dropped;        /* never came in: drop-newest */
    uint64_t rejected;       /* never came in: refused with an error */
    uint64_t blocked;        /* items that had to wait for room, whatever became of them */
    uint64_t timed_out;      /* never came in: waited for room in vain */
    uint64_t returned;       /* leases that ended without an acknowledgement */
    uint64_t high_items;     /* the most there ever were */
    uint64_t high_bytes;
};

struct queue {
    struct deque items;
    uint64_t leased_items;
    uint64_t leased_bytes;   /* in deque_item_charge() */
    struct returns returned; /* of the items at the head */
    const struct queue_bound *bound;
    struct budget *budget;
    struct queue_counters counters;
};

enum push_result {
    PUSH_DONE,      /* what the policy admits is in; the rest, if any, was counted */
    PUSH_FULL,      /* nothing is in: the policy refuses, or wants to wait */
    PUSH_TOO_BIG,   /* nothing is in: an item (or a batch that must fit whole) never could */
    PUSH_BUDGET,    /* nothing is in: the listener's budget is spent */
    PUSH_NO_MEMORY, /* nothing is in */
};

/* Items to be pushed together, the first first. */
struct batch {
    const struct resp_argument *items;
    size_t count;
};

void queue_init(struct queue *queue, const struct queue_bound *bound, struct budget *budget);
/* Frees the items, which count as removed. Leases stay out. */
void queue_clear(struct queue *queue);

/*
 * Adds a batch at one end, one item after the other, as the policy has it. What
 * is refused is counted by the caller (queue_refused()), who may wait first.
 */
enum push_result queue_push(struct queue *queue, enum overflow_policy policy, enum deque_end end,
                            const struct batch *batch, uint64_t now);
/* Whether an empty queue would take the batch whole. */
bool queue_could_hold(const struct queue *queue, const struct batch *batch);
/* Counts what a push that came to nothing had brought. */
void queue_refused(struct queue *queue, size_t count);

/* The item at that end, until the queue changes; false when empty. */
static inline bool queue_peek(const struct queue *queue, enum deque_end end,
                              struct deque_item *item)
{
    return deque_peek(&queue->items, end, item);
}
/* How many items from that end, at most so many, are so many bytes together; one at least. */
uint64_t queue_count_within(struct queue *queue, enum deque_end end, uint64_t count,
                            uint64_t bytes);
/* Takes off the item at that end, which exists: it has been handed out. */
void queue_pop(struct queue *queue, enum deque_end end);
/* Takes off the item at that end, which exists: it was deleted. */
void queue_remove(struct queue *queue, enum deque_end end);
/* The same for the item under a cursor, which moves on to the next. */
void queue_remove_at(struct queue *queue, struct deque_cursor *cursor);

/*
 * Moves the item at one end of a queue to an end of another (or of the same),
 * whole or not at all. The budget cannot be spent by it.
 */
enum push_result queue_move(struct queue *from, enum deque_end from_end, struct queue *to,
                            enum deque_end to_end);

/* Whether it is of no use to wait for room in `to`, for the item at that end of `from`. */
bool queue_has_room(const struct queue *to, const struct queue *from, enum deque_end end);

/* For queue_expire(), if there is a max_age. */
bool queue_drop_expired(struct queue *queue, uint64_t now);

/* Drops what is older than max_age at both ends. True if it dropped anything. */
static inline bool queue_expire(struct queue *queue, uint64_t now)
{
    return queue->bound->max_age != PARAMETER_IS_NONE && queue_drop_expired(queue, now);
}

/*
 * After the bound has changed: drops at most so many items that no longer fit,
 * if the policy is to trim. True if some are left to drop.
 */
bool queue_trim(struct queue *queue, size_t most);

/* --- leases (lease.h): an item that is out, and still counts ------------------- */

/* Takes the item at the head, which exists, out of the deque. */
void queue_lease(struct queue *queue);
/* A leased item of that length is gone for good. */
void queue_acknowledge(struct queue *queue, size_t length);
/*
 * An item leased under that id (of two, the smaller was taken first) comes back
 * to the head, behind those there that were taken before it. False when memory
 * is out: it is still leased.
 */
bool queue_return(struct queue *queue, uint64_t id, const struct deque_item *item);

/* --- a restart of the daemon (snapshot.h): no counter changes ---------------------- */

/* Takes off the item at the head, which exists: it has been written down. */
void queue_unload(struct queue *queue);
/* Adds one behind all others, whatever the bound. False when memory is out. */
bool queue_load(struct queue *queue, const struct deque_item *item);

/* --- figures -------------------------------------------------------------------- */

static inline size_t queue_count(const struct queue *queue)
{
    return deque_count(&queue->items);
}

/* The bytes that are held, those of leased items included. */
static inline uint64_t queue_bytes(const struct queue *queue)
{
    return deque_charge(&queue->items) + queue->leased_bytes;
}

/* The items that are held, those under a lease included. */
static inline uint64_t queue_held(const struct queue *queue)
{
    return queue_count(queue) + queue->leased_items;
}

/* Holds more than its bound, which was lowered. */
bool queue_over_bound(const struct queue *queue);
/* Of the older of the items at the two ends; 0 when empty. */
uint64_t queue_oldest_age(const struct queue *queue, uint64_t now);

/* As server.conf has them (parameters.c), in the order of the enum; end with NULL. */
const char *overflow_policy_name(enum overflow_policy policy);
extern const char *const overflow_policy_names[];
extern const char *const shrink_policy_names[];

#endif
