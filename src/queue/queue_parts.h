/* queue_parts: between queue.c and overflow.c, not for others. */
#ifndef CISTERN_QUEUE_PARTS_H
#define CISTERN_QUEUE_PARTS_H

#include "queue.h"

/* Whether so many items more, of that charge together, are within the bound. */
static inline bool queue_fits(const struct queue *queue, uint64_t charge, uint64_t count)
{
    const struct queue_bound *bound = queue->bound;
    uint64_t items = queue_held(queue), bytes = queue_bytes(queue);
    return items <= bound->max_items && count <= bound->max_items - items &&
           bytes <= bound->max_bytes && charge <= bound->max_bytes - bytes;
}

/* Items of that charge together have come in at that end of the deque. */
static inline void queue_note_come(struct queue *queue, enum deque_end end, uint64_t charge)
{
    if (end == DEQUE_HEAD && queue->returned.count > 0)
        returns_forget(&queue->returned);
    budget_charge(queue->budget, charge);
}

/* One item out: deque, budget and the order of returns; no counters. */
void queue_drop(struct queue *queue, enum deque_end end);

/* Drops from an end until so much more fits, and counts. */
void queue_make_room(struct queue *queue, enum deque_end end, uint64_t charge, uint64_t count,
                     uint64_t *counter);

static inline void queue_note_high(struct queue *queue)
{
    if (queue_held(queue) > queue->counters.high_items)
        queue->counters.high_items = queue_held(queue);
    if (queue_bytes(queue) > queue->counters.high_bytes)
        queue->counters.high_bytes = queue_bytes(queue);
}

static inline enum deque_end queue_opposite(enum deque_end end)
{
    return end == DEQUE_HEAD ? DEQUE_TAIL : DEQUE_HEAD;
}

#endif
