/* The bounded queue when memory runs out: nothing is lost without being counted. */
#include <stdlib.h>
#include <string.h>

#include "queue_words.h"
#include "random.h"
#include "scarcity.h"
#include "unit.h"

/* Longer than what a chunk has room for to begin with, so that most pushes allocate. */
static char bytes[8192];

static const struct queue_bound wide = {WIDE_BOUND};

static enum push_result push_some(struct queue *queue, enum deque_end end, size_t count)
{
    struct resp_argument items[8];
    for (size_t i = 0; i < count; i++)
        items[i] = (struct resp_argument){bytes, below(sizeof bytes)};
    const struct batch batch = {items, count};
    return queue_push(queue, queue->bound->overflow, end, &batch, 0);
}

START_TEST(batch_is_whole_or_nothing)
{
    struct budget budget = {.limit = UINT64_MAX};
    struct queue queue;
    enum push_result result = PUSH_NO_MEMORY;
    random_begin(_i);
    queue_init(&queue, &wide, &budget);
    ck_assert_int_eq(push_words(&queue, "a b"), PUSH_DONE);
    int most = 0;
    while (result != PUSH_DONE) {
        allocations_left = most++;
        result = push_some(&queue, (enum deque_end)_i, 8);
        allocations_left = -1;
        if (result == PUSH_DONE)
            break;
        ck_assert_int_eq(result, PUSH_NO_MEMORY);
        ck_assert_str_eq(words_of(&queue), "a b");
        ck_assert_uint_eq(queue.counters.pushed, 2);
        ck_assert_uint_eq(budget.used, queue_bytes(&queue));
        check_conservation(&queue);
    }
    ck_assert_int_gt(most, 1);
    ck_assert_uint_eq(queue_count(&queue), 10);
    queue_clear(&queue);
}
END_TEST

START_TEST(move_is_whole_or_nothing)
{
    struct budget budget = {.limit = UINT64_MAX};
    struct queue from, other, *to = _i == 0 ? &from : &other;
    queue_init(&from, &wide, &budget);
    queue_init(&other, &wide, &budget);
    ck_assert_int_eq(push_words(&from, "a b"), PUSH_DONE);
    allocations_left = 0;
    enum push_result result = queue_move(&from, DEQUE_HEAD, to, DEQUE_TAIL);
    allocations_left = -1;
    ck_assert_int_eq(result, PUSH_NO_MEMORY);
    ck_assert_str_eq(words_of(&from), "a b");
    ck_assert_uint_eq(queue_count(&other), 0);
    check_conservation(&from);
    check_conservation(&other);
    ck_assert_uint_eq(budget.used, queue_bytes(&from));
    ck_assert_int_eq(queue_move(&from, DEQUE_HEAD, to, DEQUE_TAIL), PUSH_DONE);
    queue_clear(&from);
    queue_clear(&other);
}
END_TEST

/* It stays leased, and can come back later. */
START_TEST(return_that_fails)
{
    struct budget budget = {.limit = UINT64_MAX};
    const struct deque_item item = {.data = "a", .length = 1};
    struct queue queue;
    queue_init(&queue, &wide, &budget);
    ck_assert_int_eq(push_words(&queue, "a"), PUSH_DONE);
    queue_lease(&queue);
    deque_clear(&queue.items); /* the chunk that an empty deque keeps */
    allocations_left = 0;
    bool returned = queue_return(&queue, 1, &item);
    allocations_left = -1;
    ck_assert(!returned);
    ck_assert_uint_eq(queue.leased_items, 1);
    ck_assert_uint_eq(queue.counters.returned, 0);
    check_conservation(&queue);
    ck_assert(queue_return(&queue, 1, &item));
    ck_assert_str_eq(words_of(&queue), "a");
    queue_clear(&queue);
    ck_assert_uint_eq(budget.used, 0);
}
END_TEST

static void give_back_item(struct queue *queue, uint64_t id)
{
    const struct deque_item item = {.data = bytes, .length = sizeof bytes};
    ck_assert(queue_return(queue, id, &item));
}

/* To return between two others, one has to be lifted: what is lost then is counted. */
START_TEST(return_between_others)
{
    int most = 0;
    bool scarce = true;
    while (scarce) {
        struct budget budget = {.limit = UINT64_MAX};
        const struct deque_item item = {.data = bytes, .length = sizeof bytes};
        struct queue queue;
        queue_init(&queue, &wide, &budget);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(
                queue_push(&queue, OVERFLOW_REJECT, DEQUE_TAIL,
                           &(struct batch){&(struct resp_argument){bytes, sizeof bytes}, 1}, 0),
                PUSH_DONE);
        for (int i = 0; i < 3; i++)
            queue_lease(&queue);
        give_back_item(&queue, 1);
        give_back_item(&queue, 3);
        allocations_left = most++;
        bool returned = queue_return(&queue, 2, &item);
        scarce = allocations_left == 0;
        allocations_left = -1;
        check_conservation(&queue);
        if (!returned)
            queue_acknowledge(&queue, item.length);
        check_conservation(&queue);
        ck_assert_uint_eq(budget.used, queue_bytes(&queue));
        queue_clear(&queue);
        ck_assert_uint_eq(budget.used, 0);
    }
    ck_assert_int_gt(most, 3);
}
END_TEST

