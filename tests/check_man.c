/*
 * The manual pages agree with the source: every row of every table is documented, in its
 * order and with its default, range and reload; the examples work; numbers are true.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "config.h"
#include "config_text.h"
#include "connection.h"
#include "endpoint.h"
#include "queue/blocking.h"
#include "queue/command.h"
#include "queue/space.h"
#include "unit.h"
#include "worker.h"

#define PAGE_SIZE (128U * 1024)

enum page { SERVER_CONF, CISTERND, PAGES };
static char pages[PAGES][PAGE_SIZE];

/* A piece of a page: of whole lines, and of the line end before them. */
struct span {
    const char *begin;
    const char *end;
};

static void load(enum page page, const char *name)
{
    char path[4096];
    const char *top = getenv("top_srcdir");
    ck_assert_ptr_nonnull(top);
    snprintf(path, sizeof path, "%s/man/%s", top, name);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    size_t length = fread(pages[page], 1, PAGE_SIZE - 1, file);
    ck_assert_msg(feof(file), "%s does not fit the buffer", path);
    fclose(file);
    pages[page][length] = '\0';
}

static void load_pages(void)
{
    load(SERVER_CONF, "server.conf.5");
    load(CISTERND, "cisternd.8");
}

/* --- pieces of pages ---------------------------------------------------------------- */

static const char *find(struct span span, const char *text)
{
    return memmem(span.begin, (size_t)(span.end - span.begin), text, strlen(text));
}

static size_t count(struct span span, const char *text)
{
    size_t found = 0;
    for (const char *at; (at = find(span, text)) != NULL; span.begin = at + 1)
        found++;
    return found;
}

static struct span whole(enum page page)
{
    return (struct span){pages[page], pages[page] + strlen(pages[page])};
}

/* From behind the line that begins span up to the next that begins with text. */
static struct span body(struct span span, const char *text)
{
    struct span rest = {strchr(span.begin + 1, '\n'), span.end};
    const char *next = find(rest, text);
    return (struct span){rest.begin, next == NULL ? rest.end : next};
}

/* What stands below the heading ("Sh DESCRIPTION", "Ss echo"). */
static struct span section(struct span span, const char *heading)
{
    char line[80];
    snprintf(line, sizeof line, "\n.%s\n", heading);
    const char *begin = find(span, line);
    ck_assert_msg(begin != NULL, "there is no section .%s", heading);
    struct span found = body((struct span){begin, span.end}, "\n.Sh ");
    return heading[1] == 's' ? body((struct span){begin, found.end}, "\n.Ss ") : found;
}

/* The text with every run of blanks and line ends as one blank. */
static const char *squeeze(struct span span)
{
    static char text[PAGE_SIZE];
    char *out = text;
    for (const char *in = span.begin; in < span.end; in++) {
        if (!isspace((unsigned char)*in))
            *out++ = *in;
        else if (out > text && out[-1] != ' ')
            *out++ = ' ';
    }
    *out = '\0';
    return text;
}

/* Takes the next item of the list, which has to begin with that line; returns its body. */
static struct span take_item(struct span *list, const char *head)
{
    const char *begin = find(*list, "\n.It Ic ");
    ck_assert_msg(begin != NULL, "there is no item after the last: %s", head);
    const char *end = strchr(begin + 1, '\n');
    ck_assert_msg((size_t)(end - begin - 1) == strlen(head) &&
                      memcmp(begin + 1, head, strlen(head)) == 0,
                  "the item is\n%.*s\nand should be\n%s", (int)(end - begin - 1), begin + 1, head);
    struct span item = body((struct span){begin, list->end}, "\n.It Ic ");
    list->begin = item.end;
    return item;
}

/* The index-th literal display. */
static struct span display(struct span span, unsigned index)
{
    const char *begin = find(span, "\n.Bd -literal");
    for (; begin != NULL && index > 0; index--)
        begin = find((struct span){begin + 1, span.end}, "\n.Bd -literal");
    ck_assert_msg(begin != NULL, "there are not so many displays");
    struct span found = body((struct span){begin, span.end}, "\n.Ed\n");
    ck_assert_msg(find(found, "\\") == NULL, "a display here has no backslash");
    found.begin++; /* so that the line numbers are right */
    return found;
}

/* --- options -------------------------------------------------------------------------- */

