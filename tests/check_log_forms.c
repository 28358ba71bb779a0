/* What goes to the journal, and what JSON looks like. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "unit.h"

static char directory[] = "/tmp/cistern-XXXXXX";
static char path[sizeof directory + 10];
static int journal = -1;
static int reader = -1; /* of stderr */

static void open_journal(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(journal, (const struct sockaddr *)&address, sizeof address), 0);
}

/* stderr is a pipe, which keeps apart what was written apart, and said to be the journal. */
static void setup(void)
{
    struct stat status;
    char stream[64];
    int ends[2];
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/journal", directory);
    ck_assert_int_eq(pipe2(ends, O_DIRECT | O_NONBLOCK | O_CLOEXEC), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    reader = ends[0];
    ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
}

static void teardown(void)
{
    unlink(path);
    rmdir(directory);
}

static const char *next(int fd)
{
    static char text[8192];
    ssize_t length = read(fd, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = '\0';
    return text;
}

static const struct log_number numbers[] = {{"bytes_sent", 7}, {"duration_ms", 0}, {0}};
static const struct log_context full = {
    .listener = "jobs",
    .peer = "127.0.0.1:4711",
    .connection = 18446744073709551615U,
    .generation = 3,
    .event = LOG_EVENT_CLOSED,
    .numbers = numbers,
};

/* --- the journal ------------------------------------------------------------------------ */

START_TEST(entries)
{
    open_journal();
    log_init(path);
    log_about(&full, LOG_LEVEL_WARNING, "it is %s", "a\nb=c");
    ck_assert_str_eq(next(journal), "MESSAGE=jobs: 127.0.0.1:4711: it is a?b=c\n"
                                    "PRIORITY=4\n"
                                    "SYSLOG_IDENTIFIER=cisternd\n"
                                    "MESSAGE_ID=1415c6aa9865446c9d6165fb712465af\n"
                                    "CISTERN_LISTENER=jobs\n"
                                    "CISTERN_PEER=127.0.0.1:4711\n"
                                    "CISTERN_CONN=18446744073709551615\n"
                                    "CISTERN_GENERATION=3\n"
                                    "CISTERN_BYTES_SENT=7\n"
                                    "CISTERN_DURATION_MS=0\n");
    log_error("plain");
    ck_assert_str_eq(next(journal), "MESSAGE=plain\nPRIORITY=3\nSYSLOG_IDENTIFIER=cisternd\n");
    ck_assert_str_eq(next(reader), "");
}
END_TEST

/* When it is away lines go to stderr, and entries again when it is back. */
START_TEST(journal_comes_and_goes)
{
    log_init(path);
    log_error("one");
    ck_assert_str_eq(next(reader), "<3>one\n");
    open_journal();
    log_error("two");
    ck_assert_str_eq(next(reader), "");
    ck_assert_ptr_nonnull(strstr(next(journal), "MESSAGE=two\n"));
    close(journal);
    log_error("three");
    ck_assert_str_eq(next(reader), "<3>three\n");
    unlink(path);
    open_journal();
    log_error("four");
    ck_assert_ptr_nonnull(strstr(next(journal), "MESSAGE=four\n"));
}
END_TEST

START_TEST(text_and_json_for_the_journal_too)
{
    open_journal();
    log_init(path);
    log_set_format(LOG_FORMAT_TEXT);
    log_error("one");
    ck_assert_str_eq(next(reader), "<3>one\n");
    log_set_format(LOG_FORMAT_JSON);
    log_error("two");
    ck_assert_int_eq(strncmp(next(reader), "<3>{\"time\":\"", 12), 0);
    ck_assert_str_eq(next(journal), "");
}
END_TEST

/* Every event has a name and an id, and shares it with no other. */
START_TEST(ids)
{
    char seen[LOG_EVENTS][40];
    open_journal();
    log_init(path);
    for (int i = LOG_EVENT_NONE + 1; i < LOG_EVENTS; i++) {
        log_event((enum log_event)i, LOG_LEVEL_ERROR, "x");
        const char *id = strstr(next(journal), "\nMESSAGE_ID=");
        ck_assert_ptr_nonnull(id);
        ck_assert_int_eq(sscanf(id, "\nMESSAGE_ID=%39[0-9a-f]\n", seen[i]), 1);
        ck_assert_uint_eq(strlen(seen[i]), 32);
        for (int j = LOG_EVENT_NONE + 1; j < i; j++)
            ck_assert_str_ne(seen[i], seen[j]);
    }
}
END_TEST

/* --- JSON ------------------------------------------------------------------------------- */

/* The object without its time, which is as long on every day. */
static const char *untimed(const char *line)
{
    static const char shape[] = "{\"time\":\"0000-00-00T00:00:00.000Z\"";
    for (size_t i = 0; shape[i] != '\0'; i++)
        ck_assert_msg(shape[i] == line[i] || (shape[i] == '0' && line[i] >= '0' && line[i] <= '9'),
                      "%s", line);
    return line + sizeof shape - 1;
}

static void setup_json(void)
{
    setup();
    unsetenv("JOURNAL_STREAM");
    log_init(NULL);
    log_set_format(LOG_FORMAT_JSON);
}

START_TEST(objects)
{
    log_about(&full, LOG_LEVEL_NOTICE, "it is %s", "so");
    ck_assert_str_eq(untimed(next(reader)),
                     ",\"level\":\"notice\",\"event\":\"closed\",\"listener\":\"jobs\","
                     "\"peer\":\"127.0.0.1:4711\",\"connection\":18446744073709551615,"
                     "\"generation\":3,\"bytes_sent\":7,\"duration_ms\":0,"
                     "\"message\":\"it is so\"}\n");
    log_error("plain");
    ck_assert_str_eq(untimed(next(reader)), ",\"level\":\"error\",\"message\":\"plain\"}\n");
}
END_TEST

#define BAD "\xef\xbf\xbd"
static const struct {
    const char *text;
    const char *written;
} strings[] = {
    {"", ""},
    {"\"", "\\\""},
    {"a\\b", "a\\\\b"},
    {"a\nb\x7f\x01", "a?b??"},
    {"/", "/"},
    {"h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"\x80", BAD},
    {"\xc0\xaf", BAD BAD},
    {"\xc3", BAD},
    {"\xc3\"", BAD "\\\""},
    {"\xe2\x82", BAD BAD},
    {"\xe0\x80\x80", BAD BAD BAD},
    {"\xed\xa0\x80", BAD BAD BAD},
    {"\xf4\x90\x80\x80", BAD BAD BAD BAD},
    {"\xf5x", BAD "x"},
    {"\xff", BAD},
};

START_TEST(strings_are_escaped)
{
    char expected[200];
    log_error("%s", strings[_i].text);
    snprintf(expected, sizeof expected, ",\"level\":\"error\",\"message\":\"%s\"}\n",
             strings[_i].written);
    ck_assert_str_eq(untimed(next(reader)), expected);
}
END_TEST

/* A line of nothing but bytes that take three each is whole. */
START_TEST(longest_line)
{
    char text[2 * LOG_LINE_SIZE];
    memset(text, 0xff, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_about(&full, LOG_LEVEL_ERROR, "%s", text);
    const char *line = next(reader);
    ck_assert_str_eq(line + strlen(line) - 6, "...\"}\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_forms");
    TCase *entry = tcase_create("journal");
    tcase_add_checked_fixture(entry, setup, teardown);
    tcase_add_test(entry, entries);
    tcase_add_test(entry, journal_comes_and_goes);
    tcase_add_test(entry, text_and_json_for_the_journal_too);
    tcase_add_test(entry, ids);
    suite_add_tcase(suite, entry);
    TCase *json = tcase_create("json");
    tcase_add_checked_fixture(json, setup_json, teardown);
    tcase_add_test(json, objects);
    tcase_add_loop_test(json, strings_are_escaped, 0, sizeof strings / sizeof strings[0]);
    tcase_add_test(json, longest_line);
    suite_add_tcase(suite, json);
    return unit_main(suite);
}
