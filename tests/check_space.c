/* The named queues of a listener: how many, who makes room, who waits, and what is counted. */
#include <stdio.h>
#include <string.h>

#include "queue/space.h"
#include "unit.h"

static struct resp_argument word(const char *text)
{
    return (struct resp_argument){text, strlen(text)};
}

static const struct queue_parameters defaults = {
    .overflow = OVERFLOW_DROP_OLDEST,
    .max_items = 10,
    .max_bytes = 4096,
    .max_item_bytes = 1024,
    .max_queues = 3,
    .max_total_bytes = 65536,
};

static struct space *make_space(void)
{
    struct space *space = space_new(NULL);
    ck_assert_ptr_nonnull(space);
    space_configure(space, &defaults);
    return space;
}

static struct named_queue *claim(struct space *space, const char *name)
{
    bool full = true;
    struct named_queue *queue = space_claim(space, word(name), &full);
    ck_assert_ptr_nonnull(queue);
    ck_assert(!full);
    return queue;
}

static bool is_full_for(struct space *space, const char *name)
{
    bool full = false;
    return space_claim(space, word(name), &full) == NULL && full;
}

static bool exists(const struct space *space, const char *name)
{
    return space_find(space, word(name)) != NULL;
}

/* As a command does. */
static void push(struct space *space, const char *name, const char *item)
{
    struct named_queue *queue = claim(space, name);
    const struct resp_argument items[] = {word(item)};
    ck_assert_int_eq(queue_push(&queue->queue, DEQUE_TAIL, items, 1), PUSH_DONE);
    space_announce(space, queue);
}

static void pop(struct space *space, const char *name)
{
    struct named_queue *queue = space_find(space, word(name));
    ck_assert_ptr_nonnull(queue);
    ck_assert_uint_gt(queue_count(&queue->queue), 0);
    queue_pop(&queue->queue, DEQUE_HEAD);
    space_release(space, queue);
}

/* --- names ------------------------------------------------------------------------------- */

START_TEST(queues_have_names)
{
    struct space *space = make_space();
    ck_assert(!exists(space, "a"));
    struct named_queue *queue = claim(space, "a");
    ck_assert_ptr_eq(claim(space, "a"), queue);
    ck_assert_ptr_eq(space_find(space, word("a")), queue);
    ck_assert(!exists(space, "A"));
    ck_assert(!exists(space, ""));
    const struct resp_argument odd = {"a\0b", 3};
    bool full;
    struct named_queue *other = space_claim(space, odd, &full);
    ck_assert_ptr_ne(other, queue);
    ck_assert_ptr_eq(space_find(space, odd), other);
    ck_assert_uint_eq(other->name_length, 3);
    ck_assert_mem_eq(other->name, "a\0b", 3);
    space_put(space);
}
END_TEST

START_TEST(many_queues)
{
    struct space *space = make_space();
    space->max_queues = 20000;
    space->budget.limit = UINT64_MAX;
    char name[16];
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "%d", i);
        push(space, name, name);
    }
    ck_assert(is_full_for(space, "one more"));
    for (int i = 0; i < 20000; i++) {
        struct deque_item item;
        snprintf(name, sizeof name, "%d", i);
        struct named_queue *queue = space_find(space, word(name));
        ck_assert_ptr_nonnull(queue);
        ck_assert(queue_peek(&queue->queue, DEQUE_HEAD, &item));
        ck_assert_uint_eq(item.length, strlen(name));
        ck_assert_mem_eq(item.data, name, item.length);
    }
    space_put(space);
}
END_TEST

/* --- max_queues -------------------------------------------------------------------------- */

START_TEST(longest_idle_makes_room)
{
    struct space *space = make_space();
    push(space, "a", "1");
    push(space, "b", "1");
    push(space, "c", "1");
    ck_assert(is_full_for(space, "d"));
    pop(space, "b");
    pop(space, "a");
    claim(space, "d");
    ck_assert(!exists(space, "b"));
    ck_assert(exists(space, "a"));
    push(space, "d", "1");
    push(space, "a", "1");
    ck_assert(is_full_for(space, "b"));
    space_put(space);
}
END_TEST

/* A queue that was filled again, or that somebody waits for, is not idle. */
START_TEST(only_idle_queues_make_room)
{
    struct space *space = make_space();
    struct waiter waiter = {0};
    push(space, "a", "1");
    pop(space, "a");
    push(space, "a", "2");
    space_enqueue_waiter(space, claim(space, "b"), &waiter);
    push(space, "c", "1");
    ck_assert(is_full_for(space, "d"));
    ck_assert(exists(space, "a") && exists(space, "b") && exists(space, "c"));
    space_remove_waiter(space, &waiter);
    claim(space, "d");
    ck_assert(!exists(space, "b"));
    space_put(space);
}
END_TEST

START_TEST(counters_outlive_the_queue)
{
    struct space *space = make_space();
    struct space_totals totals;
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        push(space, name, "x");
        push(space, name, "yz");
        pop(space, name);
        if (i < 98)
            pop(space, name);
    }
    space_sum(space, &totals);
    ck_assert_uint_eq(totals.counters.pushed, 200);
    ck_assert_uint_eq(totals.counters.popped, 198);
    ck_assert_uint_eq(totals.queues, 2);
    ck_assert_uint_eq(totals.items, 2);
    ck_assert_uint_eq(totals.bytes, 2 * deque_item_charge(2));
    ck_assert_uint_eq(space->budget.used, totals.bytes);
    space_put(space);
}
END_TEST

/* --- limits ------------------------------------------------------------------------------------
 */

