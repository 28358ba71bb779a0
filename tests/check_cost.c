/* What is done at a queue costs as many instructions whatever else there is. */
#include <stdio.h>

#include "space_words.h"
#include "steps.h"
#include "unit.h"

/* What else there is: items in the queue, other queues, others who wait at it. */
struct world {
    const char *name;
    size_t items;
    size_t queues;
    size_t waiters;
};

static const struct world worlds[] = {
    {"nothing else", 0, 0, 0},
    {"a million items", 1000000, 0, 0},
    {"100,000 queues", 0, 100000, 0},
    {"8,000 who wait", 0, 0, 8000},
};
#define WORLDS (sizeof worlds / sizeof worlds[0])

static void push_at(struct space *space, enum deque_end end)
{
    const struct resp_argument item = word("item");
    const struct batch batch = {&item, 1};
    struct named_queue *queue = claim(space, "q");
    queue_push(&queue->queue, OVERFLOW_DROP_OLDEST, end, &batch, 0);
    space_changed(space, queue);
}

static void push_tail(struct space *space)
{
    push_at(space, DEQUE_TAIL);
}

static void push_head(struct space *space)
{
    push_at(space, DEQUE_HEAD);
}

static void pop_at(struct space *space, enum deque_end end)
{
    struct deque_item item;
    struct named_queue *queue = space_find(space, word("q"));
    queue_peek(&queue->queue, end, &item);
    queue_pop(&queue->queue, end);
    space_changed(space, queue);
}

static void pop_tail(struct space *space)
{
    pop_at(space, DEQUE_TAIL);
}

static void pop_head(struct space *space)
{
    pop_at(space, DEQUE_HEAD);
}

static void join_and_leave(struct space *space)
{
    struct waiter waiter = {0};
    struct named_queue *queue = space_find(space, word("q"));
    space_join(space, queue, &queue->consumers, &waiter);
    while (space_next_ready(space) != NULL)
        continue;
    space_leave(space, &waiter);
}

static void (*const scenes[])(struct space *space) = {
    push_tail, pop_head, push_head, pop_tail, join_and_leave, push_tail, pop_tail,
};
#define SCENES (sizeof scenes / sizeof scenes[0])

/* Each is played so often, and the median counts: now and then a push needs another chunk. */
#define ROUNDS 5
#define PARTS (SCENES * ROUNDS)

/* Not all chains of a hash table are equally long. */
#define TOLERANCE 100

static struct space *make_world(const struct world *world)
{
    char name[32];
    struct space *space = make_space();
    space->hash_key = 1; /* else it is chance how long the chain is that "q" is in */
    space->limits->max_queues = world->queues + 1;
    space->limits->bounds[0].bound.max_items = world->items + ROUNDS * SCENES;
    space->limits->bounds[0].bound.max_bytes = space->limits->budget.limit = UINT64_MAX;
    push_tail(space);
    for (size_t i = 0; i < world->items; i++)
        push_tail(space);
    for (size_t i = 0; i < world->queues; i++) {
        snprintf(name, sizeof name, "queue%zu", i);
        claim(space, name);
    }
    struct waiter *waiters = calloc(world->waiters + 1, sizeof *waiters);
    struct named_queue *queue = space_find(space, word("q"));
    for (size_t i = 0; i < world->waiters; i++)
        space_join(space, queue, &queue->consumers, &waiters[i]);
    return space;
}

/* All is left to the end of the process. */
static void play(void *context)
{
    struct space *space = make_world(context);
    for (size_t i = 0; i < SCENES; i++) /* what is done for the first time only */
        scenes[i](space);
    for (size_t i = 0; i < PARTS; i++) {
        steps_mark();
        scenes[i % SCENES](space);
        steps_mark();
    }
}

static int compare(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

/* The median cost of each scene. */
static void measure(const struct world *world, uint64_t costs[SCENES])
{
    uint64_t counts[PARTS + 1], of_scene[ROUNDS];
    struct world copy = *world;
    ck_assert_uint_eq(steps_count(play, &copy, counts, PARTS + 1), PARTS);
    for (size_t i = 0; i < SCENES; i++) {
        for (size_t j = 0; j < ROUNDS; j++)
            of_scene[j] = counts[j * SCENES + i];
        qsort(of_scene, ROUNDS, sizeof of_scene[0], compare);
        costs[i] = of_scene[ROUNDS / 2];
    }
}

START_TEST(cost_does_not_grow)
{
    uint64_t alone[SCENES], there[SCENES];
    measure(&worlds[0], alone);
    measure(&worlds[_i], there);
    for (size_t i = 0; i < SCENES; i++) {
        ck_assert_uint_gt(alone[i], 0);
        if (there[i] > alone[i] + alone[i] / 10 + TOLERANCE)
            ck_abort_msg("with %s, scene %zu takes %ju instructions, not %ju", worlds[_i].name, i,
                         (uintmax_t)there[i], (uintmax_t)alone[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cost");
    TCase *test = tcase_create("cost");
    tcase_set_timeout(test, 20); /* a step takes some ten microseconds */
    tcase_add_loop_test(test, cost_does_not_grow, 1, WORLDS);
    suite_add_tcase(suite, test);
    return unit_main(suite);
}
