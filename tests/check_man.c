/*
 * The manual pages agree with the source: every row of every table of parameters is
 * documented, in its order and with its default, range and reload; the examples work;
 * numbers are true. Of cistern-queue(7) check_man_queue has the rest.
 */
#include <sys/un.h>

#include "config.h"
#include "config_text.h"
#include "deadline.h"
#include "control/control.h"
#include "endpoint.h"
#include "page.h"
#include "queue/wait.h"
#include "server.h"
#include "unit.h"
#include "worker.h"

enum page { SERVER_CONF, CISTERND, QUEUE, PAGES };
static char pages[PAGES][PAGE_SIZE];

static void load_pages(void)
{
    load(source_path("man/server.conf.5"), pages[SERVER_CONF]);
    load(source_path("man/cisternd.8"), pages[CISTERND]);
    load(source_path("man/cistern-queue.7"), pages[QUEUE]);
}

/* --- options -------------------------------------------------------------------------- */

static const char *const type_names[] = {
    [PARAMETER_COUNT] = "number",      [PARAMETER_SIZE] = "size",
    [PARAMETER_DURATION] = "duration", [PARAMETER_BOOLEAN] = "boolean",
    [PARAMETER_CHOICE] = "word",       [PARAMETER_ADDRESSES] = "addresses",
    [PARAMETER_MODE] = "mode",         [PARAMETER_USER] = "user",
    [PARAMETER_GROUP] = "group",
    [PARAMETER_RATE] = "rate",         [PARAMETER_BYTE_RATE] = "bytes per second",
};

static const char *const reload_names[] = {
    [RELOAD_LIVE] = "at once",
    [RELOAD_CONNECTIONS] = "new connections",
    [RELOAD_REBIND] = "sockets",
    [RELOAD_NEVER] = "restart",
};

/* What the last paragraph of an option says. */
static void say_option(const struct parameter *row, char *text, size_t size)
{
    char allowed[PARAMETER_TEXT_SIZE];
    bool required = (row->flags & PARAMETER_REQUIRED) != 0;
    snprintf(text, size, " .Pp %s%s; allowed: %s; reload: %s.",
             required ? "Required" : "Default: ", required ? "" : row->initial,
             parameter_allowed(row, allowed, sizeof allowed), reload_names[row->reload]);
}

/* The same for sub-sections, whose options are those of other items, with their names. */
static void say_sections(const struct parameter *row, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, " .Pp Options:");
    for (const struct parameter *option = row->rows; option->name != NULL; option++)
        used += (size_t)snprintf(text + used, size - used, "%s %s", option == row->rows ? "" : ",",
                                 option->name);
    snprintf(text + used, size - used, "; reload: %s.", reload_names[row->reload]);
}

static void check_item(struct span item, const struct parameter *row)
{
    char wanted[PARAMETER_TEXT_SIZE + 200];
    if (row->type == PARAMETER_SECTIONS)
        say_sections(row, wanted, sizeof wanted);
    else
        say_option(row, wanted, sizeof wanted);
    ck_assert_msg(strstr(squeeze(item), wanted) != NULL, "%s lacks:\n%s", row->name, wanted);
    ck_assert_msg(count(item, "reload:") == 1, "%s has more than one default", row->name);
}

/* All rows are there, in their order, and nothing else. */
static void check_rows(struct span list, const struct parameter *rows)
{
    char head[120];
    for (; rows != NULL && rows->name != NULL; rows++) {
        if (rows->type == PARAMETER_SECTIONS)
            snprintf(head, sizeof head, ".It Ic %s Ar title No { ... }", rows->name);
        else
            snprintf(head, sizeof head, ".It Ic %s No = Ar %s", rows->name, type_names[rows->type]);
        check_item(take_item(&list, head), rows);
    }
    ck_assert_msg(find(list, "\n.It Ic ") == NULL, "there is an item without a row");
}

START_TEST(global_options_are_documented)
{
    check_rows(section(whole(pages[SERVER_CONF]), "Sh GLOBAL OPTIONS"), config_global_rows);
}
END_TEST

START_TEST(listener_options_are_documented)
{
    check_rows(section(whole(pages[SERVER_CONF]), "Sh LISTENER OPTIONS"), config_listener_rows);
}
END_TEST

START_TEST(protocols_are_documented)
{
    struct span all = section(whole(pages[SERVER_CONF]), "Sh PROTOCOLS");
    size_t known = 0;
    for (; protocols[known] != NULL; known++) {
        char heading[80];
        snprintf(heading, sizeof heading, "Ss %s", protocols[known]->name);
        check_rows(section(all, heading), protocols[known]->parameters);
    }
    ck_assert_uint_eq(count(all, "\n.Ss "), known);
}
END_TEST

