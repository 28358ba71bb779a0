/* The deque: against a plain array, how good its times are, and out of memory. */
#include <stdint.h>
#include <string.h>

#include "deque_items.h"
#include "random.h"
#include "scarcity.h"
#include "unit.h"

enum { SECOND = 1000, HOUR = 3600 * SECOND };

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
    struct deque_item items[4000]; /* with their true times */
    size_t count;
    size_t payload;
    uint64_t now;
    uint64_t oldest; /* time pushed since the deque was last empty */
    uint64_t newest;
};

/* Nearly all are fresh; some come back from a lease, of which some are delivered very often. */
static struct deque_item random_item(const struct model *model, size_t length)
{
    struct deque_item item = {
        .data = bytes + below(sizeof(bytes) - length + 1),
        .length = length,
        .pushed_at = model->now,
    };
    if (below(10) == 0) {
        item.pushed_at -= below(below(10) == 0 ? 3 * HOUR : SECOND);
        item.deliveries = 1 + (unsigned)below(below(10) == 0 ? 1000 : 3);
    }
    return item;
}

static void model_note_time(struct model *model, uint64_t time)
{
    if (model->count == 0 || time < model->oldest)
        model->oldest = time;
    if (model->count == 0 || time > model->newest)
        model->newest = time;
}

static void model_push(struct model *model, enum deque_end end, const struct deque_item *item)
{
    MUST(deque_push(&model->deque, end, item));
    if (end == DEQUE_HEAD)
        memmove(model->items + 1, model->items, model->count * sizeof(*item));
    model->items[end == DEQUE_HEAD ? 0 : model->count] = *item;
    model_note_time(model, item->pushed_at);
    model->count++;
    model->payload += item->length;
    struct deque_item kept;
    MUST(deque_peek(&model->deque, end, &kept));
    if (item->pushed_at == model->newest)
        MUST(kept.pushed_at == item->pushed_at);
}

static void model_forget(struct model *model, size_t index)
{
    model->count--;
    model->payload -= model->items[index].length;
    memmove(model->items + index, model->items + index + 1,
            (model->count - index) * sizeof(model->items[0]));
}

static void check_item(const struct model *model, const struct deque_item *item, size_t index)
{
    const struct deque_item *expected = &model->items[index];
    MUST(item->length == expected->length);
    MUST(memcmp(item->data, expected->data, item->length) == 0);
    MUST(item->deliveries == (expected->deliveries < DEQUE_DELIVERIES_MAX ? expected->deliveries
                                                                          : DEQUE_DELIVERIES_MAX));
    MUST(item->pushed_at >= expected->pushed_at);
    MUST(item->pushed_at <= model->newest);
    MUST(item->pushed_at - expected->pushed_at <= (model->newest - model->oldest) / 60);
}

static void check_cursor(const struct model *model, const struct deque_cursor *cursor, size_t index)
{
    struct deque_item item;
    MUST(deque_at(cursor, &item) == (index < model->count));
    if (index < model->count)
        check_item(model, &item, index);
}

