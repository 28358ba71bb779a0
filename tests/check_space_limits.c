/* The limits of a listener's queues: patterns, reloads, budgets, and the spaces that share them. */
#include "scarcity.h"
#include "space_words.h"
#include "unit.h"

static uint64_t max_items(struct space *space, const char *name)
{
    return claim(space, name)->queue.bound->max_items;
}

/* The first pattern that matches holds, and says only what it says. */
START_TEST(patterns)
{
    struct queue_parameters parameters;
    few_queues(&parameters);
    parameters.max_queues = 100;
    set_match(&parameters, "audit:*", "max_items", "20");
    set_match(&parameters, "audit:[a-c]", "max_items", "30");
    set_match(&parameters, "?", "overflow", "block");
    struct limits *limits = make_limits(&parameters);
    struct space *space = space_new(limits, false);
    parameters_clear(queue_parameter_rows, &parameters);
    ck_assert_uint_eq(max_items(space, "audit:"), 20);
    ck_assert_uint_eq(max_items(space, "audit:a"), 20);
    ck_assert_uint_eq(max_items(space, "audit"), 10);
    ck_assert_uint_eq(max_items(space, "a"), 10);
    ck_assert_int_eq(claim(space, "a")->queue.bound->overflow, OVERFLOW_BLOCK);
    ck_assert_int_eq(claim(space, "aa")->queue.bound->overflow, OVERFLOW_DROP_OLDEST);
    ck_assert_int_eq(claim(space, "audit:a")->queue.bound->overflow, OVERFLOW_DROP_OLDEST);
    space_put(space);
    limits_put(limits);
}
END_TEST

START_TEST(undeclared_names)
{
    struct queue_parameters parameters;
    few_queues(&parameters);
    parameters.auto_create = false;
    set_match(&parameters, "known*", "max_items", "20");
    struct limits *limits = make_limits(&parameters);
    struct space *space = space_new(limits, false);
    parameters_clear(queue_parameter_rows, &parameters);
    ck_assert_int_eq(refusal_of(space, "other"), SPACE_UNDECLARED);
    ck_assert(!exists(space, "other"));
    for (int i = 0; i < 3; i++)
        push(space, (const char *[]){"known", "known1", "known2"}[i], "x");
    ck_assert_int_eq(refusal_of(space, "known3"), SPACE_FULL);
    ck_assert_int_eq(refusal_of(space, "other"), SPACE_UNDECLARED);
    space_put(space);
    limits_put(limits);
}
END_TEST

/* As a reload does: limits made of the new parameters are taken over, budget in use and all. */
START_TEST(adopted)
{
    struct queue_parameters parameters;
    few_queues(&parameters);
    set_match(&parameters, "a", "max_items", "20");
    struct limits *limits = make_limits(&parameters);
    struct space *space = space_new(limits, false);
    parameters_clear(queue_parameter_rows, &parameters);
    push(space, "a", "1 2 3 4");
    push(space, "b", "1 2 3 4");
    uint64_t used = limits->budget.used;
    few_queues(&parameters);
    parameters.max_items = 3;
    parameters.max_queues = 2;
    parameters.auto_create = false;
    parameters.max_total_bytes = 1000;
    set_match(&parameters, "b", "max_items", "2");
    struct limits *other = make_limits(&parameters);
    parameters_clear(queue_parameter_rows, &parameters);
    limits_adopt(limits, other);
    limits_put(other);
    space_rebind(space);
    ck_assert_uint_eq(max_items(space, "a"), 3); /* the override is gone */
    ck_assert_uint_eq(max_items(space, "b"), 2);
    ck_assert(!limits->auto_create);
    ck_assert_uint_eq(limits->max_queues, 2);
    ck_assert_uint_eq(limits->budget.used, used);
    ck_assert_uint_eq(limits->budget.limit, 1000);
    ck_assert(!queue_trim(&claim(space, "a")->queue, 10));
    ck_assert_str_eq(words_of(&claim(space, "a")->queue), "2 3 4");
    ck_assert(!queue_trim(&claim(space, "b")->queue, 10));
    ck_assert_str_eq(words_of(&claim(space, "b")->queue), "3 4");
    space_put(space);
    ck_assert_uint_eq(limits->budget.used, 0);
    limits_put(limits);
}
END_TEST

/* More queues than may be now: those that are idle go as room is asked for. */
START_TEST(fewer_queues)
{
    struct space *space = make_space();
    push(space, "a", "1");
    push(space, "b", "1");
    claim(space, "c");
    space->limits->max_queues = 1;
    ck_assert_ptr_nonnull(claim(space, "c"));
    push(space, "c", "1");
    ck_assert_int_eq(refusal_of(space, "d"), SPACE_FULL);
    push(space, "a", "2");
    space_put(space);
}
END_TEST

