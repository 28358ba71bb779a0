/*
 * cistern-queue(7) agrees with the source: every command stands in its group with its
 * arguments and its summary, every counter and every error are documented.
 */
#include <glob.h>

#include "page.h"
#include "queue/command.h"
#include "queue/parameters.h"
#include "stage.h"
#include "unit.h"

static char page[PAGE_SIZE];

static void load_page(void)
{
    load(source_path("man/cistern-queue.7"), page);
}

/* --- commands ------------------------------------------------------------------------- */

static const char *const group_headings[] = {
    [GROUP_LIST] = "Ss list",       [GROUP_QUEUE] = "Ss queue",
    [GROUP_GENERIC] = "Ss generic", [GROUP_CONNECTION] = "Ss connection",
    [GROUP_SERVER] = "Ss server",   [GROUP_TRANSACTIONS] = "Ss transactions",
};
#define GROUPS (sizeof group_headings / sizeof group_headings[0])

static void check_command(struct span *list, const struct command *command)
{
    char head[200], summary[200];
    bool bare = command->arguments[0] == '\0';
    size_t length = (size_t)snprintf(head, sizeof head, ".It Ic %s%s%s", command->name,
                                     bare ? "" : " Ar ", command->arguments);
    ck_assert_uint_lt(length, sizeof head);
    for (char *c = head + strlen(".It Ic "); islower((unsigned char)*c); c++)
        *c = (char)toupper((unsigned char)*c);
    snprintf(summary, sizeof summary, "%s.", command->summary);
    const char *text = squeeze(take_item(list, head));
    ck_assert_msg(strncmp(text, summary, strlen(summary)) == 0, "%s does not begin with: %s",
                  command->name, summary);
}

START_TEST(commands_are_documented)
{
    struct span all = section(whole(page), "Sh COMMANDS");
    struct span list = section(all, group_headings[_i]);
    for (size_t i = 0; i < command_count; i++) {
        ck_assert_uint_lt(commands[i].group, GROUPS);
        if (commands[i].group == (enum command_group)_i)
            check_command(&list, &commands[i]);
    }
    ck_assert_msg(find(list, "\n.It Ic ") == NULL, "there is an item without a row");
}
END_TEST

/* --- what commands answer -------------------------------------------------------------- */

/* Whether the word is the head of an item, or among the words that are: .It Va WORD , Va WORD */
static bool is_listed(struct span list, const char *macro, const char *word, size_t length)
{
    static const char *const before[] = {"\n.It ", " , "}, *const behind[] = {"\n", " ,"};
    for (size_t i = 0; i < 4; i++) {
        char head[80];
        int size = snprintf(head, sizeof head, "%s%s %.*s%s", before[i / 2], macro, (int)length,
                            word, behind[i % 2]);
        ck_assert_int_lt(size, (int)sizeof head);
        if (find(list, head) != NULL)
            return true;
    }
    return false;
}

static struct span answers(const struct peer *peer)
{
    const char *data = peer_data(peer);
    return (struct span){data, data + peer_received(peer)};
}

/* Every name that the daemon answers to QINFO, a list of names and values. */
START_TEST(counters_are_documented)
{
    struct span list = section(whole(page), "Sh COUNTERS");
    struct queue_parameters parameters = {0};
    struct stage stage;
    ck_assert(parameters_init(queue_parameter_rows, &parameters));
    stage_begin(&stage, STREAM_PAIR, protocol_find("queue"), &parameters);
    struct peer *peer = stage_connect(&stage);
    peer_say(peer, "RPUSH q item\r\nQINFO q\r\nPING\r\n");
    RUN_UNTIL(&stage, peer_received(peer) > 0 && find(answers(peer), "+PONG") != NULL);
    size_t names = 0;
    struct span rest = answers(peer);
    for (const char *at; (at = find(rest, "\r\n$")) != NULL; rest.begin = at + 1) {
        const char *name = strchr(at + 2, '\n') + 1;
        size_t length = strcspn(name, "\r");
        bool is_policy = strncmp(name, "drop-oldest", length) == 0;
        ck_assert_msg(is_policy || is_listed(list, "Va", name, length), "%.*s is nowhere",
                      (int)length, name);
        names += !is_policy;
    }
    ck_assert_uint_gt(names, 0);
    ck_assert_uint_eq(count(list, "\n.It Va ") + count(list, " , Va "), names);
    stage_end(&stage);
    parameters_clear(queue_parameter_rows, &parameters);
}
END_TEST

/* The first words of the errors that a file of the source answers with; returns how many. */
static size_t check_errors_of(struct span source, struct span list)
{
    static const char call[] = "client_error(client,";
    size_t found = 0;
    for (const char *at; (at = find(source, call)) != NULL; source.begin = at + 1) {
        const char *text = at + strlen(call) + strspn(at + strlen(call), " \n");
        char word[40] = "-";
        size_t length = strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (text[0] != '"')
            continue; /* its declaration */
        ck_assert_msg(length > 0 && length < sizeof word - 1 && text[length + 1] == ' ',
                      "an error begins with no word: %.40s", text);
        memcpy(word + 1, text + 1, length);
        ck_assert_msg(is_listed(list, "Ql", word, length + 1), "%s is nowhere", word);
        found++;
    }
    return found;
}

START_TEST(errors_are_documented)
{
    static char text[PAGE_SIZE];
    struct span list = section(whole(page), "Sh ERROR REPLIES");
    size_t found = 0;
    glob_t files;
    ck_assert_int_eq(glob(source_path("src/queue/*.c"), 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        load(files.gl_pathv[i], text);
        found += check_errors_of(whole(text), list);
    }
    ck_assert_uint_gt(found, 0);
    globfree(&files);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("man_queue");
    TCase *tcase = tcase_create("man_queue");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, load_page, NULL);
    tcase_add_loop_test(tcase, commands_are_documented, 0, GROUPS);
    tcase_add_test(tcase, counters_are_documented);
    tcase_add_test(tcase, errors_are_documented);
    return unit_main(suite);
}
