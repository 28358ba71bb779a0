/* Leases: taken, ended in every way, and back in the order in which they were taken. */
#include <stdlib.h>
#include <string.h>

#include "queue/client.h"
#include "queue_words.h"
#include "scarcity.h"
#include "unit.h"

static const struct queue_parameters parameters = {
    .max_items = 100,
    .max_bytes = 100000,
    .max_item_bytes = 1000,
    .auto_create = true,
    .max_queues = 2,
    .max_total_bytes = 1000000,
};

struct world {
    struct limits *limits;
    struct space *space;
    struct named_queue *queue;
    struct leases leases;
    struct client clients[2];
};

static struct named_queue *claim(struct world *world, const char *name)
{
    enum space_refusal refusal;
    return space_claim(world->space, (struct resp_argument){name, strlen(name)}, &refusal);
}

static void begin(struct world *world, const char *words)
{
    *world = (struct world){.limits = limits_new()};
    ck_assert_ptr_nonnull(world->limits);
    ck_assert(limits_set(world->limits, &parameters));
    world->space = space_new(world->limits, false);
    ck_assert_ptr_nonnull(world->space);
    world->queue = claim(world, "queue");
    ck_assert_ptr_nonnull(world->queue);
    leases_init(&world->leases);
    for (int i = 0; i < 2; i++)
        TAILQ_INIT(&world->clients[i].leases);
    ck_assert_int_eq(push_words(&world->queue->queue, words), PUSH_DONE);
    space_changed(world->space, world->queue);
}

static struct lease *take(struct world *world, int client, uint64_t deadline)
{
    struct lease *lease =
        lease_take(&world->leases, world->space, world->queue, &world->clients[client], deadline);
    check_conservation(&world->queue->queue);
    return lease;
}

/* Nothing is leased any more, and the queue holds just this. */
static void end(struct world *world, const char *words)
{
    struct queue *queue = &world->queue->queue;
    check_conservation(queue);
    ck_assert_str_eq(words_of(queue), words);
    ck_assert_uint_eq(queue->leased_items, 0);
    ck_assert_uint_eq(queue->leased_bytes, 0);
    ck_assert_uint_eq(leases_next_deadline(&world->leases), UINT64_MAX);
    ck_assert(TAILQ_EMPTY(&world->clients[0].leases) && TAILQ_EMPTY(&world->clients[1].leases));
    ck_assert_uint_eq(world->limits->budget.used, queue_bytes(queue));
    space_put(world->space);
    ck_assert_uint_eq(world->limits->budget.used, 0);
    limits_put(world->limits);
}

START_TEST(taken_and_acknowledged)
{
    struct world world;
    begin(&world, "a bc d");
    struct lease *first = take(&world, 0, 10), *second = take(&world, 1, 20);
    ck_assert(first != NULL && second != NULL);
    ck_assert_uint_eq(first->id, 1);
    ck_assert_uint_eq(second->id, 2);
    ck_assert_uint_eq(second->item.length, 2);
    ck_assert_mem_eq(second->item.data, "bc", 2);
    ck_assert_uint_eq(second->item.deliveries, 1);
    ck_assert_ptr_eq(lease_find(&world.leases, 2, world.queue), second);
    ck_assert_ptr_null(lease_find(&world.leases, 3, world.queue));
    ck_assert_ptr_null(lease_find(&world.leases, 2, claim(&world, "other")));
    ck_assert_uint_eq(world.queue->queue.counters.popped, 0);
    lease_acknowledge(&world.leases, world.space, first);
    ck_assert_ptr_null(lease_find(&world.leases, 1, world.queue));
    lease_acknowledge(&world.leases, world.space, second);
    ck_assert_uint_eq(world.queue->queue.counters.popped, 2);
    end(&world, "d");
}
END_TEST

START_TEST(nothing_to_take)
{
    struct world world;
    begin(&world, "a");
    lease_acknowledge(&world.leases, world.space, take(&world, 0, 1));
    ck_assert_ptr_null(take(&world, 0, 1));
    end(&world, "");
}
END_TEST

/* Each time it comes back it has been delivered once more, up to the most that is told apart. */
START_TEST(deliveries_are_counted)
{
    struct world world;
    begin(&world, "a");
    for (unsigned i = 1; i <= DEQUE_DELIVERIES_MAX + 10; i++) {
        struct lease *lease = take(&world, 0, 1);
        ck_assert_uint_eq(lease->item.deliveries,
                          i < DEQUE_DELIVERIES_MAX ? i : DEQUE_DELIVERIES_MAX);
        lease_return(&world.leases, world.space, lease);
    }
    ck_assert_uint_eq(world.queue->queue.counters.returned, DEQUE_DELIVERIES_MAX + 10);
    end(&world, "a");
}
END_TEST

