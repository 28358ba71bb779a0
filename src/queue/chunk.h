/*
 * chunk: a run of packed items, without a gap, anywhere inside a piece of
 * memory, so that there is room at both ends. A deque is a list of chunks.
 *
 * An item is named by its offset, from start to end; it stays valid until the
 * chunk is next changed.
 */
#ifndef CISTERN_CHUNK_H
#define CISTERN_CHUNK_H

#include "deque.h"

/* The list is the deque's; the rest is set by chunk.c alone. */
struct deque_chunk {
    struct deque_chunk *previous;
    struct deque_chunk *next;
    uint64_t base;     /* the time of code 0: see chunk.c */
    uint64_t newest;   /* the latest time pushed since it was last empty, exactly */
    uint32_t capacity; /* bytes of room */
    uint32_t start;    /* of the first item */
    uint32_t end;      /* of the last item */
    uint16_t count;    /* a shared chunk is 64 KiB at most, an item 3 bytes at least */
    uint16_t shift;    /* a code's unit of time is 1 << shift milliseconds */
    unsigned char room[];
};

/* What an item takes in a chunk. */
size_t chunk_packed_size(const struct deque_item *item);

/* An empty chunk with that much room; NULL when memory is out. free() frees it. */
struct deque_chunk *chunk_new(size_t capacity);

/* Bytes that its items take. */
size_t chunk_used(const struct deque_chunk *chunk);

/*
 * Gives it exactly that much room, which its items must fit in. Returns the
 * chunk, which may have moved; without memory it is as it was. Offsets are then
 * counted from the new start.
 */
struct deque_chunk *chunk_resize(struct deque_chunk *chunk, size_t capacity);

/* False when there is no room at that end, and not enough elsewhere to make some. */
bool chunk_push(struct deque_chunk *chunk, enum deque_end end, const struct deque_item *item);

/* The item there; its length alone; its neighbours' places, chunk->end behind the last one. */
void chunk_read(const struct deque_chunk *chunk, size_t offset, struct deque_item *item);
size_t chunk_length(const struct deque_chunk *chunk, size_t offset);
size_t chunk_following(const struct deque_chunk *chunk, size_t offset);
size_t chunk_preceding(const struct deque_chunk *chunk, size_t offset);

/* Removes the item there; returns the place of the one behind it. */
size_t chunk_remove(struct deque_chunk *chunk, size_t offset);

/* The item at that end; the chunk must not be empty. Popping returns its length. */
void chunk_peek(const struct deque_chunk *chunk, enum deque_end end, struct deque_item *item);
size_t chunk_pop(struct deque_chunk *chunk, enum deque_end end);

#endif