static const char *const type_names[] = {
    [PARAMETER_COUNT] = "number",      [PARAMETER_SIZE] = "size",
    [PARAMETER_DURATION] = "duration", [PARAMETER_BOOLEAN] = "boolean",
    [PARAMETER_CHOICE] = "word",       [PARAMETER_ADDRESSES] = "addresses",
};

static const char *const reload_names[] = {
    [RELOAD_LIVE] = "at once",
    [RELOAD_CONNECTIONS] = "new connections",
    [RELOAD_REBIND] = "sockets",
};

static void check_item(struct span item, const struct parameter *row)
{
    char allowed[PARAMETER_TEXT_SIZE];
    char wanted[PARAMETER_TEXT_SIZE + 200];
    bool required = (row->flags & PARAMETER_REQUIRED) != 0;
    snprintf(wanted, sizeof wanted, " .Pp %s%s; allowed: %s; reload: %s.",
             required ? "Required" : "Default: ", required ? "" : row->initial,
             parameter_allowed(row, allowed, sizeof allowed), reload_names[row->reload]);
    ck_assert_msg(strstr(squeeze(item), wanted) != NULL, "%s lacks:\n%s", row->name, wanted);
    ck_assert_msg(count(item, "reload:") == 1, "%s has more than one default", row->name);
}

/* All rows are there, in their order, and nothing else. */
static void check_rows(struct span list, const struct parameter *rows)
{
    char head[120];
    for (; rows != NULL && rows->name != NULL; rows++) {
        snprintf(head, sizeof head, ".It Ic %s No = Ar %s", rows->name, type_names[rows->type]);
        check_item(take_item(&list, head), rows);
    }
    ck_assert_msg(find(list, "\n.It Ic ") == NULL, "there is an item without a row");
}

START_TEST(global_options_are_documented)
{
    check_rows(section(whole(SERVER_CONF), "Sh GLOBAL OPTIONS"), config_global_rows);
}
END_TEST

START_TEST(listener_options_are_documented)
{
    check_rows(section(whole(SERVER_CONF), "Sh LISTENER OPTIONS"), config_listener_rows);
}
END_TEST

START_TEST(protocols_are_documented)
{
    struct span all = section(whole(SERVER_CONF), "Sh PROTOCOLS");
    size_t known = 0;
    for (; protocols[known] != NULL; known++) {
        char heading[80];
        snprintf(heading, sizeof heading, "Ss %s", protocols[known]->name);
        check_rows(section(all, heading), protocols[known]->parameters);
    }
    ck_assert_uint_eq(count(all, "\n.Ss "), known);
}
END_TEST

START_TEST(commands_are_documented)
{
    struct span list = section(whole(SERVER_CONF), "Ss Commands");
    for (size_t i = 0; i < command_count; i++) {
        char head[200], summary[200];
        size_t length =
            (size_t)snprintf(head, sizeof head, ".It Ic %s%s%s", commands[i].name,
                             commands[i].arguments[0] == '\0' ? "" : " Ar ", commands[i].arguments);
        ck_assert_uint_lt(length, sizeof head);
        for (char *c = head + strlen(".It Ic "); islower((unsigned char)*c); c++)
            *c = (char)toupper((unsigned char)*c);
        snprintf(summary, sizeof summary, "%s.", commands[i].summary);
        const char *text = squeeze(take_item(&list, head));
        ck_assert_msg(strncmp(text, summary, strlen(summary)) == 0, "%s does not begin with: %s",
                      commands[i].name, summary);
    }
    ck_assert_msg(find(list, "\n.It Ic ") == NULL, "there is an item without a row");
}
END_TEST

START_TEST(command_line_is_documented)
{
    char command[4096], line[200];
    const char *daemon = getenv("CISTERND");
    ck_assert_ptr_nonnull(daemon);
    snprintf(command, sizeof command, "'%s' --help", daemon);
    FILE *help = popen(command, "r");
    size_t options = 0;
    while (fgets(line, sizeof line, help) != NULL) {
        char letter, name[20], item[16], option[30];
        if (sscanf(line, "  -%c, --%19[a-z]", &letter, name) != 2)
            continue;
        options++;
        snprintf(item, sizeof item, "\n.It Fl %c ", letter);
        snprintf(option, sizeof option, ", Fl -%s", name);
        const char *head = find(whole(CISTERND), item);
        ck_assert_msg(head != NULL, "-%c has no item", letter);
        ck_assert_ptr_nonnull(find((struct span){head, strchr(head + 1, '\n')}, option));
    }
    ck_assert_int_eq(pclose(help), 0);
    ck_assert_uint_gt(options, 0);
    ck_assert_uint_eq(count(whole(CISTERND), "\n.It Fl "), options);
}
END_TEST

