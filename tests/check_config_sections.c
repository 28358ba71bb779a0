/*
 * Titled sub-sections of a module (PARAMETER_SECTIONS), from the file to the block, the dump and
 * the errors. The module is this program's own, as is the array that names it.
 */
#include "protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "unit.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* --- the module ------------------------------------------------------------ */

struct valve {
    uint64_t level;
};

struct pipe {
    uint64_t width;
    int colour;
    struct address_list ends;
    struct parameter_sections valve;
};

struct tank {
    uint64_t size;
    bool open;
    struct parameter_sections pipe;
    struct parameter_sections drain;
};

static const char *const colours[] = {"red", "green", "blue", NULL};

#define ROW(table, member, kind, ...)                                                              \
    {                                                                                              \
        .name = #member, .type = (kind), .offset = offsetof(struct table, member), __VA_ARGS__     \
    }
#define LEVEL(...) ROW(valve, level, PARAMETER_COUNT, .minimum = 1, .maximum = 9, __VA_ARGS__)
#define SECTIONS(table, member, part, part_rows)                                                   \
    ROW(table, member, PARAMETER_SECTIONS, .rows = part_rows, .block_size = sizeof(struct part))

static const struct parameter valve_rows[] = {LEVEL(.initial = "7"), {0}};
static const struct parameter drain_rows[] = {LEVEL(.flags = PARAMETER_REQUIRED), {0}};

enum { WIDTH, COLOUR, ENDS, VALVE };
static const struct parameter pipe_rows[] = {
    ROW(pipe, width, PARAMETER_SIZE, .initial = "1KiB", .minimum = 1, .maximum = 1 << 20),
    ROW(pipe, colour, PARAMETER_CHOICE, .initial = "green", .choices = colours),
    ROW(pipe, ends, PARAMETER_ADDRESSES, .reload = RELOAD_LIVE),
    SECTIONS(pipe, valve, valve, valve_rows),
    {0},
};

enum { SIZE, PIPE, OPEN, DRAIN };
static const struct parameter tank_rows[] = {
    ROW(tank, size, PARAMETER_COUNT, .initial = "10", .minimum = 1, .maximum = 100),
    SECTIONS(tank, pipe, pipe, pipe_rows),
    ROW(tank, open, PARAMETER_BOOLEAN, .initial = "no"),
    SECTIONS(tank, drain, valve, drain_rows),
    {0},
};

/* What the module objects to next; nothing if why is NULL. */
static struct objection {
    const char *key;
    enum { TO_TANK, TO_PIPE, TO_DRAIN } where;
    size_t index; /* of the pipe, of the drain */
    const char *why;
    const char *error;
} objection;
static unsigned checks;

static bool tank_check(const void *parameters, struct parameter_fault *fault, char *why,
                       size_t size)
{
    const struct tank *tank = parameters;

    checks++;
    ck_assert_ptr_null(fault->key);
    ck_assert_ptr_null(fault->section);
    if (objection.why == NULL)
        return true;
    fault->key = objection.key;
    if (objection.where == TO_PIPE)
        fault->section = &tank->pipe.items[objection.index];
    else if (objection.where == TO_DRAIN)
        fault->section = &tank->drain.items[objection.index];
    snprintf(why, size, "%s", objection.why);
    return false;
}

static const struct protocol tank_protocol = {
    .name = "tank",
    .summary = "has sub-sections",
    .parameters = tank_rows,
    .parameters_size = sizeof(struct tank),
    .check = tank_check,
};

/* In the place of those in protocol.c, which the linker then leaves alone. */
const struct protocol *const protocols[] = {&tank_protocol, NULL};

/* --- helpers --------------------------------------------------------------- */

#define HEAD "listener \"a\" { listen = \"127.0.0.1:7\" tank {\n"
#define TAIL "} }\n"

static struct report report;

static struct config *parse(const char *text)
{
    return config_parse("test.conf", text, strlen(text), &report);
}

/* Of a text that has to be right. */
static struct config *parsed(const char *text)
{
    struct config *config = parse(text);
    ck_assert_msg(config != NULL, "%s\n%s", text, report.count == 0 ? "" : report.lines[0]);
    ck_assert_uint_eq(report.count, 0);
    return config;
}

static const struct tank *tank_of(const struct config *config)
{
    return config->listeners[0].parameters.block;
}

static void expect_error(size_t index, const char *error)
{
    ck_assert_msg(index < report.count, "no error: %s", error);
    ck_assert_msg(strstr(report.lines[index], error) != NULL, "\"%s\" is not in \"%s\"", error,
                  report.lines[index]);
}

/* --- what is right --------------------------------------------------------- */

