/* A run of packed items: see chunk.h. */
#include "chunk.h"

#include <stdlib.h>
#include <string.h>

#include "../rarely.h"

/* --- one item ----------------------------------------------------------------- */

/*
 * An item is a header, its bytes, and a trailer. A header is a mark and the
 * code of the time; a mark that is no length itself is followed by the length
 * and, if it says so, the deliveries. A trailer is the mark again, and before it
 * the length if the mark is none: so the size is known from either side.
 */
#define MARK_LONG 254U      /* marks below it are the length */
#define MARK_DELIVERED 255U /* long, however short: deliveries are rare */
#define TIME_AT 1U
#define LENGTH_AT 2U
#define DELIVERIES_AT 6U

static unsigned mark_of(const struct deque_item *item)
{
    if (item->deliveries > 0)
        return MARK_DELIVERED;
    return item->length < MARK_LONG ? (unsigned)item->length : MARK_LONG;
}

static size_t header_size(unsigned mark)
{
    if (mark < MARK_LONG)
        return LENGTH_AT;
    return mark == MARK_LONG ? DELIVERIES_AT : DELIVERIES_AT + 1;
}

static size_t packed_size(unsigned mark, size_t length)
{
    size_t trailer = mark < MARK_LONG ? 1 : sizeof(uint32_t) + 1;
    return header_size(mark) + length + trailer;
}

static size_t read_length(const unsigned char *from)
{
    uint32_t length;
    memcpy(&length, from, sizeof(length));
    return length;
}

static size_t length_after(const unsigned char *start)
{
    return *start < MARK_LONG ? *start : read_length(start + LENGTH_AT);
}

static size_t size_after(const unsigned char *start)
{
    return packed_size(*start, length_after(start));
}

static size_t size_before(const unsigned char *end)
{
    unsigned mark = end[-1];
    return packed_size(mark, mark < MARK_LONG ? mark : read_length(end - 1 - sizeof(uint32_t)));
}

static void put_item(unsigned char *at, unsigned mark, size_t packed, const struct deque_item *item,
                     unsigned char time_code)
{
    unsigned char *last = at + packed - 1;
    *at = *last = (unsigned char)mark;
    at[TIME_AT] = time_code;
    if (mark >= MARK_LONG) {
        uint32_t length = (uint32_t)item->length;
        memcpy(at + LENGTH_AT, &length, sizeof(length));
        memcpy(last - sizeof(length), &length, sizeof(length));
    }
    if (mark == MARK_DELIVERED) {
        bool most = item->deliveries > DEQUE_DELIVERIES_MAX;
        at[DELIVERIES_AT] = (unsigned char)(most ? DEQUE_DELIVERIES_MAX : item->deliveries);
    }
    if (item->length > 0) /* else data may be NULL */
        memcpy(at + header_size(mark), item->data, item->length);
}

size_t chunk_packed_size(const struct deque_item *item)
{
    return packed_size(mark_of(item), item->length);
}

/* --- times ---------------------------------------------------------------------- */

/*
 * A time is a code of one byte: base + (code << shift), rounded up. The base is
 * a multiple of the unit. So a time that is coded anew in a larger unit is what
 * it would have been from the beginning: errors do not add up.
 */
#define CODE_MAX 255U

/*
 * When a time does not fit, all are coded anew. Then they take this many units
 * at most, with as much free before them as behind: the times must spread by
 * half again before that is due once more, whichever way they go.
 */
#define UNITS_MAX 127U
#define UNITS_FREE ((CODE_MAX - UNITS_MAX) / 2)

static uint64_t decode(uint64_t base, unsigned shift, unsigned code)
{
    return base + ((uint64_t)code << shift);
}

static unsigned char encode(const struct deque_chunk *chunk, uint64_t time)
{
    uint64_t unit = (uint64_t)1 << chunk->shift;
    return (unsigned char)((time - chunk->base + unit - 1) >> chunk->shift);
}

static bool fits(const struct deque_chunk *chunk, uint64_t time)
{
    return time >= chunk->base && time <= decode(chunk->base, chunk->shift, CODE_MAX);
}

/* Chooses base and shift for the times that are present and this one. */
static RARELY void code_anew(struct deque_chunk *chunk, uint64_t time)
{
    const uint64_t old_base = chunk->base;
    const unsigned old_shift = chunk->shift;
    uint64_t oldest = time;
    uint64_t newest = time;
    for (size_t at = chunk->start; at < chunk->end; at = chunk_following(chunk, at)) {
        uint64_t present = decode(old_base, old_shift, chunk->room[at + TIME_AT]);
        oldest = present < oldest ? present : oldest;
        newest = present > newest ? present : newest;
    }
    chunk->shift = 0;
    while ((newest >> chunk->shift) - (oldest >> chunk->shift) >= UNITS_MAX)
        chunk->shift++;
    uint64_t units = oldest >> chunk->shift;
    chunk->base = (units > UNITS_FREE ? units - UNITS_FREE : 0) << chunk->shift;
    for (size_t at = chunk->start; at < chunk->end; at = chunk_following(chunk, at)) {
        unsigned char *code = &chunk->room[at + TIME_AT];
        *code = encode(chunk, decode(old_base, old_shift, *code));
    }
}

