/* Threads that serve: handing over, holding, asking whether they are alive, sharing memory. */
#include "workers.h"

#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener.h"
#include "unit.h"

#define COUNT 3
#define PATIENCE 60 /* seconds; only a hang takes so long */

static struct workers *workers;
static unsigned released;

static void on_released(void *context)
{
    (void)context;
    released++;
}

static void ignore_line(enum log_level level, const char *line, void *context)
{
    (void)level;
    (void)line;
    (void)context;
}

static void begin(void)
{
    log_set_sink(ignore_line, NULL);
    workers = workers_new(COUNT, on_released, NULL);
    ck_assert_ptr_nonnull(workers);
}

static void end(void)
{
    workers_free(workers);
}

/* --- holding ----------------------------------------------------------------------------- */

/* A worker's own number, which its thread and the main thread change by turns. */
struct counter {
    struct event *event;
    unsigned value;
};

static struct counter counters[COUNT];

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
    for (unsigned round = 0; round < 2000; round++) {
        unsigned before[COUNT];
        workers_hold(workers);
        for (unsigned i = 1; i < COUNT; i++)
            before[i] = counters[i].value += 1000;
        workers_hold(workers);
        workers_release(workers); /* the outer hold lasts */
        for (unsigned i = 1; i < COUNT; i++)
            ck_assert_uint_eq(counters[i].value, before[i]);
        workers_release(workers);
    }
    stop_counters();
    for (unsigned i = 1; i < COUNT; i++)
        ck_assert_uint_gt(counters[i].value, 2000 * 1000);
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

/* --- connections ----------------------------------------------------------------------------- */

static struct listener *new_listener(const char *name, const char *module)
{
    char text[200], why[PARAMETER_WHY_SIZE];
    struct report report = {0};
    struct factory *factories[COUNT];
    struct listener *listener = listener_new(workers, name);
    snprintf(text, sizeof text, "listener \"%s\" { listen = \"127.0.0.1:0\" %s {} }", name, module);
    struct config *config = config_parse("test.conf", text, strlen(text), &report);
    ck_assert_ptr_nonnull(listener);
    ck_assert_ptr_nonnull(config);
    const struct config_listener *wanted = &config->listeners[0];
    size_t count = listener_factory_count(workers, wanted->protocol);
    for (size_t i = 0; i < count; i++)
        factories[i] =
            factory_new(wanted->protocol, name, wanted->parameters.block, why, sizeof why);
    workers_hold(workers);
    listener_configure(listener, wanted->options, LOG_LEVEL_ERROR, factories);
    workers_release(workers);
    config_free(config);
    return listener;
}

static void free_listener(struct listener *listener)
{
    workers_hold(workers);
    listener_free(listener);
    workers_release(workers);
}

/* Hands one end to the shard; returns the other. */
static int hand_over(struct shard *shard)
{
    int ends[2];
    const struct timeval patience = {.tv_sec = PATIENCE};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    evutil_make_socket_nonblocking(ends[0]);
    setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ck_assert(workers_can_take(shard->worker));
    workers_hand_over(&(struct handover){
        .fd = ends[0], .peer.any.sa_family = AF_UNIX, .shard = shard});
    return ends[1];
}

static void assert_echoes(int fd)
{
    char byte = 'x';
    ck_assert_int_eq(write(fd, &byte, 1), 1);
    ck_assert_int_eq(read(fd, &byte, 1), 1);
}

static void wait_for_connections(struct listener *listener, uint64_t count)
{
    while (listener_connections(listener) != count)
        event_base_loop(workers->items[0]->base, EVLOOP_NONBLOCK);
}

#define EACH 50

START_TEST(sockets_are_served_by_their_shard)
{
    struct listener *listener = new_listener("echo", "echo");
    int fds[COUNT][EACH];
    for (unsigned i = 1; i < COUNT; i++) {
        for (unsigned j = 0; j < EACH; j++)
            fds[i][j] = hand_over(&listener->shards[i]);
    }
    workers_flush(workers);
    ck_assert_uint_eq(listener_connections(listener), (COUNT - 1) * EACH);
    ck_assert_uint_eq(workers_connections(workers), (COUNT - 1) * EACH);
    workers_hold(workers); /* nothing is on its way now */
    for (unsigned i = 0; i < COUNT; i++)
        ck_assert_uint_eq(listener->shards[i].owner.count, i == 0 ? 0 : EACH);
    workers_release(workers);
    for (unsigned i = 1; i < COUNT; i++) {
        for (unsigned j = 0; j < EACH; j++) {
            assert_echoes(fds[i][j]);
            close(fds[i][j]);
        }
    }
    wait_for_connections(listener, 0);
    ck_assert_uint_eq(workers_connections(workers), 0);
    ck_assert_uint_eq(released, 0); /* nobody has asked to be told */
    free_listener(listener);
}
END_TEST