START_TEST(values_and_what_was_given)
{
    struct config *config = parsed(HEAD "pipe \"b*\" { colour = blue width = 5 }\n"
                                        "size = 3\n"
                                        "pipe \"a\" { ends = { \"127.0.0.1:8\", \"[::1]:8\" }\n"
                                        " valve \"v\" { level = 2 } valve \"w\" { }\n"
                                        " colour = green }\n"
                                        "drain \"a\" { level = 4 }\n"
                                        "pipe \"nothing said\" { }" TAIL);
    const struct tank *tank = tank_of(config);
    const struct config_section *section = &config->listeners[0].parameters;

    ck_assert_uint_eq(tank->size, 3);
    ck_assert_uint_eq(tank->pipe.count, 3);
    const struct parameter_section *items = tank->pipe.items;
    const struct pipe *pipe = items[0].block;
    ck_assert_str_eq(items[0].title, "b*");
    ck_assert_uint_eq(pipe->width, 5);
    ck_assert_int_eq(pipe->colour, 2);
    ck_assert(items[0].given[WIDTH] && items[0].given[COLOUR]);
    ck_assert(!items[0].given[ENDS] && !items[0].given[VALVE]);

    pipe = items[1].block;
    ck_assert_str_eq(items[1].title, "a");
    ck_assert_uint_eq(pipe->width, 1024);
    ck_assert_uint_eq(pipe->ends.count, 2);
    ck_assert(!items[1].given[WIDTH] && items[1].given[COLOUR]);
    ck_assert(items[1].given[ENDS] && items[1].given[VALVE]);
    ck_assert_uint_eq(pipe->valve.count, 2);
    ck_assert_uint_eq(((const struct valve *)pipe->valve.items[0].block)->level, 2);
    ck_assert(pipe->valve.items[0].given[0]);
    ck_assert_uint_eq(((const struct valve *)pipe->valve.items[1].block)->level, 7);
    ck_assert(!pipe->valve.items[1].given[0]);

    pipe = items[2].block;
    ck_assert_str_eq(items[2].title, "nothing said");
    ck_assert_int_eq(pipe->colour, 1);
    ck_assert(!items[2].given[WIDTH] && !items[2].given[COLOUR]);

    /* Each list has titles of its own. */
    ck_assert_uint_eq(tank->drain.count, 1);
    ck_assert_str_eq(tank->drain.items[0].title, "a");
    ck_assert_uint_eq(section->lines[PIPE], 2);
    ck_assert_uint_eq(section->lines[DRAIN], 7);
    ck_assert_uint_eq(section->lines[OPEN], 0);
    config_free(config);
}
END_TEST

static const struct {
    const char *text;
    const char *title;
} titles[] = {
    {"x", "x"},
    {" ", " "},
    {"*", "*"},
    {"a \\\"b\\\" \\\\ \\${c} $ # { } = ,", "a \"b\" \\ ${c} $ # { } = ,"},
    {"${CISTERN_TEST}:${CISTERN_TEST}", "t \"t:t \"t"},
    {"h\xc3\xa9[!a-z]?", "h\xc3\xa9[!a-z]?"},
};

START_TEST(titles_are_text)
{
    char text[400];

    /* Not the only one, nor the last. */
    snprintf(text, sizeof(text),
             HEAD "pipe \"first\" { }\npipe \"%s\" { width = 2 }\npipe \"last\" { }" TAIL,
             titles[_i].text);
    struct config *config = parsed(text);
    const struct parameter_sections *pipe = &tank_of(config)->pipe;
    ck_assert_uint_eq(pipe->count, 3);
    ck_assert_str_eq(pipe->items[0].title, "first");
    ck_assert_str_eq(pipe->items[1].title, titles[_i].title);
    ck_assert_str_eq(pipe->items[2].title, "last");
    config_free(config);
}
END_TEST

/* --- what is wrong --------------------------------------------------------- */

