/* The bounded queue: against a plain array that pushes one item after the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "queue/queue.h"
#include "random.h"
#include "unit.h"

static char bytes[4096]; /* what items are cut from */

static void fill_bytes(void)
{
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 251);
}

/* --- the model --------------------------------------------------------------------------- */

#define MODEL_MOST 200

/* items[0] is the head. */
struct model {
    struct queue queue;
    struct queue_bound bound;
    struct resp_argument items[MODEL_MOST];
    size_t count;
    uint64_t charge;
    struct queue_counters counters;
};

static bool model_fits(const struct model *model, uint64_t charge)
{
    return model->count < model->bound.max_items &&
           model->charge + charge <= model->bound.max_bytes;
}

static void model_drop(struct model *model, enum deque_end end)
{
    size_t index = end == DEQUE_HEAD ? 0 : model->count - 1;
    model->charge -= deque_item_charge(model->items[index].length);
    model->count--;
    if (end == DEQUE_HEAD)
        memmove(model->items, model->items + 1, model->count * sizeof model->items[0]);
}

static void model_add(struct model *model, enum deque_end end, struct resp_argument item)
{
    MUST(model->count < MODEL_MOST);
    if (end == DEQUE_HEAD)
        memmove(model->items + 1, model->items, model->count * sizeof item);
    model->items[end == DEQUE_HEAD ? 0 : model->count] = item;
    model->count++;
    model->charge += deque_item_charge(item.length);
    model->counters.pushed++;
}

static void model_push_drop_oldest(struct model *model, enum deque_end end,
                                   struct resp_argument item)
{
    uint64_t charge = deque_item_charge(item.length);
    while (model->count > 0 && !model_fits(model, charge)) {
        model_drop(model, end == DEQUE_HEAD ? DEQUE_TAIL : DEQUE_HEAD);
        model->counters.evicted++;
    }
    model_add(model, end, item);
}

/* One item after the other, and then the question whether the others' budget allows it. */
static enum push_result model_push(struct model *model, enum deque_end end,
                                   const struct resp_argument *items, size_t count)
{
    const struct model before = *model;
    const struct budget budget = *model->queue.budget;
    enum push_result result = PUSH_DONE;
    uint64_t batch = 0;
    bool dropping = false;
    for (size_t i = 0; i < count; i++) {
        uint64_t charge = deque_item_charge(items[i].length);
        batch += charge;
        if (charge > model->bound.max_bytes)
            result = PUSH_TOO_BIG;
    }
    if (model->bound.overflow == OVERFLOW_REJECT &&
        (count > model->bound.max_items || batch > model->bound.max_bytes))
        result = PUSH_TOO_BIG;
    for (size_t i = 0; i < count && result == PUSH_DONE; i++) {
        dropping |= !model_fits(model, deque_item_charge(items[i].length));
        if (model->bound.overflow == OVERFLOW_DROP_OLDEST)
            model_push_drop_oldest(model, end, items[i]);
        else if (!dropping)
            model_add(model, end, items[i]);
        else if (model->bound.overflow == OVERFLOW_DROP_NEWEST)
            model->counters.dropped++;
        else
            result = PUSH_FULL;
    }
    if (result == PUSH_DONE && model->charge > before.charge &&
        budget.used - before.charge + model->charge > budget.limit)
        result = PUSH_BUDGET;
    if (result != PUSH_DONE) {
        *model = before;
        model->counters.rejected += count;
    }
    if (result == PUSH_DONE && model->count > model->counters.high_items)
        model->counters.high_items = model->count;
    if (result == PUSH_DONE && model->charge > model->counters.high_bytes)
        model->counters.high_bytes = model->charge;
    return result;
}

static void model_resize(struct model *model)
{
    while (model->bound.overflow == OVERFLOW_DROP_OLDEST && model->count > 0 &&
           (model->count > model->bound.max_items || model->charge > model->bound.max_bytes)) {
        model_drop(model, DEQUE_HEAD);
        model->counters.evicted_resize++;
    }
}

/* --- the comparison ---------------------------------------------------------------------- */

static void check_items(const struct model *model)
{
    struct deque_cursor cursor;
    struct deque_item item;
    struct deque deque = model->queue.items;
    MUST(deque_seek(&deque, 0, &cursor) == (model->count > 0));
    for (size_t i = 0; i < model->count; i++, deque_next(&cursor)) {
        MUST(deque_at(&cursor, &item));
        MUST(item.length == model->items[i].length);
        MUST(memcmp(item.data, model->items[i].data, item.length) == 0);
    }
    MUST(!deque_at(&cursor, &item));
}

