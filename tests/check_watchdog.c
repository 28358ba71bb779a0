/* The watchdog is fed by the loop that works, and only if all of the process does. */
#include <event2/event.h>

#include "log.h"
#include "manager.h"
#include "unit.h"
#include "watchdog.h"

static struct event_base *base;

static void ignore_line(enum log_level level, const char *line, void *context)
{
    (void)line;
    *(unsigned *)context += level == LOG_LEVEL_WARNING;
}

static unsigned warnings;

static void setup(void)
{
    manager_begin();
    log_set_sink(ignore_line, &warnings);
    base = event_base_new();
    ck_assert_ptr_nonnull(base);
    unsetenv("WATCHDOG_PID");
}

static void teardown(void)
{
    event_base_free(base);
    manager_end();
}

static void set_pid(long pid)
{
    char text[24];
    snprintf(text, sizeof text, "%ld", pid);
    setenv("WATCHDOG_PID", text, 1);
}

START_TEST(fed_by_the_loop)
{
    setenv("WATCHDOG_USEC", "3000", 1);
    set_pid((long)getpid());
    struct watchdog *watchdog = watchdog_new(base, NULL, NULL);
    ck_assert_ptr_nonnull(watchdog);
    ck_assert_uint_eq(warnings, 1); /* it is so short */
    ck_assert_str_eq(manager_message(), "");
    for (int i = 0; i < 3; i++) {
        event_base_loop(base, EVLOOP_ONCE);
        ck_assert_str_eq(manager_message(), "WATCHDOG=1");
        ck_assert_str_eq(manager_message(), "");
    }
    watchdog_free(watchdog);
}
END_TEST

/* The third of it is when the first message comes. */
START_TEST(interval)
{
    setenv("WATCHDOG_USEC", "3600000000", 1);
    struct watchdog *watchdog = watchdog_new(base, NULL, NULL);
    ck_assert_ptr_nonnull(watchdog);
    ck_assert_uint_eq(warnings, 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    ck_assert_str_eq(manager_message(), "");
    watchdog_feed(watchdog);
    ck_assert_str_eq(manager_message(), "WATCHDOG=1");
    watchdog_free(watchdog);
}
END_TEST

static bool is_alive(void *context)
{
    return *(bool *)context;
}

START_TEST(starves_when_somebody_hangs)
{
    bool alive = false;
    setenv("WATCHDOG_USEC", "3000", 1);
    struct watchdog *watchdog = watchdog_new(base, is_alive, &alive);
    for (int i = 0; i < 3; i++)
        event_base_loop(base, EVLOOP_ONCE);
    watchdog_feed(watchdog);
    ck_assert_str_eq(manager_message(), "");
    alive = true;
    event_base_loop(base, EVLOOP_ONCE);
    ck_assert_str_eq(manager_message(), "WATCHDOG=1");
    watchdog_free(watchdog);
}
END_TEST

START_TEST(not_wanted)
{
    static const char *const intervals[] = {NULL, "", "0", "x"};
    for (size_t i = 0; i < sizeof intervals / sizeof intervals[0]; i++) {
        unsetenv("WATCHDOG_USEC");
        if (intervals[i] != NULL)
            setenv("WATCHDOG_USEC", intervals[i], 1);
        ck_assert_ptr_null(watchdog_new(base, NULL, NULL));
    }
    setenv("WATCHDOG_USEC", "3000000", 1);
    set_pid((long)getpid() + 1);
    ck_assert_ptr_null(watchdog_new(base, NULL, NULL));
    watchdog_feed(NULL);
    watchdog_free(NULL);
    ck_assert_str_eq(manager_message(), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watchdog");
    TCase *tcase = tcase_create("watchdog");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, fed_by_the_loop);
    tcase_add_test(tcase, interval);
    tcase_add_test(tcase, starves_when_somebody_hangs);
    tcase_add_test(tcase, not_wanted);
    return unit_main(suite);
}