static const struct {
    const char *text;
    const char *errors[6];
} bad[] = {
    {HEAD "pipe \"\" { }\n pipe \"${CISTERN_TEST}\n\" { }" TAIL,
     {"test.conf:3: listener \"a\": tank: pipe: a double quote that is not closed"}},
    {HEAD "pipe \"\" { }\n pipe \"${CISTERN_CONTROL}\" { width = 0 }" TAIL,
     {"test.conf:2: listener \"a\": tank: pipe \"\": a title here has 1 to 1024 bytes",
      "test.conf:3: listener \"a\": tank: pipe \"${CISTERN_CONTROL}\": a title here has 1 to",
      "test.conf:3: listener \"a\": tank: pipe \"${CISTERN_CONTROL}\": width: \"0\" is too small"}},
    {HEAD "pipe \"${CISTERN_LONG}\" { }\npipe \"x${CISTERN_LONG}\" { }" TAIL,
     {"test.conf:3: listener \"a\": tank: pipe \"x${CISTERN_LONG}\": a title here has 1 to 1024"}},
    {HEAD "pipe \"y\" { }\npipe \"x\" { }\npipe \"z\" { }\npipe\n\"x\" { width = 0 }\ndrain \"x\" "
          "{ level = 1 }\n"
          "pipe \"x\" { }" TAIL,
     {"test.conf:6: listener \"a\": tank: pipe \"x\": given twice, first on line 3",
      "test.conf:6: listener \"a\": tank: pipe \"x\": width: \"0\" is too small",
      "test.conf:8: listener \"a\": tank: pipe \"x\": given twice, first on line 3"}},
    {HEAD "pipe \"t \\\"t\" { }\npipe \"${CISTERN_TEST}\" { }" TAIL,
     {"test.conf:3: listener \"a\": tank: pipe \"${CISTERN_TEST}\": given twice, first on line 2"}},
    {HEAD "pipe \"x\" { width = 1\n width = 2\n colour = blu\n widht = 3 }\npipe \"y\" {\n"
          "colour = { red,\nblue }\n width { } valve \"v\" { } }\n" TAIL,
     {"test.conf:3: listener \"a\": tank: pipe \"x\": width: given twice, first on line 2",
      "test.conf:4: listener \"a\": tank: pipe \"x\": colour: \"blu\" is not allowed; did you mean "
      "\"blue\"?",
      "test.conf:5: listener \"a\": tank: pipe \"x\": widht: no such option; did you mean "
      "\"width\"?",
      "test.conf:7: listener \"a\": tank: pipe \"y\": colour: a list; this option takes one value",
      "test.conf:9: listener \"a\": tank: pipe \"y\": width: an option; write width = VALUE"}},
    {HEAD "pipee \"x\" { }\nvalve \"x\" { }\npipe { }\npipe = 1\npipe = { 1 }\n" TAIL,
     {"test.conf:2: listener \"a\": tank: pipee \"x\": no such section; did you mean \"pipe\"?",
      "test.conf:3: listener \"a\": tank: valve \"x\": no such section here; allowed: pipe, drain",
      "test.conf:4: listener \"a\": tank: pipe: a section with a name; write pipe \"NAME\"",
      "test.conf:5: listener \"a\": tank: pipe: a section with a name; write pipe \"NAME\"",
      "test.conf:6: listener \"a\": tank: pipe: a section with a name; write pipe \"NAME\""}},
    {HEAD "pipe \"x\" { size = 1\n valve \"v\" {\n level = 10\n } }\n" TAIL,
     {"test.conf:2: listener \"a\": tank: pipe \"x\": size: no such option here; allowed: width, "
      "colour, ends",
      "test.conf:4: listener \"a\": tank: pipe \"x\": valve \"v\": level: \"10\" is too large"}},
    {HEAD "drain \"x\" { level = 1 }\n drain \"y\" { }\ndrain \"z\" { levle = 1 }" TAIL,
     {"test.conf:3: listener \"a\": tank: drain \"y\": level: missing; allowed: a number",
      "test.conf:4: listener \"a\": tank: drain \"z\": levle: no such option; did you mean"}},
    {HEAD "pipe \"x\" { ends = { } }\n pipe \"y\" { ends = \"127.0.0.1:7\" }\n" TAIL
          "listener \"b\" { listen = \"127.0.0.1:8\" tank { pipe \"x\" {\n ends = \"*:7\" } } }",
     {"test.conf:2: listener \"a\": tank: pipe \"x\": ends: the list is empty",
      "test.conf:3: listener \"a\": tank: pipe \"y\": ends: \"127.0.0.1:7\" is given twice, first "
      "on line 1",
      "test.conf:6: listener \"b\": tank: pipe \"x\": ends: \"*:7\" clashes with \"127.0.0.1:7\" "
      "of listener \"a\" on line 1"}},
    {"pipe \"x\" { }\n" HEAD TAIL,
     {"test.conf:1: pipe \"x\": no such section here; allowed: listener"}},
};

START_TEST(all_errors_are_reported_at_once)
{
    size_t count = 0;

    /* The module is not asked about parameters that are wrong by themselves. */
    checks = 0;
    ck_assert_ptr_null(parse(bad[_i].text));
    for (; count < LENGTH(bad[_i].errors) && bad[_i].errors[count] != NULL; count++)
        expect_error(count, bad[_i].errors[count]);
    ck_assert_msg(report.count == count, "one too many: %s", report.lines[count]);
    ck_assert_uint_eq(checks, strstr(bad[_i].text, HEAD TAIL) != NULL);
    report_clear(&report);
}
END_TEST

