/*
 * queue_model: a bounded queue as a plain array, which takes one item after the
 * other, and the same done to a real one.
 *
 * To be included by one file of the program.
 */
#ifndef CISTERN_TESTS_QUEUE_MODEL_H
#define CISTERN_TESTS_QUEUE_MODEL_H

#include <string.h>

#include "must.h"
#include "queue/queue.h"

enum { MODEL_ITEMS = 400, MODEL_LEASES = 40 };

struct model_item {
    struct deque_item item; /* data: where it was cut from */
    uint64_t lease;         /* came back from this one, if that is still known; else 0 */
};

struct model {
    struct queue queue; /* the real one */
    struct queue_bound bound;
    size_t count;
    struct model_item items[MODEL_ITEMS]; /* the head first */
    size_t leased;
    struct model_item leases[MODEL_LEASES];
    struct queue_counters counters;
};

static inline uint64_t model_charge_of(const struct model_item *items, size_t count)
{
    uint64_t charge = 0;
    for (size_t i = 0; i < count; i++)
        charge += deque_item_charge(items[i].item.length);
    return charge;
}

static inline uint64_t model_charge(const struct model *model)
{
    return model_charge_of(model->items, model->count) +
           model_charge_of(model->leases, model->leased);
}

static inline bool model_over(const struct model *model, uint64_t items, uint64_t charge)
{
    return model->count + model->leased + items > model->bound.max_items ||
           model_charge(model) + charge > model->bound.max_bytes;
}

/* Whether leases alone leave no room for such an item. */
static inline bool model_crowded(const struct model *model, uint64_t charge)
{
    return model->leased + 1 > model->bound.max_items ||
           model_charge_of(model->leases, model->leased) + charge > model->bound.max_bytes;
}

static inline bool model_too_big(const struct model *model, size_t length)
{
    return length > model->bound.max_item_bytes ||
           deque_item_charge(length) > model->bound.max_bytes;
}

/* --- one item ------------------------------------------------------------------------------ */

static inline void model_forget_returns(struct model *model)
{
    for (size_t i = 0; i < model->count; i++)
        model->items[i].lease = 0;
}

static inline void model_insert(struct model *model, size_t index, struct model_item item)
{
    MUST(model->count < MODEL_ITEMS);
    memmove(model->items + index + 1, model->items + index, (model->count - index) * sizeof item);
    model->items[index] = item;
    model->count++;
}

static inline struct model_item model_take(struct model *model, size_t index)
{
    struct model_item item = model->items[index];
    model->count--;
    memmove(model->items + index, model->items + index + 1, (model->count - index) * sizeof item);
    if (index > 0 && item.lease != 0)
        model_forget_returns(model);
    return item;
}

static inline size_t model_index(const struct model *model, enum deque_end end)
{
    return end == DEQUE_HEAD ? 0 : model->count - 1;
}

static inline void model_add(struct model *model, enum deque_end end, struct deque_item item)
{
    if (end == DEQUE_HEAD)
        model_forget_returns(model);
    model_insert(model, end == DEQUE_HEAD ? 0 : model->count, (struct model_item){item, 0});
    model->counters.pushed++;
}

/* Drops from the end opposite to that of a push until an item fits, or none is left. */
static inline void model_make_room(struct model *model, enum deque_end end, uint64_t charge)
{
    while (model->count > 0 && model_over(model, 1, charge)) {
        model_take(model, model_index(model, end == DEQUE_HEAD ? DEQUE_TAIL : DEQUE_HEAD));
        model->counters.evicted++;
    }
}

static inline void model_note_high(struct model *model)
{
    struct queue_counters *counters = &model->counters;
    if (model->count + model->leased > counters->high_items)
        counters->high_items = model->count + model->leased;
    if (model_charge(model) > counters->high_bytes)
        counters->high_bytes = model_charge(model);
}

/* --- what time and reloads do ---------------------------------------------------------------- */

static inline bool model_is_old(const struct model *model, enum deque_end end, uint64_t now)
{
    return model->bound.max_age != 0 && model->count > 0 &&
           now - model->items[model_index(model, end)].item.pushed_at > model->bound.max_age;
}

static inline bool model_expire(struct model *model, uint64_t now)
{
    uint64_t before = model->counters.expired;
    for (int end = DEQUE_HEAD; end <= DEQUE_TAIL; end++) {
        while (model_is_old(model, (enum deque_end)end, now)) {
            model_take(model, model_index(model, (enum deque_end)end));
            model->counters.expired++;
        }
    }
    return model->counters.expired > before;
}

static inline bool model_trim(struct model *model, size_t most)
{
    if (model->bound.shrink == SHRINK_DRAIN ||
        (model->bound.shrink == SHRINK_AUTO && model->bound.overflow != OVERFLOW_DROP_OLDEST))
        return false;
    for (; most > 0 && model->count > 0 && model_over(model, 0, 0); most--) {
        size_t last = model->count - 1;
        bool tail_is_older = model->items[last].item.pushed_at < model->items[0].item.pushed_at;
        model_take(model, tail_is_older ? last : 0);
        model->counters.evicted_resize++;
    }
    return model->count > 0 && model_over(model, 0, 0);
}

