/* What config.h says of files that are wrong. What is right is in check_config.c. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_text.h"
#include "unit.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The beginning of a listener that lacks only its protocol, and the last brace. */
#define LISTENER "listener \"a\" {\n listen = \"127.0.0.1:7\"\n"

static struct report report;

static struct config *parse(const char *text)
{
    return config_parse("test.conf", text, strlen(text), &report);
}

/* The next line of the report has to have this in it. */
static void expect_line(size_t index, const char *part)
{
    ck_assert_msg(index < report.count, "no error: %s", part);
    ck_assert_msg(strstr(report.lines[index], part) != NULL, "\"%s\" is not in \"%s\"", part,
                  report.lines[index]);
}

/* A text, and its errors in the order of the lines; each a part of what is said. */
static const struct {
    const char *text;
    const char *errors[7];
} bad[] = {
    {"", {"test.conf: no listener"}},
    {"# nothing\n", {"test.conf: no listener"}},
    {"log_level = info\n", {"test.conf: no listener"}},

    /* Syntax: config_text.h. One error, the first. */
    {"bad = 1\n}\nbad = 2\n", {"test.conf:2: found }"}},
    {LISTENER " echo { \n}\n", {"test.conf:1: listener \"a\": the section opened on line 1"}},
    {LISTENER " listen = *:7\n echo { } }", {"test.conf:3: listener \"a\": listen: '*' is not"}},
    {LISTENER " idle_timeout = \"5m\n echo { } }",
     {"test.conf:3: listener \"a\": idle_timeout: a double quote"}},
    {LISTENER " echo { a { b { c { d { e { f { g { } } } } } } } } }", {"more than 8 sections"}},

    /* Names: with what was probably meant, or with what there is. */
    {"# c\n# c\n\n# c\n# c\n# c\nlog_levle = info\n" LISTENER "echo { } }",
     {"test.conf:7: log_levle: no such option; did you mean \"log_level\"?"}},
    {"max_conections = 1 " LISTENER " backlogg = {\n \"x\" } idel_timeout = 1\n echo {\nbufer = 1\n"
     "} }",
     {"test.conf:1: max_conections: no such option; did you mean \"max_connections\"?",
      "test.conf:3: listener \"a\": backlogg: no such option; did you mean \"backlog\"?",
      "test.conf:4: listener \"a\": idel_timeout: no such option; did you mean \"idle_timeout\"?",
      "test.conf:6: listener \"a\": echo: bufer: no such option; did you mean \"buffer\"?"}},
    {LISTENER "buffer = 64KiB echo { buffer = 1KiB } }",
     {"test.conf:3: listener \"a\": buffer: no such option here; allowed: listen, backlog, "}},
    {LISTENER "echo { max_items = 1 } }",
     {"test.conf:3: listener \"a\": echo: max_items: no such option here; allowed: buffer"}},
    {LISTENER "discard { max_items = 1 } }",
     {"test.conf:3: listener \"a\": discard: max_items: no such option here; allowed: none"}},
    {LISTENER "ecko { buffer = \"}\" } }",
     {"test.conf:3: listener \"a\": ecko: no such protocol; did you mean \"echo\"?"}},
    {LISTENER "gopher \"x\" { y { } } }",
     {"test.conf:3: listener \"a\": gopher \"x\": no such protocol here; allowed: echo, "}},
    {"listner \"x\" { listener \"y\" { } }",
     {"test.conf:1: listner \"x\": no such section; did you mean \"listener\"?"}},
    {"listener \"x\" {\n listener \"y\" { } echo { } listen = \"127.0.0.1:7\" }",
     {"test.conf:2: listener \"x\": listener \"y\": no such protocol here"}},
    {LISTENER "Echo { } }", {"test.conf:3: listener \"a\": Echo: no such protocol; did you mean"}},

    /* The form of a statement. */
    {LISTENER "echo = 1 echo { } }",
     {"test.conf:3: listener \"a\": echo: a section without a name; write echo { ... }"}},
    {LISTENER "echo \"x\" { } discard { } }",
     {"test.conf:3: listener \"a\": echo \"x\": a section without a name; write echo { ... }"}},
    {LISTENER "backlog { } echo { } }",
     {"test.conf:3: listener \"a\": backlog: an option; write backlog = VALUE"}},
    {LISTENER "backlog = { 1, 2 } echo { } }",
     {"test.conf:3: listener \"a\": backlog: a list; this option takes one value"}},
    {"listener {\n}", {"test.conf:1: listener: a section with a name; write listener \"NAME\""}},
    {"listener = {\n}", {"test.conf:1: listener: a section with a name; write listener \"NAME\""}},

    /* Names of listeners. */
    {"\nlistener \"\" { listen = \"127.0.0.1:7\" echo { } }",
     {"test.conf:2: listener \"\": a listener's name has 1 to 64 letters"}},
    {"listener \"a b\" { listen = \"127.0.0.1:7\" echo { } }", {"a listener's name has 1 to 64"}},
    {"listener \"${HOME}\" { listen = \"127.0.0.1:7\" echo { } }", {"a listener's name has 1 to"}},
    {"listener \"\\\\\" { listen = \"127.0.0.1:7\" echo { } }", {"a listener's name has 1 to 64"}},
    {LISTENER "echo { } }\n\nlistener \"a\" {\nlisten = \"127.0.0.1:8\" echo { } }\n",
     {"test.conf:5: listener \"a\": the name is taken by the listener on line 1"}},

    /* Everything once. */
    {"log_level = info log_level =\ninfo\n" LISTENER "echo { } }",
     {"test.conf:1: log_level: given twice, first on line 1"}},
    {LISTENER "listen =\n\"127.0.0.1:8\" echo {\nbuffer = 1KiB\n buffer = 2KiB } }",
     {"test.conf:3: listener \"a\": listen: given twice, first on line 2",
      "test.conf:6: listener \"a\": echo: buffer: given twice, first on line 5"}},
    {LISTENER "echo { }\nqueue { }\necho { } }",
     {"test.conf:4: listener \"a\": queue: a second protocol; a listener has one, and this one "
      "has echo on line 3",
      "test.conf:5: listener \"a\": echo: a second protocol"}},
    {LISTENER "}", {"test.conf:1: listener \"a\": no protocol; a listener has one section of: e"}},
    {"listener \"a\" {\n echo { } }",
     {"test.conf:1: listener \"a\": listen: missing; allowed: addresses like"}},
    {"listener \"a\" {\n listen = { }\n echo { } }",
     {"test.conf:2: listener \"a\": listen: the list is empty; allowed: addresses like"}},

    /* What is unknown is not also missing. */
    {"listener \"a\" { lissen = \"127.0.0.1:7\"\n ecko { } }",
     {"test.conf:1: listener \"a\": lissen: no such option; did you mean \"listen\"?",
      "test.conf:2: listener \"a\": ecko: no such protocol"}},
    {"listener \"a\" {\n ecko { } }",
     {"test.conf:1: listener \"a\": listen: missing",
      "test.conf:2: listener \"a\": ecko: no such protocol"}},

    /* Values; all that can be wrong with one is in check_parameter.c. */
    {"max_connections = 010\ndrain_timeout =\n 30\nlog_level = warn\n" LISTENER "backlog = -1\n"
     "idle_timeout = 0s\nkeepalive = 1 echo { } }",
     {"test.conf:1: max_connections: \"010\" has a leading zero; allowed: a number from 1 to",
      "test.conf:3: drain_timeout: \"30\" has no unit; did you mean \"30s\"?",
      "test.conf:4: log_level: \"warn\" is not allowed; did you mean \"warning\"? allowed: one of",
      "test.conf:7: listener \"a\": backlog: \"-1\" is negative",
      "test.conf:8: listener \"a\": idle_timeout: \"0s\" is too small",
      "test.conf:9: listener \"a\": keepalive: \"1\" is not allowed; allowed: yes or no"}},
    {"max_connections = 99999999999999999999\nlog_level = \"\"" LISTENER
     "max_connections = \"+5\" echo { buffer = 64K } }",
     {"test.conf:1: max_connections: \"99999999999999999999\" is too large",
      "test.conf:2: log_level: \"\" is not allowed",
      "test.conf:4: listener \"a\": max_connections: \"+5\" is not a number",
      "test.conf:4: listener \"a\": echo: buffer: \"64K\" has an unknown unit; did you mean"}},
    {"drain_timeout = \"${CISTERN_TEST}\"\n" LISTENER "echo { } }",
     {"test.conf:1: drain_timeout: \"t t\" is not a number"}},
    {LISTENER "queue { overflow = dorp-oldest\n max_items = 0 max_bytes = 0 } }",
     {"test.conf:3: listener \"a\": queue: overflow: \"dorp-oldest\" is not allowed; did you mean "
      "\"drop-oldest\"?",
      "test.conf:4: listener \"a\": queue: max_items: \"0\" is too small",
      "test.conf:4: listener \"a\": queue: max_bytes: \"0\" is too small"}},

    /* Sub-sections; more in check_config_sections.c. */
    {LISTENER
     "queue {\n match \"audit:*\" { overflow = dorp-oldest\n max_items = 0 scope = listener\n"
     "} match \"audit:*\" { max_item = 5 }\n mach \"x\" { } match \"\" { } } }",
     {"test.conf:4: listener \"a\": queue: match \"audit:*\": overflow: \"dorp-oldest\" is not "
      "allowed; did you mean \"drop-oldest\"?",
      "test.conf:5: listener \"a\": queue: match \"audit:*\": scope: no such option here",
      "test.conf:5: listener \"a\": queue: match \"audit:*\": max_items: \"0\" is too small",
      "test.conf:6: listener \"a\": queue: match \"audit:*\": max_item: no such option; did you "
      "mean \"max_items\"?",
      "test.conf:6: listener \"a\": queue: match \"audit:*\": given twice, first on line 4",
      "test.conf:7: listener \"a\": queue: mach \"x\": no such section; did you mean \"match\"?",
      "test.conf:7: listener \"a\": queue: match \"\": a title here has 1 to 1024 bytes"}},

    /* Parameters that do not fit together; said only when each by itself is right. */
    {LISTENER "queue {\n max_bytes = 1KiB\n max_item_bytes = 2KiB } }",
     {"test.conf:5: listener \"a\": queue: max_item_bytes: "}},
    {LISTENER "queue {\n max_bytes = 1KiB max_itm_bytes = 512 } }",
     {"test.conf:4: listener \"a\": queue: max_itm_bytes: no such option; did you mean"}},
    {LISTENER "queue {\n max_bytes = 1KiB } }",
     {"test.conf:3: listener \"a\": queue: max_item_bytes: "}},
    {LISTENER "queue {\n max_bytes = 1KB\n max_item_bytes = 2KiB } }",
     {"test.conf:4: listener \"a\": queue: max_bytes: \"1KB\" has an unknown unit"}},

    /* Addresses. */
    {"listener \"a\" { listen = {\n \"127.0.0.1:7\",\n# c\n \"127.0.0.1:7\",\n \"[::1:7\" } echo { "
     "} }",
     {"test.conf:4: listener \"a\": listen: \"127.0.0.1:7\" is given twice, first on line 2",
      "test.conf:5: listener \"a\": listen: \"[::1:7\" is not an address"}},
    {"listener \"a\" { listen = {\"127.0.0.1:0\",\"127.0.0.1:0\" } echo { } }",
     {"test.conf:1: listener \"a\": listen: \"127.0.0.1:0\" is given twice, first on line 1"}},
    {LISTENER "echo { } }\nlistener \"b\" {\nlisten = {\"[::1]:7\", \"127.0.0.1:7\"} echo { } }",
     {"test.conf:5: listener \"b\": listen: \"127.0.0.1:7\" clashes with \"127.0.0.1:7\" of "
      "listener \"a\" on line 2"}},
    {"listener \"a\" { listen = { \"*:7\",\n\"0.0.0.0:7\" } echo { } }",
     {"test.conf:2: listener \"a\": listen: \"0.0.0.0:7\" clashes with \"*:7\" of listener \"a\" "
      "on line 1"}},
    {"listener \"a\" { listen = \"unix:/a\" echo { } }\n"
     "listener \"b\" { listen = \"unix:/a\" echo { } }",
     {"test.conf:2: listener \"b\": listen: \"unix:/a\" clashes with \"unix:/a\" of listener "
      "\"a\""}},
};