/* --- the module's own word ------------------------------------------------- */

#define PLACE "listener \"a\": tank: "
static const struct objection objections[] = {
    {NULL, TO_TANK, 0, "all wrong", "test.conf:1: " PLACE "all wrong"},
    {"size", TO_TANK, 0, "no", "test.conf:2: " PLACE "size: no"},
    {"open", TO_TANK, 0, "no", "test.conf:1: " PLACE "open: no"},
    {"pipe", TO_TANK, 0, "no", "test.conf:3: " PLACE "pipe \"x\": no"},
    {NULL, TO_PIPE, 0, "no", "test.conf:3: " PLACE "pipe \"x\": no"},
    {"width", TO_PIPE, 0, "no", "test.conf:3: " PLACE "pipe \"x\": width: no"},
    {"colour", TO_PIPE, 0, "no", "test.conf:4: " PLACE "pipe \"x\": colour: no"},
    {NULL, TO_PIPE, 1, "no", "test.conf:6: " PLACE "pipe \"y\": no"},
    {"width", TO_PIPE, 1, "no", "test.conf:6: " PLACE "pipe \"y\": width: no"},
    {"colour", TO_PIPE, 1, "100% no", "test.conf:7: " PLACE "pipe \"y\": colour: 100% no"},
    {"level", TO_DRAIN, 0, "no", "test.conf:5: " PLACE "drain \"y\": level: no"},
};

START_TEST(the_module_can_name_what_it_objects_to)
{
    static const char text[] = HEAD "size = 5\n"
                                    "pipe \"x\" { width = 1\n"
                                    " colour = blue }\n"
                                    "drain \"y\" { level = 1 }\n"
                                    "pipe \"y\" {\n"
                                    " colour = red }\n" TAIL;

    objection = objections[_i];
    ck_assert_ptr_null(parse(text));
    ck_assert_uint_eq(report.count, 1);
    ck_assert_str_eq(report.lines[0], objections[_i].error);
    report_clear(&report);
    objection.why = NULL;
    config_free(parsed(text));
}
END_TEST

/* --- the dump -------------------------------------------------------------- */

static char *dumped(const struct config *config)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    config_dump(config, out);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

START_TEST(the_dump_says_what_was_given)
{
    struct config *config = parsed(HEAD "drain \"d\" { level = 1 } pipe \"b\" { } open = on\n"
                                        "pipe \"a \\\"\\\\\\${x}\" { valve \"v\" { level = 2 }\n"
                                        "colour = green } size = 3" TAIL);
    char *text = dumped(config);
    struct config *again = parsed(text);
    char *second = dumped(again);
    const char *tank = strstr(text, "    tank {\n");

    ck_assert_ptr_nonnull(tank);
    ck_assert_str_eq(tank, "    tank {\n"
                           "        size = 3\n"
                           "        open = yes\n"
                           "        pipe \"b\" {\n"
                           "        }\n"
                           "        pipe \"a \\\"\\\\\\${x}\" {\n"
                           "            colour = green\n"
                           "            valve \"v\" {\n"
                           "                level = 2\n"
                           "            }\n"
                           "        }\n"
                           "        drain \"d\" {\n"
                           "            level = 1\n"
                           "        }\n"
                           "    }\n"
                           "}\n");
    ck_assert_str_eq(text, second);
    ck_assert(parameters_equal(tank_rows, tank_of(config), tank_of(again)));
    config_free(config);
    config_free(again);
    free(text);
    free(second);
}
END_TEST

int main(void)
{
    static char longest[PARAMETER_TITLE_MAX + 1];
    Suite *suite = suite_create("config_sections");
    TCase *tcase = tcase_create("config_sections");

    setenv("CISTERN_TEST", "t \"t", 1);
    setenv("CISTERN_CONTROL", "a\nb", 1);
    memset(longest, 'x', PARAMETER_TITLE_MAX);
    setenv("CISTERN_LONG", longest, 1);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, values_and_what_was_given);
    tcase_add_loop_test(tcase, titles_are_text, 0, LENGTH(titles));
    tcase_add_loop_test(tcase, all_errors_are_reported_at_once, 0, LENGTH(bad));
    tcase_add_loop_test(tcase, the_module_can_name_what_it_objects_to, 0, LENGTH(objections));
    tcase_add_test(tcase, the_dump_says_what_was_given);
    return unit_main(suite);
}
