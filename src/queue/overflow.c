/* What comes in, and what happens to it when there is no room: the policies of queue.h. */
#include "queue_parts.h"

static uint64_t batch_charge(const struct batch *batch)
{
    uint64_t charge = 0;
    for (size_t i = 0; i < batch->count; i++)
        charge += deque_item_charge(batch->items[i].length);
    return charge;
}

/* Adds the items [first, end), at least one. When memory runs out on the way, none is in. */
static enum push_result add_items(struct queue *queue, enum deque_end at, const struct batch *batch,
                                  size_t first, size_t end, uint64_t now)
{
    uint64_t charge = 0;
    for (size_t i = first; i < end; i++) {
        const struct deque_item item = {
            .data = batch->items[i].data, .length = batch->items[i].length, .pushed_at = now};
        charge += deque_item_charge(item.length);
        if (deque_push(&queue->items, at, &item))
            continue;
        while (i-- > first)
            deque_pop(&queue->items, at);
        return PUSH_NO_MEMORY;
    }
    queue_note_come(queue, at, charge);
    queue->counters.pushed += end - first;
    queue_note_high(queue);
    return PUSH_DONE;
}

/* The charge of what queue_make_room() would drop from the far end of a push at `end`. */
static uint64_t charge_of_room(struct queue *queue, enum deque_end end, uint64_t charge,
                               size_t count)
{
    const struct queue_bound *bound = queue->bound;
    uint64_t items = queue_held(queue), bytes = queue_bytes(queue), freed = 0;
    size_t last = queue_count(queue) > 0 ? queue_count(queue) - 1 : 0;
    struct deque_cursor cursor;
    struct deque_item item;
    deque_seek(&queue->items, end == DEQUE_TAIL ? 0 : last, &cursor);
    while (deque_at(&cursor, &item) &&
           (items + count > bound->max_items || bytes - freed + charge > bound->max_bytes)) {
        freed += deque_item_charge(item.length);
        items--;
        if (end == DEQUE_TAIL)
            deque_next(&cursor);
        else
            deque_previous(&cursor);
    }
    return freed;
}

/*
 * The items of a batch that do not stay, because later ones of the same batch
 * push them out, are counted as come in and evicted, but never stored.
 */
static enum push_result push_drop_oldest(struct queue *queue, enum deque_end end,
                                         const struct batch *batch, uint64_t now)
{
    const struct queue_bound *bound = queue->bound;
    uint64_t room_items =
        bound->max_items > queue->leased_items ? bound->max_items - queue->leased_items : 0;
    uint64_t room_bytes =
        bound->max_bytes > queue->leased_bytes ? bound->max_bytes - queue->leased_bytes : 0;
    uint64_t charge = 0;
    size_t first = batch->count;
    while (first > 0 && batch->count - first < room_items) {
        uint64_t next = deque_item_charge(batch->items[first - 1].length);
        if (next > room_bytes - charge)
            break;
        charge += next;
        first--;
    }
    size_t stay = batch->count - first;
    if (stay == 0)
        return PUSH_FULL; /* leases hold all the room there is */
    /* What pushes out a part of its own batch has pushed out all that was there before. */
    uint64_t room = first > 0 ? room_bytes : charge;
    if (!budget_allows(queue->budget, charge)) {
        uint64_t freed = charge_of_room(queue, end, room, stay);
        if (charge > freed && !budget_allows(queue->budget, charge - freed))
            return PUSH_BUDGET;
    }
    queue_make_room(queue, queue_opposite(end), room, stay, &queue->counters.evicted);
    enum push_result result = add_items(queue, end, batch, first, batch->count, now);
    if (result == PUSH_DONE) {
        queue->counters.pushed += first;
        queue->counters.evicted += first;
    }
    return result;
}

static enum push_result push_drop_newest(struct queue *queue, enum deque_end end,
                                         const struct batch *batch, uint64_t now)
{
    uint64_t charge = 0;
    size_t admitted = 0;
    while (admitted < batch->count) {
        uint64_t next = deque_item_charge(batch->items[admitted].length);
        if (!queue_fits(queue, charge + next, admitted + 1))
            break;
        charge += next;
        admitted++;
    }
    if (admitted > 0 && !budget_allows(queue->budget, charge))
        return PUSH_BUDGET;
    enum push_result result = PUSH_DONE;
    if (admitted > 0)
        result = add_items(queue, end, batch, 0, admitted, now);
    if (result == PUSH_DONE)
        queue->counters.dropped += batch->count - admitted;
    return result;
}

/* Whether all of it fits as things are: then no policy is asked, and nothing is in the way. */
static bool has_room_for(const struct queue *queue, const struct batch *batch)
{
    uint64_t charge = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->items[i].length > queue->bound->max_item_bytes)
            return false;
        charge += deque_item_charge(batch->items[i].length);
    }
    return queue_fits(queue, charge, batch->count) && budget_allows(queue->budget, charge);
}

/* An item that no policy could ever take. */
static bool has_impossible_item(const struct queue *queue, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->items[i].length > queue->bound->max_item_bytes ||
            deque_item_charge(batch->items[i].length) > queue->bound->max_bytes)
            return true;
    }
    return false;
}

bool queue_could_hold(const struct queue *queue, const struct batch *batch)
{
    return !has_impossible_item(queue, batch) && batch->count <= queue->bound->max_items &&
           batch_charge(batch) <= queue->bound->max_bytes;
}

static enum push_result push_whole(struct queue *queue, enum deque_end end,
                                   const struct batch *batch, uint64_t now)
{
    uint64_t charge = batch_charge(batch);
    if (!queue_could_hold(queue, batch))
        return PUSH_TOO_BIG;
    if (!queue_fits(queue, charge, batch->count))
        return PUSH_FULL;
    if (!budget_allows(queue->budget, charge))
        return PUSH_BUDGET;
    return add_items(queue, end, batch, 0, batch->count, now);
}

enum push_result queue_push(struct queue *queue, enum overflow_policy policy, enum deque_end end,
                            const struct batch *batch, uint64_t now)
{
    queue_expire(queue, now);
    if (has_room_for(queue, batch))
        return add_items(queue, end, batch, 0, batch->count, now);
    if (has_impossible_item(queue, batch))
        return PUSH_TOO_BIG;
    queue_trim(queue, SIZE_MAX); /* what a reload has begun is not this push's doing */
    switch (policy) {
    case OVERFLOW_DROP_OLDEST:
        return push_drop_oldest(queue, end, batch, now);
    case OVERFLOW_DROP_NEWEST:
        return push_drop_newest(queue, end, batch, now);
    case OVERFLOW_REJECT:
    case OVERFLOW_BLOCK:
        break;
    }
    return push_whole(queue, end, batch, now);
}

void queue_refused(struct queue *queue, size_t count)
{
    queue->counters.rejected += count;
}