START_TEST(all_errors_are_reported_in_the_order_of_lines)
{
    size_t count = 0;
    struct config *config = parse(bad[_i].text);

    ck_assert_ptr_null(config);
    for (; count < LENGTH(bad[_i].errors) && bad[_i].errors[count] != NULL; count++)
        expect_line(count, bad[_i].errors[count]);
    ck_assert_msg(report.count == count, "one too many: %s", report.lines[count]);
    for (size_t i = 1; i < report.count; i++)
        ck_assert_uint_le(report.positions[i - 1], report.positions[i]);
    report_clear(&report);
}
END_TEST

/* libconfuse's lexer is one for the process: what one text left there, the next would meet. */
START_TEST(an_error_leaves_nothing_behind)
{
    for (size_t i = 0; i < LENGTH(bad); i++) {
        ck_assert_ptr_null(parse(bad[i].text));
        report_clear(&report);
        struct config *config = parse("max_connections = 4711\n" LISTENER "echo { } }");
        ck_assert_msg(config != NULL, "after %s: %s", bad[i].text, report.lines[0]);
        ck_assert_uint_eq(config->options->max_connections, 4711);
        ck_assert_uint_eq(config->listener_count, 1);
        config_free(config);
    }
}
END_TEST

START_TEST(a_report_is_bounded)
{
    char text[8000];
    size_t used = 0;

    for (int i = 0; i < 150; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "unknown%d = 1\n", i);
    ck_assert_ptr_null(parse(text));
    ck_assert_uint_eq(report.count, CONFIG_ERRORS_MAX);
    expect_line(99, "test.conf:100: unknown99: ");
    report_clear(&report);

    used = 0;
    for (int i = 0; i < 150; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "log_level = x\n");
    ck_assert_ptr_null(parse(text));
    ck_assert_uint_eq(report.count, CONFIG_ERRORS_MAX);
    ck_assert_uint_eq(report.dropped, 51); /* and no listener */
    report_clear(&report);
}
END_TEST

