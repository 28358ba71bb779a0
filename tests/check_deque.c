/* The deque: against a plain array, its memory against its charge, and out of memory. */
#include <stdint.h>
#include <string.h>

#include "must.h"
#include "queue/deque.h"
#include "random.h"
#include "scarcity.h"
#include "unit.h"

enum { KIB = 1024, CHUNK = 64 * KIB };

static char bytes[128 * KIB]; /* what items are cut from */

static void fill_bytes(void)
{
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7 + i / 251);
}

static enum deque_end either_end(void)
{
    return below(2) == 0 ? DEQUE_HEAD : DEQUE_TAIL;
}

/* --- a plain array of what the items should be ------------------------------------- */

struct model {
    struct deque deque;
    struct deque_item items[4000];
    size_t count;
    size_t payload;
};

static void model_push(struct model *model, enum deque_end end, size_t length)
{
    struct deque_item item = {bytes + below(sizeof(bytes) - length + 1), length};
    MUST(deque_push(&model->deque, end, item.data, item.length));
    if (end == DEQUE_HEAD)
        memmove(model->items + 1, model->items, model->count * sizeof(item));
    model->items[end == DEQUE_HEAD ? 0 : model->count] = item;
    model->count++;
    model->payload += length;
}

static void model_forget(struct model *model, size_t index)
{
    model->count--;
    model->payload -= model->items[index].length;
    memmove(model->items + index, model->items + index + 1,
            (model->count - index) * sizeof(model->items[0]));
}

static void check_item(const struct deque_item *item, const struct deque_item *expected)
{
    MUST(item->length == expected->length);
    MUST(memcmp(item->data, expected->data, item->length) == 0);
}

static void check_cursor(const struct model *model, const struct deque_cursor *cursor, size_t index)
{
    struct deque_item item;
    MUST(deque_at(cursor, &item) == (index < model->count));
    if (index < model->count)
        check_item(&item, &model->items[index]);
}

/* All but the chunks at the two ends is within the charge and a 32nd part of it. */
static void check_memory(struct deque *deque)
{
    MUST(deque_allocated(deque) <= deque_charge(deque) + deque_charge(deque) / 32 + 2 * CHUNK);
    if (deque_count(deque) == 0)
        MUST(deque_allocated(deque) <= KIB);
}

static void check_ends(struct model *model)
{
    struct deque_item item;
    MUST(deque_count(&model->deque) == model->count);
    MUST(deque_charge(&model->deque) == model->payload + model->count * DEQUE_ITEM_COST);
    MUST(deque_peek(&model->deque, DEQUE_HEAD, &item) == (model->count > 0));
    if (model->count > 0) {
        check_item(&item, &model->items[0]);
        MUST(deque_peek(&model->deque, DEQUE_TAIL, &item));
        check_item(&item, &model->items[model->count - 1]);
    }
    check_memory(&model->deque);
}

static void check_all(struct model *model)
{
    struct deque_cursor cursor;
    MUST(deque_seek(&model->deque, 0, &cursor) == (model->count > 0));
    for (size_t i = 0; i < model->count; i++, deque_next(&cursor))
        check_cursor(model, &cursor, i);
    check_cursor(model, &cursor, model->count);
    if (model->count == 0)
        return;
    MUST(deque_seek(&model->deque, model->count - 1, &cursor));
    for (size_t i = model->count; i-- > 0; deque_previous(&cursor))
        check_cursor(model, &cursor, i);
    check_cursor(model, &cursor, SIZE_MAX);
}

/* Walks from a random place and removes some of what it meets. */
static void model_walk(struct model *model)
{
    struct deque_cursor cursor;
    size_t index = below(model->count + 1);
    bool found = deque_seek(&model->deque, index, &cursor);
    MUST(found == (index < model->count));
    bool back = below(3) == 0;
    for (size_t steps = below(30); steps > 0 && index < model->count; steps--) {
        check_cursor(model, &cursor, index);
        if (below(4) == 0) {
            deque_remove(&cursor);
            model_forget(model, index);
        } else if (back) {
            deque_previous(&cursor);
            index--; /* past the head it wraps, and ends the loop */
        } else {
            deque_next(&cursor);
            index++;
        }
        check_cursor(model, &cursor, index);
    }
}

