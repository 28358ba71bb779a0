/*
 * budget: bytes that may be held, inside an outer budget.
 *
 * What is charged to one is charged to all outside of it; none is exceeded. The
 * outermost is the worker's. With one worker it is max_memory of server.conf;
 * of several each has its limit from a pool, which they share: just what its
 * use takes, so that the sum of their limits is never above max_memory, and
 * what one does not use is there for the others.
 *
 * Threads: a budget is its worker's alone, a pool everybody's.
 */
#ifndef CISTERN_BUDGET_H
#define CISTERN_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget_pool {
    _Atomic int64_t left; /* bytes; below 0 after a reload that has lowered the whole */
};

struct budget {
    uint64_t used;
    uint64_t limit;
    struct budget *outer;     /* NULL: there is none; outlives this one */
    struct budget_pool *pool; /* that limit was taken from; NULL: limit stands */
};

/* Takes from the pool what limit lacks for so many bytes more. False if it has not got that. */
bool budget_borrow(struct budget *budget, uint64_t bytes);
/* Brings limit, above or below what is used, back to it. */
void budget_balance(struct budget *budget);

/*
 * Gives back to the pool what is not used. Not between budget_allows() and the
 * charge that it allowed; but before anybody is told of room that there is now.
 */
static inline void budget_settle(struct budget *budget)
{
    if (budget->pool != NULL && budget->limit != budget->used)
        budget_balance(budget);
}

/* Whether so many bytes more are within one budget's own limit. */
static inline bool budget_has_room(const struct budget *budget, uint64_t bytes)
{
    return budget->used <= budget->limit && bytes <= budget->limit - budget->used;
}

/* Whether so many bytes more are within all limits; they stay so until budget_settle(). */
static inline bool budget_allows(struct budget *budget, uint64_t bytes)
{
    for (; budget != NULL; budget = budget->outer) {
        if (!budget_has_room(budget, bytes) &&
            (budget->pool == NULL || !budget_borrow(budget, bytes)))
            return false;
    }
    return true;
}

/* What is left of one budget alone, with its pool; NULL has no limit. */
static inline uint64_t budget_left(const struct budget *budget)
{
    if (budget == NULL)
        return UINT64_MAX;
    uint64_t left = budget->used < budget->limit ? budget->limit - budget->used : 0;
    int64_t pooled =
        budget->pool == NULL ? 0 : atomic_load_explicit(&budget->pool->left, memory_order_relaxed);
    return pooled > 0 ? left + (uint64_t)pooled : left;
}

/* Whether there is less left in one than in the other. */
static inline bool budget_is_tighter(const struct budget *one, const struct budget *other)
{
    return budget_left(one) < budget_left(other);
}

static inline void budget_charge(struct budget *budget, uint64_t bytes)
{
    for (; budget != NULL; budget = budget->outer)
        budget->used += bytes;
}

static inline void budget_release(struct budget *budget, uint64_t bytes)
{
    for (; budget != NULL; budget = budget->outer)
        budget->used -= bytes;
}

#endif
