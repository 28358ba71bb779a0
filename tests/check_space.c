/* The named queues of a listener: how many, who makes room, who waits, and what is counted. */
#include "scarcity.h"
#include "space_words.h"
#include "unit.h"

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
    enum space_refusal refusal;
    struct named_queue *other = space_claim(space, odd, &refusal);
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
    space->limits->max_queues = 20000;
    char name[16];
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "%d", i);
        push(space, name, name);
    }
    ck_assert_uint_eq(space->seen, 20000);
    ck_assert_int_eq(refusal_of(space, "one more"), SPACE_FULL);
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "%d", i);
        struct named_queue *queue = space_find(space, word(name));
        ck_assert_ptr_nonnull(queue);
        ck_assert_str_eq(words_of(&queue->queue), name);
    }
    space_put(space);
}
END_TEST

START_TEST(seen_while_they_hold_items)
{
    struct space *space = make_space();
    claim(space, "a");
    ck_assert_uint_eq(space->seen, 0);
    push(space, "a", "1 2");
    push(space, "b", "1");
    ck_assert_uint_eq(space->seen, 2);
    pop(space, "a");
    ck_assert_uint_eq(space->seen, 2);
    pop(space, "a");
    ck_assert_uint_eq(space->seen, 1);
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
    limits_put(NULL);
}
END_TEST

/* --- max_queues -------------------------------------------------------------------------- */

START_TEST(longest_idle_makes_room)
{
    struct space *space = make_space();
    push(space, "a", "1");
    push(space, "b", "1");
    push(space, "c", "1");
    ck_assert_int_eq(refusal_of(space, "d"), SPACE_FULL);
    pop(space, "b");
    pop(space, "a");
    claim(space, "d");
    ck_assert(!exists(space, "b"));
    ck_assert(exists(space, "a"));
    push(space, "d", "1");
    push(space, "a", "1");
    ck_assert_int_eq(refusal_of(space, "b"), SPACE_FULL);
    space_put(space);
}
END_TEST

/* One that was filled again, that somebody waits for, or of which an item is leased, is not idle.
 */
START_TEST(only_idle_queues_make_room)
{
    struct space *space = make_space();
    struct waiter waiter = {0};
    struct named_queue *a = claim(space, "a"), *b = claim(space, "b"), *c = claim(space, "c");
    push(space, "a", "1");
    pop(space, "a");
    push(space, "a", "2");
    struct waiter_line *const lines[] = {&b->consumers, &b->producers, &b->movers};
    waiter.destination = a;
    space_join(space, b, lines[_i], &waiter);
    push(space, "c", "1");
    queue_lease(&c->queue);
    space_changed(space, c);
    ck_assert_int_eq(refusal_of(space, "d"), SPACE_FULL);
    ck_assert(!a->is_idle && !b->is_idle && !c->is_idle);
    space_leave(space, &waiter);
    claim(space, "d");
    ck_assert(!exists(space, "b"));
    ck_assert(exists(space, "a") && exists(space, "c"));
    queue_acknowledge(&c->queue, 1);
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
        push(space, name, "x yz");
        pop(space, name);
        if (i < 98)
            pop(space, name);
    }
    struct named_queue *leasing = space_find(space, word("99"));
    queue_lease(&leasing->queue);
    space_sum(space, &totals);
    ck_assert_uint_eq(totals.counters.pushed, 200);
    ck_assert_uint_eq(totals.counters.popped, 198);
    ck_assert_uint_eq(totals.items, 1);
    ck_assert_uint_eq(totals.leased, 1);
    ck_assert_uint_eq(totals.bytes, 2 * deque_item_charge(2));
    ck_assert_uint_eq(space->limits->budget.used, totals.bytes);
    queue_acknowledge(&leasing->queue, 2);
    space_put(space);
}
END_TEST

/* --- memory -------------------------------------------------------------------------------- */

START_TEST(claim_without_memory)
{
    struct space *space = make_space();
    struct named_queue *queue = NULL;
    int most = 0;
    while (queue == NULL) {
        enum space_refusal refusal = SPACE_MADE;
        ck_assert(!exists(space, "a"));
        allocations_left = most++;
        queue = space_claim(space, word("a"), &refusal);
        allocations_left = -1;
        ck_assert_int_eq(refusal, queue == NULL ? SPACE_NO_MEMORY : SPACE_MADE);
    }
    ck_assert_int_gt(most, 2);
    push(space, "a", "1");
    space_put(space);
}
END_TEST

