/* The bounded queue against a plain array: two queues with a budget in common, at random. */
#include <stdlib.h>
#include <string.h>

#include "queue_model.h"
#include "random.h"
#include "unit.h"

static char bytes[4096]; /* what items are cut from */

struct world {
    struct model models[2];
    struct budget outer; /* of which others use a part */
    struct budget inner;
    uint64_t of_others;
    uint64_t now;
    uint64_t last_lease;
};

/* A chunk that has never held a wider span of times keeps each to the millisecond. */
enum { SPAN = 59 };

/* --- the comparison ---------------------------------------------------------------------- */

static void check_items(const struct model *model)
{
    struct deque_cursor cursor;
    struct deque_item item;
    struct deque deque = model->queue.items;
    MUST(deque_seek(&deque, 0, &cursor) == (model->count > 0));
    for (size_t i = 0; i < model->count; i++, deque_next(&cursor)) {
        const struct deque_item *expected = &model->items[i].item;
        MUST(deque_at(&cursor, &item));
        MUST(item.length == expected->length);
        MUST(memcmp(item.data, expected->data, item.length) == 0);
        MUST(item.pushed_at == expected->pushed_at);
        MUST(item.deliveries == expected->deliveries);
    }
    MUST(!deque_at(&cursor, &item));
}

static void check_counters(const struct model *model)
{
    const struct queue_counters *is = &model->queue.counters, *should = &model->counters;
    MUST(is->pushed == should->pushed);
    MUST(is->popped == should->popped);
    MUST(is->evicted == should->evicted);
    MUST(is->evicted_resize == should->evicted_resize);
    MUST(is->expired == should->expired);
    MUST(is->removed == should->removed);
    MUST(is->dropped == should->dropped);
    MUST(is->rejected == should->rejected);
    MUST(is->returned == should->returned);
    MUST(is->high_items == should->high_items);
    MUST(is->high_bytes == should->high_bytes);
    MUST(is->pushed == is->popped + is->evicted + is->evicted_resize + is->expired + is->removed +
                           queue_count(&model->queue) + model->queue.leased_items);
}

static uint64_t oldest_age(const struct model *model, uint64_t now)
{
    if (model->count == 0)
        return 0;
    uint64_t head = now - model->items[0].item.pushed_at;
    uint64_t tail = now - model->items[model->count - 1].item.pushed_at;
    return head > tail ? head : tail;
}

static void check_count_within(struct model *model)
{
    enum deque_end end = (enum deque_end)below(2);
    uint64_t most = below(20), room = below(2000), within = 0, charge = 0;
    while (within < most && within < model->count) {
        size_t index = end == DEQUE_HEAD ? within : model->count - 1 - within;
        charge += deque_item_charge(model->items[index].item.length);
        if (charge > room && within > 0)
            break;
        within++;
    }
    MUST(queue_count_within(&model->queue, end, most, room) == within);
}

static void check(struct world *world)
{
    uint64_t charge = 0;
    for (int i = 0; i < 2; i++) {
        struct model *model = &world->models[i];
        MUST(queue_count(&model->queue) == model->count);
        MUST(queue_bytes(&model->queue) == model_charge(model));
        MUST(model->queue.leased_items == model->leased);
        MUST(model->queue.leased_bytes == model_charge_of(model->leases, model->leased));
        MUST(queue_over_bound(&model->queue) == model_over(model, 0, 0));
        MUST(queue_oldest_age(&model->queue, world->now) == oldest_age(model, world->now));
        check_counters(model);
        check_items(model);
        check_count_within(model);
        charge += model_charge(model);
    }
    MUST(world->inner.used == charge);
    MUST(world->outer.used == charge + world->of_others);
}

/* --- the steps ------------------------------------------------------------------------------ */

static enum deque_end either_end(void)
{
    return (enum deque_end)below(2);
}

static void push_some(struct world *world, struct model *model)
{
    struct resp_argument items[12];
    const struct batch batch = {items, 1 + below(below(3) == 0 ? 12 : 3)};
    for (size_t i = 0; i < batch.count; i++) {
        items[i].length = below(below(10) == 0 ? 700 : 100);
        items[i].data = bytes + below(sizeof bytes - items[i].length);
    }
    enum deque_end end = below(4) == 0 ? DEQUE_HEAD : DEQUE_TAIL;
    /* BRPUSH waits under every policy. */
    enum overflow_policy policy = below(8) == 0 ? OVERFLOW_BLOCK : model->bound.overflow;
    enum push_result expected = model_push(model, policy, end, &batch, world->now);
    MUST(queue_could_hold(&model->queue, &batch) == !model_refuses(model, OVERFLOW_BLOCK, &batch));
    MUST(queue_push(&model->queue, policy, end, &batch, world->now) == expected);
    if (expected != PUSH_DONE)
        queue_refused(&model->queue, batch.count);
}

static void take_one(struct world *world, struct model *model)
{
    (void)world;
    struct deque_item item;
    enum deque_end end = either_end();
    bool found = queue_peek(&model->queue, end, &item);
    MUST(found == (model->count > 0));
    if (!found)
        return;
    struct model_item expected = model_take(model, model_index(model, end));
    MUST(item.length == expected.item.length);
    MUST(memcmp(item.data, expected.item.data, item.length) == 0);
    if (below(5) == 0) {
        queue_remove(&model->queue, end);
        model->counters.removed++;
    } else {
        queue_pop(&model->queue, end);
        model->counters.popped++;
    }
}

