/*
 * deque: a double-ended queue of byte strings, packed into chunks.
 *
 * Items lie one behind the other in chunks of up to 64 KiB (chunk.h); an item
 * too large for a shared chunk has one of its own, of exactly its size. A small
 * deque has a small chunk. Chunks are given back as they empty.
 *
 * Pure, and unbounded: the bound and the policy stand above it (queue.h).
 */
#ifndef CISTERN_DEQUE_H
#define CISTERN_DEQUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What an item costs besides its own bytes, in the accounting of max_bytes: what
 * the chunks add for it (its length twice, its time, its deliveries, its share
 * of the chunk's header and of the room left over), so that the bound is one on
 * real memory. What is allocated exceeds what is charged by a 32nd part at most,
 * and by the two chunks at the ends, which have room for items to come: each at
 * most 64 KiB, and at most 1 KiB or 8 times what the whole deque is charged.
 */
#define DEQUE_ITEM_COST 16U

/* The longest item. */
#define DEQUE_ITEM_MAX (512U * 1024 * 1024)

/* The most deliveries that are told apart. */
#define DEQUE_DELIVERIES_MAX 255U

enum deque_end { DEQUE_HEAD, DEQUE_TAIL };

struct deque_chunk;

/* Zeroed, it is empty. Its fields are for deque.c. */
struct deque {
    struct deque_chunk *head;
    struct deque_chunk *tail;
    size_t count;
    size_t payload; /* bytes of all items together */
};

/*
 * An item: to be pushed, or as it stands in a deque; what one deque gave can be
 * pushed to another as it is. There, data points into a chunk, and is valid
 * until the deque is next changed.
 *
 * pushed_at is kept in a byte. What is read back is never earlier than what was
 * pushed: an item may look younger than it is, never older. It is later by less
 * than a 60th part of the widest span of times that the chunk has held since it
 * was last empty (so of max_age, if what is older is dropped); never later than the
 * newest of them, which is thus exact. Of items that were pushed in order of time
 * the order stays.
 */
struct deque_item {
    const char *data;
    size_t length;
    uint64_t pushed_at;  /* milliseconds of a monotonic clock */
    unsigned deliveries; /* how often it was handed out and came back; stops at the most */
};

/* A place in the deque: an item, or past either end. Invalid after any change but deque_remove. */
struct deque_cursor {
    struct deque *deque;
    struct deque_chunk *chunk; /* NULL past the end */
    size_t offset;
};

static inline size_t deque_count(const struct deque *deque)
{
    return deque->count;
}

/* The charge for one item, and for all of them. */
static inline size_t deque_item_charge(size_t length)
{
    return length + DEQUE_ITEM_COST;
}

static inline size_t deque_charge(const struct deque *deque)
{
    return deque->payload + deque->count * DEQUE_ITEM_COST;
}

/* What malloc was really asked for. Walks the chunks: for tests. */
size_t deque_allocated(const struct deque *deque);

/* Copies the bytes in. False when memory is out, or the item too long; nothing has changed then. */
bool deque_push(struct deque *deque, enum deque_end end, const struct deque_item *item);

/* The item at that end; false when empty. */
bool deque_peek(const struct deque *deque, enum deque_end end, struct deque_item *item);

/* Drops the item at that end, which must exist. Returns its length. */
size_t deque_pop(struct deque *deque, enum deque_end end);

void deque_clear(struct deque *deque);

/* The index-th item from the head, 0 first; skips whole chunks. False when there is none. */
bool deque_seek(struct deque *deque, size_t index, struct deque_cursor *cursor);
/* The item under the cursor; false past the end. */
bool deque_at(const struct deque_cursor *cursor, struct deque_item *item);
void deque_next(struct deque_cursor *cursor);
void deque_previous(struct deque_cursor *cursor);
/* Removes the item under the cursor, which then stands on the one behind it (towards the tail). */
void deque_remove(struct deque_cursor *cursor);

#endif
