/* queue_parts: between queue.c and overflow.c, not for others. */
#ifndef CISTERN_QUEUE_PARTS_H
#define CISTERN_QUEUE_PARTS_H

#include "queue.h"

/* Whether so many items more, of that charge together, are within the bound. */
bool queue_fits(const struct queue *queue, uint64_t charge, uint64_t count);

/* One item in, one item out: deque, budget and the order of returns; no counters. */
bool queue_add(struct queue *queue, enum deque_end end, const struct deque_item *item);
void queue_drop(struct queue *queue, enum deque_end end);

/* Drops from an end until so much more fits, and counts. */
void queue_make_room(struct queue *queue, enum deque_end end, uint64_t charge, uint64_t count,
                     uint64_t *counter);
void queue_note_high(struct queue *queue);
enum deque_end queue_opposite(enum deque_end end);

#endif
