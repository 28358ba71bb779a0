#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

/* The beginning of a listener that lacks only its protocol, and the last brace. */
#define LISTENER "listener \"a\" {\n listen = \"127.0.0.1:7\"\n"

static struct report report;

/* Of a text that has to be right. */
static struct config *parsed(const char *text)
{
    struct config *config = config_parse("test.conf", text, strlen(text), &report);
    ck_assert_msg(config != NULL, "%s\n%s", text, report.lines[0]);
    ck_assert_uint_eq(report.count, 0);
    return config;
}

/* --- what is right --------------------------------------------------------- */

START_TEST(unset_options_have_the_defaults_of_their_rows)
{
    struct config *config = parsed("listener \"a\" { listen = { \"127.0.0.1:7\" } echo { } }");
    const struct config_listener *listener = config_find_listener(config, "a");
    struct listener_options listener_defaults = {0};
    struct global_options defaults = {0};

    ck_assert(parameters_init(config_global_rows, &defaults));
    ck_assert(parameters_init(config_listener_rows, &listener_defaults));
    ck_assert(parameters_equal(config_global_rows, config->options, &defaults));
    for (const struct parameter *row = config_listener_rows + 1; row->name != NULL; row++)
        ck_assert(parameter_equal(row, listener->options, &listener_defaults));

    ck_assert_ptr_eq(listener->options, listener->generic.block);
    ck_assert_ptr_eq(listener->protocol, protocol_find("echo"));
    ck_assert_ptr_eq(listener->parameters.rows, listener->protocol->parameters);
    ck_assert_uint_eq(config->generic.lines[0], 0);
    ck_assert_uint_eq(listener->generic.lines[0], 1);
    ck_assert_uint_eq(listener->generic.lines[1], 0);
    config_free(config);
}
END_TEST

START_TEST(what_the_file_says_counts)
{
    struct config *config = parsed("log_level = debug\n"
                                   "drain_timeout = forever\n"
                                   "max_connections = 17\n"
                                   "listener \"a\" {\n"
                                   "  listen = { \"127.0.0.1:7\", # with a comment\n"
                                   "             \"[0::1]:7\", }\n"
                                   "  backlog = 5 idle_timeout = 90s\n"
                                   "  keepalive = no nodelay = off log_level = error\n"
                                   "  max_connections = 3\n"
                                   "  discard { }\n"
                                   "}\n"
                                   "listener \"B.2-c_d\" {\n"
                                   "  discard { }\n"
                                   "  listen = \"unix:/run/${CISTERN_TEST}/x \\\"y\\\" \\$.sock\"\n"
                                   "}\n");
    const struct config_listener *listener = &config->listeners[0];

    ck_assert_str_eq(config->path, "test.conf");
    ck_assert_int_eq(config_log_level(config), LOG_LEVEL_DEBUG);
    ck_assert_uint_eq(config->options->drain_timeout, PARAMETER_IS_FOREVER);
    ck_assert_uint_eq(config->options->max_connections, 17);
    ck_assert_uint_eq(config->generic.lines[1], 2);
    ck_assert_uint_eq(config->listener_count, 2);

    ck_assert_str_eq(listener->name, "a");
    ck_assert_uint_eq(listener->generic.line, 4);
    ck_assert_uint_eq(listener->options->listen.count, 2);
    ck_assert_str_eq(listener->options->listen.items[1].host, "::1");
    ck_assert_uint_eq(listener->options->backlog, 5);
    ck_assert_uint_eq(listener->options->idle_timeout, 90000);
    ck_assert(!listener->options->keepalive);
    ck_assert(!listener->options->nodelay);
    ck_assert_uint_eq(listener->options->max_connections, 3);
    ck_assert_int_eq(config_listener_log_level(config, listener), LOG_LEVEL_ERROR);
    ck_assert_uint_eq(listener->parameters.line, 10);

    listener = config_find_listener(config, "B.2-c_d");
    ck_assert_ptr_eq(listener, &config->listeners[1]);
    ck_assert_str_eq(listener->options->listen.items[0].host, "/run/t t/x \"y\" $.sock");
    ck_assert_int_eq(config_listener_log_level(config, listener), LOG_LEVEL_DEBUG);
    ck_assert_ptr_null(config_find_listener(config, "b.2-c_d"));
    config_free(config);
}
END_TEST