/* A rebound queue for which somebody waits is looked at again: it may have room now. */
START_TEST(rebinding_makes_ready)
{
    struct space *space = make_space();
    struct waiter waiter = {0};
    struct named_queue *queue = claim(space, "a");
    space_join(space, queue, &queue->producers, &waiter);
    ck_assert_ptr_eq(space_next_ready(space), queue);
    space_rebind(space);
    ck_assert_ptr_eq(space_next_ready(space), queue);
    ck_assert_ptr_null(space_next_ready(space));
    space_leave(space, &waiter);
    space_put(space);
}
END_TEST

START_TEST(set_without_memory)
{
    struct queue_parameters parameters;
    few_queues(&parameters);
    struct limits *limits = make_limits(&parameters);
    parameters.max_items = 20;
    parameters.max_total_bytes = 1000;
    allocations_left = 0;
    bool set = limits_set(limits, &parameters);
    allocations_left = -1;
    ck_assert(!set);
    ck_assert_uint_eq(limits->bounds[0].bound.max_items, 10);
    ck_assert_uint_ne(limits->budget.limit, 1000);
    ck_assert(limits_set(limits, &parameters));
    ck_assert_uint_eq(limits->bounds[0].bound.max_items, 20);
    ck_assert_uint_eq(limits->budget.limit, 1000);
    limits_put(limits);
    parameters_clear(queue_parameter_rows, &parameters);
}
END_TEST

/* --- what is shared ----------------------------------------------------------------------------
 */

/* The spaces of connections: their own names, but the listener's limits and budget. */
START_TEST(spaces_share_limits)
{
    struct space *one = make_space(), *two = space_new(one->limits, true);
    ck_assert_ptr_nonnull(two);
    ck_assert(two->is_private && !one->is_private);
    struct limits *limits = limits_get(one->limits);
    push(one, "a", "x y");
    push(two, "a", "z");
    ck_assert_str_eq(words_of(&claim(one, "a")->queue), "x y");
    ck_assert_str_eq(words_of(&claim(two, "a")->queue), "z");
    ck_assert_uint_eq(limits->budget.used, 3 * deque_item_charge(1));
    for (int i = 0; i < 20; i++)
        push(one, "a", "x");
    ck_assert_uint_eq(queue_count(&claim(one, "a")->queue), 10);
    push(one, "b", "x");
    push(one, "c", "x");
    ck_assert_int_eq(refusal_of(one, "d"), SPACE_FULL);
    push(two, "d", "x");
    space_put(one);
    ck_assert_uint_eq(limits->budget.used, 2 * deque_item_charge(1));
    push(two, "e", "x");
    space_put(two);
    ck_assert_uint_eq(limits->budget.used, 0);
    limits_put(limits);
}
END_TEST

/* One queue's items leave less for the others: of the listener, and of the process. */
START_TEST(budgets_nest)
{
    struct budget process = {.limit = 3 * deque_item_charge(1)};
    struct space *one = make_space(), *two = make_space();
    one->limits->budget.outer = two->limits->budget.outer = &process;
    one->limits->budget.limit = 2 * deque_item_charge(1);
    push(one, "a", "x");
    push(one, "b", "x");
    ck_assert_int_eq(push_words(&claim(one, "c")->queue, "x"), PUSH_BUDGET);
    ck_assert(!budget_is_tighter(&process, &one->limits->budget));
    push(two, "a", "x");
    ck_assert_int_eq(push_words(&claim(two, "a")->queue, "x"), PUSH_BUDGET);
    ck_assert(budget_is_tighter(&process, &two->limits->budget));
    pop(one, "a");
    push(two, "a", "x");
    process.limit--; /* a reload has lowered it: less is left than nothing */
    ck_assert(budget_is_tighter(&process, &one->limits->budget));
    ck_assert(!budget_is_tighter(NULL, &process));
    space_put(one);
    space_put(two);
    ck_assert_uint_eq(process.used, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("space_limits");
    TCase *limits = tcase_create("limits");
    tcase_add_test(limits, patterns);
    tcase_add_test(limits, undeclared_names);
    tcase_add_test(limits, adopted);
    tcase_add_test(limits, fewer_queues);
    tcase_add_test(limits, rebinding_makes_ready);
    tcase_add_test(limits, set_without_memory);
    tcase_add_test(limits, spaces_share_limits);
    tcase_add_test(limits, budgets_nest);
    suite_add_tcase(suite, limits);
    return unit_main(suite);
}