/* --- at random ----------------------------------------------------------------------------------
 */

enum { LEASES = 16 };

struct world {
    struct queue queues[2];
    struct budget budget;
    size_t lengths[2][LEASES]; /* of what is leased */
    uint64_t ids[2][LEASES];
    size_t leased[2];
    uint64_t last_id;
};

static size_t end_lease(struct world *world, size_t which, size_t index, uint64_t *id)
{
    size_t length = world->lengths[which][index], last = --world->leased[which];
    *id = world->ids[which][index];
    world->lengths[which][index] = world->lengths[which][last];
    world->ids[which][index] = world->ids[which][last];
    return length;
}

static void lease(struct world *world, size_t which)
{
    struct deque_item item;
    if (world->leased[which] == LEASES || !queue_peek(&world->queues[which], DEQUE_HEAD, &item))
        return;
    size_t last = world->leased[which]++;
    world->lengths[which][last] = item.length;
    world->ids[which][last] = ++world->last_id;
    queue_lease(&world->queues[which]);
}

/* As lease.c does: what cannot come back is done with. */
static void give_back(struct world *world, size_t which)
{
    uint64_t id;
    if (world->leased[which] == 0)
        return;
    struct queue *queue = &world->queues[which];
    struct deque_item item = {.data = bytes};
    item.length = end_lease(world, which, below(world->leased[which]), &id);
    uint64_t removed = queue->counters.removed, held = queue_count(queue) + queue->leased_items;
    if (!queue_return(queue, id, &item))
        queue_acknowledge(queue, item.length);
    else
        MUST(queue_count(queue) + queue->leased_items + queue->counters.removed == held + removed);
}

static void acknowledge(struct world *world, size_t which)
{
    uint64_t id;
    if (world->leased[which] > 0)
        queue_acknowledge(&world->queues[which],
                          end_lease(world, which, below(world->leased[which]), &id));
}

static void step(struct world *world)
{
    size_t which = below(2), what = below(100);
    struct queue *queue = &world->queues[which];
    enum deque_end end = (enum deque_end)below(2);
    allocations_left = below(3) == 0 ? (int)below(4) : -1;
    if (what < 30)
        push_some(queue, below(3) == 0 ? DEQUE_HEAD : DEQUE_TAIL, 1 + below(8));
    else if (what < 55)
        lease(world, which);
    else if (what < 85)
        give_back(world, which);
    else if (what < 90)
        acknowledge(world, which);
    else if (queue_count(queue) == 0)
        return;
    else if (what < 95)
        queue_move(queue, end, &world->queues[below(2)], (enum deque_end)below(2));
    else
        queue_pop(queue, end);
}

START_TEST(every_item_is_counted)
{
    static const struct queue_bound bound = {
        .max_items = 40, .max_bytes = 100000, .max_item_bytes = 100000};
    static struct world world;
    world = (struct world){.budget.limit = UINT64_MAX};
    random_begin(_i);
    for (int i = 0; i < 2; i++)
        queue_init(&world.queues[i], &bound, &world.budget);
    for (int i = 0; i < 50000; i++) {
        step(&world);
        allocations_left = -1;
        for (int j = 0; j < 2; j++)
            check_conservation(&world.queues[j]);
        MUST(world.budget.used == queue_bytes(&world.queues[0]) + queue_bytes(&world.queues[1]));
    }
    for (size_t i = 0; i < 2; i++) {
        while (world.leased[i] > 0)
            acknowledge(&world, i);
        queue_clear(&world.queues[i]);
    }
    ck_assert_uint_eq(world.budget.used, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue_memory");
    TCase *memory = tcase_create("memory");
    tcase_set_timeout(memory, 60);
    tcase_add_loop_test(memory, batch_is_whole_or_nothing, 0, 2);
    tcase_add_loop_test(memory, move_is_whole_or_nothing, 0, 2);
    tcase_add_test(memory, return_that_fails);
    tcase_add_test(memory, return_between_others);
    tcase_add_loop_test(memory, every_item_is_counted, 0, 4);
    suite_add_tcase(suite, memory);
    return unit_main(suite);
}
