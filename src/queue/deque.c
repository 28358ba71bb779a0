/* A double-ended queue of byte strings, a list of chunks: see deque.h. */
#include "deque.h"

#include <stdlib.h>

#include "chunk.h"

/* Sizes of a chunk, header included. */
#define CHUNK_MIN 256U
#define CHUNK_MAX (64U * 1024)
#define CHUNK_KEEP 1024U /* the largest that an empty deque keeps */

/* An item that takes more than this gets a chunk of its own; sharing would waste too much room. */
#define SHARED_MAX (CHUNK_MAX / 16)

/* A chunk that is not at an end may have so large a part of its items as room left over. */
#define SPARE_PART 64U

/* A chunk at an end may be so many times as large as all that the deque holds. */
#define ROOM_PART 8U

/* One with no more than this is joined to its neighbour, if one chunk can hold both. */
#define SPARSE_MAX (CHUNK_MAX / 16)

/* --- the list of chunks: only the sole chunk of an empty deque is without items --- */

static struct deque_chunk *chunk_at(const struct deque *deque, enum deque_end end)
{
    return end == DEQUE_HEAD ? deque->head : deque->tail;
}

static bool between_others(const struct deque_chunk *chunk)
{
    return chunk->previous != NULL && chunk->next != NULL;
}

/* Makes the neighbours, or the ends of the deque, point to this chunk. */
static void link_chunk(struct deque *deque, struct deque_chunk *chunk)
{
    *(chunk->previous != NULL ? &chunk->previous->next : &deque->head) = chunk;
    *(chunk->next != NULL ? &chunk->next->previous : &deque->tail) = chunk;
}

static void free_chunk(struct deque *deque, struct deque_chunk *chunk)
{
    *(chunk->previous != NULL ? &chunk->previous->next : &deque->head) = chunk->next;
    *(chunk->next != NULL ? &chunk->next->previous : &deque->tail) = chunk->previous;
    free(chunk);
}

static struct deque_chunk *resize(struct deque *deque, struct deque_chunk *chunk, size_t capacity)
{
    struct deque_chunk *resized = chunk_resize(chunk, capacity);
    link_chunk(deque, resized);
    return resized;
}

/*
 * Room is needed at the ends only: a chunk between others that leaves much of
 * it over gives it back. So all chunks but the two at the ends stay close to
 * deque_charge(). One at an end has room for more of what there is: when the
 * deque has lost nearly all, so has that. Returns the chunk, which may have
 * moved.
 */
static struct deque_chunk *trim(struct deque *deque, struct deque_chunk *chunk)
{
    size_t used = chunk_used(chunk), capacity = chunk->capacity;
    if (between_others(chunk) && capacity - used > used / SPARE_PART)
        return resize(deque, chunk, used);
    while (capacity > CHUNK_KEEP && capacity / ROOM_PART > deque_charge(deque))
        capacity /= ROOM_PART / 2;
    return capacity < chunk->capacity ? resize(deque, chunk, capacity) : chunk;
}

/*
 * All but a chunk that somebody has a cursor in. In a deque that is not small
 * neither end has too much room: a chunk that is larger than CHUNK_MAX is full.
 */
static void trim_ends(struct deque *deque, const struct deque_chunk *except)
{
    if (deque->count == 0 || deque_charge(deque) >= CHUNK_MAX / ROOM_PART)
        return;
    if (deque->head != except)
        trim(deque, deque->head);
    if (deque->tail != deque->head && deque->tail != except)
        trim(deque, deque->tail);
}

/* Chunks grow with what the deque holds. */
static size_t chunk_size(const struct deque *deque, size_t packed)
{
    size_t needed = sizeof(struct deque_chunk) + packed;
    if (packed > SHARED_MAX)
        return needed;
    size_t size = CHUNK_MIN;
    while (size < CHUNK_MAX && (size < needed || size < deque_charge(deque)))
        size *= 2;
    return size;
}

static struct deque_chunk *add_chunk(struct deque *deque, enum deque_end end, size_t packed)
{
    struct deque_chunk *chunk = chunk_new(chunk_size(deque, packed) - sizeof(*chunk));
    if (chunk == NULL)
        return NULL;
    if (deque->count == 0)
        deque_clear(deque); /* the chunk it has kept is too small */
    struct deque_chunk *neighbour = chunk_at(deque, end);
    if (end == DEQUE_HEAD)
        chunk->next = neighbour;
    else
        chunk->previous = neighbour;
    link_chunk(deque, chunk);
    if (neighbour != NULL)
        trim(deque, neighbour);
    return chunk;
}

/* A chunk has lost an item: if it was the last one, the chunk is given back. */
static void release_if_empty(struct deque *deque, struct deque_chunk *chunk)
{
    if (chunk->count > 0)
        return;
    bool small = chunk->capacity <= CHUNK_KEEP - sizeof(*chunk);
    if (deque->count > 0 || !small)
        free_chunk(deque, chunk);
}

/* --- ends ------------------------------------------------------------------- */

size_t deque_allocated(const struct deque *deque)
{
    size_t bytes = 0;
    for (const struct deque_chunk *chunk = deque->head; chunk != NULL; chunk = chunk->next)
        bytes += sizeof(*chunk) + chunk->capacity;
    return bytes;
}

