#include "queue.h"

const char *const overflow_policy_names[] = {
    [OVERFLOW_DROP_OLDEST] = "drop-oldest",
    [OVERFLOW_DROP_NEWEST] = "drop-newest",
    [OVERFLOW_REJECT] = "reject",
    NULL,
};

const char *overflow_policy_name(enum overflow_policy policy)
{
    return overflow_policy_names[policy];
}

void queue_init(struct queue *queue, const struct queue_bound *bound, struct budget *budget)
{
    *queue = (struct queue){.bound = bound, .budget = budget};
}

size_t queue_count(const struct queue *queue)
{
    return deque_count(&queue->items);
}

uint64_t queue_bytes(const struct queue *queue)
{
    return deque_charge(&queue->items);
}

bool queue_over_bound(const struct queue *queue)
{
    return queue_count(queue) > queue->bound->max_items ||
           queue_bytes(queue) > queue->bound->max_bytes;
}

/* --- one item in, one item out ------------------------------------------------------- */

static bool add(struct queue *queue, enum deque_end end, struct resp_argument item)
{
    if (!deque_push(&queue->items, end, item.data, item.length))
        return false;
    queue->budget->used += deque_item_charge(item.length);
    return true;
}

static void drop(struct queue *queue, enum deque_end end)
{
    struct deque_item item;
    if (!deque_peek(&queue->items, end, &item))
        return;
    queue->budget->used -= deque_item_charge(item.length);
    deque_pop(&queue->items, end);
}

static bool fits(const struct queue *queue, uint64_t charge, uint64_t count)
{
    const struct queue_bound *bound = queue->bound;
    uint64_t items = queue_count(queue), bytes = queue_bytes(queue);
    return items <= bound->max_items && count <= bound->max_items - items &&
           bytes <= bound->max_bytes && charge <= bound->max_bytes - bytes;
}

static bool within_budget(const struct queue *queue, uint64_t charge)
{
    const struct budget *budget = queue->budget;
    return budget->used <= budget->limit && charge <= budget->limit - budget->used;
}

static enum deque_end opposite(enum deque_end end)
{
    return end == DEQUE_HEAD ? DEQUE_TAIL : DEQUE_HEAD;
}

/* --- batches --------------------------------------------------------------------------- */

/* Of a batch: everything that the policies ask about it. */
struct batch {
    const struct resp_argument *items;
    size_t count;
    uint64_t charge;
    uint64_t largest;
};

static struct batch measure(const struct resp_argument *items, size_t count)
{
    struct batch batch = {.items = items, .count = count};
    for (size_t i = 0; i < count; i++) {
        uint64_t charge = deque_item_charge(items[i].length);
        batch.charge += charge;
        if (charge > batch.largest)
            batch.largest = charge;
    }
    return batch;
}

/* Adds items [first, count). When memory runs out on the way, none is in. */
static enum push_result add_all(struct queue *queue, enum deque_end end,
                                const struct resp_argument *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (add(queue, end, items[i]))
            continue;
        while (i-- > 0)
            drop(queue, end);
        return PUSH_NO_MEMORY;
    }
    queue->counters.pushed += count;
    if (queue_count(queue) > queue->counters.high_items)
        queue->counters.high_items = queue_count(queue);
    if (queue_bytes(queue) > queue->counters.high_bytes)
        queue->counters.high_bytes = queue_bytes(queue);
    return PUSH_DONE;
}

/* Drops from an end until so much more fits. */
static void make_room(struct queue *queue, enum deque_end end, uint64_t charge, uint64_t count,
                      uint64_t *counter)
{
    while (queue_count(queue) > 0 && !fits(queue, charge, count)) {
        drop(queue, end);
        (*counter)++;
    }
}

