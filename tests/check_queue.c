/* The bounded queue: the cases that a user asks about. At random: check_queue_model.c. */
#include <stdlib.h>
#include <string.h>

#include "queue_words.h"
#include "unit.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static struct budget plenty = {.limit = UINT64_MAX};

/* --- when full ---------------------------------------------------------------------------- */

static const struct batch_case {
    enum overflow_policy overflow;
    enum deque_end end;
    const char *first; /* pushed at the tail; the bound is three items */
    const char *batch;
    enum push_result result;
    const char *after;
    uint64_t evicted, dropped;
} batch_cases[] = {
    {OVERFLOW_DROP_OLDEST, DEQUE_TAIL, "a b", "c d", PUSH_DONE, "b c d", 1, 0},
    {OVERFLOW_DROP_OLDEST, DEQUE_HEAD, "a b", "c d", PUSH_DONE, "d c a", 1, 0},
    {OVERFLOW_DROP_OLDEST, DEQUE_TAIL, "a", "b c d e f", PUSH_DONE, "d e f", 3, 0},
    {OVERFLOW_DROP_OLDEST, DEQUE_HEAD, "a", "b c d e f", PUSH_DONE, "f e d", 3, 0},
    {OVERFLOW_DROP_NEWEST, DEQUE_TAIL, "a b", "c d", PUSH_DONE, "a b c", 0, 1},
    {OVERFLOW_DROP_NEWEST, DEQUE_HEAD, "a b", "c d", PUSH_DONE, "c a b", 0, 1},
    {OVERFLOW_DROP_NEWEST, DEQUE_TAIL, "a b c", "d e", PUSH_DONE, "a b c", 0, 2},
    {OVERFLOW_REJECT, DEQUE_TAIL, "a b", "c d", PUSH_FULL, "a b", 0, 0},
    {OVERFLOW_REJECT, DEQUE_TAIL, "a b", "c", PUSH_DONE, "a b c", 0, 0},
    {OVERFLOW_REJECT, DEQUE_TAIL, "a", "b c d e", PUSH_TOO_BIG, "a", 0, 0},
    {OVERFLOW_BLOCK, DEQUE_TAIL, "a b", "c d", PUSH_FULL, "a b", 0, 0},
    {OVERFLOW_BLOCK, DEQUE_HEAD, "a b", "c", PUSH_DONE, "c a b", 0, 0},
    {OVERFLOW_BLOCK, DEQUE_TAIL, "a", "b c d e", PUSH_TOO_BIG, "a", 0, 0},
};

START_TEST(batches)
{
    const struct batch_case *c = &batch_cases[_i];
    const struct queue_bound bound = {
        .max_items = 3, .max_bytes = 1024, .max_item_bytes = 1000, .overflow = c->overflow};
    struct queue queue;
    queue_init(&queue, &bound, &plenty);
    ck_assert_int_eq(push_words(&queue, c->first), PUSH_DONE);
    ck_assert_int_eq(push_words_at(&queue, c->end, c->batch, 0), c->result);
    ck_assert_str_eq(words_of(&queue), c->after);
    ck_assert_uint_eq(queue.counters.evicted, c->evicted);
    ck_assert_uint_eq(queue.counters.dropped, c->dropped);
    ck_assert_uint_eq(queue.counters.rejected, 0);
    queue_refused(&queue, 2);
    ck_assert_uint_eq(queue.counters.rejected, 2);
    queue_clear(&queue);
}
END_TEST

