/* The deque's memory: against its charge, and as small as it is meant to be. */
#include <stdint.h>

#include "deque_items.h"
#include "scarcity.h"
#include "unit.h"

static bool push(struct deque *deque, enum deque_end end, size_t length)
{
    struct deque_item item = {.data = bytes, .length = length};
    return deque_push(deque, end, &item);
}

START_TEST(million_of_64_bytes)
{
    static const uint64_t paces[] = {0, 10, 3600 * 1000}; /* milliseconds */
    struct deque deque = {0};
    struct deque_item item = {.data = bytes, .length = 64};
    for (int i = 0; i < 1000000; i++) {
        item.pushed_at += paces[_i / 2];
        MUST(deque_push(&deque, (enum deque_end)(_i % 2), &item));
    }
    MUST(deque_allocated(&deque) <= 68 * 1000000);
    deque_clear(&deque);
}
END_TEST

START_TEST(small_deque_is_small)
{
    struct deque deque = {0};
    MUST(push(&deque, DEQUE_HEAD, 0));
    MUST(deque_allocated(&deque) <= 256);
    for (int i = 0; i < 100; i++)
        MUST(push(&deque, DEQUE_TAIL, 64));
    MUST(deque_allocated(&deque) <= 3 * 100 * 64);
    while (deque_count(&deque) > 0)
        deque_pop(&deque, DEQUE_TAIL);
    MUST(deque_allocated(&deque) <= KIB);
    deque_clear(&deque);
}
END_TEST

/* Little is left of much: at either end, taken off at either end, or removed. */
START_TEST(deque_shrinks_with_what_it_holds)
{
    for (int way = 0; way < 5; way++) {
        struct deque deque = {0};
        struct deque_cursor cursor;
        for (int i = 0; i < 5000; i++)
            MUST(push(&deque, (enum deque_end)_i, 64));
        deque_seek(&deque, 1, &cursor);
        while (deque_count(&deque) > 1) {
            if (way == 4)
                deque_remove(&cursor);
            else
                deque_pop(&deque, way < 2 ? (enum deque_end)way
                                          : (enum deque_end)(deque_count(&deque) % 2));
        }
        MUST(deque_allocated(&deque) <= 2 * KIB);
        deque_clear(&deque);
    }
}
END_TEST

START_TEST(large_item_takes_what_it_needs)
{
    struct deque deque = {0};
    for (int i = 0; i < 10; i++)
        MUST(push(&deque, DEQUE_TAIL, sizeof(bytes)));
    MUST(deque_allocated(&deque) <= deque_charge(&deque) + 10 * 50);
    MUST(!push(&deque, DEQUE_TAIL, (size_t)DEQUE_ITEM_MAX + 1));
    MUST(!push(&deque, DEQUE_TAIL, SIZE_MAX));
    while (deque_count(&deque) > 0)
        deque_pop(&deque, DEQUE_TAIL);
    MUST(deque_allocated(&deque) == 0);
    deque_clear(&deque);
}
END_TEST

/* Steady use needs no allocation: a queue within a chunk, a stack and a queue that empty. */
START_TEST(steady_use_does_not_allocate)
{
    struct deque deque = {0};
    for (size_t held = 0; held < 3; held++) {
        for (size_t i = 0; i < held; i++)
            MUST(push(&deque, DEQUE_TAIL, 30));
        if (held == 0) {
            MUST(push(&deque, DEQUE_TAIL, 30));
            deque_pop(&deque, DEQUE_TAIL);
        }
        allocations_left = 0;
        for (int i = 0; i < 1000; i++) {
            enum deque_end end = i % 20 < 10 ? DEQUE_HEAD : DEQUE_TAIL;
            MUST(push(&deque, end, 30));
            deque_pop(&deque, _i == 0 ? end : end == DEQUE_HEAD ? DEQUE_TAIL : DEQUE_HEAD);
        }
        allocations_left = -1;
        deque_clear(&deque);
    }
}
END_TEST

/*
 * The charge covers what is allocated, for sizes of every kind, in a queue and
 * a stack, while it fills and empties, and with most items removed.
 */