/* The charge of what make_room() would drop from the far end of a push at `end`. */
static uint64_t charge_of_room(struct queue *queue, enum deque_end end, uint64_t charge,
                               size_t count)
{
    const struct queue_bound *bound = queue->bound;
    uint64_t items = queue_count(queue), bytes = queue_bytes(queue), freed = 0;
    struct deque_cursor cursor;
    struct deque_item item;
    deque_seek(&queue->items, end == DEQUE_TAIL || items == 0 ? 0 : items - 1, &cursor);
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
                                         const struct batch *batch)
{
    const struct queue_bound *bound = queue->bound;
    uint64_t charge = 0;
    size_t first = batch->count;
    while (first > 0 && batch->count - first < bound->max_items) {
        uint64_t next = deque_item_charge(batch->items[first - 1].length);
        if (next > bound->max_bytes - charge)
            break;
        charge += next;
        first--;
    }
    size_t stay = batch->count - first;
    /* What pushes out a part of its own batch has pushed out all that was there before. */
    uint64_t room = first > 0 ? bound->max_bytes : charge;
    if (!within_budget(queue, charge)) {
        uint64_t freed = charge_of_room(queue, end, room, stay);
        if (charge > freed && !within_budget(queue, charge - freed))
            return PUSH_BUDGET;
    }
    make_room(queue, opposite(end), room, stay, &queue->counters.evicted);
    enum push_result result = add_all(queue, end, batch->items + first, stay);
    if (result == PUSH_DONE) {
        queue->counters.pushed += first;
        queue->counters.evicted += first;
    }
    return result;
}

static enum push_result push_drop_newest(struct queue *queue, enum deque_end end,
                                         const struct batch *batch)
{
    uint64_t charge = 0;
    size_t admitted = 0;
    while (admitted < batch->count) {
        uint64_t next = deque_item_charge(batch->items[admitted].length);
        if (!fits(queue, charge + next, admitted + 1))
            break;
        charge += next;
        admitted++;
    }
    if (!within_budget(queue, charge))
        return PUSH_BUDGET;
    enum push_result result = add_all(queue, end, batch->items, admitted);
    if (result == PUSH_DONE)
        queue->counters.dropped += batch->count - admitted;
    return result;
}

static enum push_result push_reject(struct queue *queue, enum deque_end end,
                                    const struct batch *batch)
{
    if (batch->count > queue->bound->max_items || batch->charge > queue->bound->max_bytes)
        return PUSH_TOO_BIG;
    if (!fits(queue, batch->charge, batch->count))
        return PUSH_FULL;
    if (!within_budget(queue, batch->charge))
        return PUSH_BUDGET;
    return add_all(queue, end, batch->items, batch->count);
}

enum push_result queue_push(struct queue *queue, enum deque_end end,
                            const struct resp_argument *items, size_t count)
{
    const struct batch batch = measure(items, count);
    enum push_result result = PUSH_TOO_BIG;
    if (batch.largest <= queue->bound->max_bytes) {
        switch (queue->bound->overflow) {
        case OVERFLOW_DROP_OLDEST:
            result = push_drop_oldest(queue, end, &batch);
            break;
        case OVERFLOW_DROP_NEWEST:
            result = push_drop_newest(queue, end, &batch);
            break;
        case OVERFLOW_REJECT:
            result = push_reject(queue, end, &batch);
            break;
        }
    }
    if (result != PUSH_DONE)
        queue->counters.rejected += count;
    return result;
}

/* --- out --------------------------------------------------------------------------------- */

bool queue_peek(const struct queue *queue, enum deque_end end, struct deque_item *item)
{
    return deque_peek(&queue->items, end, item);
}

void queue_pop(struct queue *queue, enum deque_end end)
{
    drop(queue, end);
    queue->counters.popped++;
}

void queue_clear(struct queue *queue)
{
    queue->counters.removed += queue_count(queue);
    queue->budget->used -= queue_bytes(queue);
    deque_clear(&queue->items);
}

void queue_resize(struct queue *queue)
{
    if (queue->bound->overflow == OVERFLOW_DROP_OLDEST)
        make_room(queue, DEQUE_HEAD, 0, 0, &queue->counters.evicted_resize);
}
