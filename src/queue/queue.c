#include "queue_parts.h"

#include <stdlib.h>
#include <string.h>

void queue_init(struct queue *queue, const struct queue_bound *bound, struct budget *budget)
{
    *queue = (struct queue){.bound = bound, .budget = budget};
}

/* --- figures ------------------------------------------------------------------------ */

bool queue_over_bound(const struct queue *queue)
{
    return queue_held(queue) > queue->bound->max_items ||
           queue_bytes(queue) > queue->bound->max_bytes;
}

static uint64_t age(const struct deque_item *item, uint64_t now)
{
    return now > item->pushed_at ? now - item->pushed_at : 0;
}

uint64_t queue_oldest_age(const struct queue *queue, uint64_t now)
{
    struct deque_item head, tail;
    if (!deque_peek(&queue->items, DEQUE_HEAD, &head) ||
        !deque_peek(&queue->items, DEQUE_TAIL, &tail))
        return 0;
    return age(&head, now) > age(&tail, now) ? age(&head, now) : age(&tail, now);
}

/* --- one item in, one item out ------------------------------------------------------- */

/* An item has gone from that end of the deque. */
static void note_gone(struct queue *queue, enum deque_end end)
{
    if (queue->returned.count == 0)
        return;
    if (end == DEQUE_HEAD)
        returns_drop_head(&queue->returned);
    else if (queue->returned.count > deque_count(&queue->items))
        returns_forget(&queue->returned);
}

static bool add(struct queue *queue, enum deque_end end, const struct deque_item *item)
{
    if (!deque_push(&queue->items, end, item))
        return false;
    queue_note_come(queue, end, deque_item_charge(item->length));
    return true;
}

void queue_drop(struct queue *queue, enum deque_end end)
{
    budget_release(queue->budget, deque_item_charge(deque_pop(&queue->items, end)));
    note_gone(queue, end);
}

void queue_make_room(struct queue *queue, enum deque_end end, uint64_t charge, uint64_t count,
                     uint64_t *counter)
{
    while (queue_count(queue) > 0 && !queue_fits(queue, charge, count)) {
        queue_drop(queue, end);
        (*counter)++;
    }
}

/* --- out --------------------------------------------------------------------------------- */

uint64_t queue_count_within(struct queue *queue, enum deque_end end, uint64_t count, uint64_t bytes)
{
    struct deque_cursor cursor;
    struct deque_item item;
    uint64_t within = 0, used = 0;
    size_t last = queue_count(queue) > 0 ? queue_count(queue) - 1 : 0;
    deque_seek(&queue->items, end == DEQUE_HEAD ? 0 : last, &cursor);
    while (within < count && deque_at(&cursor, &item)) {
        used += deque_item_charge(item.length);
        if (used > bytes && within > 0)
            break;
        within++;
        if (end == DEQUE_HEAD)
            deque_next(&cursor);
        else
            deque_previous(&cursor);
    }
    return within;
}

void queue_pop(struct queue *queue, enum deque_end end)
{
    queue_drop(queue, end);
    queue->counters.popped++;
}

void queue_remove(struct queue *queue, enum deque_end end)
{
    queue_drop(queue, end);
    queue->counters.removed++;
}

void queue_remove_at(struct queue *queue, struct deque_cursor *cursor)
{
    struct deque_item item;
    if (!deque_at(cursor, &item))
        return;
    budget_release(queue->budget, deque_item_charge(item.length));
    queue->counters.removed++;
    returns_forget(&queue->returned);
    deque_remove(cursor);
}

void queue_clear(struct queue *queue)
{
    queue->counters.removed += queue_count(queue);
    budget_release(queue->budget, deque_charge(&queue->items));
    deque_clear(&queue->items);
    returns_forget(&queue->returned);
}

bool queue_drop_expired(struct queue *queue, uint64_t now)
{
    static const enum deque_end ends[] = {DEQUE_HEAD, DEQUE_TAIL};
    uint64_t before = queue->counters.expired;
    for (size_t i = 0; i < 2; i++) {
        struct deque_item item;
        while (deque_peek(&queue->items, ends[i], &item) &&
               age(&item, now) > queue->bound->max_age) {
            queue_drop(queue, ends[i]);
            queue->counters.expired++;
        }
    }
    return queue->counters.expired > before;
}

bool queue_trim(struct queue *queue, size_t most)
{
    const struct queue_bound *bound = queue->bound;
    if (!queue_over_bound(queue))
        return false;
    bool trims = bound->shrink == SHRINK_TRIM ||
                 (bound->shrink == SHRINK_AUTO && bound->overflow == OVERFLOW_DROP_OLDEST);
    if (!trims)
        return false;
    while (most-- > 0 && queue_count(queue) > 0 && queue_over_bound(queue)) {
        struct deque_item head, tail;
        deque_peek(&queue->items, DEQUE_HEAD, &head);
        deque_peek(&queue->items, DEQUE_TAIL, &tail);
        queue_drop(queue, tail.pushed_at < head.pushed_at ? DEQUE_TAIL : DEQUE_HEAD);
        queue->counters.evicted_resize++;
    }
    return queue_count(queue) > 0 && queue_over_bound(queue);
}