START_TEST(numbers_of_connections_are_unique)
{
    struct listener *listener = new_listener("echo", "echo");
    bool seen[COUNT * EACH + 1] = {false};
    int fds[COUNT][EACH];
    for (unsigned i = 0; i < COUNT; i++) {
        for (unsigned j = 0; j < EACH; j++)
            fds[i][j] = hand_over(&listener->shards[i]);
    }
    workers_flush(workers);
    workers_hold(workers);
    for (unsigned i = 0; i < COUNT; i++) {
        struct connection *connection;
        TAILQ_FOREACH (connection, &listener->shards[i].owner.connections, siblings) {
            ck_assert_uint_ge(connection->id, 1);
            ck_assert_uint_le(connection->id, COUNT * EACH);
            ck_assert(!seen[connection->id]);
            seen[connection->id] = true;
        }
    }
    listener_abort(listener);
    workers_release(workers);
    wait_for_connections(listener, 0);
    for (unsigned i = 0; i < COUNT; i++) {
        for (unsigned j = 0; j < EACH; j++)
            close(fds[i][j]);
    }
    free_listener(listener);
}
END_TEST

/* Who hands over sees that it is full, and none is lost. */
START_TEST(a_full_mailbox_says_so)
{
    struct listener *listener = new_listener("discard", "discard");
    workers_hold(workers); /* nobody takes anything */
    for (unsigned i = 0; i < MAILBOX_SIZE; i++)
        close(hand_over(&listener->shards[1]));
    ck_assert(!workers_can_take(workers->items[1]));
    ck_assert(workers_can_take(workers->items[2]));
    ck_assert(workers_can_take(workers->items[0]));
    workers_release(workers);
    workers_flush(workers);
    workers_hold(workers);
    ck_assert(workers_can_take(workers->items[1]));
    workers_release(workers);
    wait_for_connections(listener, 0);
    free_listener(listener);
}
END_TEST

START_TEST(who_watches_is_told_of_each_end)
{
    struct listener *listener = new_listener("echo", "echo");
    int fd = hand_over(&listener->shards[2]);
    workers_flush(workers);
    assert_echoes(fd);
    workers_hold(workers);
    workers->watched = true;
    workers_release(workers);
    close(fd);
    while (released == 0)
        event_base_loop(workers->items[0]->base, EVLOOP_ONCE);
    ck_assert_uint_eq(listener_connections(listener), 0);
    free_listener(listener);
}
END_TEST

START_TEST(shared_state_has_one_home)
{
    struct listener *spread = new_listener("spread", "echo");
    struct listener *shared[COUNT];
    bool seen[COUNT] = {false};
    for (unsigned i = 0; i < COUNT; i++) {
        ck_assert_ptr_nonnull(spread->shards[i].factory);
        shared[i] = new_listener("shared", "queue");
    }
    ck_assert_ptr_null(spread->home);
    for (unsigned i = 0; i < COUNT; i++) {
        for (unsigned j = 0; j < COUNT; j++) {
            bool home = shared[i]->home == workers->items[j];
            ck_assert_int_eq(shared[i]->shards[j].factory != NULL, home);
            ck_assert(!home || !seen[j]);
            seen[j] = seen[j] || home;
        }
        ck_assert_uint_eq(shared[i]->home->homes, 1);
    }
    for (unsigned i = 0; i < COUNT; i++)
        free_listener(shared[i]);
    for (unsigned i = 0; i < COUNT; i++)
        ck_assert_uint_eq(workers->items[i]->homes, 0);
    free_listener(spread);
}
END_TEST

/* --- memory ------------------------------------------------------------------------------------ */

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

/* --- one alone ----------------------------------------------------------------------------------- */

START_TEST(one_worker_needs_nothing)
{
    struct workers *one = workers_new(1, on_released, NULL);
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
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, held_workers_do_nothing);
    tcase_add_test(tcase, released_workers_go_on);
    tcase_add_test(tcase, a_worker_that_hangs_is_noticed);
    tcase_add_test(tcase, sockets_are_served_by_their_shard);
    tcase_add_test(tcase, numbers_of_connections_are_unique);
    tcase_add_test(tcase, a_full_mailbox_says_so);
    tcase_add_test(tcase, who_watches_is_told_of_each_end);
    tcase_add_test(tcase, shared_state_has_one_home);
    tcase_add_test(tcase, memory_has_one_bound);
    tcase_add_test(tcase, one_worker_needs_nothing);
    return unit_main(suite);
}
