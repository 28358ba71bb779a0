/* What config.h prints: the dump, and the worst case. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "unit.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

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

/* Calls print into a string; the caller frees it. */
static char *printed(void (*print)(const struct config *config, FILE *out),
                     const struct config *config)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    print(config, out);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static const char *const dumped[] = {
    LISTENER "echo { } }",
    "user = root group = root log_format = json\n"
    "listener \"a\" { listen = { \"systemd:a b\", \"systemd:c\" } echo { } }",
    "log_level = error drain_timeout = none max_connections = 1\n" LISTENER "discard { } }",
    "workers = 3\n" LISTENER "echo { } }",
    "workers = auto\n" LISTENER "echo { } }",
    "drain_timeout = forever\n" LISTENER
    "keepalive = off nodelay = false log_level = debug idle_timeout = 1ms chargen { } }",
    "drain_timeout = 365d\n" LISTENER "idle_timeout = 8760h echo { buffer = 1025 } }",
    "drain_timeout = 90061001ms\n" LISTENER "idle_timeout = none echo { buffer = 1073741824 } }",
    "listener \"a\" { listen = { \"*:7\", \"[2001:DB8::0]:9\", \"LOCALHOST:65535\", "
    "\"127.0.0.1:0\","
    "\"unix:/a b/\\\"c\\\"/\\\\d/\\${HOME}/$/#/h\xc3\xa9{}\" } time { } }",
    LISTENER "queue { scope = connection overflow = drop-newest max_items = 1\n"
             "max_bytes = 1GiB max_item_bytes = 1 } }\n"
             "listener \"z\" { listen = \"127.0.0.1:8\" queue { overflow = reject } }"
             "listener \"b\" { listen = \"127.0.0.1:9\" daytime { } }",
    LISTENER
    "socket_mode = 0640 socket_owner = root socket_group = none access_log = yes\n"
    "queue { match \"audit:*\" { overflow = reject max_items = 100 } max_items = 1000\n"
    "match \"\\\"\\\\\\${a}\" { } match \"logs:*\" { max_item_bytes = 5 max_bytes = 1MiB } } }",
};

START_TEST(a_dump_says_the_same)
{
    struct config *config = parsed(dumped[_i]);
    char *text = printed(config_dump, config);
    struct config *again = parsed(text);
    char *second = printed(config_dump, again);

    ck_assert_str_eq(text, second);
    ck_assert(parameters_equal(config_global_rows, config->options, again->options));
    ck_assert_uint_eq(config->listener_count, again->listener_count);
    for (size_t i = 0; i < config->listener_count; i++) {
        const struct config_listener *one = &config->listeners[i];
        const struct config_listener *other = &again->listeners[i];
        ck_assert_str_eq(one->name, other->name);
        ck_assert(parameters_equal(config_listener_rows, one->options, other->options));
        ck_assert_ptr_eq(one->protocol, other->protocol);
        if (one->parameters.block != NULL)
            ck_assert(parameters_equal(one->parameters.rows, one->parameters.block,
                                       other->parameters.block));
        /* Every option is there, its default or not. */
        for (size_t row = 0; config_listener_rows[row].name != NULL; row++)
            ck_assert_uint_ne(other->generic.lines[row], 0);
    }
    config_free(config);
    config_free(again);
    free(text);
    free(second);
}
END_TEST

/* Of the line that begins with the name: the number in the column, 0 the first after the name. */
static double column(char *text, const char *name, int index)
{
    char *line = strstr(text, name);

    ck_assert_ptr_nonnull(line);
    line += strlen(name);
    double value = strtod(line, &line);
    while (index-- > 0) {
        line += strspn(line, " KMGTPEiB");
        value = strtod(line, &line);
    }
    return value;
}

