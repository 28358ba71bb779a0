/*
 * budget: bytes that may be held, inside an outer budget.
 *
 * What is charged to one is charged to all outside of it; none is exceeded. The
 * outermost is the process's, max_memory in server.conf.
 */
#ifndef CISTERN_BUDGET_H
#define CISTERN_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget {
    uint64_t used;
    uint64_t limit;
    struct budget *outer; /* NULL: there is none; outlives this one */
};

/* Whether so many bytes more are within all limits. */
static inline bool budget_allows(const struct budget *budget, uint64_t bytes)
{
    for (; budget != NULL; budget = budget->outer) {
        if (budget->used > budget->limit || bytes > budget->limit - budget->used)
            return false;
    }
    return true;
}

/* What is left of one budget alone; NULL has no limit. */
static inline uint64_t budget_left(const struct budget *budget)
{
    if (budget == NULL)
        return UINT64_MAX;
    return budget->used < budget->limit ? budget->limit - budget->used : 0;
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