static const size_t mixes[][4] = {
    {1, 1, 1, 1},
    {64, 64, 64, 64},
    {1500, 1500, 1500, 1500},
    {2 * KIB, 2 * KIB, 2 * KIB, 2 * KIB},
    {4084, 4084, 4084, 4084},
    {4086, 4086, 4086, 4086},
    {8 * KIB, 8 * KIB, 8 * KIB, 8 * KIB},
    {9 * KIB, 9 * KIB, 9 * KIB, 9 * KIB},
    {40 * KIB, 40 * KIB, 40 * KIB, 40 * KIB},
    {1, 9 * KIB, 1, 40 * KIB},
    {1, 2000, 1, 2000},
    {1, 4086, 1, 4086},
    {64, 70 * KIB, 253, 254},
    {0, 64, 1500, 40 * KIB},
};

START_TEST(charge_covers_the_memory)
{
    const size_t *mix = mixes[_i / 2];
    struct deque_item item = {.data = bytes, .deliveries = (unsigned)_i % 2};
    for (int use = 0; use < 4; use++) {
        struct deque deque = {0};
        enum deque_end in = use < 2 ? DEQUE_HEAD : DEQUE_TAIL;
        enum deque_end out = use % 2 == 0 ? DEQUE_HEAD : DEQUE_TAIL;
        size_t target = 1000;
        for (size_t i = 0; deque_charge(&deque) < 8 * KIB * KIB; i++) {
            if (deque_charge(&deque) > target) { /* fills, half empties, fills further */
                for (size_t pops = deque_count(&deque) / 2; pops > 0; pops--) {
                    deque_pop(&deque, out);
                    if (pops % 64 == 0)
                        check_memory(&deque);
                }
                target *= 3;
            }
            item.length = mix[i % 4];
            MUST(deque_push(&deque, in, &item));
            if (i % 64 == 0)
                check_memory(&deque);
        }
        /* Every hundredth stays: it is all chunks' ends and middles that lose items. */
        struct deque_cursor cursor;
        MUST(deque_seek(&deque, 0, &cursor));
        struct deque_item found;
        for (size_t i = 0; deque_at(&cursor, &found); i++) {
            if (i % 100 == 99)
                deque_next(&cursor);
            else
                deque_remove(&cursor);
            if (i % 1000 == 0)
                check_memory(&deque);
        }
        check_memory(&deque);
        deque_clear(&deque);
    }
}
END_TEST

/* One small item stays of all that once filled a chunk, thousands of times. */
START_TEST(sparse_chunks_are_joined)
{
    enum { FILLERS = CHUNK / 3000 + 1, ROUNDS = 6000 };
    struct deque deque = {0};
    for (int round = 0; round < ROUNDS; round++) {
        MUST(push(&deque, DEQUE_TAIL, 1));
        for (int i = 0; i < FILLERS; i++)
            MUST(push(&deque, DEQUE_TAIL, 3000));
        if (round == 0)
            continue;
        struct deque_cursor cursor;
        MUST(deque_seek(&deque, deque_count(&deque) - 2 * FILLERS - 1, &cursor));
        for (int i = 0; i < FILLERS; i++)
            deque_remove(&cursor);
        check_memory(&deque);
    }
    MUST(deque_count(&deque) == ROUNDS + FILLERS);
    deque_clear(&deque);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("deque_memory");
    TCase *memory = tcase_create("memory");
    tcase_set_timeout(memory, 60);
    tcase_add_loop_test(memory, million_of_64_bytes, 0, 6);
    tcase_add_test(memory, small_deque_is_small);
    tcase_add_loop_test(memory, deque_shrinks_with_what_it_holds, 0, 2);
    tcase_add_test(memory, large_item_takes_what_it_needs);
    tcase_add_loop_test(memory, steady_use_does_not_allocate, 0, 2);
    tcase_add_loop_test(memory, charge_covers_the_memory, 0,
                        2 * (int)(sizeof(mixes) / sizeof(mixes[0])));
    tcase_add_test(memory, sparse_chunks_are_joined);
    suite_add_tcase(suite, memory);
    return unit_main(suite);
}
