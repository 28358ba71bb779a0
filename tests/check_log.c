/* The log: which lines come, in what form, and that no client can forge one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "log.h"
#include "unit.h"

/* Where no journal listens. */
#define NO_JOURNAL "/nowhere/at/all"

static struct {
    enum log_level level;
    char line[2 * LOG_LINE_SIZE];
    size_t count;
} heard;

static void hear(enum log_level level, const char *line, void *context)
{
    ck_assert_ptr_eq(context, &heard);
    ck_assert_uint_lt(strlen(line), sizeof heard.line);
    heard.level = level;
    strcpy(heard.line, line);
    heard.count++;
}

static void setup(void)
{
    log_set_sink(hear, &heard);
}

/* --- what comes -------------------------------------------------------------------------- */

START_TEST(levels)
{
    ck_assert_int_eq(log_get_level(), LOG_LEVEL_INFO);
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
        log_set_level((enum log_level)level);
        ck_assert_int_eq((int)log_get_level(), level);
        for (int line = LOG_LEVEL_ERROR; line <= LOG_LEVEL_DEBUG; line++) {
            heard.count = 0;
            log_line((enum log_level)line, "level %d", line);
            ck_assert_uint_eq(heard.count, line <= level);
            if (heard.count > 0)
                ck_assert_int_eq((int)heard.level, line);
        }
    }
}
END_TEST

/* A listener's level holds for its lines, whatever the process's is. */
START_TEST(level_of_a_listener)
{
    log_set_level(LOG_LEVEL_ERROR);
    log_about(&(struct log_context){.threshold = LOG_LEVEL_DEBUG}, LOG_LEVEL_DEBUG, "one %s",
              "line");
    ck_assert_uint_eq(heard.count, 1);
    ck_assert_str_eq(heard.line, "one line");
    log_set_level(LOG_LEVEL_DEBUG);
    log_about(&(struct log_context){.threshold = LOG_LEVEL_ERROR}, LOG_LEVEL_WARNING, "no line");
    ck_assert_uint_eq(heard.count, 1);
}
END_TEST

START_TEST(shorthands)
{
    log_set_level(LOG_LEVEL_DEBUG);
    log_error("%d", 3);
    ck_assert_int_eq(heard.level, LOG_LEVEL_ERROR);
    log_warning("%d", 4);
    ck_assert_int_eq(heard.level, LOG_LEVEL_WARNING);
    log_notice("%d", 5);
    ck_assert_int_eq(heard.level, LOG_LEVEL_NOTICE);
    log_info("%d", 6);
    ck_assert_int_eq(heard.level, LOG_LEVEL_INFO);
    log_debug("%d", 7);
    ck_assert_int_eq(heard.level, LOG_LEVEL_DEBUG);
    ck_assert_str_eq(heard.line, "7");
    ck_assert_uint_eq(heard.count, 5);
}
END_TEST

START_TEST(no_control_bytes)
{
    char text[257] = "", expected[257] = "";
    for (int c = 1; c < 256; c++) {
        text[c - 1] = (char)c;
        expected[c - 1] = c < ' ' || c == 0x7f ? '?' : (char)c;
    }
    log_error("%s", text);
    ck_assert_str_eq(heard.line, expected);
}
END_TEST

START_TEST(long_lines)
{
    char text[2 * LOG_LINE_SIZE];
    memset(text, 'x', sizeof text);
    text[LOG_LINE_SIZE - 1] = '\0';
    log_error("%s", text);
    ck_assert_str_eq(heard.line, text);
    text[LOG_LINE_SIZE - 1] = 'x';
    text[sizeof text - 1] = '\0';
    log_error("%s", text);
    ck_assert_uint_eq(strlen(heard.line), LOG_LINE_SIZE - 1);
    ck_assert_str_eq(heard.line + LOG_LINE_SIZE - 1 - 5, "xx...");
}
END_TEST

START_TEST(errno_is_kept)
{
    errno = EXDEV;
    log_error("%s", "x");
    ck_assert_int_eq(errno, EXDEV);
    log_set_sink(NULL, NULL);
    close(STDERR_FILENO);
    errno = EXDEV;
    log_error("%s", "nobody hears this");
    ck_assert_int_eq(errno, EXDEV);
}
END_TEST

static void run_base_again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    event_base_loop(context, EVLOOP_NONBLOCK);
}

/* libevent's own complaint about a loop within a loop. */
START_TEST(messages_of_libevent)
{
    log_init(NO_JOURNAL);
    struct event_base *base = event_base_new();
    ck_assert_ptr_nonnull(base);
    event_base_once(base, -1, EV_TIMEOUT, run_base_again, base, &(struct timeval){0});
    event_base_loop(base, EVLOOP_ONCE);
    ck_assert_uint_eq(heard.count, 1);
    ck_assert_int_eq(heard.level, LOG_LEVEL_WARNING);
    ck_assert_ptr_eq(strstr(heard.line, "libevent: "), heard.line);
    event_base_free(base);
}
END_TEST

/* --- its form on stderr
 * --------------------------------------------------------------------------- */

