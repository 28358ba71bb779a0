#include "budget.h"

/* Only a sum is compared, no memory handed over: relaxed is enough. */

bool budget_borrow(struct budget *budget, uint64_t bytes)
{
    uint64_t lacking;
    if (__builtin_add_overflow(budget->used, bytes, &lacking))
        return false;
    lacking -= budget->limit; /* which is below: else nothing would be lacking */
    struct budget_pool *pool = budget->pool;
    int64_t left = atomic_load_explicit(&pool->left, memory_order_relaxed);
    do {
        if (left < 0 || (uint64_t)left < lacking)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&pool->left, &left, left - (int64_t)lacking,
                                                    memory_order_relaxed, memory_order_relaxed));
    budget->limit += lacking;
    return true;
}

void budget_balance(struct budget *budget)
{
    atomic_fetch_add_explicit(&budget->pool->left, (int64_t)(budget->limit - budget->used),
                              memory_order_relaxed);
    budget->limit = budget->used;
}