/* count addresses, one a line from the first on, in two listeners. */
static char *many_addresses(int count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    fputs("listener \"a\" { echo { } listen = { ", out);
    for (int i = 1; i <= count; i++) {
        if (i == 17)
            fputs("} }\tlistener \"b\" { discard { } listen = { ", out);
        fprintf(out, "\"127.0.0.1:%d\",\n", i);
    }
    fputs("} }", out);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

START_TEST(the_number_of_addresses_is_bounded)
{
    char *text = many_addresses(CONFIG_ADDRESSES_MAX);
    struct config *config = parse(text);

    ck_assert_ptr_nonnull(config);
    config_free(config);
    free(text);
    /* It is said once. */
    text = many_addresses(3 * CONFIG_ADDRESSES_MAX);
    ck_assert_ptr_null(parse(text));
    ck_assert_uint_eq(report.count, 1);
    expect_line(0, "test.conf:1025: listener \"b\": listen: more than 1024 addresses in the file");
    report_clear(&report);
    free(text);
}
END_TEST

START_TEST(report_keeps_the_order_of_lines)
{
    report_add_at(&report, "f", 7, "%s", "seven");
    report_add(&report, "last %%");
    report_add_at(&report, "f", 3, "three");
    report_add_at(&report, "f", 7, "seven again");
    report_add_at(&report, "f", 0, "all of it");
    expect_line(0, "f: all of it");
    expect_line(1, "f:3: three");
    expect_line(2, "f:7: seven");
    expect_line(3, "f:7: seven again");
    expect_line(4, "last %");
    ck_assert_uint_eq(report.count, 5);
    report_clear(&report);
    ck_assert_uint_eq(report.count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config_errors");
    TCase *tcase = tcase_create("config_errors");

    setenv("CISTERN_TEST", "t t", 1);
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, all_errors_are_reported_in_the_order_of_lines, 0, LENGTH(bad));
    tcase_add_test(tcase, an_error_leaves_nothing_behind);
    tcase_add_test(tcase, a_report_is_bounded);
    tcase_add_test(tcase, the_number_of_addresses_is_bounded);
    tcase_add_test(tcase, report_keeps_the_order_of_lines);
    return unit_main(suite);
}