/* One port may be shared by what is not the same, and port 0 by all. */
START_TEST(addresses_that_do_not_clash)
{
    config_free(parsed("listener \"a\" { listen = { \"127.0.0.1:7\", \"[::1]:7\", \"127.0.0.1:0\" }"
                       " echo { } }"
                       "listener \"b\" { listen = { \"127.0.0.2:7\", \"127.0.0.1:0\" } echo { } }"
                       "listener \"c\" { listen = { \"127.0.0.1:8\", \"unix:/a\" } echo { } }"
                       "listener \"d\" { listen = { \"*:0\", \"unix:/b\" } echo { } }"));
}
END_TEST

START_TEST(two_listeners_have_parameters_of_their_own)
{
    struct config *config =
        parsed("listener \"a\" { listen = \"127.0.0.1:7\" echo { buffer = 1KiB } }"
               "listener \"b\" { listen = \"127.0.0.1:8\" echo { buffer = 2KiB } }");
    const struct parameter *row = parameter_find(config->listeners[0].parameters.rows, "buffer");

    ck_assert(!parameter_equal(row, config->listeners[0].parameters.block,
                               config->listeners[1].parameters.block));
    config_free(config);
}
END_TEST

/* --- files ----------------------------------------------------------------- */

static char directory[] = "/tmp/check_config.XXXXXX";
static char path[sizeof(directory) + 16];

static void make_directory(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/server.conf", directory);
}

static void remove_directory(void)
{
    unlink(path);
    rmdir(directory);
}

/* A configuration that is right, and so much of a comment that the file has that length. */
static void write_file(size_t length)
{
    static const char text[] = LISTENER "echo { } }\n#";
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    for (size_t i = strlen(text); i < length; i++)
        putc('x', file);
    ck_assert_int_eq(fclose(file), 0);
}

static void refuse_file(const char *name, const char *why)
{
    char expected[200];

    ck_assert_ptr_null(config_load(name, &report));
    snprintf(expected, sizeof(expected), "%s: %s", name, why);
    ck_assert_uint_eq(report.count, 1);
    ck_assert_str_eq(report.lines[0], expected);
    report_clear(&report);
}

START_TEST(loads_a_file)
{
    write_file(0);
    struct config *config = config_load(path, &report);
    ck_assert_ptr_nonnull(config);
    ck_assert_str_eq(config->path, path);
    config_free(config);
}
END_TEST

START_TEST(size_is_bounded)
{
    write_file(CONFIG_FILE_MAX);
    config_free(config_load(path, &report));
    ck_assert_uint_eq(report.count, 0);
    write_file(CONFIG_FILE_MAX + 1);
    refuse_file(path, "the file is larger than 1048576 bytes");
    write_file(3 * CONFIG_FILE_MAX);
    refuse_file(path, "the file is larger than 1048576 bytes");
}
END_TEST

START_TEST(only_regular_files)
{
    refuse_file(directory, "not a regular file");
    refuse_file("/dev/zero", "not a regular file");
    refuse_file("/dev/null", "not a regular file");
    refuse_file(path, "No such file or directory");
    /* Nobody writes to it: opening it must not wait for somebody. */
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    refuse_file(path, "not a regular file");
}
END_TEST

/* --- the example ----------------------------------------------------------- */

/* etc/server.conf; the caller frees it. */
static char *read_example(size_t *length)
{
    const char *top = getenv("top_srcdir");
    char name[4096];

    snprintf(name, sizeof(name), "%s/etc/server.conf", top == NULL ? "." : top);
    FILE *file = fopen(name, "r");
    ck_assert_msg(file != NULL, "%s", name);
    char *text = malloc(CONFIG_FILE_MAX);
    *length = fread(text, 1, CONFIG_FILE_MAX, file);
    fclose(file);
    return text;
}

START_TEST(the_example_is_valid)
{
    size_t length;
    char *text = read_example(&length);
    struct config *config = config_parse("server.conf", text, length, &report);

    ck_assert_msg(config != NULL, "%s", report.lines[0]);
    const struct config_listener *echo = config_find_listener(config, "echo");
    const struct config_listener *jobs = config_find_listener(config, "jobs");
    ck_assert_str_eq(echo->protocol->name, "echo");
    ck_assert_str_eq(echo->options->listen.items[0].host, "127.0.0.1");
    ck_assert_uint_eq(echo->options->listen.items[0].port, 7007);
    ck_assert_str_eq(jobs->protocol->name, "queue");
    ck_assert_str_eq(jobs->options->listen.items[0].host, "127.0.0.1");
    ck_assert_uint_eq(jobs->options->listen.items[0].port, 7379);
    config_free(config);
    free(text);
}
END_TEST