static void check_ends(struct model *model)
{
    struct deque_item item;
    MUST(deque_count(&model->deque) == model->count);
    MUST(deque_charge(&model->deque) == model->payload + model->count * DEQUE_ITEM_COST);
    MUST(deque_peek(&model->deque, DEQUE_HEAD, &item) == (model->count > 0));
    if (model->count > 0) {
        check_item(model, &item, 0);
        MUST(deque_peek(&model->deque, DEQUE_TAIL, &item));
        check_item(model, &item, model->count - 1);
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
    static const size_t edges[] = {0,    1,       2,        253,         254,   255,     4084,
                                   4085, 9 * KIB, 40 * KIB, CHUNK - 100, CHUNK, 65 * KIB};
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

/*
 * Takes the item off at one end and puts it back, there or at the other, as it
 * was read. It brings along what its time had lost.
 */
static void model_put_back(struct model *model, enum deque_end from, enum deque_end to)
{
    size_t index = from == DEQUE_HEAD ? 0 : model->count - 1;
    struct deque_item truth = model->items[index];
    uint64_t oldest = model->oldest;
    uint64_t newest = model->newest;
    struct deque_item item;
    MUST(deque_peek(&model->deque, from, &item));
    item.data = truth.data;
    deque_pop(&model->deque, from);
    model_forget(model, index);
    model_push(model, to, &item);
    model->items[to == DEQUE_HEAD ? 0 : model->count - 1] = truth;
    model_note_time(model, oldest);
    model_note_time(model, newest);
}

/*
 * Grows and shrinks in turns, at one end, both, or as a queue; walks, removes
 * and puts back between; while the clock stands, creeps, runs, or leaps.
 */
START_TEST(agrees_with_an_array)
{
    static const size_t paces[] = {1, 2, 200, 20 * SECOND, 2 * HOUR};
    static struct model model = {.now = 3 * HOUR};
    random_begin(_i);
    fill_bytes();
    for (int phase = 0; phase < 60; phase++) {
        size_t pushes = below(10); /* of ten steps */
        size_t most = phase % 4 == 0 ? 3900 : 1 + below(100);
        size_t kind = below(6);
        size_t shape = below(4);
        size_t pace = paces[below(sizeof(paces) / sizeof(paces[0]))];
        for (int step = 0; step < 2000; step++) {
            enum deque_end end = shape < 2 ? (enum deque_end)shape : either_end();
            enum deque_end other = end == DEQUE_HEAD ? DEQUE_TAIL : DEQUE_HEAD;
            model.now += below(pace);
            if (below(10) <= pushes && model.count < most) {
                struct deque_item item = random_item(&model, random_length(kind));
                model_push(&model, end, &item);
            } else if (below(20) == 0) {
                model_walk(&model);
            } else if (below(20) == 0 && model.count > 0) {
                model_put_back(&model, either_end(), either_end());
            } else if (model.count > 0) {
                end = step % 2 == 0 && shape == 1 ? end : other;
                deque_pop(&model.deque, end);
                model_forget(&model, end == DEQUE_HEAD ? 0 : model.count - 1);
            }
            check_ends(&model);
        }
        check_all(&model);
        if (phase % 3 == 0) { /* so that the next phase has only times of its own pace */
            deque_clear(&model.deque);
            model.count = model.payload = 0;
        }
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
    for (size_t i = 0; i < 20000; i++) {
        struct deque_item item = {.data = (const char *)&i, .length = sizeof(i)};
        MUST(deque_push(&deque, DEQUE_TAIL, &item));
    }
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

/* --- times --------------------------------------------------------------------------- */

/*
 * A queue that drops what is older than max_age: no item looks older than it is,
 * none younger by more than a 60th part of max_age, and the order stays.
 */
START_TEST(a_time_is_good_enough_for_max_age)
{
    static const size_t paces[] = {1, 3, 300, 60 * SECOND};
    const uint64_t max_age = _i % 2 == 0 ? HOUR : 2 * SECOND;
    static uint64_t truth[40000];
    enum deque_end in = _i < 2 ? DEQUE_TAIL : DEQUE_HEAD;
    enum deque_end out = _i < 2 ? DEQUE_HEAD : DEQUE_TAIL;
    struct deque deque = {0};
    uint64_t now = 12345;
    uint64_t last = 0;
    size_t oldest = 0;
    random_begin(_i);
    for (size_t i = 0; i < sizeof(truth) / sizeof(truth[0]); i++) {
        now += below(paces[i / 5000 % 4]);
        while (oldest < i && now - truth[oldest] > max_age) {
            struct deque_item item;
            MUST(deque_peek(&deque, out, &item));
            MUST(item.pushed_at >= truth[oldest]);
            MUST(item.pushed_at - truth[oldest] <= max_age / 60);
            MUST(item.pushed_at >= last);
            last = item.pushed_at;
            deque_pop(&deque, out);
            oldest++;
        }
        struct deque_item item = {.data = bytes, .length = below(50), .pushed_at = now};
        truth[i] = now;
        MUST(deque_push(&deque, in, &item));
    }
    deque_clear(&deque);
}
END_TEST

/* From deque to deque, each with times an hour apart, at ever other places. */
START_TEST(errors_do_not_add_up)
{
    struct deque deque = {0};
    for (int i = 0; i < 1000; i++) {
        const uint64_t truth = HOUR + below(HOUR);
        struct deque_item moved = {.data = bytes, .length = 1, .pushed_at = truth};
        for (int moves = 0; moves < 20; moves++) {
            struct deque_item other = {.pushed_at = HOUR - below(1000)};
            MUST(deque_push(&deque, DEQUE_TAIL, &other));
            other.pushed_at = truth + HOUR + below(1000);
            MUST(deque_push(&deque, DEQUE_HEAD, &other));
            MUST(deque_push(&deque, DEQUE_TAIL, &moved));
            MUST(deque_peek(&deque, DEQUE_TAIL, &moved));
            MUST(moved.pushed_at >= truth && moved.pushed_at - truth <= 2 * HOUR / 60);
            moved.data = bytes;
            deque_clear(&deque);
        }
    }
}
END_TEST

START_TEST(no_memory)
{
    static struct model model = {.now = 3 * HOUR};
    srandom(1);
    fill_bytes();
    for (int i = 0; i < 3000; i++) {
        size_t before = deque_allocated(&model.deque);
        model.now += below(SECOND);
        struct deque_item item = random_item(&model, random_length((size_t)i % 5));
        enum deque_end end = either_end();
        allocations_left = 0;
        bool pushed = deque_push(&model.deque, end, &item);
        allocations_left = -1;
        if (pushed) {
            deque_pop(&model.deque, end);
            model_note_time(&model, item.pushed_at);
        } else {
            MUST(deque_allocated(&model.deque) == before);
        }
        check_ends(&model);
        model_push(&model, end, &item);
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
    TCase *times = tcase_create("times");
    tcase_set_timeout(times, 60);
    tcase_add_loop_test(times, a_time_is_good_enough_for_max_age, 0, 4);
    tcase_add_test(times, errors_do_not_add_up);
    suite_add_tcase(suite, times);
    TCase *memory = tcase_create("memory");
    tcase_set_timeout(memory, 60);
    tcase_add_test(memory, no_memory);
    suite_add_tcase(suite, memory);
    return unit_main(suite);
}