static size_t random_length(size_t kind)
{
    static const size_t edges[] = {0,        1,           2,     253,     254,  255,
                                   256,      2036,        2037,  2038,    2039, 9 * KIB,
                                   40 * KIB, CHUNK - 100, CHUNK, 65 * KIB};
    switch (kind) {
    case 0:
        return below(4);
    case 1:
        return 64;
    case 2:
        return edges[below(sizeof(edges) / sizeof(edges[0]))];
    case 3:
        return below(3 * KIB);
    default:
        return below(20) == 0 ? below(20 * KIB) : below(300);
    }
}

/* Grows and shrinks in turns, at one end, both, or as a queue; walks and removes between. */
START_TEST(agrees_with_an_array)
{
    static struct model model;
    random_begin(_i);
    fill_bytes();
    for (int phase = 0; phase < 60; phase++) {
        size_t pushes = below(10); /* of ten steps */
        size_t most = phase % 4 == 0 ? 3900 : 1 + below(100);
        size_t kind = below(6);
        size_t shape = below(4);
        for (int step = 0; step < 2000; step++) {
            enum deque_end end = shape < 2 ? (enum deque_end)shape : either_end();
            enum deque_end other = end == DEQUE_HEAD ? DEQUE_TAIL : DEQUE_HEAD;
            if (below(10) <= pushes && model.count < most) {
                model_push(&model, end, random_length(kind));
            } else if (below(20) == 0) {
                model_walk(&model);
            } else if (model.count > 0) {
                end = step % 2 == 0 && shape == 1 ? end : other;
                deque_pop(&model.deque, end);
                model_forget(&model, end == DEQUE_HEAD ? 0 : model.count - 1);
            }
            check_ends(&model);
        }
        check_all(&model);
    }
    deque_clear(&model.deque);
    MUST(deque_allocated(&model.deque) == 0);
    MUST(deque_charge(&model.deque) == 0);
}
END_TEST

START_TEST(seek)
{
    struct deque deque = {0};
    struct deque_cursor cursor;
    MUST(!deque_seek(&deque, 0, &cursor));
    for (size_t i = 0; i < 20000; i++)
        MUST(deque_push(&deque, DEQUE_TAIL, &i, sizeof(i)));
    for (size_t i = 0; i < 20000; i++) {
        struct deque_item item;
        MUST(deque_seek(&deque, i, &cursor) && deque_at(&cursor, &item));
        MUST(memcmp(item.data, &i, sizeof(i)) == 0);
    }
    MUST(!deque_seek(&deque, 20000, &cursor));
    MUST(!deque_seek(&deque, SIZE_MAX, &cursor));
    deque_clear(&deque);
}
END_TEST

/* --- memory -------------------------------------------------------------------------- */

START_TEST(million_of_64_bytes)
{
    struct deque deque = {0};
    for (int i = 0; i < 1000000; i++)
        MUST(deque_push(&deque, (enum deque_end)_i, bytes, 64));
    MUST(deque_allocated(&deque) <= 68 * 1000000);
    deque_clear(&deque);
}
END_TEST

START_TEST(small_deque_is_small)
{
    struct deque deque = {0};
    MUST(deque_push(&deque, DEQUE_HEAD, "", 0));
    MUST(deque_allocated(&deque) <= 256);
    for (int i = 0; i < 100; i++)
        MUST(deque_push(&deque, DEQUE_TAIL, bytes, 64));
    MUST(deque_allocated(&deque) <= 3 * 100 * 64);
    while (deque_count(&deque) > 0)
        deque_pop(&deque, DEQUE_TAIL);
    MUST(deque_allocated(&deque) <= KIB);
    deque_clear(&deque);
}
END_TEST