/* --- from one queue to another ------------------------------------------------------------- */

/* Within one queue nothing grows, so nothing can be refused. */
static enum push_result rotate(struct queue *queue, enum deque_end from, enum deque_end to,
                               const struct deque_item *item)
{
    if (from == to)
        return PUSH_DONE;
    /* A push may move what is in the deque, and the item's bytes are. */
    char *copy = malloc(item->length + 1);
    if (copy == NULL)
        return PUSH_NO_MEMORY;
    struct deque_item moved = *item;
    moved.data = memcpy(copy, item->data, item->length);
    bool pushed = deque_push(&queue->items, to, &moved);
    free(copy);
    if (!pushed)
        return PUSH_NO_MEMORY;
    deque_pop(&queue->items, from);
    returns_forget(&queue->returned);
    queue->counters.pushed++;
    queue->counters.popped++;
    return PUSH_DONE;
}

bool queue_has_room(const struct queue *to, const struct queue *from, enum deque_end end)
{
    struct deque_item item;
    if (to == from || !queue_peek(from, end, &item))
        return true;
    uint64_t charge = deque_item_charge(item.length);
    bool never_fits = item.length > to->bound->max_item_bytes || charge > to->bound->max_bytes;
    return never_fits || to->bound->overflow == OVERFLOW_DROP_OLDEST || queue_fits(to, charge, 1);
}

enum push_result queue_move(struct queue *from, enum deque_end from_end, struct queue *to,
                            enum deque_end to_end)
{
    struct deque_item item;
    queue_peek(from, from_end, &item);
    if (from == to)
        return rotate(from, from_end, to_end, &item);
    uint64_t charge = deque_item_charge(item.length);
    if (item.length > to->bound->max_item_bytes || charge > to->bound->max_bytes)
        return PUSH_TOO_BIG;
    if (to->leased_items >= to->bound->max_items ||
        to->leased_bytes + charge > to->bound->max_bytes)
        return PUSH_FULL; /* whatever was dropped for it */
    if (to->bound->overflow == OVERFLOW_DROP_OLDEST)
        queue_make_room(to, queue_opposite(to_end), charge, 1, &to->counters.evicted);
    if (!queue_fits(to, charge, 1))
        return PUSH_FULL;
    if (!add(to, to_end, &item))
        return PUSH_NO_MEMORY;
    to->counters.pushed++;
    queue_note_high(to);
    queue_pop(from, from_end);
    return PUSH_DONE;
}

/* --- a restart of the daemon ------------------------------------------------------------------ */

void queue_unload(struct queue *queue)
{
    queue_drop(queue, DEQUE_HEAD);
}

bool queue_load(struct queue *queue, const struct deque_item *item)
{
    return add(queue, DEQUE_TAIL, item);
}

/* --- leases ----------------------------------------------------------------------------------- */

void queue_lease(struct queue *queue)
{
    queue->leased_items++;
    /* The budget stays used. */
    queue->leased_bytes += deque_item_charge(deque_pop(&queue->items, DEQUE_HEAD));
    note_gone(queue, DEQUE_HEAD);
}

void queue_acknowledge(struct queue *queue, size_t length)
{
    uint64_t charge = deque_item_charge(length);
    queue->leased_items--;
    queue->leased_bytes -= charge;
    budget_release(queue->budget, charge);
    queue->counters.popped++;
}

/* Moves up to `count` items from one end of a deque to one of another; returns how many it did. */
static size_t shift(struct deque *from, enum deque_end from_end, struct deque *to,
                    enum deque_end to_end, size_t count)
{
    size_t moved = 0;
    struct deque_item item;
    while (moved < count && deque_peek(from, from_end, &item) && deque_push(to, to_end, &item)) {
        deque_pop(from, from_end);
        moved++;
    }
    return moved;
}

/* What memory has run out for has nowhere to go. */
static void lose(struct queue *queue, const struct deque *items)
{
    queue->counters.removed += deque_count(items);
    budget_release(queue->budget, deque_charge(items));
    returns_forget(&queue->returned);
}

bool queue_return(struct queue *queue, uint64_t id, const struct deque_item *item)
{
    struct deque aside = {0};
    size_t before = returns_before(&queue->returned, id);
    before = shift(&queue->items, DEQUE_HEAD, &aside, DEQUE_TAIL, before);
    bool pushed = deque_push(&queue->items, DEQUE_HEAD, item);
    bool whole = shift(&aside, DEQUE_TAIL, &queue->items, DEQUE_HEAD, before) == before;
    if (!whole)
        lose(queue, &aside);
    deque_clear(&aside);
    if (!pushed)
        return false;
    if (whole)
        returns_add(&queue->returned, before, id);
    queue->leased_items--;
    queue->leased_bytes -= deque_item_charge(item->length);
    queue->counters.returned++;
    return true;
}
