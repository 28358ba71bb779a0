/* A double-ended queue of byte strings, packed into chunks: see deque.h. */
#include "deque.h"

#include <stdlib.h>
#include <string.h>

/*
 * A run of items, without a gap, anywhere inside the room. Only the sole chunk
 * of an empty deque has none.
 */
struct deque_chunk {
    struct deque_chunk *previous;
    struct deque_chunk *next;
    uint32_t capacity; /* bytes of room */
    uint32_t start;    /* of the first item */
    uint32_t end;      /* of the last item */
    uint32_t count;
    unsigned char room[];
};

/* Sizes of a chunk, header included. */
#define CHUNK_MIN 256U
#define CHUNK_MAX (64U * 1024)
#define CHUNK_KEEP 1024U /* the largest that an empty deque keeps */

/* An item that takes more than this gets a chunk of its own; sharing would waste too much room. */
#define SHARED_MAX (CHUNK_MAX / 32)

/* A chunk that is not at an end may have so large a part of its items as room left over. */
#define SPARE_PART 64U

/*
 * An item is its length, its bytes, and its length again. A length is one byte,
 * or LONG_LENGTH and four bytes; behind the item it is LONG_LENGTH that comes
 * last, to be met first from there.
 */
#define LONG_LENGTH 255U
#define LENGTH_MAX 5U

static size_t length_size(size_t length)
{
    return length < LONG_LENGTH ? 1 : LENGTH_MAX;
}

static size_t packed_size(size_t length)
{
    return length + 2 * length_size(length);
}

static void put_item(unsigned char *at, const void *data, size_t length)
{
    size_t size = length_size(length);
    unsigned char *behind = at + size + length;
    if (size == 1) {
        *at = *behind = (unsigned char)length;
    } else {
        uint32_t number = (uint32_t)length;
        *at = behind[4] = LONG_LENGTH;
        memcpy(at + 1, &number, sizeof(number));
        memcpy(behind, &number, sizeof(number));
    }
    if (length > 0) /* else data may be NULL */
        memcpy(at + size, data, length);
}

static size_t length_after(const unsigned char *start)
{
    uint32_t number;
    if (*start != LONG_LENGTH)
        return *start;
    memcpy(&number, start + 1, sizeof(number));
    return number;
}

static size_t length_before(const unsigned char *end)
{
    uint32_t number;
    if (end[-1] != LONG_LENGTH)
        return end[-1];
    memcpy(&number, end - LENGTH_MAX, sizeof(number));
    return number;
}

static size_t first_length(const struct deque_chunk *chunk)
{
    return length_after(chunk->room + chunk->start);
}

static size_t last_length(const struct deque_chunk *chunk)
{
    return length_before(chunk->room + chunk->end);
}

/* --- chunks ----------------------------------------------------------------- */