/* --- numbers ---------------------------------------------------------------------------- */

#define SUN_PATH_LENGTH (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

static const struct {
    enum page page;
    const char *before;
    unsigned long value;
    const char *behind;
} facts[] = {
    {SERVER_CONF, " regular file of at most ", CONFIG_FILE_MAX >> 20, "MiB,"},
    {SERVER_CONF, " of at most ", CONFIG_TOKENS_MAX, " words and signs."},
    {SERVER_CONF, " All errors come at once, up to ", CONFIG_ERRORS_MAX, ";"},
    {SERVER_CONF, " listened on at each, up to ", ENDPOINT_SOCKETS_MAX, "."},
    {SERVER_CONF, " path is absolute, and has at most ", SUN_PATH_LENGTH, " bytes."},
    {SERVER_CONF, " counts as its own bytes and ", DEQUE_ITEM_COST, " more,"},
    {SERVER_CONF, " has to be at least ", CLIENT_REQUEST_OVERHEAD, " bytes larger"},
    {SERVER_CONF, " a name has at most ", QUEUE_NAME_MAX, " of them."},
    {SERVER_CONF, " At most ", BLOCKING_QUEUES_MAX, " queues can be waited on."},
    {CISTERND, " keeps ", CONFIG_RESERVED_FDS, " descriptors for itself"},
    {CISTERND, " takes no byte for ", CONNECTION_FLUSH_TIMEOUT / 1000, " seconds "},
    {CISTERND, " a client has ", CONNECTION_LINGER / 1000, " seconds to close"},
    {CISTERND, " a message has at most ", LOG_LINE_SIZE - 1, " bytes."},
};
#define FACTS (sizeof facts / sizeof facts[0])

START_TEST(numbers_are_true)
{
    char wanted[120];
    snprintf(wanted, sizeof wanted, "%s%lu%s", facts[_i].before, facts[_i].value, facts[_i].behind);
    ck_assert_msg(strstr(squeeze(whole(facts[_i].page)), wanted) != NULL, "nowhere:%s", wanted);
}
END_TEST

/* --- examples ---------------------------------------------------------------------------- */

static struct config *parse(struct span text, struct report *report)
{
    *report = (struct report){0};
    return config_parse("server.conf", text.begin, (size_t)(text.end - text.begin), report);
}

static const char *const example_sections[] = {"Sh DESCRIPTION", "Sh EXAMPLES"};

START_TEST(examples_are_valid)
{
    struct report report;
    struct config *config =
        parse(display(section(whole(SERVER_CONF), example_sections[_i]), 0), &report);
    ck_assert_msg(config != NULL, "%s", report.count > 0 ? report.lines[0] : "out of memory");
    ck_assert_uint_gt(config->listener_count, 0);
    config_free(config);
}
END_TEST

START_TEST(errors_are_as_shown)
{
    struct span diagnostics = section(whole(SERVER_CONF), "Sh DIAGNOSTICS");
    struct report report;
    char found[8192] = "";
    size_t used = 0;
    ck_assert_ptr_null(parse(display(diagnostics, 0), &report));
    for (size_t i = 0; i < report.count; i++)
        used += (size_t)snprintf(found + used, sizeof found - used, "%s%s", i == 0 ? "" : " ",
                                 report.lines[i]);
    ck_assert_uint_lt(used, sizeof found);
    report_clear(&report);
    ck_assert_str_eq(squeeze(display(diagnostics, 1)), found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("man");
    TCase *tcase = tcase_create("man");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, load_pages, NULL);
    tcase_add_test(tcase, global_options_are_documented);
    tcase_add_test(tcase, listener_options_are_documented);
    tcase_add_test(tcase, protocols_are_documented);
    tcase_add_test(tcase, commands_are_documented);
    tcase_add_test(tcase, command_line_is_documented);
    tcase_add_loop_test(tcase, numbers_are_true, 0, FACTS);
    tcase_add_loop_test(tcase, examples_are_valid, 0, 2);
    tcase_add_test(tcase, errors_are_as_shown);
    return unit_main(suite);
}
