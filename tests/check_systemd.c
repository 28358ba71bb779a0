/* The messages for systemd, received as systemd does. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "systemd.h"
#include "unit.h"

static char directory[] = "/tmp/cistern-XXXXXX";
static struct sockaddr_un address;
static int manager = -1;

/* Listens as the service manager: on a path, or with '@' in the abstract name space. */
static void listen_on(const char *name)
{
    size_t length = strlen(name);
    address = (struct sockaddr_un){.sun_family = AF_UNIX};
    ck_assert_uint_lt(length, sizeof address.sun_path);
    memcpy(address.sun_path, name, length);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(manager, 0);
    ck_assert_int_eq(bind(manager, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
                     0);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static void setup(void)
{
    char path[sizeof directory + 10];
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/notify", directory);
    listen_on(path);
}

static void teardown(void)
{
    if (address.sun_path[0] != '\0')
        unlink(address.sun_path);
    rmdir(directory);
    close(manager);
}

/* The next message, "" if none has come. */
static const char *message(void)
{
    static char text[2048];
    ssize_t length = recv(manager, text, sizeof text - 1, 0);
    text[length < 0 ? 0 : length] = '\0';
    return text;
}

START_TEST(to_a_path)
{
    systemd_notify("READY=1\nSTATUS=%s, %d", "serving", 2);
    systemd_notify("STOPPING=1");
    ck_assert_str_eq(message(), "READY=1\nSTATUS=serving, 2");
    ck_assert_str_eq(message(), "STOPPING=1");
    ck_assert_str_eq(message(), "");
}
END_TEST

START_TEST(to_an_abstract_name)
{
    char name[64];
    teardown();
    snprintf(name, sizeof name, "@cistern-check-%ld", (long)getpid());
    listen_on(name);
    systemd_notify("READY=1");
    ck_assert_str_eq(message(), "READY=1");
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
    const char *text = message();
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
    ck_assert_str_eq(message(), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("systemd");
    TCase *notify = tcase_create("notify");
    tcase_add_checked_fixture(notify, setup, teardown);
    tcase_add_test(notify, to_a_path);
    tcase_add_test(notify, to_an_abstract_name);
    tcase_add_test(notify, reloading);
    tcase_add_test(notify, to_nobody);
    suite_add_tcase(suite, notify);
    return unit_main(suite);
}
