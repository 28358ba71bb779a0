/*
 * deque: a double-ended queue of byte strings, packed into chunks.
 *
 * Items lie one behind the other in chunks of up to 64 KiB, each with its
 * length before it and again behind it, so that both ends can be popped; an
 * item too large for a shared chunk has one of its own, of exactly its size. A
 * small deque has a small chunk. Chunks are given back as they empty.
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
 * the chunks add for it (its length twice, its share of the chunk's header and
 * of the room left over), so that the bound is one on real memory. What is
 * allocated exceeds what is charged by a 32nd part at most, and by the two
 * chunks at the ends, which have room for items to come: 64 KiB each at most.
 */
#define DEQUE_ITEM_COST 16U

/* The longest item. */
#define DEQUE_ITEM_MAX (512U * 1024 * 1024)

enum deque_end { DEQUE_HEAD, DEQUE_TAIL };

struct deque_chunk;

/* Zeroed, it is empty. Its fields are for deque.c. */
struct deque {
    struct deque_chunk *head;
    struct deque_chunk *tail;
    size_t count;
    size_t payload; /* bytes of all items together */
};

/* Bytes inside a chunk: valid until the deque is next changed. */
struct deque_item {
    const char *data;
    size_t length;
};

/* A place in the deque: an item, or past either end. Invalid after any change but deque_remove. */
struct deque_cursor {
    struct deque *deque;
    struct deque_chunk *chunk; /* NULL past the end */
    size_t offset;
};

size_t deque_count(const struct deque *deque);

/* The charge for one item, and for all of them: payload + count * DEQUE_ITEM_COST. */
size_t deque_item_charge(size_t length);
size_t deque_charge(const struct deque *deque);

/* What malloc was really asked for. Walks the chunks: for tests. */
size_t deque_allocated(const struct deque *deque);

/* Copies the bytes in. False when memory is out, or the item too long; nothing has changed then. */
bool deque_push(struct deque *deque, enum deque_end end, const void *data, size_t length);

/* The item at that end; false when empty. */
bool deque_peek(const struct deque *deque, enum deque_end end, struct deque_item *item);

/* Drops the item at that end, which must exist. */
void deque_pop(struct deque *deque, enum deque_end end);

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
