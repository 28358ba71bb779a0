/* The budgets of several workers, which have their limits from one pool. */
#include "budget.h"

#include <pthread.h>

#include "must.h"
#include "unit.h"

/* A worker's budget and one of a listener inside it, unlimited. */
struct nest {
    struct budget_pool pool;
    struct budget one;
    struct budget other;
    struct budget inner;
};

static void begin(struct nest *nest, int64_t whole)
{
    *nest = (struct nest){.one.pool = &nest->pool,
                          .other.pool = &nest->pool,
                          .inner = {.limit = UINT64_MAX, .outer = &nest->one}};
    atomic_init(&nest->pool.left, whole);
}

/* As a module does: asks, charges, and tells the client. */
static bool take(struct budget *budget, struct budget *worker, uint64_t bytes)
{
    bool allowed = budget_allows(budget, bytes);
    if (allowed)
        budget_charge(budget, bytes);
    budget_settle(worker);
    return allowed;
}

static void give(struct budget *budget, struct budget *worker, uint64_t bytes)
{
    budget_release(budget, bytes);
    budget_settle(worker);
}

START_TEST(what_one_uses_is_not_there_for_the_other)
{
    struct nest nest;
    begin(&nest, 1000);
    ck_assert(take(&nest.inner, &nest.one, 600));
    ck_assert(!take(&nest.other, &nest.other, 401));
    ck_assert(take(&nest.other, &nest.other, 400));
    ck_assert(!take(&nest.inner, &nest.one, 1));
    give(&nest.other, &nest.other, 1);
    ck_assert(take(&nest.inner, &nest.one, 1));
    ck_assert(!budget_allows(&nest.one, UINT64_MAX));
    ck_assert_uint_eq(nest.one.used, 601);
    ck_assert_uint_eq(nest.other.used, 399);
    ck_assert_int_eq(nest.pool.left, 0);
}
END_TEST

/* As drop-oldest does: what makes room for an item cannot be had by anybody else meanwhile. */
START_TEST(what_is_given_up_for_something_is_kept_for_it)
{
    struct nest nest;
    begin(&nest, 100);
    ck_assert(take(&nest.one, &nest.one, 100));
    ck_assert(budget_allows(&nest.one, 0));
    budget_release(&nest.one, 60);
    ck_assert(!take(&nest.other, &nest.other, 1));
    budget_charge(&nest.one, 50);
    ck_assert(!take(&nest.other, &nest.other, 1));
    budget_settle(&nest.one);
    ck_assert(take(&nest.other, &nest.other, 10));
    ck_assert(!take(&nest.other, &nest.other, 1));
}
END_TEST

START_TEST(the_allowance_holds_until_it_is_settled)
{
    struct nest nest;
    begin(&nest, 100);
    ck_assert(budget_allows(&nest.one, 80));
    ck_assert(!budget_allows(&nest.other, 21));
    ck_assert(budget_allows(&nest.one, 80)); /* not 80 more */
    budget_settle(&nest.one);
    ck_assert(budget_allows(&nest.other, 100));
}
END_TEST

/* A reload has lowered the whole: what is given back fills the gap first. */
START_TEST(below_zero_nobody_gets_anything)
{
    struct nest nest;
    begin(&nest, 100);
    ck_assert(take(&nest.one, &nest.one, 50));
    ck_assert(take(&nest.other, &nest.other, 50));
    atomic_fetch_sub(&nest.pool.left, 40);
    give(&nest.one, &nest.one, 40);
    ck_assert(!take(&nest.one, &nest.one, 1));
    ck_assert(!take(&nest.other, &nest.other, 1));
    give(&nest.other, &nest.other, 1);
    ck_assert(take(&nest.one, &nest.one, 1));
}
END_TEST

START_TEST(what_is_left_counts_the_pool)
{
    struct nest nest;
    struct budget listener = {.limit = 50};
    begin(&nest, 100);
    ck_assert(budget_is_tighter(&listener, &nest.one));
    ck_assert(take(&nest.other, &nest.other, 60));
    ck_assert_uint_eq(budget_left(&nest.one), 40);
    ck_assert(budget_is_tighter(&nest.one, &listener));
    atomic_fetch_sub(&nest.pool.left, 1000);
    ck_assert_uint_eq(budget_left(&nest.one), 0);
}
END_TEST

/* --- threads --------------------------------------------------------------------------- */

#define THREADS 4
#define ROUNDS 50000
#define WHOLE 1000

struct crowd {
    struct budget_pool pool;
    _Atomic int64_t held; /* by all: below what their budgets say while they change */
};

static void *take_and_give(void *context)
{
    struct crowd *crowd = context;
    struct budget budget = {.pool = &crowd->pool};
    for (unsigned round = 1; round <= ROUNDS; round++) {
        uint64_t bytes = round % 700 + 1;
        if (budget_allows(&budget, bytes)) {
            budget_charge(&budget, bytes);
            MUST(atomic_fetch_add(&crowd->held, (int64_t)bytes) + (int64_t)bytes <= WHOLE);
            budget_settle(&budget);
        } else if (budget.used > 0) {
            atomic_fetch_sub(&crowd->held, (int64_t)budget.used);
            budget_release(&budget, budget.used);
            budget_settle(&budget);
        }
    }
    atomic_fetch_sub(&crowd->held, (int64_t)budget.used);
    budget_release(&budget, budget.used);
    budget_settle(&budget);
    return NULL;
}

START_TEST(threads_never_hold_more_than_the_whole)
{
    struct crowd crowd;
    pthread_t threads[THREADS];
    atomic_init(&crowd.pool.left, WHOLE);
    atomic_init(&crowd.held, 0);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_and_give, &crowd), 0);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(crowd.held, 0);
    ck_assert_int_eq(crowd.pool.left, WHOLE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("budget");
    TCase *tcase = tcase_create("pool");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, what_one_uses_is_not_there_for_the_other);
    tcase_add_test(tcase, what_is_given_up_for_something_is_kept_for_it);
    tcase_add_test(tcase, the_allowance_holds_until_it_is_settled);
    tcase_add_test(tcase, below_zero_nobody_gets_anything);
    tcase_add_test(tcase, what_is_left_counts_the_pool);
    tcase_add_test(tcase, threads_never_hold_more_than_the_whole);
    return unit_main(suite);
}