START_TEST(configured_anew)
{
    struct space *space = make_space();
    struct queue_parameters smaller = defaults;
    struct space_totals totals;
    for (int i = 0; i < 10; i++) {
        push(space, "a", "x");
        push(space, "b", "x");
    }
    smaller.max_items = 2;
    space_configure(space, &smaller);
    space_sum(space, &totals);
    ck_assert_uint_eq(totals.items, 4);
    ck_assert_uint_eq(totals.counters.evicted_resize, 16);
    space_put(space);
}
END_TEST

/* The spaces of connections: their own names, but the listener's limits and budget. */
START_TEST(space_inside_a_root)
{
    struct space *root = make_space();
    struct space *one = space_new(root), *two = space_new(root);
    ck_assert(one != NULL && two != NULL);
    push(one, "a", "x");
    push(one, "a", "y");
    push(two, "a", "z");
    ck_assert(!exists(root, "a"));
    ck_assert_uint_eq(queue_count(&space_find(one, word("a"))->queue), 2);
    ck_assert_uint_eq(root->budget.used, 3 * deque_item_charge(1));
    for (int i = 0; i < 20; i++)
        push(one, "a", "x");
    ck_assert_uint_eq(queue_count(&space_find(one, word("a"))->queue), defaults.max_items);
    push(one, "b", "x");
    push(one, "c", "x");
    ck_assert(is_full_for(one, "d"));
    push(two, "d", "x");
    space_put(one);
    ck_assert_uint_eq(root->budget.used, 2 * deque_item_charge(1));
    space_put(root);
    push(two, "e", "x");
    space_put(two);
}
END_TEST

START_TEST(budget_of_all)
{
    struct space *space = make_space();
    struct queue_parameters little = defaults;
    little.max_total_bytes = 2 * deque_item_charge(1);
    space_configure(space, &little);
    push(space, "a", "x");
    push(space, "b", "x");
    const struct resp_argument items[] = {word("x")};
    struct named_queue *queue = claim(space, "c");
    ck_assert_int_eq(queue_push(&queue->queue, DEQUE_TAIL, items, 1), PUSH_BUDGET);
    pop(space, "a");
    ck_assert_int_eq(queue_push(&queue->queue, DEQUE_TAIL, items, 1), PUSH_DONE);
    space_put(space);
}
END_TEST

START_TEST(references)
{
    struct space *space = make_space();
    ck_assert_ptr_eq(space_get(space), space);
    push(space, "a", "x");
    space_put(space);
    ck_assert(exists(space, "a"));
    space_put(space);
    space_put(NULL);
}
END_TEST

/* --- waiting -------------------------------------------------------------------------------------
 */

START_TEST(waiters_stand_in_line)
{
    struct space *space = make_space();
    struct waiter waiters[3] = {0};
    struct named_queue *queue = claim(space, "a");
    for (size_t i = 0; i < 3; i++)
        space_enqueue_waiter(space, queue, &waiters[i]);
    ck_assert_uint_eq(queue->waiting, 3);
    ck_assert_ptr_eq(TAILQ_FIRST(&queue->waiters), &waiters[0]);
    space_remove_waiter(space, &waiters[1]);
    space_remove_waiter(space, &waiters[0]);
    ck_assert_ptr_eq(TAILQ_FIRST(&queue->waiters), &waiters[2]);
    ck_assert(!queue->is_idle);
    space_remove_waiter(space, &waiters[2]);
    ck_assert_uint_eq(queue->waiting, 0);
    ck_assert(queue->is_idle);
    space_put(space);
}
END_TEST

START_TEST(ready_once)
{
    struct space *space = make_space();
    struct waiter waiters[2] = {0};
    push(space, "a", "nobody waits");
    ck_assert_ptr_null(TAILQ_FIRST(&space->ready));
    for (size_t i = 0; i < 2; i++)
        space_enqueue_waiter(space, claim(space, i == 0 ? "c" : "b"), &waiters[i]);
    push(space, "c", "1");
    push(space, "b", "1");
    push(space, "c", "2");
    struct named_queue *first = TAILQ_FIRST(&space->ready);
    ck_assert_ptr_eq(first, space_find(space, word("c")));
    struct named_queue *second = TAILQ_NEXT(first, ready);
    ck_assert_ptr_eq(second, space_find(space, word("b")));
    ck_assert_ptr_null(TAILQ_NEXT(second, ready));
    for (size_t i = 0; i < 2; i++)
        space_remove_waiter(space, &waiters[i]);
    space_put(space);
}
END_TEST

/* Ready, but its waiter left and its item was taken: it may make room like any other. */
START_TEST(ready_queue_makes_room)
{
    struct space *space = make_space();
    struct waiter waiter = {0};
    space_enqueue_waiter(space, claim(space, "a"), &waiter);
    push(space, "a", "1");
    space_remove_waiter(space, &waiter);
    pop(space, "a");
    push(space, "b", "1");
    push(space, "c", "1");
    claim(space, "d");
    ck_assert(!exists(space, "a"));
    ck_assert_ptr_null(TAILQ_FIRST(&space->ready));
    space_put(space);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("space");
    TCase *space = tcase_create("space");
    tcase_add_test(space, queues_have_names);
    tcase_add_test(space, many_queues);
    tcase_add_test(space, longest_idle_makes_room);
    tcase_add_test(space, only_idle_queues_make_room);
    tcase_add_test(space, counters_outlive_the_queue);
    tcase_add_test(space, configured_anew);
    tcase_add_test(space, space_inside_a_root);
    tcase_add_test(space, budget_of_all);
    tcase_add_test(space, references);
    tcase_add_test(space, waiters_stand_in_line);
    tcase_add_test(space, ready_once);
    tcase_add_test(space, ready_queue_makes_room);
    suite_add_tcase(suite, space);
    return unit_main(suite);
}