START_TEST(nothing_without_memory)
{
    struct limits *limits = limits_new();
    ck_assert_ptr_nonnull(limits);
    allocations_left = 0;
    struct limits *other = limits_new();
    struct space *space = space_new(limits, false);
    allocations_left = -1;
    ck_assert_ptr_null(other);
    ck_assert_ptr_null(space);
    limits_put(limits);
}
END_TEST

/* --- waiting -------------------------------------------------------------------------------- */

START_TEST(waiters_stand_in_line)
{
    struct space *space = make_space();
    struct waiter waiters[4] = {0};
    struct named_queue *queue = claim(space, "a");
    for (size_t i = 0; i < 3; i++)
        space_join(space, queue, &queue->consumers, &waiters[i]);
    space_join(space, queue, &queue->producers, &waiters[3]);
    ck_assert_uint_eq(queue->consumers.length, 3);
    ck_assert_uint_eq(queue->producers.length, 1);
    ck_assert_ptr_eq(TAILQ_FIRST(&queue->consumers.waiters), &waiters[0]);
    ck_assert_ptr_eq(TAILQ_FIRST(&queue->producers.waiters), &waiters[3]);
    ck_assert_ptr_eq(waiters[0].queue, queue);
    ck_assert_ptr_eq(waiters[3].line, &queue->producers);
    space_leave(space, &waiters[1]);
    space_leave(space, &waiters[0]);
    ck_assert_ptr_null(waiters[0].line);
    ck_assert_ptr_eq(TAILQ_FIRST(&queue->consumers.waiters), &waiters[2]);
    space_leave(space, &waiters[3]);
    ck_assert(!queue->is_idle);
    space_leave(space, &waiters[2]);
    ck_assert_uint_eq(queue->consumers.length, 0);
    ck_assert(queue->is_idle);
    space_put(space);
}
END_TEST

/* Each queue once, in the order in which they became so. */
START_TEST(ready_once)
{
    struct space *space = make_space();
    struct waiter waiters[2] = {0};
    push(space, "a", "nobody waits");
    ck_assert_ptr_null(space_next_ready(space));
    struct named_queue *b = claim(space, "b"), *c = claim(space, "c");
    space_join(space, c, &c->consumers, &waiters[0]);
    space_join(space, b, &b->consumers, &waiters[1]);
    ck_assert_ptr_null(space_next_ready(space));
    push(space, "c", "1");
    push(space, "b", "1");
    push(space, "c", "2");
    ck_assert_ptr_eq(space_next_ready(space), c);
    ck_assert_ptr_eq(space_next_ready(space), b);
    ck_assert_ptr_null(space_next_ready(space));
    push(space, "c", "3");
    ck_assert_ptr_eq(space_next_ready(space), c);
    for (size_t i = 0; i < 2; i++)
        space_leave(space, &waiters[i]);
    space_put(space);
}
END_TEST

/* Whatever changes, whoever waits for room may now have it. */
START_TEST(ready_for_producers)
{
    struct space *space = make_space();
    struct waiter waiter = {0};
    push(space, "a", "1 2");
    struct named_queue *a = claim(space, "a");
    space_join(space, a, &a->producers, &waiter);
    ck_assert_ptr_eq(space_next_ready(space), a);
    ck_assert_ptr_null(space_next_ready(space));
    pop(space, "a");
    ck_assert_ptr_eq(space_next_ready(space), a);
    space_leave(space, &waiter);
    ck_assert_ptr_null(space_next_ready(space));
    space_put(space);
}
END_TEST

/* Whatever changes at the source of a move, its destination may now have room for it. */
START_TEST(ready_for_movers)
{
    struct space *space = make_space();
    struct waiter mover = {.destination = claim(space, "to")};
    push(space, "from", "1 2");
    struct named_queue *from = claim(space, "from");
    space_join(space, from, &from->movers, &mover);
    for (int i = 0; i < 3; i++) { /* it came, there is another item, there is none */
        ck_assert_ptr_eq(space_next_ready(space), mover.destination);
        ck_assert_ptr_null(space_next_ready(space));
        if (i < 2)
            pop(space, "from");
    }
    space_leave(space, &mover);
    push(space, "from", "3");
    ck_assert_ptr_null(space_next_ready(space));
    space_put(space);
}
END_TEST