START_TEST(large_item_takes_what_it_needs)
{
    struct deque deque = {0};
    for (int i = 0; i < 10; i++)
        MUST(deque_push(&deque, DEQUE_TAIL, bytes, sizeof(bytes)));
    MUST(deque_allocated(&deque) <= deque_charge(&deque) + 10 * 50);
    MUST(!deque_push(&deque, DEQUE_TAIL, bytes, (size_t)DEQUE_ITEM_MAX + 1));
    MUST(!deque_push(&deque, DEQUE_TAIL, bytes, SIZE_MAX));
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
            MUST(deque_push(&deque, DEQUE_TAIL, bytes, 30));
        if (held == 0) {
            MUST(deque_push(&deque, DEQUE_TAIL, bytes, 30));
            deque_pop(&deque, DEQUE_TAIL);
        }
        allocations_left = 0;
        for (int i = 0; i < 1000; i++) {
            enum deque_end end = i % 20 < 10 ? DEQUE_HEAD : DEQUE_TAIL;
            MUST(deque_push(&deque, end, bytes, 30));
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
    {2037, 2037, 2037, 2037},
    {2038, 2038, 2038, 2038},
    {4 * KIB, 4 * KIB, 4 * KIB, 4 * KIB},
    {8 * KIB, 8 * KIB, 8 * KIB, 8 * KIB},
    {9 * KIB, 9 * KIB, 9 * KIB, 9 * KIB},
    {40 * KIB, 40 * KIB, 40 * KIB, 40 * KIB},
    {1, 9 * KIB, 1, 40 * KIB},
    {1, 2000, 1, 2000},
    {64, 70 * KIB, 254, 255},
    {0, 64, 1500, 40 * KIB},
};

START_TEST(charge_covers_the_memory)
{
    const size_t *mix = mixes[_i];
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
            MUST(deque_push(&deque, in, bytes, mix[i % 4]));
            if (i % 64 == 0)
                check_memory(&deque);
        }
        /* Every hundredth stays: it is all chunks' ends and middles that lose items. */
        struct deque_cursor cursor;
        MUST(deque_seek(&deque, 0, &cursor));
        struct deque_item item;
        for (size_t i = 0; deque_at(&cursor, &item); i++) {
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

START_TEST(no_memory)
{
    static struct model model;
    srandom(1);
    fill_bytes();
    for (int i = 0; i < 3000; i++) {
        size_t before = deque_allocated(&model.deque);
        size_t length = random_length((size_t)i % 5);
        enum deque_end end = either_end();
        allocations_left = 0;
        bool pushed = deque_push(&model.deque, end, bytes, length);
        allocations_left = -1;
        if (pushed)
            deque_pop(&model.deque, end);
        else
            MUST(deque_allocated(&model.deque) == before);
        check_ends(&model);
        model_push(&model, end, length);
        if (i % 500 == 0)
            check_all(&model);
    }
    /* Removing never fails: a chunk that cannot be trimmed stays as large as it is. */
    allocations_left = 0;
    while (model.count > 0) {
        struct deque_cursor cursor;
        MUST(deque_seek(&model.deque, model.count / 2, &cursor));
        deque_remove(&cursor);
        model_forget(&model, model.count / 2);
        check_cursor(&model, &cursor, model.count / 2 + model.count % 2);
    }
    allocations_left = -1;
    deque_clear(&model.deque);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("deque");
    TCase *order = tcase_create("order");
    tcase_set_timeout(order, 60);
    tcase_add_loop_test(order, agrees_with_an_array, 0, 4);
    tcase_add_test(order, seek);
    suite_add_tcase(suite, order);
    TCase *memory = tcase_create("memory");
    tcase_set_timeout(memory, 60);
    tcase_add_loop_test(memory, million_of_64_bytes, 0, 2);
    tcase_add_test(memory, small_deque_is_small);
    tcase_add_test(memory, large_item_takes_what_it_needs);
    tcase_add_loop_test(memory, steady_use_does_not_allocate, 0, 2);
    tcase_add_loop_test(memory, charge_covers_the_memory, 0,
                        (int)(sizeof(mixes) / sizeof(mixes[0])));
    tcase_add_test(memory, no_memory);
    suite_add_tcase(suite, memory);
    return unit_main(suite);
}