/* Wherever inside a section the file is cut short, it is refused. */
START_TEST(a_truncated_file_is_refused)
{
    size_t length;
    char *text = read_example(&length);
    bool comment = false;
    int depth = 0;
    size_t cuts = 0;

    for (size_t i = 0; i < length; i++) {
        if (depth > 0) {
            ck_assert_ptr_null(config_parse("server.conf", text, i, &report));
            ck_assert_uint_ge(report.count, 1);
            report_clear(&report);
            cuts++;
        }
        comment = text[i] == '#' || (comment && text[i] != '\n');
        if (!comment)
            depth += text[i] == '{' ? 1 : text[i] == '}' ? -1 : 0;
    }
    ck_assert_int_eq(depth, 0);
    ck_assert_uint_gt(cuts, 500);
    free(text);
}
END_TEST

/* --- the rows -------------------------------------------------------------- */

static void check_rows(const struct parameter *rows, size_t size);

/* What parameter.c takes for granted. */
static void check_row(const struct parameter *row, const void *block)
{
    bool number = row->type < PARAMETER_BOOLEAN;
    char text[PARAMETER_TEXT_SIZE];

    ck_assert_uint_eq(strspn(row->name, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(row->name));
    ck_assert_ptr_nonnull(row->help);
    ck_assert_int_ne(row->help[strlen(row->help) - 1], '.');
    ck_assert_uint_lt(strlen(parameter_allowed(row, text, sizeof(text))), sizeof(text) - 1);
    /* A bare 0 is in no range, and what a size or a sum is made of does not overflow. */
    ck_assert_int_eq(row->minimum >= 1, number);
    ck_assert_uint_le(row->minimum, row->maximum);
    ck_assert_uint_le(row->maximum, UINT64_C(1) << 40);
    ck_assert_int_eq(row->choices != NULL, row->type == PARAMETER_CHOICE);
    ck_assert_int_eq(row->rows != NULL, row->type == PARAMETER_SECTIONS);
    if (row->rows != NULL) {
        ck_assert_ptr_null(row->initial);
        check_rows(row->rows, row->block_size);
        return;
    }
    ck_assert_int_eq(row->initial == NULL, (row->flags & PARAMETER_REQUIRED) != 0);
    if (row->initial != NULL)
        ck_assert_str_eq(parameter_format(row, block, 0, text, sizeof(text)), row->initial);
    /* A list cannot have a default: what the file says would come behind it. */
    ck_assert(row->type != PARAMETER_ADDRESSES || row->initial == NULL);
}

static void check_rows(const struct parameter *rows, size_t size)
{
    void *block = calloc(1, size);

    ck_assert(parameters_init(rows, block));
    for (const struct parameter *row = rows; row->name != NULL; row++) {
        ck_assert_ptr_eq(parameter_find(rows, row->name), row);
        check_row(row, block);
    }
    parameters_clear(rows, block);
    free(block);
}

START_TEST(rows_are_sound)
{
    check_rows(config_global_rows, sizeof(struct global_options));
    check_rows(config_listener_rows, sizeof(struct listener_options));
    for (size_t i = 0; protocols[i] != NULL; i++) {
        if (protocols[i]->parameters != NULL)
            check_rows(protocols[i]->parameters, protocols[i]->parameters_size);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *tcase = tcase_create("config");
    TCase *files = tcase_create("files");

    setenv("CISTERN_TEST", "t t", 1);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, unset_options_have_the_defaults_of_their_rows);
    tcase_add_test(tcase, what_the_file_says_counts);
    tcase_add_test(tcase, addresses_that_do_not_clash);
    tcase_add_test(tcase, two_listeners_have_parameters_of_their_own);
    tcase_add_test(tcase, the_example_is_valid);
    tcase_add_test(tcase, a_truncated_file_is_refused);
    tcase_add_test(tcase, rows_are_sound);

    suite_add_tcase(suite, files);
    tcase_add_checked_fixture(files, make_directory, remove_directory);
    tcase_add_test(files, loads_a_file);
    tcase_add_test(files, size_is_bounded);
    tcase_add_test(files, only_regular_files);
    return unit_main(suite);
}
