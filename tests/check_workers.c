/* Threads that serve: holding them, asking whether they are alive, sharing memory. */
#include <sched.h>
#include <semaphore.h>
#include <unistd.h>

#include "crew.h"
#include "unit.h"

/* --- holding ----------------------------------------------------------------------------- */

/* A worker's own number, which its thread and the main thread change by turns. */
struct counter {
    struct event *event;
    unsigned value;
};

static struct counter counters[COUNT];
#define ROUNDS 2000

static void on_count(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct counter *counter = context;
    counter->value++;
    evtimer_add(counter->event, &(struct timeval){0});
}

static void start_counters(void)
{
    workers_hold(workers);
    for (unsigned i = 1; i < COUNT; i++) {
        counters[i].value = 0;
        counters[i].event = evtimer_new(workers->items[i]->base, on_count, &counters[i]);
        ck_assert_int_eq(evtimer_add(counters[i].event, &(struct timeval){0}), 0);
    }
    workers_release(workers);
}

static void stop_counters(void)
{
    workers_hold(workers);
    for (unsigned i = 1; i < COUNT; i++)
        event_free(counters[i].event);
    workers_release(workers);
}

/* Nothing that they do is seen, and what is done to them is. */
START_TEST(held_workers_do_nothing)
{
    start_counters();
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned before[COUNT];
        workers_hold(workers);
        for (unsigned i = 1; i < COUNT; i++)
            before[i] = counters[i].value += 1000;
        workers_hold(workers);
        workers_release(workers); /* the outer hold lasts */
        sched_yield();            /* time for who does not park */
        for (unsigned i = 1; i < COUNT; i++)
            ck_assert_uint_eq(counters[i].value, before[i]);
        workers_release(workers);
    }
    stop_counters();
    for (unsigned i = 1; i < COUNT; i++)
        ck_assert_uint_gt(counters[i].value, ROUNDS * 1000);
}
END_TEST

START_TEST(released_workers_go_on)
{
    start_counters();
    for (unsigned round = 0; round < 5; round++) {
        unsigned before[COUNT];
        bool gone_on = false;
        workers_hold(workers);
        for (unsigned i = 1; i < COUNT; i++)
            before[i] = counters[i].value;
        workers_release(workers);
        while (!gone_on) {
            gone_on = true;
            workers_hold(workers);
            for (unsigned i = 1; i < COUNT; i++)
                gone_on = gone_on && counters[i].value > before[i];
            workers_release(workers);
        }
    }
    stop_counters();
}
END_TEST

/* --- whether they are alive ---------------------------------------------------------------- */

static sem_t entered, leave;

static void on_block(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
    sem_post(&entered);
    sem_wait(&leave);
}

START_TEST(a_worker_that_hangs_is_noticed)
{
    sem_init(&entered, 0, 0);
    sem_init(&leave, 0, 0);
    ck_assert(workers_alive(workers));
    while (!workers_alive(workers))
        usleep(1000);
    workers_hold(workers);
    struct event *block = evtimer_new(workers->items[2]->base, on_block, NULL);
    evtimer_add(block, &(struct timeval){0});
    workers_release(workers);
    sem_wait(&entered);
    workers_alive(workers); /* asks; what was asked before it may have answered */
    for (int i = 0; i < 10; i++)
        ck_assert(!workers_alive(workers));
    sem_post(&leave);
    while (!workers_alive(workers))
        usleep(1000);
    workers_hold(workers);
    event_free(block);
    workers_release(workers);
}
END_TEST

/* --- memory ------------------------------------------------------------------------------------
 */

static bool take(unsigned i, uint64_t bytes)
{
    struct budget *memory = &workers->items[i]->memory;
    bool allowed = budget_allows(memory, bytes);
    if (allowed)
        budget_charge(memory, bytes);
    budget_settle(memory);
    return allowed;
}

static void give(unsigned i, uint64_t bytes)
{
    struct budget *memory = &workers->items[i]->memory;
    budget_release(memory, bytes);
    budget_settle(memory);
}

START_TEST(memory_has_one_bound)
{
    workers_hold(workers);
    ck_assert(take(1, 100)); /* without any */
    workers_set_max_memory(workers, 1000);
    ck_assert(take(0, 500));
    ck_assert(!take(2, 401));
    ck_assert(take(2, 400));
    ck_assert(!take(1, 1));
    workers_set_max_memory(workers, 1100);
    ck_assert(take(1, 100));
    workers_set_max_memory(workers, 50); /* far less than is used */
    ck_assert(!take(0, 1));
    give(0, 500);
    ck_assert(!take(0, 1));
    give(1, 200);
    give(2, 360);
    ck_assert(!take(0, 11));
    ck_assert(take(0, 10));
    ck_assert(!take(0, 1));
    workers_set_max_memory(workers, UINT64_MAX);
    ck_assert(take(0, UINT64_C(1) << 60));
    workers_release(workers);
}
END_TEST

/* --- one alone -----------------------------------------------------------------------------------
 */

START_TEST(one_worker_needs_nothing)
{
    struct workers *one = workers_new(1, crew_on_released, NULL);
    ck_assert_ptr_nonnull(one);
    ck_assert_uint_eq(one->running, 0);
    ck_assert_ptr_null(one->woken);
    ck_assert_ptr_null(one->items[0]->thread);
    workers_hold(one);
    workers_release(one);
    ck_assert(workers_alive(one));
    ck_assert(workers_alive(one));
    workers_set_max_memory(one, 1000);
    ck_assert_ptr_null(one->items[0]->memory.pool);
    ck_assert_uint_eq(one->items[0]->memory.limit, 1000);
    workers_free(one);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("workers");
    TCase *tcase = tcase_create("workers");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, crew_begin, crew_end);
    tcase_add_test(tcase, held_workers_do_nothing);
    tcase_add_test(tcase, released_workers_go_on);
    tcase_add_test(tcase, a_worker_that_hangs_is_noticed);
    tcase_add_test(tcase, memory_has_one_bound);
    tcase_add_test(tcase, one_worker_needs_nothing);
    return unit_main(suite);
}