/* Of two clients that take turns, each loses its connection. */
START_TEST(client_goes)
{
    struct world world;
    begin(&world, "a b c d e f g");
    for (int i = 0; i < 6; i++)
        take(&world, i % 2, 10);
    leases_return_client(&world.leases, world.space, &world.clients[_i]);
    ck_assert_str_eq(words_of(&world.queue->queue), _i == 0 ? "a c e g" : "b d f g");
    leases_return_client(&world.leases, world.space, &world.clients[_i]);
    leases_return_client(&world.leases, world.space, &world.clients[1 - _i]);
    end(&world, "a b c d e f g");
}
END_TEST

START_TEST(time_runs_out)
{
    static const uint64_t deadlines[] = {30, 10, 20, 10, 40};
    struct world world;
    begin(&world, "a b c d e f");
    ck_assert_uint_eq(leases_next_deadline(&world.leases), UINT64_MAX);
    for (int i = 0; i < 5; i++)
        take(&world, i % 2, deadlines[i]);
    ck_assert_uint_eq(leases_next_deadline(&world.leases), 10);
    leases_expire(&world.leases, world.space, 9);
    ck_assert_str_eq(words_of(&world.queue->queue), "f");
    leases_expire(&world.leases, world.space, 10);
    ck_assert_str_eq(words_of(&world.queue->queue), "b d f");
    ck_assert_uint_eq(leases_next_deadline(&world.leases), 20);
    leases_expire(&world.leases, world.space, 35);
    ck_assert_str_eq(words_of(&world.queue->queue), "a b c d f");
    leases_expire(&world.leases, world.space, UINT64_MAX);
    end(&world, "a b c d e f");
}
END_TEST

/* A queue of which all is leased stays, though it looks empty; and then it is ready. */
START_TEST(leased_queue_is_not_idle)
{
    struct world world;
    struct waiter waiter = {0};
    begin(&world, "a");
    struct lease *lease = take(&world, 0, 1);
    ck_assert_uint_eq(world.space->seen, 0);
    ck_assert(!world.queue->is_idle);
    claim(&world, "second");
    claim(&world, "third"); /* max_queues is 2 */
    ck_assert_ptr_eq(claim(&world, "queue"), world.queue);
    space_join(world.space, world.queue, &world.queue->consumers, &waiter);
    ck_assert_ptr_null(space_next_ready(world.space));
    lease_return(&world.leases, world.space, lease);
    ck_assert_ptr_eq(space_next_ready(world.space), world.queue);
    space_leave(world.space, &waiter);
    lease_acknowledge(&world.leases, world.space, take(&world, 0, 1));
    ck_assert(world.queue->is_idle);
    end(&world, "");
}
END_TEST

/* The item is where it was, whichever allocation fails. */
START_TEST(taking_without_memory)
{
    struct world world;
    begin(&world, "a b");
    struct lease *lease = NULL;
    int most = 0;
    while (lease == NULL) {
        ck_assert_str_eq(words_of(&world.queue->queue), "a b");
        ck_assert_uint_eq(leases_next_deadline(&world.leases), UINT64_MAX);
        allocations_left = most++;
        lease = lease_take(&world.leases, world.space, world.queue, &world.clients[0], 1);
        allocations_left = -1;
    }
    ck_assert_int_gt(most, 2);
    lease_return(&world.leases, world.space, lease);
    end(&world, "a b");
}
END_TEST

/* What cannot come back is gone, and counted. */
START_TEST(returning_without_memory)
{
    struct world world;
    begin(&world, "a");
    struct lease *lease = take(&world, 0, 1);
    deque_clear(&world.queue->queue.items); /* the chunk that an empty deque keeps */
    allocations_left = 0;
    lease_return(&world.leases, world.space, lease);
    allocations_left = -1;
    ck_assert_uint_eq(world.queue->queue.counters.removed, 1);
    ck_assert_uint_eq(world.queue->queue.counters.popped, 0);
    end(&world, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lease");
    TCase *lease = tcase_create("lease");
    tcase_add_test(lease, taken_and_acknowledged);
    tcase_add_test(lease, nothing_to_take);
    tcase_add_test(lease, deliveries_are_counted);
    tcase_add_loop_test(lease, client_goes, 0, 2);
    tcase_add_test(lease, time_runs_out);
    tcase_add_test(lease, leased_queue_is_not_idle);
    tcase_add_test(lease, taking_without_memory);
    tcase_add_test(lease, returning_without_memory);
    suite_add_tcase(suite, lease);
    return unit_main(suite);
}