static void move_items(struct deque_chunk *chunk, size_t start)
{
    uint32_t used = chunk->end - chunk->start;
    memmove(chunk->room + start, chunk->room + chunk->start, used);
    chunk->start = (uint32_t)start;
    chunk->end = chunk->start + used;
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

/*
 * Room is needed at the ends only: a chunk between others that leaves much of
 * it over gives it back. So all chunks but the two at the ends stay close to
 * deque_charge(). Returns the chunk, which may have moved. If realloc fails it
 * stays as it is, which does no harm.
 */
static struct deque_chunk *trim(struct deque *deque, struct deque_chunk *chunk)
{
    if (chunk->previous == NULL || chunk->next == NULL)
        return chunk;
    size_t used = chunk->end - chunk->start;
    size_t spare = chunk->capacity - used;
    if (spare <= used / SPARE_PART)
        return chunk;
    move_items(chunk, 0);
    struct deque_chunk *trimmed = realloc(chunk, sizeof(*chunk) + used);
    if (trimmed == NULL)
        return chunk;
    trimmed->capacity = (uint32_t)used;
    link_chunk(deque, trimmed);
    return trimmed;
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

/* An empty chunk is filled from the end at which it was opened. */
static void open_chunk(struct deque_chunk *chunk, enum deque_end end)
{
    chunk->start = chunk->end = end == DEQUE_HEAD ? chunk->capacity : 0;
}

static struct deque_chunk *add_chunk(struct deque *deque, enum deque_end end, size_t packed)
{
    size_t size = chunk_size(deque, packed);
    struct deque_chunk *chunk = malloc(size);
    if (chunk == NULL)
        return NULL;
    if (deque->count == 0)
        deque_clear(deque); /* the chunk it has kept is too small */
    *chunk = (struct deque_chunk){.capacity = (uint32_t)(size - sizeof(*chunk))};
    open_chunk(chunk, end);
    struct deque_chunk *neighbour = end == DEQUE_HEAD ? deque->head : deque->tail;
    if (end == DEQUE_HEAD)
        chunk->next = neighbour;
    else
        chunk->previous = neighbour;
    link_chunk(deque, chunk);
    if (neighbour != NULL)
        trim(deque, neighbour);
    return chunk;
}

static bool has_room(const struct deque_chunk *chunk, enum deque_end end, size_t packed)
{
    return packed <= (end == DEQUE_HEAD ? chunk->start : chunk->capacity - chunk->end);
}

/*
 * Makes room at one end of the chunk, if need be by moving its items to the
 * middle; only if they fill no more than half of it, so that the next move is
 * far enough away to pay for this one.
 */
static bool make_room(struct deque_chunk *chunk, enum deque_end end, size_t packed)
{
    if (chunk->count == 0)
        open_chunk(chunk, end);
    if (has_room(chunk, end, packed))
        return true;
    uint32_t spare = chunk->capacity - (chunk->end - chunk->start);
    if (spare < chunk->capacity / 2 || spare / 2 < packed)
        return false;
    move_items(chunk, spare / 2);
    return true;
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

size_t deque_count(const struct deque *deque)
{
    return deque->count;
}

size_t deque_item_charge(size_t length)
{
    return length + DEQUE_ITEM_COST;
}

size_t deque_charge(const struct deque *deque)
{
    return deque->payload + deque->count * DEQUE_ITEM_COST;
}

size_t deque_allocated(const struct deque *deque)
{
    size_t bytes = 0;
    for (const struct deque_chunk *chunk = deque->head; chunk != NULL; chunk = chunk->next)
        bytes += sizeof(*chunk) + chunk->capacity;
    return bytes;
}

bool deque_push(struct deque *deque, enum deque_end end, const void *data, size_t length)
{
    if (length > DEQUE_ITEM_MAX)
        return false;
    size_t packed = packed_size(length);
    struct deque_chunk *chunk = end == DEQUE_HEAD ? deque->head : deque->tail;
    if (chunk == NULL || !make_room(chunk, end, packed)) {
        chunk = add_chunk(deque, end, packed);
        if (chunk == NULL)
            return false;
    }
    if (end == DEQUE_HEAD) {
        chunk->start -= (uint32_t)packed;
        put_item(chunk->room + chunk->start, data, length);
    } else {
        put_item(chunk->room + chunk->end, data, length);
        chunk->end += (uint32_t)packed;
    }
    chunk->count++;
    deque->count++;
    deque->payload += length;
    return true;
}

static struct deque_item item_at(const unsigned char *at)
{
    size_t length = length_after(at);
    return (struct deque_item){(const char *)at + length_size(length), length};
}

bool deque_peek(const struct deque *deque, enum deque_end end, struct deque_item *item)
{
    if (deque->count == 0)
        return false;
    if (end == DEQUE_HEAD) {
        *item = item_at(deque->head->room + deque->head->start);
    } else {
        const struct deque_chunk *chunk = deque->tail;
        size_t length = last_length(chunk);
        *item = item_at(chunk->room + chunk->end - packed_size(length));
    }
    return true;
}

void deque_pop(struct deque *deque, enum deque_end end)
{
    struct deque_chunk *chunk = end == DEQUE_HEAD ? deque->head : deque->tail;
    size_t length = end == DEQUE_HEAD ? first_length(chunk) : last_length(chunk);
    if (end == DEQUE_HEAD)
        chunk->start += (uint32_t)packed_size(length);
    else
        chunk->end -= (uint32_t)packed_size(length);
    chunk->count--;
    deque->count--;
    deque->payload -= length;
    release_if_empty(deque, chunk);
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
        deque_next(cursor);
    return true;
}

bool deque_at(const struct deque_cursor *cursor, struct deque_item *item)
{
    if (cursor->chunk == NULL)
        return false;
    *item = item_at(cursor->chunk->room + cursor->offset);
    return true;
}

void deque_next(struct deque_cursor *cursor)
{
    cursor->offset += packed_size(length_after(cursor->chunk->room + cursor->offset));
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
    cursor->offset -= packed_size(length_before(cursor->chunk->room + cursor->offset));
}

void deque_remove(struct deque_cursor *cursor)
{
    struct deque *deque = cursor->deque;
    struct deque_chunk *chunk = cursor->chunk;
    unsigned char *at = chunk->room + cursor->offset;
    size_t before = cursor->offset - chunk->start;
    size_t length = length_after(at);
    size_t packed = packed_size(length);
    size_t behind = chunk->end - cursor->offset - packed;

    if (before < behind) {
        memmove(at + packed - before, at - before, before);
        chunk->start += (uint32_t)packed;
    } else {
        memmove(at, at + packed, behind);
        chunk->end -= (uint32_t)packed;
    }
    chunk->count--;
    deque->count--;
    deque->payload -= length;
    if (chunk->count == 0) {
        cursor->offset = chunk->end;
        settle(cursor);
        release_if_empty(deque, chunk);
        return;
    }
    cursor->chunk = trim(deque, chunk);
    cursor->offset = cursor->chunk->start + before;
    settle(cursor);
}