/* --- pushes ------------------------------------------------------------------------------------
 */

static inline enum push_result model_push_one(struct model *model, enum overflow_policy policy,
                                              enum deque_end end, struct deque_item item,
                                              bool *dropping)
{
    uint64_t charge = deque_item_charge(item.length);
    if (policy == OVERFLOW_DROP_OLDEST) {
        model_make_room(model, end, charge);
        if (!model_over(model, 1, charge)) {
            model_add(model, end, item);
        } else { /* beside what is leased there is no room even for it alone */
            model->counters.pushed++;
            model->counters.evicted++;
        }
        return PUSH_DONE;
    }
    *dropping |= model_over(model, 1, charge);
    if (!*dropping)
        model_add(model, end, item);
    else if (policy == OVERFLOW_DROP_NEWEST)
        model->counters.dropped++;
    else
        return PUSH_FULL;
    return PUSH_DONE;
}

/* What is too much for the queue whatever it holds; a batch that must fit whole included. */
static inline bool model_refuses(const struct model *model, enum overflow_policy policy,
                                 const struct batch *batch)
{
    uint64_t charge = 0;
    for (size_t i = 0; i < batch->count; i++) {
        charge += deque_item_charge(batch->items[i].length);
        if (model_too_big(model, batch->items[i].length))
            return true;
    }
    return (policy == OVERFLOW_REJECT || policy == OVERFLOW_BLOCK) &&
           (batch->count > model->bound.max_items || charge > model->bound.max_bytes);
}

static inline bool model_has_impossible_item(const struct model *model, const struct batch *batch)
{
    return model_refuses(model, OVERFLOW_DROP_NEWEST, batch);
}

static inline enum push_result model_push_all(struct model *model, enum overflow_policy policy,
                                              enum deque_end end, const struct batch *batch,
                                              uint64_t now)
{
    bool dropping = false;
    if (policy == OVERFLOW_DROP_OLDEST &&
        model_crowded(model, deque_item_charge(batch->items[batch->count - 1].length)))
        return PUSH_FULL;
    for (size_t i = 0; i < batch->count; i++) {
        const struct deque_item item = {
            .data = batch->items[i].data, .length = batch->items[i].length, .pushed_at = now};
        enum push_result result = model_push_one(model, policy, end, item, &dropping);
        if (result != PUSH_DONE)
            return result;
    }
    return PUSH_DONE;
}

/* One item after the other, and then the question whether the budgets allow the growth. */
static inline enum push_result model_push(struct model *model, enum overflow_policy policy,
                                          enum deque_end end, const struct batch *batch,
                                          uint64_t now)
{
    static struct model before;
    const struct budget *inner = model->queue.budget;
    uint64_t released = model_charge(model);
    model_expire(model, now);
    if (!model_has_impossible_item(model, batch))
        model_trim(model, SIZE_MAX);
    before = *model;
    released -= model_charge(model);
    enum push_result result = model_refuses(model, policy, batch)
                                  ? PUSH_TOO_BIG
                                  : model_push_all(model, policy, end, batch, now);
    uint64_t is = model_charge(model), was = model_charge(&before);
    if (result == PUSH_DONE && is > was &&
        (inner->used - released + is - was > inner->limit ||
         inner->outer->used - released + is - was > inner->outer->limit))
        result = PUSH_BUDGET;
    if (result == PUSH_DONE) {
        model_note_high(model);
    } else {
        *model = before;
        model->counters.rejected += batch->count;
    }
    return result;
}

/* --- from one to the other -----------------------------------------------------------------------
 */

static inline enum push_result model_move(struct model *from, enum deque_end from_end,
                                          struct model *to, enum deque_end to_end)
{
    const struct deque_item item = from->items[model_index(from, from_end)].item;
    uint64_t charge = deque_item_charge(item.length);
    if (from == to && from_end == to_end)
        return PUSH_DONE;
    if (from != to) {
        if (model_too_big(to, item.length))
            return PUSH_TOO_BIG;
        if (model_crowded(to, charge))
            return PUSH_FULL;
        if (to->bound.overflow == OVERFLOW_DROP_OLDEST)
            model_make_room(to, to_end, charge);
        if (model_over(to, 1, charge))
            return PUSH_FULL;
    } else {
        model_forget_returns(from);
    }
    model_take(from, model_index(from, from_end));
    from->counters.popped++;
    model_add(to, to_end, item);
    if (from != to)
        model_note_high(to);
    return PUSH_DONE;
}

/* Behind those at the head that are known to have been taken before it. */
static inline void model_return(struct model *model, struct model_item item)
{
    size_t before = 0;
    while (before < model->count && model->items[before].lease != 0 &&
           model->items[before].lease < item.lease)
        before++;
    model_insert(model, before, item);
    model->counters.returned++;
}

#endif
