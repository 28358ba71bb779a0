/* The messages for systemd, received as systemd does. */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fdstore.h"
#include "manager.h"
#include "systemd.h"
#include "unit.h"

START_TEST(to_a_path)
{
    systemd_notify("READY=1\nSTATUS=%s, %d", "serving", 2);
    systemd_notify("STOPPING=1");
    ck_assert_str_eq(manager_message(), "READY=1\nSTATUS=serving, 2");
    ck_assert_str_eq(manager_message(), "STOPPING=1");
    ck_assert_str_eq(manager_message(), "");
}
END_TEST

START_TEST(to_an_abstract_name)
{
    char name[64];
    manager_end();
    snprintf(name, sizeof name, "@cistern-check-%ld", (long)getpid());
    manager_listen_on(name);
    systemd_notify("READY=1");
    ck_assert_str_eq(manager_message(), "READY=1");
}
END_TEST

static unsigned long long microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000;
}

START_TEST(reloading)
{
    unsigned long long said;
    int end = 0;
    unsigned long long before = microseconds();
    systemd_notify_reloading();
    unsigned long long after = microseconds();
    const char *text = manager_message();
    ck_assert_int_eq(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%llu%n", &said, &end), 1);
    ck_assert_uint_ge(said, before);
    ck_assert_uint_le(said, after);
    ck_assert(text[end] == '\n' || text[end] == '\0');
}
END_TEST

/* Names of sockets that are none, and one that nobody listens on. */
START_TEST(to_nobody)
{
    static const char *const names[] = {NULL, "", "relative", "/nowhere/at/all", "vsock:1:2"};
    char longer[300];
    memset(longer, 'x', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    for (size_t i = 0; i <= sizeof names / sizeof names[0]; i++) {
        const char *name = i < sizeof names / sizeof names[0] ? names[i] : longer;
        if (name == NULL)
            unsetenv("NOTIFY_SOCKET");
        else
            setenv("NOTIFY_SOCKET", name, 1);
        systemd_notify("READY=1");
        systemd_notify_reloading();
    }
    ck_assert_str_eq(manager_message(), "");
}
END_TEST

/* --- descriptors -------------------------------------------------------------------- */

static bool same_file(int one, int other)
{
    struct stat a, b;
    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

START_TEST(with_a_descriptor)
{
    int ends[2], received;
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert(systemd_notify_fd(ends[1], "X=%d", 1));
    ck_assert_str_eq(manager_receive(&received), "X=1");
    ck_assert(same_file(received, ends[1]));
    unsetenv("NOTIFY_SOCKET");
    ck_assert(!systemd_notify_fd(ends[1], "X=%d", 2));
}
END_TEST

/* By its size where the manager says it, else by who has started us. */
START_TEST(store_is_offered)
{
    char pid[24];
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    unsetenv("FDSTORE");
    unsetenv("SYSTEMD_EXEC_PID");
    ck_assert(!fdstore_offered());
    setenv("SYSTEMD_EXEC_PID", "1", 1);
    ck_assert(!fdstore_offered());
    setenv("SYSTEMD_EXEC_PID", pid, 1);
    ck_assert(fdstore_offered());
    setenv("FDSTORE", "0", 1);
    ck_assert(!fdstore_offered());
    setenv("FDSTORE", "64", 1);
    unsetenv("SYSTEMD_EXEC_PID");
    ck_assert(fdstore_offered());
    unsetenv("NOTIFY_SOCKET");
    ck_assert(!fdstore_offered());
}
END_TEST

START_TEST(store)
{
    int received, ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    setenv("FDSTORE", "2", 1);
    ck_assert(fdstore_push("queue.jobs", ends[0]));
    ck_assert_str_eq(manager_receive(&received), "FDSTORE=1\nFDNAME=queue.jobs\nFDPOLL=0");
    ck_assert(same_file(received, ends[0]));
    fdstore_remove("queue.jobs");
    ck_assert_str_eq(manager_message(), "FDSTOREREMOVE=1\nFDNAME=queue.jobs");
    setenv("FDSTORE", "0", 1);
    ck_assert(!fdstore_push("queue.jobs", ends[0]));
    fdstore_remove("queue.jobs");
    ck_assert_str_eq(manager_message(), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("systemd");
    TCase *notify = tcase_create("notify");
    tcase_add_checked_fixture(notify, manager_begin, manager_end);
    tcase_add_test(notify, to_a_path);
    tcase_add_test(notify, to_an_abstract_name);
    tcase_add_test(notify, reloading);
    tcase_add_test(notify, to_nobody);
    tcase_add_test(notify, with_a_descriptor);
    tcase_add_test(notify, store_is_offered);
    tcase_add_test(notify, store);
    suite_add_tcase(suite, notify);
    return unit_main(suite);
}