/* Ready, but its waiter left and its item was taken: it may make room like any other. */
START_TEST(ready_queue_makes_room)
{
    struct space *space = make_space();
    struct waiter waiter = {0};
    struct named_queue *a = claim(space, "a");
    space_join(space, a, &a->consumers, &waiter);
    push(space, "a", "1");
    space_leave(space, &waiter);
    pop(space, "a");
    push(space, "b", "1");
    push(space, "c", "1");
    claim(space, "d");
    ck_assert(!exists(space, "a"));
    ck_assert_ptr_null(space_next_ready(space));
    space_put(space);
}
END_TEST

/* --- stepping through all --------------------------------------------------------------------- */

enum { QUEUES = 500, MORE = 20000 };

/* How often each of the first was visited. */
struct visits {
    unsigned of[QUEUES];
};

static void visit(struct named_queue *queue, void *context)
{
    struct visits *visits = context;
    int index = atoi(queue->name); /* which a NUL follows: it is part of the name */
    if (index < QUEUES)
        visits->of[index]++;
}

static void claim_number(struct space *space, int number)
{
    char name[16];
    int length = snprintf(name, sizeof name, "%d", number);
    enum space_refusal refusal;
    MUST(space_claim(space, (struct resp_argument){name, (size_t)length + 1}, &refusal) != NULL);
}

START_TEST(scan_visits_all)
{
    struct space *space = make_space();
    space->limits->max_queues = MORE;
    struct visits visits = {0};
    ck_assert_uint_eq(space_scan(space, 0, 10, visit, &visits), 0);
    for (int i = 0; i < QUEUES; i++)
        claim_number(space, i);
    size_t wanted = (size_t)1 << _i, steps = 0;
    uint64_t cursor = 0;
    do {
        cursor = space_scan(space, cursor, wanted, visit, &visits);
        steps++;
    } while (cursor != 0);
    for (int i = 0; i < QUEUES; i++)
        ck_assert_uint_eq(visits.of[i], 1);
    size_t places = space->by_name->hh.tbl->num_buckets;
    ck_assert_uint_eq(steps, wanted < places ? places / wanted : 1);
    space_put(space);
}
END_TEST

/* The table doubles several times, from early or late in the scan on. */
START_TEST(scan_of_a_growing_table)
{
    struct space *space = make_space();
    space->limits->max_queues = MORE;
    for (int i = 0; i < QUEUES; i++)
        claim_number(space, i);
    struct visits visits = {0};
    uint64_t cursor = 0;
    int next = QUEUES, pause = 0;
    uint32_t places = space->by_name->hh.tbl->num_buckets;
    do {
        cursor = space_scan(space, cursor, 3, visit, &visits);
        for (int i = 0; i < 200 && pause >= _i && next < MORE; i++)
            claim_number(space, next++);
        pause++;
    } while (cursor != 0);
    ck_assert_uint_ge(space->by_name->hh.tbl->num_buckets, 4 * places);
    for (int i = 0; i < QUEUES; i++)
        ck_assert_uint_eq(visits.of[i], 1); /* nothing goes: so none is met twice */
    space_put(space);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("space");
    TCase *space = tcase_create("space");
    tcase_add_test(space, queues_have_names);
    tcase_add_test(space, many_queues);
    tcase_add_test(space, seen_while_they_hold_items);
    tcase_add_test(space, references);
    tcase_add_test(space, longest_idle_makes_room);
    tcase_add_loop_test(space, only_idle_queues_make_room, 0, 3);
    tcase_add_test(space, counters_outlive_the_queue);
    tcase_add_test(space, claim_without_memory);
    tcase_add_test(space, nothing_without_memory);
    tcase_add_test(space, waiters_stand_in_line);
    tcase_add_test(space, ready_once);
    tcase_add_test(space, ready_for_producers);
    tcase_add_test(space, ready_for_movers);
    tcase_add_test(space, ready_queue_makes_room);
    tcase_add_loop_test(space, scan_visits_all, 0, 12);
    tcase_add_loop_test(space, scan_of_a_growing_table, 0, 20);
    suite_add_tcase(suite, space);
    return unit_main(suite);
}