static void check(const struct model *model)
{
    const struct queue_counters *is = &model->queue.counters, *should = &model->counters;
    MUST(queue_count(&model->queue) == model->count);
    MUST(queue_bytes(&model->queue) == model->charge);
    MUST(is->pushed == should->pushed);
    MUST(is->popped == should->popped);
    MUST(is->evicted == should->evicted);
    MUST(is->evicted_resize == should->evicted_resize);
    MUST(is->removed == should->removed);
    MUST(is->dropped == should->dropped);
    MUST(is->rejected == should->rejected);
    MUST(is->high_items == should->high_items);
    MUST(is->high_bytes == should->high_bytes);
    MUST(is->pushed == is->popped + is->evicted + is->evicted_resize + is->removed + model->count);
    MUST(queue_over_bound(&model->queue) ==
         (model->count > model->bound.max_items || model->charge > model->bound.max_bytes));
    check_items(model);
}

static enum deque_end either_end(void)
{
    return below(2) == 0 ? DEQUE_HEAD : DEQUE_TAIL;
}

static void push_some(struct model *model)
{
    struct resp_argument items[12];
    size_t count = 1 + below(below(3) == 0 ? 12 : 3);
    for (size_t i = 0; i < count; i++) {
        items[i].length = below(below(10) == 0 ? 700 : 100);
        items[i].data = bytes + below(sizeof bytes - items[i].length);
    }
    enum deque_end end = below(4) == 0 ? DEQUE_HEAD : DEQUE_TAIL;
    enum push_result expected = model_push(model, end, items, count);
    MUST(queue_push(&model->queue, end, items, count) == expected);
}

static void pop_one(struct model *model)
{
    struct deque_item item;
    enum deque_end end = either_end();
    bool found = queue_peek(&model->queue, end, &item);
    MUST(found == (model->count > 0));
    if (!found)
        return;
    const struct resp_argument *expected = &model->items[end == DEQUE_HEAD ? 0 : model->count - 1];
    MUST(item.length == expected->length);
    MUST(memcmp(item.data, expected->data, item.length) == 0);
    queue_pop(&model->queue, end);
    model_drop(model, end);
    model->counters.popped++;
}

static void clear(struct model *model)
{
    queue_clear(&model->queue);
    model->counters.removed += model->count;
    model->count = 0;
    model->charge = 0;
}

static void change_bound(struct model *model)
{
    model->bound.max_items = 1 + below(below(2) == 0 ? 5 : 60);
    model->bound.max_bytes = DEQUE_ITEM_COST + below(below(2) == 0 ? 600 : 4000);
    if (below(3) == 0)
        model->bound.overflow = (enum overflow_policy)below(3);
    if (below(4) == 0)
        return; /* as for the queues of a connection, which find out at their next push */
    queue_resize(&model->queue);
    model_resize(model);
}

/* Two queues that share a budget; sometimes it is the budget that is too small. */
START_TEST(agrees_with_an_array)
{
    static struct model models[2];
    struct budget budget = {.limit = UINT64_MAX};
    random_begin(_i);
    fill_bytes();
    for (int i = 0; i < 2; i++) {
        queue_init(&models[i].queue, &models[i].bound, &budget);
        change_bound(&models[i]);
        models[i].bound.overflow = (enum overflow_policy)(_i % 3);
    }
    for (int step = 0; step < 30000; step++) {
        struct model *model = &models[below(2)];
        size_t what = below(100);
        if (what < 60)
            push_some(model);
        else if (what < 95)
            pop_one(model);
        else if (what < 96)
            clear(model);
        else if (what < 98)
            change_bound(model);
        else
            budget.limit = below(3) == 0 ? UINT64_MAX : budget.used + below(3000);
        check(model);
        MUST(budget.used == models[0].charge + models[1].charge);
    }
    for (int i = 0; i < 2; i++)
        clear(&models[i]);
    ck_assert_uint_eq(budget.used, 0);
}
END_TEST

/* --- the cases that a user asks about ----------------------------------------------------------
 */

static struct budget plenty = {.limit = UINT64_MAX};

/* The words of text, each pushed as an item of one batch. */
static enum push_result push(struct queue *queue, enum deque_end end, const char *text)
{
    struct resp_argument items[16];
    size_t count = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        items[count++] = (struct resp_argument){text, length};
        text += length + strspn(text + length, " ");
    }
    return queue_push(queue, end, items, count);
}

static const char *content(const struct queue *queue)
{
    static char text[256];
    struct deque deque = queue->items;
    struct deque_cursor cursor;
    struct deque_item item;
    size_t used = 0;
    text[0] = '\0';
    for (deque_seek(&deque, 0, &cursor); deque_at(&cursor, &item); deque_next(&cursor))
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", used > 0 ? " " : "",
                                 (int)item.length, item.data);
    return text;
}

