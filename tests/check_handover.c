/* Sockets on their way to workers, what becomes of them there, and where listeners live. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crew.h"
#include "listener.h"
#include "unit.h"

#define EACH 50
#define PATIENCE 60 /* seconds; only a hang takes so long */

static struct listener *new_listener(const char *name, const char *module)
{
    char text[200], why[PARAMETER_WHY_SIZE];
    struct report report = {0};
    struct factory *factories[COUNT];
    struct terms *terms[COUNT];
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
    for (size_t i = 0; i < COUNT; i++)
        terms[i] = terms_new(wanted->options);
    workers_hold(workers);
    listener_configure(listener, wanted->options, terms, LOG_LEVEL_ERROR, factories);
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
    workers_hand_over(
        &(struct handover){.fd = ends[0], .peer.any.sa_family = AF_UNIX, .shard = shard});
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
        TAILQ_FOREACH(connection, &listener->shards[i].owner.connections, siblings)
        {
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

int main(void)
{
    Suite *suite = suite_create("handover");
    TCase *tcase = tcase_create("handover");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, crew_begin, crew_end);
    tcase_add_test(tcase, sockets_are_served_by_their_shard);
    tcase_add_test(tcase, numbers_of_connections_are_unique);
    tcase_add_test(tcase, a_full_mailbox_says_so);
    tcase_add_test(tcase, who_watches_is_told_of_each_end);
    tcase_add_test(tcase, shared_state_has_one_home);
    return unit_main(suite);
}