/* An item that the batch's own last one pushes out has pushed out all that was before it. */
START_TEST(large_item_amid_a_batch)
{
    const struct queue_bound bound = {
        .max_items = 10, .max_bytes = 3 * DEQUE_ITEM_COST, .max_item_bytes = 1000};
    struct queue queue;
    queue_init(&queue, &bound, &plenty);
    ck_assert_int_eq(push_words(&queue, "a"), PUSH_DONE);
    ck_assert_int_eq(push_words(&queue, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx z"), PUSH_DONE);
    ck_assert_str_eq(words_of(&queue), "z");
    ck_assert_uint_eq(queue.counters.evicted, 2);
    queue_clear(&queue);
}
END_TEST

/* Under every policy, an item that could never be let in is refused, and its batch with it. */
START_TEST(item_too_large)
{
    const struct queue_bound bound = {.max_items = 10,
                                      .max_bytes = _i < 4 ? 1000 : DEQUE_ITEM_COST + 4,
                                      .max_item_bytes = _i < 4 ? 4 : 1000,
                                      .overflow = (enum overflow_policy)(_i % 4)};
    struct queue queue;
    queue_init(&queue, &bound, &plenty);
    ck_assert_int_eq(push_words(&queue, "1234"), PUSH_DONE);
    ck_assert_int_eq(push_words(&queue, "a 12345"), PUSH_TOO_BIG);
    ck_assert_str_eq(words_of(&queue), "1234");
    queue_clear(&queue);
}
END_TEST

/* What drops the oldest needs no budget but for what it grows; what drops the newest, none at 0. */
START_TEST(spent_budget)
{
    struct budget outer = {.limit = 3 * deque_item_charge(1)};
    struct budget inner = {.limit = UINT64_MAX, .outer = &outer};
    const struct queue_bound bound = {.max_items = 2,
                                      .max_bytes = 1000,
                                      .max_item_bytes = 100,
                                      .overflow = (enum overflow_policy)_i};
    struct queue full, other;
    queue_init(&full, &bound, &inner);
    queue_init(&other, &bound, &inner);
    ck_assert_int_eq(push_words(&full, "a b"), PUSH_DONE);
    ck_assert_int_eq(push_words(&other, "c"), PUSH_DONE);
    ck_assert_int_eq(push_words(&other, "d"), PUSH_BUDGET);
    outer.limit--; /* now more is used than may be */
    static const enum push_result results[] = {PUSH_DONE, PUSH_DONE, PUSH_FULL, PUSH_FULL};
    ck_assert_int_eq(push_words(&full, "d"), results[_i]);
    ck_assert_str_eq(words_of(&full), _i == OVERFLOW_DROP_OLDEST ? "b d" : "a b");
    ck_assert_int_eq(queue_move(&other, DEQUE_HEAD, &other, DEQUE_TAIL), PUSH_DONE);
    queue_pop(&full, DEQUE_HEAD);
    ck_assert_int_eq(queue_move(&other, DEQUE_HEAD, &full, DEQUE_TAIL), PUSH_DONE);
    queue_clear(&full);
    queue_clear(&other);
    ck_assert_uint_eq(inner.used, 0);
    ck_assert_uint_eq(outer.used, 0);
}
END_TEST

START_TEST(policy_names)
{
    ck_assert_str_eq(overflow_policy_name(OVERFLOW_DROP_OLDEST), "drop-oldest");
    ck_assert_str_eq(overflow_policy_name(OVERFLOW_DROP_NEWEST), "drop-newest");
    ck_assert_str_eq(overflow_policy_name(OVERFLOW_REJECT), "reject");
    ck_assert_str_eq(overflow_policy_name(OVERFLOW_BLOCK), "block");
    ck_assert_str_eq(shrink_policy_names[SHRINK_AUTO], "auto");
    ck_assert_str_eq(shrink_policy_names[SHRINK_TRIM], "trim");
    ck_assert_str_eq(shrink_policy_names[SHRINK_DRAIN], "drain");
}
END_TEST

/* --- a smaller bound -------------------------------------------------------------------------- */

START_TEST(smaller_bound)
{
    struct queue_bound bound = {.max_items = 5,
                                .max_bytes = 1024,
                                .max_item_bytes = 100,
                                .overflow = (enum overflow_policy)(_i % 4),
                                .shrink = (enum shrink_policy)(_i / 4)};
    bool trims = _i / 4 == SHRINK_TRIM || _i == OVERFLOW_DROP_OLDEST;
    struct queue queue;
    queue_init(&queue, &bound, &plenty);
    ck_assert_int_eq(push_words(&queue, "a b c d e"), PUSH_DONE);
    bound.max_items = 2;
    ck_assert(queue_over_bound(&queue));
    ck_assert(queue_trim(&queue, 2) == trims);
    ck_assert_str_eq(words_of(&queue), trims ? "c d e" : "a b c d e");
    ck_assert(!queue_trim(&queue, 2));
    ck_assert_uint_eq(queue.counters.evicted_resize, trims ? 3 : 0);
    ck_assert(queue_over_bound(&queue) != trims);
    static const enum push_result results[] = {PUSH_DONE, PUSH_DONE, PUSH_FULL, PUSH_FULL};
    ck_assert_int_eq(push_words(&queue, "f"), results[_i % 4]);
    if (_i % 4 == OVERFLOW_DROP_OLDEST)
        ck_assert_str_eq(words_of(&queue), "e f");
    else
        ck_assert_str_eq(words_of(&queue), trims ? "d e" : "a b c d e");
    check_conservation(&queue);
    queue_clear(&queue);
}
END_TEST

/* A trim that was begun is ended by the next push, and is none of its evictions. */
START_TEST(push_ends_a_trim)
{
    struct queue_bound bound = {WIDE_BOUND};
    struct queue queue;
    queue_init(&queue, &bound, &plenty);
    ck_assert_int_eq(push_words(&queue, "a b c d e"), PUSH_DONE);
    bound.max_items = 2;
    ck_assert_int_eq(push_words(&queue, "f"), PUSH_DONE);
    ck_assert_uint_eq(queue.counters.evicted_resize, 3);
    ck_assert_uint_eq(queue.counters.evicted, 1);
    queue_clear(&queue);
}
END_TEST

/* --- age ----------------------------------------------------------------------------------------
 */

START_TEST(too_old)
{
    const struct queue_bound bound = {WIDE_BOUND, .max_age = 10};
    struct queue queue;
    queue_init(&queue, &bound, &plenty);
    ck_assert_uint_eq(queue_oldest_age(&queue, 9), 0);
    push_words_at(&queue, DEQUE_TAIL, "a b", 0);
    push_words_at(&queue, DEQUE_TAIL, "c", 5);
    ck_assert_uint_eq(queue_oldest_age(&queue, 10), 10);
    ck_assert(!queue_expire(&queue, 10));
    ck_assert(queue_expire(&queue, 11));
    ck_assert_str_eq(words_of(&queue), "c");
    push_words_at(&queue, DEQUE_HEAD, "d", 12);
    ck_assert_uint_eq(queue_oldest_age(&queue, 13), 8);
    push_words_at(&queue, DEQUE_HEAD, "e", 16);
    ck_assert_str_eq(words_of(&queue), "e d");
    ck_assert_uint_eq(queue.counters.expired, 3);
    check_conservation(&queue);
    queue_clear(&queue);
}
END_TEST

/* --- moves -------------------------------------------------------------------------------------
 */

static const struct move_case {
    enum overflow_policy overflow;
    enum deque_end from, to;
    const char *destination; /* before; its bound is two items of three bytes; the source: a b */
    enum push_result result;
    const char *source_after, *destination_after;
} move_cases[] = {
    {OVERFLOW_REJECT, DEQUE_HEAD, DEQUE_TAIL, "x", PUSH_DONE, "b", "x a"},
    {OVERFLOW_REJECT, DEQUE_TAIL, DEQUE_HEAD, "x", PUSH_DONE, "a", "b x"},
    {OVERFLOW_REJECT, DEQUE_HEAD, DEQUE_TAIL, "x y", PUSH_FULL, "a b", "x y"},
    {OVERFLOW_BLOCK, DEQUE_HEAD, DEQUE_TAIL, "x y", PUSH_FULL, "a b", "x y"},
    {OVERFLOW_DROP_NEWEST, DEQUE_HEAD, DEQUE_TAIL, "x y", PUSH_FULL, "a b", "x y"},
    {OVERFLOW_DROP_OLDEST, DEQUE_HEAD, DEQUE_TAIL, "x y", PUSH_DONE, "b", "y a"},
    {OVERFLOW_DROP_OLDEST, DEQUE_TAIL, DEQUE_HEAD, "x y", PUSH_DONE, "a", "b x"},
};

START_TEST(moves)
{
    const struct move_case *c = &move_cases[_i];
    const struct queue_bound wide = {WIDE_BOUND}, narrow = {.max_items = 2,
                                                            .max_bytes = 1000,
                                                            .max_item_bytes = 3,
                                                            .overflow = c->overflow};
    struct queue from, to;
    queue_init(&from, &wide, &plenty);
    queue_init(&to, &narrow, &plenty);
    push_words(&from, "a b");
    push_words(&to, c->destination);
    ck_assert_int_eq(queue_move(&from, c->from, &to, c->to), c->result);
    ck_assert_str_eq(words_of(&from), c->source_after);
    ck_assert_str_eq(words_of(&to), c->destination_after);
    check_conservation(&from);
    check_conservation(&to);
    push_words(&from, "1234");
    ck_assert_int_eq(queue_move(&from, DEQUE_TAIL, &to, c->to), PUSH_TOO_BIG);
    ck_assert_str_eq(words_of(&to), c->destination_after);
    queue_clear(&from);
    queue_clear(&to);
    ck_assert_uint_eq(plenty.used, 0);
}
END_TEST

START_TEST(rotation)
{
    struct queue_bound bound = {WIDE_BOUND};
    struct queue queue;
    queue_init(&queue, &bound, &plenty);
    push_words(&queue, "a b c");
    bound.max_items = 1; /* nothing grows */
    ck_assert_int_eq(queue_move(&queue, DEQUE_HEAD, &queue, DEQUE_TAIL), PUSH_DONE);
    ck_assert_str_eq(words_of(&queue), "b c a");
    ck_assert_int_eq(queue_move(&queue, DEQUE_TAIL, &queue, DEQUE_TAIL), PUSH_DONE);
    ck_assert_str_eq(words_of(&queue), "b c a");
    ck_assert_int_eq(queue_move(&queue, DEQUE_TAIL, &queue, DEQUE_HEAD), PUSH_DONE);
    ck_assert_str_eq(words_of(&queue), "a b c");
    check_conservation(&queue);
    queue_clear(&queue);
}
END_TEST

/* --- leases --------------------------------------------------------------------------------------
 */

static void give_back(struct queue *queue, uint64_t id, const char *word)
{
    const struct deque_item item = {.data = word, .length = strlen(word), .deliveries = 1};
    ck_assert(queue_return(queue, id, &item));
    check_conservation(queue);
}

/* Leases 1 to 4 on a to d; the letters are the order in which they come back. */
START_TEST(order_of_returns)
{
    static const char *const orders[] = {"abcd", "dcba", "bdac", "cadb", "dabc"};
    const struct queue_bound bound = {WIDE_BOUND};
    struct queue queue;
    queue_init(&queue, &bound, &plenty);
    push_words(&queue, "a b c d e f");
    for (int i = 0; i < 4; i++)
        queue_lease(&queue);
    ck_assert_str_eq(words_of(&queue), "e f");
    for (const char *c = orders[_i]; *c != '\0'; c++)
        give_back(&queue, (uint64_t)(*c - 'a' + 1), (char[]){*c, '\0'});
    ck_assert_str_eq(words_of(&queue), "a b c d e f");
    ck_assert_uint_eq(queue.counters.returned, 4);
    ck_assert_uint_eq(queue.leased_bytes, 0);
    queue_clear(&queue);
}
END_TEST

/* Leased again, the items stand before those that stay out; a push at the head comes between. */
START_TEST(returns_among_other_changes)
{
    const struct queue_bound bound = {WIDE_BOUND};
    struct queue queue;
    queue_init(&queue, &bound, &plenty);
    push_words(&queue, "a b c d");
    for (int i = 0; i < 4; i++)
        queue_lease(&queue);
    give_back(&queue, 1, "a");
    give_back(&queue, 3, "c");
    queue_lease(&queue); /* a, now as 5 */
    give_back(&queue, 2, "b");
    ck_assert_str_eq(words_of(&queue), "b c");
    give_back(&queue, 5, "a");
    ck_assert_str_eq(words_of(&queue), "b c a");
    push_words_at(&queue, DEQUE_HEAD, "x", 0);
    give_back(&queue, 4, "d");
    ck_assert_str_eq(words_of(&queue), "d x b c a");
    queue_clear(&queue);
    ck_assert_uint_eq(plenty.used, 0);
}
END_TEST

/* Leased items take up room; when they take up all, even drop-oldest has none to give. */
START_TEST(leases_count)
{
    const struct queue_bound wide = {WIDE_BOUND}, bound = {.max_items = 2,
                                                           .max_bytes = 1000,
                                                           .max_item_bytes = 100,
                                                           .overflow = (enum overflow_policy)_i};
    struct queue queue, other;
    queue_init(&queue, &bound, &plenty);
    queue_init(&other, &wide, &plenty);
    push_words(&other, "y");
    push_words(&queue, "a b");
    queue_lease(&queue);
    static const enum push_result results[] = {PUSH_DONE, PUSH_DONE, PUSH_FULL, PUSH_FULL};
    ck_assert_int_eq(push_words(&queue, "c"), results[_i]);
    ck_assert_str_eq(words_of(&queue), _i == OVERFLOW_DROP_OLDEST ? "c" : "b");
    queue_lease(&queue);
    ck_assert_int_eq(push_words(&queue, "d"), _i == OVERFLOW_DROP_NEWEST ? PUSH_DONE : PUSH_FULL);
    ck_assert_int_eq(queue_move(&other, DEQUE_HEAD, &queue, DEQUE_HEAD), PUSH_FULL);
    ck_assert_str_eq(words_of(&queue), "");
    ck_assert_str_eq(words_of(&other), "y");
    ck_assert_uint_eq(queue_bytes(&queue), 2 * deque_item_charge(1));
    queue_clear(&queue); /* leases stay out */
    ck_assert_uint_eq(queue.leased_items, 2);
    check_conservation(&queue);
    queue_acknowledge(&queue, 1);
    ck_assert_int_eq(queue_move(&other, DEQUE_HEAD, &queue, DEQUE_HEAD), PUSH_DONE);
    queue_acknowledge(&queue, 1);
    check_conservation(&queue);
    queue_clear(&queue);
    queue_clear(&other);
    ck_assert_uint_eq(plenty.used, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue");
    TCase *queue = tcase_create("queue");
    tcase_add_loop_test(queue, batches, 0, COUNT(batch_cases));
    tcase_add_test(queue, large_item_amid_a_batch);
    tcase_add_loop_test(queue, item_too_large, 0, 8);
    tcase_add_loop_test(queue, spent_budget, 0, 4);
    tcase_add_test(queue, policy_names);
    tcase_add_loop_test(queue, smaller_bound, 0, 12);
    tcase_add_test(queue, push_ends_a_trim);
    tcase_add_test(queue, too_old);
    tcase_add_loop_test(queue, moves, 0, COUNT(move_cases));
    tcase_add_test(queue, rotation);
    tcase_add_loop_test(queue, order_of_returns, 0, 5);
    tcase_add_test(queue, returns_among_other_changes);
    tcase_add_loop_test(queue, leases_count, 0, 4);
    suite_add_tcase(suite, queue);
    return unit_main(suite);
}