/* --- the command line --------------------------------------------------------------------- */

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
        const char *head = find(whole(pages[CISTERND]), item);
        ck_assert_msg(head != NULL, "-%c has no item", letter);
        ck_assert_ptr_nonnull(find((struct span){head, strchr(head + 1, '\n')}, option));
    }
    ck_assert_int_eq(pclose(help), 0);
    ck_assert_uint_gt(options, 0);
    ck_assert_uint_eq(count(whole(pages[CISTERND]), "\n.It Fl "), options);
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
    {SERVER_CONF, " It has at most ", CONFIG_TITLES_MAX, " listeners,"},
    {SERVER_CONF, " and at most ", CONFIG_ADDRESSES_MAX, " addresses."},
    {SERVER_CONF, " up to ", CONFIG_TITLES_MAX, " beside one another;"},
    {SERVER_CONF, " a title has at most ", PARAMETER_TITLE_MAX, " bytes,"},
    {SERVER_CONF, " All errors come at once, up to ", CONFIG_ERRORS_MAX, ";"},
    {SERVER_CONF, " listened on at each, up to ", ENDPOINT_SOCKETS_MAX, "."},
    {SERVER_CONF, " socket of that name is taken, up to ", ENDPOINT_SOCKETS_MAX, "."},
    {SERVER_CONF, " name has 1 to ", ADDRESS_HOST_SIZE - 1, " ASCII characters"},
    {SERVER_CONF, " does not come to pass within ", RELIEF_PATIENCE / 1000, " seconds,"},
    {CISTERND, " limits, listeners, and up to ", SERVER_DUMP_CONNECTIONS, " connections of each,"},
    {CISTERND, " at most every ", STATUS_INTERVAL, " seconds"},
    {SERVER_CONF, " path is absolute, and has at most ", SUN_PATH_LENGTH, " bytes."},
    {SERVER_CONF, " counts as its own bytes and ", DEQUE_ITEM_COST, " more,"},
    {SERVER_CONF, " has to be at least ", CLIENT_REQUEST_OVERHEAD, " bytes larger"},
    {SERVER_CONF, " A request has at most ", CONTROL_REQUEST_MAX >> 10, "KiB and "},
    {SERVER_CONF, "KiB and ", CONTROL_ARGUMENTS_MAX, " words; a larger one is answered"},
    {CISTERND, " keeps ", CONFIG_RESERVED_FDS, " descriptors for itself"},
    {CISTERND, " (and ", CONFIG_WORKER_FDS, " more for each worker"},
    {CISTERND, " takes no byte for ", DEADLINE_FLUSH / 1000, " seconds "},
    {CISTERND, " a client has ", DEADLINE_LINGER / 1000, " seconds to close"},
    {CISTERND, " a message has at most ", LOG_LINE_SIZE - 1, " bytes."},
    {QUEUE, " a name has at most ", QUEUE_NAME_MAX, " of them."},
    {QUEUE, " counts as its own bytes and ", DEQUE_ITEM_COST, " more,"},
    {QUEUE, " At most ", WAIT_QUEUES_MAX, " queues can be waited on."},
    {QUEUE, " this time included, up to ", DEQUE_DELIVERIES_MAX, ":"},
    {QUEUE, " .Ic max_request_bytes and ", CLIENT_ARGUMENTS_MAX, " words;"},
    {QUEUE, " announces an item, at most ", RESP_INLINE_MAX >> 10, "KiB."},
    {QUEUE, " No item is larger than ", DEQUE_ITEM_MAX >> 20, "MiB,"},
    {QUEUE, " name has at most ", CLIENT_NAME_MAX, " bytes."},
};
#define FACTS (sizeof facts / sizeof facts[0])

START_TEST(numbers_are_true)
{
    char wanted[120];
    snprintf(wanted, sizeof wanted, "%s%lu%s", facts[_i].before, facts[_i].value, facts[_i].behind);
    ck_assert_msg(strstr(squeeze(whole(pages[facts[_i].page])), wanted) != NULL, "nowhere:%s",
                  wanted);
}
END_TEST

/* --- examples ---------------------------------------------------------------------------- */

static struct config *parse(struct span text, struct report *report)
{
    *report = (struct report){0};
    return config_parse("server.conf", text.begin, (size_t)(text.end - text.begin), report);
}

static const struct {
    enum page page;
    const char *heading;
} example_sections[] = {
    {SERVER_CONF, "Sh DESCRIPTION"},
    {SERVER_CONF, "Sh EXAMPLES"},
    {QUEUE, "Sh EXAMPLES"},
};
#define EXAMPLES (sizeof example_sections / sizeof example_sections[0])

START_TEST(examples_are_valid)
{
    struct report report;
    struct span page = whole(pages[example_sections[_i].page]);
    struct config *config = parse(display(section(page, example_sections[_i].heading), 0), &report);
    ck_assert_msg(config != NULL, "%s", report.count > 0 ? report.lines[0] : "out of memory");
    ck_assert_uint_gt(config->listener_count, 0);
    config_free(config);
}
END_TEST

START_TEST(errors_are_as_shown)
{
    struct span diagnostics = section(whole(pages[SERVER_CONF]), "Sh DIAGNOSTICS");
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
    tcase_add_test(tcase, command_line_is_documented);
    tcase_add_loop_test(tcase, numbers_are_true, 0, FACTS);
    tcase_add_loop_test(tcase, examples_are_valid, 0, EXAMPLES);
    tcase_add_test(tcase, errors_are_as_shown);
    return unit_main(suite);
}