static void remove_amid(struct world *world, struct model *model)
{
    (void)world;
    struct deque_cursor cursor;
    size_t index = below(model->count + 1);
    MUST(deque_seek(&model->queue.items, index, &cursor) == (index < model->count));
    queue_remove_at(&model->queue, &cursor);
    if (index == model->count)
        return;
    model_take(model, index);
    model_forget_returns(model);
    model->counters.removed++;
}

static void lease(struct world *world, struct model *model)
{
    if (model->count == 0 || model->leased == MODEL_LEASES)
        return;
    queue_lease(&model->queue);
    struct model_item item = model_take(model, 0);
    item.lease = ++world->last_lease;
    model->leases[model->leased++] = item;
}

static struct model_item end_lease(struct model *model, size_t index)
{
    struct model_item item = model->leases[index];
    model->leases[index] = model->leases[--model->leased];
    return item;
}

static void acknowledge(struct world *world, struct model *model)
{
    (void)world;
    if (model->leased == 0)
        return;
    struct model_item item = end_lease(model, below(model->leased));
    queue_acknowledge(&model->queue, item.item.length);
    model->counters.popped++;
}

static void give_back(struct world *world, struct model *model)
{
    (void)world;
    if (model->leased == 0)
        return;
    struct model_item item = end_lease(model, below(model->leased));
    item.item.deliveries++;
    MUST(queue_return(&model->queue, item.lease, &item.item));
    model_return(model, item);
}

static void move(struct world *world, struct model *from)
{
    struct model *to = &world->models[below(2)];
    enum deque_end from_end = either_end(), to_end = either_end();
    if (from->count == 0)
        return;
    bool has_room = queue_has_room(&to->queue, &from->queue, from_end);
    size_t length = from->items[model_index(from, from_end)].item.length;
    uint64_t charge = deque_item_charge(length);
    bool never = length > to->bound.max_item_bytes || charge > to->bound.max_bytes;
    MUST(has_room == (to == from || never || to->bound.overflow == OVERFLOW_DROP_OLDEST ||
                      !model_over(to, 1, charge)));
    enum push_result expected = model_move(from, from_end, to, to_end);
    MUST(queue_move(&from->queue, from_end, &to->queue, to_end) == expected);
}

static void expire(struct world *world, struct model *model)
{
    MUST(queue_expire(&model->queue, world->now) == model_expire(model, world->now));
}

static void trim(struct world *world, struct model *model)
{
    (void)world;
    size_t most = below(8);
    MUST(queue_trim(&model->queue, most) == model_trim(model, most));
}

static void clear(struct world *world, struct model *model)
{
    (void)world;
    queue_clear(&model->queue);
    model->counters.removed += model->count;
    model->count = 0;
}

static void change_bound(struct world *world, struct model *model)
{
    (void)world;
    model->bound.max_items = 1 + below(below(3) == 0 ? 5 : 60);
    model->bound.max_bytes = DEQUE_ITEM_COST + below(below(3) == 0 ? 600 : 6000);
    model->bound.max_item_bytes = below(3) > 0 ? 1000 : 50 + below(600);
    model->bound.max_age = below(2) == 0 ? 0 : 1 + below(SPAN);
    model->bound.shrink = (enum shrink_policy)below(3);
    if (below(3) == 0)
        model->bound.overflow = (enum overflow_policy)below(4);
}

static void change_budget(struct world *world, struct model *model)
{
    (void)model;
    struct budget *budget = below(2) == 0 ? &world->inner : &world->outer;
    budget->limit = below(3) > 0 ? UINT64_MAX : budget->used + below(3000);
    if (budget->used > 100 && below(8) == 0)
        budget->limit = budget->used - below(100); /* a reload has lowered it */
    budget_release(&world->outer, world->of_others);
    world->of_others = below(1000);
    budget_charge(&world->outer, world->of_others);
}

/* Before a chunk has held too wide a span, everything goes. */
static void let_time_pass(struct world *world, struct model *model)
{
    (void)model;
    if (++world->now % SPAN != 0)
        return;
    for (int i = 0; i < 2; i++) {
        while (world->models[i].leased > 0)
            acknowledge(world, &world->models[i]);
        clear(world, &world->models[i]);
    }
}

static const struct step {
    unsigned of_1000;
    void (*take)(struct world *world, struct model *model);
} steps[] = {
    {350, push_some},   {150, take_one},     {40, remove_amid},   {100, lease}, {60, acknowledge},
    {100, give_back},   {80, move},          {20, expire},        {20, trim},   {4, clear},
    {14, change_bound}, {12, change_budget}, {50, let_time_pass},
};

START_TEST(agrees_with_an_array)
{
    static struct world world;
    world = (struct world){.outer.limit = UINT64_MAX, .inner.limit = UINT64_MAX, .now = 1};
    world.inner.outer = &world.outer;
    random_begin(_i);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    for (int i = 0; i < 2; i++) {
        struct model *model = &world.models[i];
        queue_init(&model->queue, &model->bound, &world.inner);
        change_bound(&world, model);
        model->bound.overflow = (enum overflow_policy)(_i % 4);
    }
    for (int i = 0; i < 100000; i++) {
        const struct step *step = steps;
        for (unsigned n = (unsigned)below(1000); n >= step->of_1000; step++)
            n -= step->of_1000;
        step->take(&world, &world.models[below(2)]);
        check(&world);
    }
    for (int i = 0; i < 2; i++) {
        while (world.models[i].leased > 0)
            acknowledge(&world, &world.models[i]);
        clear(&world, &world.models[i]);
    }
    ck_assert_uint_eq(world.inner.used, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue_model");
    TCase *model = tcase_create("model");
    tcase_set_timeout(model, 60);
    tcase_add_loop_test(model, agrees_with_an_array, 0, 8);
    suite_add_tcase(suite, model);
    return unit_main(suite);
}