static const struct batch_case {
    enum overflow_policy overflow;
    enum deque_end end;
    const char *first; /* pushed at the tail; the bound is three items */
    const char *batch;
    enum push_result result;
    const char *after;
    uint64_t evicted, dropped, rejected;
} batch_cases[] = {
    {OVERFLOW_DROP_OLDEST, DEQUE_TAIL, "a b", "c d", PUSH_DONE, "b c d", 1, 0, 0},
    {OVERFLOW_DROP_OLDEST, DEQUE_HEAD, "a b", "c d", PUSH_DONE, "d c a", 1, 0, 0},
    {OVERFLOW_DROP_OLDEST, DEQUE_TAIL, "a", "b c d e f", PUSH_DONE, "d e f", 3, 0, 0},
    {OVERFLOW_DROP_OLDEST, DEQUE_HEAD, "a", "b c d e f", PUSH_DONE, "f e d", 3, 0, 0},
    {OVERFLOW_DROP_NEWEST, DEQUE_TAIL, "a b", "c d", PUSH_DONE, "a b c", 0, 1, 0},
    {OVERFLOW_DROP_NEWEST, DEQUE_HEAD, "a b", "c d", PUSH_DONE, "c a b", 0, 1, 0},
    {OVERFLOW_DROP_NEWEST, DEQUE_TAIL, "a b c", "d e", PUSH_DONE, "a b c", 0, 2, 0},
    {OVERFLOW_REJECT, DEQUE_TAIL, "a b", "c d", PUSH_FULL, "a b", 0, 0, 2},
    {OVERFLOW_REJECT, DEQUE_TAIL, "a b", "c", PUSH_DONE, "a b c", 0, 0, 0},
    {OVERFLOW_REJECT, DEQUE_TAIL, "a", "b c d e", PUSH_TOO_BIG, "a", 0, 0, 4},
};

START_TEST(batches)
{
    const struct batch_case *c = &batch_cases[_i];
    const struct queue_bound bound = {3, 1024, c->overflow};
    struct queue queue;
    queue_init(&queue, &bound, &plenty);
    ck_assert_int_eq(push(&queue, DEQUE_TAIL, c->first), PUSH_DONE);
    ck_assert_int_eq(push(&queue, c->end, c->batch), c->result);
    ck_assert_str_eq(content(&queue), c->after);
    ck_assert_uint_eq(queue.counters.evicted, c->evicted);
    ck_assert_uint_eq(queue.counters.dropped, c->dropped);
    ck_assert_uint_eq(queue.counters.rejected, c->rejected);
    queue_clear(&queue);
}
END_TEST

/* An item that the batch's own last one pushes out has pushed out all that was before it. */
START_TEST(large_item_amid_a_batch)
{
    const struct queue_bound bound = {10, 3 * DEQUE_ITEM_COST, OVERFLOW_DROP_OLDEST};
    struct queue queue;
    char large[2 * DEQUE_ITEM_COST];
    memset(large, 'x', sizeof large);
    const struct resp_argument items[] = {{large, sizeof large}, {"z", 1}};
    queue_init(&queue, &bound, &plenty);
    ck_assert_int_eq(push(&queue, DEQUE_TAIL, "a"), PUSH_DONE);
    ck_assert_int_eq(queue_push(&queue, DEQUE_TAIL, items, 2), PUSH_DONE);
    ck_assert_str_eq(content(&queue), "z");
    ck_assert_uint_eq(queue.counters.evicted, 2);
    queue_clear(&queue);
}
END_TEST

/* A smaller bound drops the oldest, or lets what is there be taken first. */
START_TEST(smaller_bound)
{
    struct queue_bound bound = {5, 1024, (enum overflow_policy)_i};
    struct queue queue;
    queue_init(&queue, &bound, &plenty);
    ck_assert_int_eq(push(&queue, DEQUE_TAIL, "a b c d e"), PUSH_DONE);
    bound.max_items = 2;
    ck_assert(queue_over_bound(&queue));
    queue_resize(&queue);
    if (bound.overflow == OVERFLOW_DROP_OLDEST) {
        ck_assert_str_eq(content(&queue), "d e");
        ck_assert_uint_eq(queue.counters.evicted_resize, 3);
        ck_assert(!queue_over_bound(&queue));
    } else {
        ck_assert_str_eq(content(&queue), "a b c d e");
        ck_assert_int_eq(push(&queue, DEQUE_TAIL, "f"),
                         bound.overflow == OVERFLOW_REJECT ? PUSH_FULL : PUSH_DONE);
        ck_assert_str_eq(content(&queue), "a b c d e");
    }
    queue_clear(&queue);
}
END_TEST

START_TEST(policy_names)
{
    ck_assert_str_eq(overflow_policy_name(OVERFLOW_DROP_OLDEST), "drop-oldest");
    ck_assert_str_eq(overflow_policy_name(OVERFLOW_DROP_NEWEST), "drop-newest");
    ck_assert_str_eq(overflow_policy_name(OVERFLOW_REJECT), "reject");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue");
    TCase *queue = tcase_create("queue");
    tcase_set_timeout(queue, 60);
    tcase_add_loop_test(queue, agrees_with_an_array, 0, 6);
    tcase_add_loop_test(queue, batches, 0, (int)(sizeof batch_cases / sizeof batch_cases[0]));
    tcase_add_test(queue, large_item_amid_a_batch);
    tcase_add_loop_test(queue, smaller_bound, 0, 3);
    tcase_add_test(queue, policy_names);
    suite_add_tcase(suite, queue);
    return unit_main(suite);
}