bool deque_push(struct deque *deque, enum deque_end end, const struct deque_item *item)
{
    if (item->length > DEQUE_ITEM_MAX)
        return false;
    struct deque_chunk *chunk = chunk_at(deque, end);
    if (chunk == NULL || !chunk_push(chunk, end, item)) {
        chunk = add_chunk(deque, end, chunk_packed_size(item));
        if (chunk == NULL)
            return false;
        chunk_push(chunk, end, item);
    }
    deque->count++;
    deque->payload += item->length;
    return true;
}

bool deque_peek(const struct deque *deque, enum deque_end end, struct deque_item *item)
{
    if (deque->count == 0)
        return false;
    chunk_peek(chunk_at(deque, end), end, item);
    return true;
}

size_t deque_pop(struct deque *deque, enum deque_end end)
{
    struct deque_chunk *chunk = chunk_at(deque, end);
    size_t length = chunk_pop(chunk, end);
    deque->count--;
    deque->payload -= length;
    release_if_empty(deque, chunk);
    trim_ends(deque, NULL);
    return length;
}

void deque_clear(struct deque *deque)
{
    while (deque->head != NULL)
        free_chunk(deque, deque->head);
    *deque = (struct deque){0};
}

/* --- places ----------------------------------------------------------------- */

/* Moves the cursor from behind the last item of a chunk to the first of the next chunk. */
static void settle(struct deque_cursor *cursor)
{
    if (cursor->offset < cursor->chunk->end)
        return;
    cursor->chunk = cursor->chunk->next;
    if (cursor->chunk != NULL)
        cursor->offset = cursor->chunk->start;
}

bool deque_seek(struct deque *deque, size_t index, struct deque_cursor *cursor)
{
    *cursor = (struct deque_cursor){.deque = deque};
    if (index >= deque->count)
        return false;
    struct deque_chunk *chunk;
    if (index <= deque->count / 2) {
        for (chunk = deque->head; index >= chunk->count; chunk = chunk->next)
            index -= chunk->count;
    } else {
        size_t behind = deque->count - index; /* items from this one to the tail */
        for (chunk = deque->tail; behind > chunk->count; chunk = chunk->previous)
            behind -= chunk->count;
        index = chunk->count - behind;
    }
    cursor->chunk = chunk;
    cursor->offset = chunk->start;
    while (index-- > 0)
        cursor->offset = chunk_following(chunk, cursor->offset);
    return true;
}

bool deque_at(const struct deque_cursor *cursor, struct deque_item *item)
{
    if (cursor->chunk == NULL)
        return false;
    chunk_read(cursor->chunk, cursor->offset, item);
    return true;
}

void deque_next(struct deque_cursor *cursor)
{
    cursor->offset = chunk_following(cursor->chunk, cursor->offset);
    settle(cursor);
}

void deque_previous(struct deque_cursor *cursor)
{
    if (cursor->offset == cursor->chunk->start) {
        cursor->chunk = cursor->chunk->previous;
        if (cursor->chunk == NULL)
            return;
        cursor->offset = cursor->chunk->end;
    }
    cursor->offset = chunk_preceding(cursor->chunk, cursor->offset);
}

/*
 * Joins the cursor's chunk to the one before it, if it is so sparse that its
 * header weighs, and one chunk can hold both. Those at the ends keep their room.
 * Without memory all stays.
 */
static void join_if_sparse(struct deque_cursor *cursor)
{
    struct deque_chunk *sparse = cursor->chunk;
    if (!between_others(sparse) || !between_others(sparse->previous) ||
        chunk_used(sparse) > SPARSE_MAX)
        return;
    size_t before = chunk_used(sparse->previous);
    size_t used = before + chunk_used(sparse);
    if (used > CHUNK_MAX - sizeof(*sparse))
        return;
    struct deque_chunk *chunk = resize(cursor->deque, sparse->previous, used);
    if (chunk->capacity < used)
        return;
    for (size_t at = sparse->start; at < sparse->end; at = chunk_following(sparse, at)) {
        struct deque_item item;
        chunk_read(sparse, at, &item);
        chunk_push(chunk, DEQUE_TAIL, &item);
    }
    cursor->chunk = chunk;
    cursor->offset = before + cursor->offset - sparse->start;
    free_chunk(cursor->deque, sparse);
}

void deque_remove(struct deque_cursor *cursor)
{
    struct deque *deque = cursor->deque;
    struct deque_chunk *chunk = cursor->chunk;
    deque->count--;
    deque->payload -= chunk_length(chunk, cursor->offset);
    cursor->offset = chunk_remove(chunk, cursor->offset);
    if (chunk->count == 0) {
        settle(cursor);
        release_if_empty(deque, chunk);
        trim_ends(deque, cursor->chunk);
        return;
    }
    size_t before = cursor->offset - chunk->start;
    cursor->chunk = trim(deque, chunk);
    cursor->offset = cursor->chunk->start + before;
    join_if_sparse(cursor);
    settle(cursor);
    trim_ends(deque, cursor->chunk);
}
