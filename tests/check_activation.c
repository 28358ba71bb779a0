/* Descriptors that the service manager passes: whose they are, and what becomes of them. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "activation.h"
#include "log.h"
#include "manager.h"
#include "passing.h"
#include "unit.h"

static int sockets[PASSING_MAX];

/* Listening sockets that are known apart by their addresses, above those that are passed. */
static void setup(void)
{
    char name[64];
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "@cistern-check-%ld-%d", (long)getpid(), i);
        int fd = passing_socket(name, false);
        sockets[i] = fcntl(fd, F_DUPFD_CLOEXEC, 200);
        ck_assert_int_ge(sockets[i], 200);
        close(fd);
    }
}

static void teardown(void)
{
    for (int i = 0; i < 4; i++)
        close(sockets[i]);
}

static bool same_address(int one, int other)
{
    struct sockaddr_un a = {0}, b = {0};
    socklen_t a_length = sizeof a, b_length = sizeof b;
    return getsockname(one, (struct sockaddr *)&a, &a_length) == 0 &&
           getsockname(other, (struct sockaddr *)&b, &b_length) == 0 && a_length == b_length &&
           memcmp(&a, &b, a_length) == 0;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static struct activation *must_begin(void)
{
    struct activation *activation = activation_new();
    EXPECT(activation != NULL);
    EXPECT(getenv("LISTEN_FDS") == NULL && getenv("LISTEN_PID") == NULL &&
           getenv("LISTEN_FDNAMES") == NULL);
    return activation;
}

/* --- sockets of units ---------------------------------------------------------------- */

static void copies_by_name(void)
{
    struct activation *activation = must_begin();
    for (int fd = 3; fd < 6; fd++)
        EXPECT((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    int a0 = activation_copy(activation, "a", 0), a1 = activation_copy(activation, "a", 1);
    int b0 = activation_copy(activation, "b", 0);
    EXPECT(same_address(a0, sockets[0]) && same_address(a1, sockets[2]));
    EXPECT(same_address(b0, sockets[1]));
    EXPECT((fcntl(a0, F_GETFD) & FD_CLOEXEC) != 0 && a0 > 5);
    EXPECT(activation_copy(activation, "a", 2) == -1 && errno == ENOENT);
    EXPECT(activation_copy(activation, "c", 0) == -1 && errno == ENOENT);
    /* A reload drops it, and the next one wants it back. */
    close(a0);
    activation_settle(activation);
    int again = activation_copy(activation, "a", 0);
    EXPECT(same_address(again, sockets[0]));
    activation_free(activation);
    EXPECT(!is_open(3) && !is_open(4) && !is_open(5) && is_open(again));
}

/* Names repeat, and their order is nobody's. */
START_TEST(sockets_of_a_name)
{
    pass(sockets, 3, "a:b:a", copies_by_name);
}
END_TEST

static unsigned warnings;

static void count_warnings(enum log_level level, const char *line, void *context)
{
    (void)context;
    EXPECT(level != LOG_LEVEL_WARNING || strstr(line, "\"b\" (descriptor 4)") != NULL);
    warnings += level == LOG_LEVEL_WARNING;
}

static void settles(void)
{
    struct activation *activation = must_begin();
    log_set_sink(count_warnings, NULL);
    close(activation_copy(activation, "a", 0));
    activation_settle(activation);
    EXPECT(warnings == 1);
    EXPECT(is_open(3) && !is_open(4));
    EXPECT(activation_copy(activation, "b", 0) == -1);
    activation_free(activation);
}

START_TEST(what_nobody_claims_is_closed)
{
    pass(sockets, 2, "a:b", settles);
}
END_TEST

static void has_no_names(void)
{
    struct activation *activation = must_begin();
    int fd = activation_copy(activation, "a", 0);
    EXPECT(same_address(fd, sockets[0]));
    EXPECT(same_address(activation_copy(activation, "", 1), sockets[2]));
    EXPECT(activation_copy(activation, "", 2) == -1);
    activation_free(activation);
}

START_TEST(fewer_names_than_descriptors)
{
    pass(sockets, 3, "a:", has_no_names);
}
END_TEST

static const struct {
    const char *pid; /* NULL: the child's own */
    const char *fds;
} strange[] = {{"1", "1"}, {"", "1"}, {NULL, ""}, {NULL, "-1"}, {NULL, "x"}, {NULL, "99999999"}};
static int strange_index;

static void ignore_line(enum log_level level, const char *line, void *context)
{
    (void)level;
    (void)line;
    (void)context;
}

static void is_empty(void)
{
    log_set_sink(ignore_line, NULL);
    if (strange[strange_index].pid != NULL)
        setenv("LISTEN_PID", strange[strange_index].pid, 1);
    setenv("LISTEN_FDS", strange[strange_index].fds, 1);
    struct activation *activation = must_begin();
    EXPECT(activation_copy(activation, "a", 0) == -1 && errno == ENOENT);
    activation_free(activation);
    EXPECT(is_open(3));
}

/* The variables are inherited by who is not meant. */
START_TEST(what_is_for_another_process_is_left_alone)
{
    strange_index = _i;
    pass(sockets, 1, "a", is_empty);
}
END_TEST

static void has_a_gap(void)
{
    log_set_sink(ignore_line, NULL);
    setenv("LISTEN_FDS", "3", 1);
    struct activation *activation = must_begin();
    EXPECT(activation_copy(activation, "c", 0) == -1);
    EXPECT(activation_copy(activation, "a", 0) >= 0);
    activation_settle(activation);
    activation_free(activation);
}

START_TEST(descriptors_that_are_not_there)
{
    pass(sockets, 1, "a:b:c", has_a_gap);
}
END_TEST

/* --- what was stored ------------------------------------------------------------------- */

static int take_bound(struct activation *activation, const char *name, int like)
{
    struct sockaddr_un address = {0};
    socklen_t length = sizeof address;
    EXPECT(getsockname(like, (struct sockaddr *)&address, &length) == 0);
    return activation_take_bound(activation, name, (const struct sockaddr *)&address, length);
}

static void takes_stored(void)
{
    struct activation *activation = must_begin();
    EXPECT(take_bound(activation, NULL, sockets[0]) == -1); /* a unit's */
    EXPECT(take_bound(activation, "listener.3", sockets[1]) == -1);
    EXPECT(take_bound(activation, "listener.2", sockets[1]) == 4);
    EXPECT(take_bound(activation, NULL, sockets[1]) == -1);
    EXPECT(take_bound(activation, NULL, sockets[2]) == 5);
    EXPECT(activation_take(activation, "a") == -1);
    EXPECT(activation_take(activation, "queue.x") == 6);
    EXPECT(activation_take(activation, "queue.x") == -1);
    activation_free(activation);
    EXPECT(is_open(4) && is_open(5) && is_open(6) && !is_open(3));
    EXPECT(activation_take(NULL, "queue.x") == -1);
}

START_TEST(stored_descriptors_are_handed_over)
{
    pass(sockets, 4, "a:listener.2:listener.3:queue.x", takes_stored);
}
END_TEST

static void forgets_stored(void)
{
    int none;
    char pid[24];
    log_set_sink(ignore_line, NULL);
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    setenv("SYSTEMD_EXEC_PID", pid, 1);
    struct activation *activation = must_begin();
    int taken = take_bound(activation, NULL, sockets[0]);
    EXPECT(taken == 3);
    activation_settle(activation);
    EXPECT(strcmp(manager_receive(&none), "FDSTOREREMOVE=1\nFDNAME=listener.2") == 0);
    EXPECT(strcmp(manager_receive(&none), "") == 0);
    EXPECT(!is_open(4) && is_open(5));
    EXPECT(activation_find(activation, "queue.x") == 5);
    EXPECT(strcmp(activation_name(activation, 0), "queue.x") == 0);
    EXPECT(activation_name(activation, 1) == NULL);
    activation_free(activation);
}

START_TEST(what_is_not_taken_leaves_the_store)
{
    manager_begin();
    pass(sockets, 3, "listener.1:listener.2:queue.x", forgets_stored);
    manager_end();
}
END_TEST

/* Not bound like it, and not listening. */
static void takes_no_other(void)
{
    struct activation *activation = must_begin();
    EXPECT(take_bound(activation, NULL, sockets[1]) == -1);
    EXPECT(take_bound(activation, NULL, 4) == -1);
    activation_free(activation);
}

START_TEST(only_listening_sockets_are_taken_by_address)
{
    char name[64];
    snprintf(name, sizeof name, "@cistern-check-%ld-idle", (long)getpid());
    int fds[] = {sockets[0], passing_socket(name, true)};
    pass(fds, 2, "listener.1:listener.2", takes_no_other);
    close(fds[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("activation");
    TCase *tcase = tcase_create("activation");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, sockets_of_a_name);
    tcase_add_test(tcase, what_nobody_claims_is_closed);
    tcase_add_test(tcase, fewer_names_than_descriptors);
    tcase_add_loop_test(tcase, what_is_for_another_process_is_left_alone, 0,
                        sizeof strange / sizeof strange[0]);
    tcase_add_test(tcase, descriptors_that_are_not_there);
    tcase_add_test(tcase, stored_descriptors_are_handed_over);
    tcase_add_test(tcase, what_is_not_taken_leaves_the_store);
    tcase_add_test(tcase, only_listening_sockets_are_taken_by_address);
    return unit_main(suite);
}