/* A pipe that keeps apart what was written apart. */
static int catch_stderr(void)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_DIRECT | O_NONBLOCK | O_CLOEXEC), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    log_set_sink(NULL, NULL);
    return ends[0];
}

static void expect_line(int fd, char *line, size_t size)
{
    ssize_t length = read(fd, line, size - 1);
    ck_assert_int_gt(length, 0);
    line[length] = '\0';
}

/* Says that some open file is the journal. */
static void set_journal(const struct stat *status)
{
    char stream[64];
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status->st_dev,
             (unsigned long long)status->st_ino);
    ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
}

START_TEST(priority_for_the_journal)
{
    static const char *const expected[] = {"<3>it is 3\n", "<4>it is 4\n", "<5>it is 5\n",
                                           "<6>it is 6\n", "<7>it is 7\n"};
    char line[100];
    struct stat status;
    int fd = catch_stderr();
    ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
    set_journal(&status);
    log_init(NO_JOURNAL);
    log_set_level(LOG_LEVEL_DEBUG);
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
        log_line((enum log_level)level, "it is %d", level);
    for (int i = 0; i < 5; i++) {
        expect_line(fd, line, sizeof line);
        ck_assert_str_eq(line, expected[i]);
    }
    ck_assert_int_lt(read(fd, line, sizeof line), 0);
}
END_TEST

/* By the log's own clock: that of time() may be a tick behind it. */
static time_t seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

/* Elsewhere, also when JOURNAL_STREAM was inherited and speaks of another file. */
START_TEST(timestamp_elsewhere)
{
    char line[100];
    struct stat status;
    struct tm parsed = {0};
    int fd = catch_stderr();
    ck_assert_int_eq(fstat(fd, &status), 0);
    status.st_ino++;
    if (_i == 0)
        unsetenv("JOURNAL_STREAM");
    else if (_i == 1)
        set_journal(&status);
    else
        setenv("JOURNAL_STREAM", "nonsense", 1);
    log_init(NO_JOURNAL);
    time_t before = seconds();
    log_warning("it %s", "came\nback");
    time_t after = seconds();
    expect_line(fd, line, sizeof line);
    char *rest = strptime(line, "%Y-%m-%dT%H:%M:%S", &parsed);
    ck_assert_msg(rest != NULL && rest[0] == '.', "%s", line);
    ck_assert_uint_eq(strspn(rest + 1, "0123456789"), 3);
    rest = strptime(rest + 4, "%z", &parsed);
    ck_assert_msg(rest != NULL, "%s", line);
    ck_assert_str_eq(rest, " warning: it came?back\n");
    long zone = parsed.tm_gmtoff;
    time_t said = timegm(&parsed) - zone;
    ck_assert_int_ge(said, before);
    ck_assert_int_le(said, after);
}
END_TEST

/* A reader who does not keep up loses lines; the daemon does not wait for him. */
START_TEST(full_pipe)
{
    char line[2 * LOG_LINE_SIZE];
    int fd = catch_stderr();
    for (int i = 0; i < 100000; i++)
        log_error("line %d", i);
    expect_line(fd, line, sizeof line);
    ck_assert_ptr_nonnull(strstr(line, "line 0\n"));
}
END_TEST

/* --- the limit
 * ---------------------------------------------------------------------------------------- */

START_TEST(limit_lets_one_a_minute_pass)
{
    struct log_limit limit = {0};
    unsigned long held_back = 99;
    ck_assert(log_limit_pass(&limit, 5000, &held_back));
    ck_assert_uint_eq(held_back, 0);
    for (uint64_t now = 5000; now < 65000; now += 1000)
        ck_assert(!log_limit_pass(&limit, now, &held_back));
    ck_assert(log_limit_pass(&limit, 65000, &held_back));
    ck_assert_uint_eq(held_back, 60);
    ck_assert(!log_limit_pass(&limit, 65000, &held_back));
    ck_assert(log_limit_pass(&limit, 1000000, &held_back));
    ck_assert_uint_eq(held_back, 1);
    ck_assert(log_limit_pass(&limit, 2000000, &held_back));
    ck_assert_uint_eq(held_back, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *lines = tcase_create("lines");
    tcase_add_checked_fixture(lines, setup, NULL);
    tcase_add_test(lines, levels);
    tcase_add_test(lines, level_of_a_listener);
    tcase_add_test(lines, shorthands);
    tcase_add_test(lines, no_control_bytes);
    tcase_add_test(lines, long_lines);
    tcase_add_test(lines, errno_is_kept);
    tcase_add_test(lines, messages_of_libevent);
    suite_add_tcase(suite, lines);
    TCase *form = tcase_create("form");
    tcase_add_test(form, priority_for_the_journal);
    tcase_add_loop_test(form, timestamp_elsewhere, 0, 3);
    tcase_add_test(form, full_pipe);
    suite_add_tcase(suite, form);
    TCase *limit = tcase_create("limit");
    tcase_add_test(limit, limit_lets_one_a_minute_pass);
    suite_add_tcase(suite, limit);
    return unit_main(suite);
}
