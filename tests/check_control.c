/* Requests of the administrator: names, words and options; what the kernel says of a peer. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/command.h"
#include "identity.h"
#include "stats.h"
#include "unit.h"

/* Parses the words of a text. */
static bool parse(const char *text, struct control_request *request, char why[CONTROL_WHY_SIZE])
{
    static char copy[200];
    struct resp_argument words[20];
    size_t count = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *rest = copy, *word; (word = strsep(&rest, " ")) != NULL;)
        words[count++] = (struct resp_argument){word, strlen(word)};
    return control_parse(request, words, count, why);
}

static void check_text(struct resp_argument found, const char *text)
{
    ck_assert_ptr_nonnull(found.data);
    ck_assert_uint_eq(found.length, strlen(text));
    ck_assert_mem_eq(found.data, text, found.length);
}

START_TEST(commands_are_in_order)
{
    for (size_t i = 0; i < CONTROL_COMMANDS; i++) {
        const struct control_command *command = &control_commands[i];
        ck_assert_ptr_nonnull(command->name);
        ck_assert_uint_le(command->least, command->most);
        ck_assert_uint_le(command->most, CONTROL_WORDS_MAX);
        ck_assert_ptr_eq(control_find((struct resp_argument){command->name, strlen(command->name)}),
                         command);
        if (i > 0)
            ck_assert_int_lt(strcmp(control_commands[i - 1].name, command->name), 0);
        size_t options = 0;
        while (command->options != NULL && command->options[options].key != NULL)
            options++;
        ck_assert_uint_le(options, CONTROL_OPTIONS_MAX);
    }
}
END_TEST

START_TEST(words_and_options_are_sorted)
{
    struct control_request request;
    char why[CONTROL_WHY_SIZE];
    ck_assert(parse("QUEUES jobs LIMIT=5 a=b* sort=", &request, why));
    ck_assert_int_eq(request.id, CONTROL_QUEUES);
    ck_assert_uint_eq(request.count, 2);
    check_text(request.words[0], "jobs");
    check_text(request.words[1], "a=b*"); /* `a` is no option */
    check_text(control_option(&request, "limit"), "5");
    check_text(control_option(&request, "sort"), "");
    ck_assert(parse("connections", &request, why));
    ck_assert_ptr_null(control_option(&request, "limit").data);
    ck_assert_ptr_null(control_option(&request, "no-such").data);
}
END_TEST

static const struct {
    const char *text;
    const char *why;
} refused[] = {
    {"statsu", "unknown command \"statsu\", perhaps \"status\""},
    {"x", "unknown command \"x\""},
    {"status now", "wrong arguments; it is: status"},
    {"pause", "wrong arguments; it is: pause LISTENER"},
    {"purge jobs", "wrong arguments; it is: purge LISTENER QUEUE"},
    {"purge jobs a b", "wrong arguments; it is: purge LISTENER QUEUE"},
    {"queues a b limit=3 c", "wrong arguments; it is: queues [LISTENER [PATTERN]] "
                             "[OPTION=VALUE ...]; options: limit=NUMBER, sort=COLUMN"},
    {"connections idel=5m",
     "wrong arguments; it is: connections [OPTION=VALUE ...]; options: id=NUMBER, idle=DURATION, "
     "limit=NUMBER, listener=NAME, peer=PATTERN, sort=COLUMN"},
};
#define REFUSED (sizeof refused / sizeof refused[0])

START_TEST(nonsense_is_refused)
{
    struct control_request request;
    char why[CONTROL_WHY_SIZE] = "";
    ck_assert(!parse(refused[_i].text, &request, why));
    ck_assert_str_eq(why, refused[_i].why);
}
END_TEST

/* --- who the peer is ------------------------------------------------------------------- */

START_TEST(a_peer_is_known)
{
    char directory[] = "/tmp/cistern-XXXXXX";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct identity peer;
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", directory);
    int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(server, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(server, 1), 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    int accepted = accept(server, NULL, NULL);
    ck_assert(identity_of_peer(accepted, &peer));
    ck_assert_uint_eq(peer.user, geteuid());
    ck_assert(peer.in_group); /* who made the file is in its group */
    unlink(address.sun_path);
    ck_assert(identity_of_peer(accepted, &peer));
    ck_assert(!peer.in_group); /* there is no file, and no group of it */
    rmdir(directory);
    close(server);
    close(client);
    close(accepted);
}
END_TEST

START_TEST(a_stranger_is_not)
{
    struct identity peer;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(!identity_of_peer(fd, &peer));
    ck_assert(!identity_of_peer(-1, &peer));
    close(fd);
}
END_TEST

/* --- counters --------------------------------------------------------------------------- */

START_TEST(counters_add_up)
{
    struct listener_stats one = {.accepted = 1, .peak = 2, .bytes_received = 3}, sum = {0};
    struct figure figures[STATS_REASONS];
    for (size_t i = 0; i < REFUSALS; i++)
        one.refused[i] = i + 1;
    for (size_t i = 0; i < LOST_REASONS; i++)
        one.lost[i] = 10 * (i + 1);
    stats_add(&sum, &one);
    stats_add(&sum, &one);
    ck_assert_uint_eq(sum.accepted, 2);
    ck_assert_uint_eq(sum.bytes_received, 6);
    ck_assert_uint_eq(stats_refused(&sum), 2 * stats_refused(&one));
    ck_assert_uint_eq(stats_lost(&sum), 10 * LOST_REASONS * (LOST_REASONS + 1));
    stats_reasons(&one, figures);
    uint64_t all = 0;
    for (size_t i = 0; i < STATS_REASONS; i++) {
        ck_assert_ptr_nonnull(figures[i].name);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(figures[i].name, figures[j].name);
        all += figures[i].number;
    }
    ck_assert_uint_eq(all, stats_refused(&one) + stats_lost(&one));
    for (int i = 0; i < REFUSALS; i++)
        ck_assert_ptr_nonnull(refusal_text((enum refusal)i));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control");
    TCase *tcase = tcase_create("control");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, commands_are_in_order);
    tcase_add_test(tcase, words_and_options_are_sorted);
    tcase_add_loop_test(tcase, nonsense_is_refused, 0, REFUSED);
    tcase_add_test(tcase, a_peer_is_known);
    tcase_add_test(tcase, a_stranger_is_not);
    tcase_add_test(tcase, counters_add_up);
    return unit_main(suite);
}