/* How many descriptors the process may have, until restored. */
static struct rlimit limit_descriptors(rlim_t descriptors)
{
    struct rlimit old;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    struct rlimit limit = {.rlim_cur = descriptors, .rlim_max = old.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return old;
}

START_TEST(the_worst_case_counts_the_dearest_connections)
{
    struct config *config = parsed("max_connections = 15\n"
                                   "listener \"small\" { listen = { \"127.0.0.1:7\", \"*:8\" }\n"
                                   " max_connections = 10 echo { buffer = 512 } }\n"
                                   "listener \"large\" { listen = \"localhost:9\"\n"
                                   " max_connections = 10 echo { buffer = 1MiB } }\n");
    struct rlimit limit = limit_descriptors(84);
    char *text = printed(config_print_worst_case, config);

    ck_assert_double_eq(column(text, "\nsmall", 0), 10);
    ck_assert_double_eq(column(text, "\nsmall", 4), 13);
    ck_assert_double_eq(column(text, "\nlarge", 4), 12);
    /* All ten large ones, and five of the small. */
    double large = column(text, "\nlarge", 3);
    ck_assert_double_eq(column(text, "\nall", 0), 15);
    ck_assert_double_ge(large, 10);
    ck_assert_double_ge(column(text, "\nall", 2), large);
    ck_assert_double_le(column(text, "\nall", 2), large + 0.2);
    ck_assert_ptr_nonnull(strstr(text, "Descriptors needed: 84 (15 connections, 5 listening"));
    ck_assert_ptr_null(strstr(text, "too few"));
    free(text);

    limit_descriptors(83);
    text = printed(config_print_worst_case, config);
    ck_assert_ptr_nonnull(strstr(text, "(RLIMIT_NOFILE): 83, "));
    ck_assert_ptr_nonnull(strstr(text, "too few for max_connections"));
    setrlimit(RLIMIT_NOFILE, &limit);
    config_free(config);
    free(text);
}
END_TEST

static void megabyte(const void *parameters, struct footprint *footprint)
{
    (void)parameters;
    footprint->shared = UINT64_C(1) << 20;
}

/* What a module has on each worker counts as often; what shares its state is on one alone. */
START_TEST(the_worst_case_knows_workers)
{
    static const char text[] = "listener \"spread\" { listen = \"127.0.0.1:7\"\n"
                               " max_connections = 1 echo { } }\n"
                               "listener \"shared\" { listen = \"127.0.0.1:8\"\n"
                               " max_connections = 1 echo { } }\n";
    static const struct protocol spread = {.name = "spread", .footprint = megabyte};
    static const struct protocol shared = {
        .name = "shared", .footprint = megabyte, .shares_state = true};
    char whole[400];

    snprintf(whole, sizeof(whole), "workers = 3\nmax_connections = 2\n%s", text);
    struct config *config = parsed(whole);
    config->listeners[0].protocol = &spread;
    config->listeners[1].protocol = &shared;
    char *printed_text = printed(config_print_worst_case, config);
    ck_assert_double_eq(column(printed_text, "\nspread", 2), 3);
    ck_assert_double_eq(column(printed_text, "\nshared", 2), 1);
    ck_assert_ptr_nonnull(strstr(printed_text, "Workers: 3, with 512.0 KiB of buffers each."));
    ck_assert_ptr_nonnull(strstr(printed_text, "Descriptors needed: 76 (2 connections, 2"));
    config_free(config);
    free(printed_text);
}
END_TEST

static void large_product(const void *parameters, struct footprint *footprint)
{
    (void)parameters;
    footprint->per_connection = UINT64_C(1) << 62;
}

static void large_sum(const void *parameters, struct footprint *footprint)
{
    (void)parameters;
    *footprint = (struct footprint){.per_connection = 1024, .shared = UINT64_MAX - 1024};
}

/* Whether the line that begins with the name says that there is no bound. */
static bool no_bound(const char *text, const char *name)
{
    char line[200];
    const char *begin = strstr(text, name);

    ck_assert_ptr_nonnull(begin);
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(begin + 1, "\n"), begin + 1);
    return strstr(line, "no bound") != NULL;
}

/* No module has such numbers; nobody shall see a small sum when one does. */
START_TEST(the_worst_case_saturates)
{
    static const struct protocol product = {.name = "product", .footprint = large_product};
    static const struct protocol sum = {.name = "sum", .footprint = large_sum};
    struct config *config = parsed("listener \"a\" { listen = \"127.0.0.1:7\" echo { } }"
                                   "listener \"b\" { listen = \"127.0.0.1:8\" echo { } }"
                                   "listener \"c\" { listen = \"127.0.0.1:9\" echo { } }");

    config->listeners[0].protocol = &product;
    config->listeners[1].protocol = &sum;
    char *text = printed(config_print_worst_case, config);
    ck_assert(no_bound(text, "\na "));
    ck_assert_double_eq(column(text, "\na ", 1), 4);
    ck_assert(no_bound(text, "\nb "));
    ck_assert_double_eq(column(text, "\nb ", 2), 16);
    ck_assert(!no_bound(text, "\nc "));
    ck_assert(no_bound(text, "\nall "));
    config_free(config);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config_dump");
    TCase *tcase = tcase_create("config_dump");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_dump_says_the_same, 0, LENGTH(dumped));
    tcase_add_test(tcase, the_worst_case_counts_the_dearest_connections);
    tcase_add_test(tcase, the_worst_case_knows_workers);
    tcase_add_test(tcase, the_worst_case_saturates);
    return unit_main(suite);
}