static unsigned char admit_time(struct deque_chunk *chunk, uint64_t time)
{
    if (chunk->count == 0 || !fits(chunk, time))
        code_anew(chunk, time);
    if (chunk->count == 0 || time > chunk->newest)
        chunk->newest = time;
    return encode(chunk, time);
}

/* --- room ----------------------------------------------------------------------- */

struct deque_chunk *chunk_new(size_t capacity)
{
    struct deque_chunk *chunk = malloc(sizeof(*chunk) + capacity);
    if (chunk != NULL)
        *chunk = (struct deque_chunk){.capacity = (uint32_t)capacity};
    return chunk;
}

size_t chunk_used(const struct deque_chunk *chunk)
{
    return chunk->end - chunk->start;
}

static void move_items(struct deque_chunk *chunk, size_t start)
{
    uint32_t used = chunk->end - chunk->start;
    memmove(chunk->room + start, chunk->room + chunk->start, used);
    chunk->start = (uint32_t)start;
    chunk->end = chunk->start + used;
}

struct deque_chunk *chunk_resize(struct deque_chunk *chunk, size_t capacity)
{
    move_items(chunk, 0);
    struct deque_chunk *resized = realloc(chunk, sizeof(*chunk) + capacity);
    if (resized == NULL)
        return chunk;
    resized->capacity = (uint32_t)capacity;
    return resized;
}

static bool has_room(const struct deque_chunk *chunk, enum deque_end end, size_t packed)
{
    return packed <= (end == DEQUE_HEAD ? chunk->start : chunk->capacity - chunk->end);
}

/*
 * Makes room at one end of the chunk, if need be by moving its items to the
 * middle; only if they fill no more than half of it, so that the next move is
 * far enough away to pay for this one. An empty chunk is filled from that end.
 */
static RARELY bool make_room(struct deque_chunk *chunk, enum deque_end end, size_t packed)
{
    if (chunk->count == 0) {
        chunk->start = chunk->end = end == DEQUE_HEAD ? chunk->capacity : 0;
        return packed <= chunk->capacity;
    }
    size_t spare = chunk->capacity - chunk_used(chunk);
    if (spare < chunk->capacity / 2 || spare / 2 < packed)
        return false;
    move_items(chunk, spare / 2);
    return true;
}

/* --- items ---------------------------------------------------------------------- */

bool chunk_push(struct deque_chunk *chunk, enum deque_end end, const struct deque_item *item)
{
    const unsigned mark = mark_of(item);
    const uint32_t packed = (uint32_t)packed_size(mark, item->length);
    if ((chunk->count == 0 || !has_room(chunk, end, packed)) && !make_room(chunk, end, packed))
        return false;
    unsigned char time_code = admit_time(chunk, item->pushed_at);
    if (end == DEQUE_HEAD)
        chunk->start -= packed;
    else
        chunk->end += packed;
    chunk->count++;
    uint32_t at = end == DEQUE_HEAD ? chunk->start : chunk->end - packed;
    put_item(chunk->room + at, mark, packed, item, time_code);
    return true;
}

void chunk_read(const struct deque_chunk *chunk, size_t offset, struct deque_item *item)
{
    const unsigned char *at = chunk->room + offset;
    uint64_t time = decode(chunk->base, chunk->shift, at[TIME_AT]);
    item->data = (const char *)at + header_size(*at);
    item->length = length_after(at);
    item->pushed_at = time < chunk->newest ? time : chunk->newest;
    item->deliveries = *at == MARK_DELIVERED ? at[DELIVERIES_AT] : 0;
}

size_t chunk_length(const struct deque_chunk *chunk, size_t offset)
{
    return length_after(chunk->room + offset);
}

size_t chunk_following(const struct deque_chunk *chunk, size_t offset)
{
    return offset + size_after(chunk->room + offset);
}

size_t chunk_preceding(const struct deque_chunk *chunk, size_t offset)
{
    return offset - size_before(chunk->room + offset);
}

size_t chunk_remove(struct deque_chunk *chunk, size_t offset)
{
    unsigned char *at = chunk->room + offset;
    size_t packed = size_after(at);
    size_t before = offset - chunk->start;
    size_t behind = chunk->end - offset - packed;
    chunk->count--;
    if (before < behind) { /* the shorter side moves */
        if (before > 0)
            memmove(at + packed - before, at - before, before);
        chunk->start += (uint32_t)packed;
        return offset + packed;
    }
    if (behind > 0)
        memmove(at, at + packed, behind);
    chunk->end -= (uint32_t)packed;
    return offset;
}

static size_t place_at(const struct deque_chunk *chunk, enum deque_end end)
{
    return end == DEQUE_HEAD ? chunk->start : chunk_preceding(chunk, chunk->end);
}

void chunk_peek(const struct deque_chunk *chunk, enum deque_end end, struct deque_item *item)
{
    chunk_read(chunk, place_at(chunk, end), item);
}

size_t chunk_pop(struct deque_chunk *chunk, enum deque_end end)
{
    const unsigned char *at = chunk->room + place_at(chunk, end);
    size_t length = length_after(at);
    uint32_t packed = (uint32_t)packed_size(*at, length);
    if (end == DEQUE_HEAD)
        chunk->start += packed;
    else
        chunk->end -= packed;
    chunk->count--;
    return length;
}
