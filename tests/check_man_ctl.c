/*
 * cisternctl(1) agrees with the source: every command stands there with its arguments, its
 * summary and its options, every option of the program, and the numbers are true.
 */
#include "control/rows.h"
#include "ctl/client.h"
#include "page.h"
#include "unit.h"

static char page[PAGE_SIZE];

static void load_page(void)
{
    load(source_path("man/cisternctl.1"), page);
}

static void check_options(struct span item, const struct control_option *option)
{
    char wanted[200];
    size_t known = 0;
    for (; option != NULL && option->key != NULL; option++, known++) {
        snprintf(wanted, sizeof wanted, " .It Cm %s Ns = Ns Ar %s %s.", option->key, option->value,
                 option->help);
        ck_assert_msg(strstr(squeeze(item), wanted) != NULL, "nowhere:%s", wanted);
    }
    ck_assert_uint_eq(count(item, "\n.It Cm "), known);
}

static void check_command(struct span *list, const struct control_command *command)
{
    char head[200], summary[200];
    bool bare = command->arguments[0] == '\0';
    snprintf(head, sizeof head, ".It Ic %s%s%s", command->name, bare ? "" : " Ar ",
             command->arguments);
    snprintf(summary, sizeof summary, "%s.", command->summary);
    struct span item = take_item(list, head);
    ck_assert_msg(strncmp(squeeze(item), summary, strlen(summary)) == 0,
                  "%s does not begin with: %s", command->name, summary);
    check_options(item, command->options);
}

START_TEST(commands_are_documented)
{
    struct span list = section(whole(page), "Sh COMMANDS");
    for (size_t i = 0; i < CONTROL_COMMANDS; i++)
        check_command(&list, &control_commands[i]);
    take_item(&list, ".It Ic top"); /* the program's own */
    ck_assert_msg(find(list, "\n.It Ic ") == NULL, "there is an item without a row");
}
END_TEST

/* What --help prints is what there is: each option and each command. */
START_TEST(help_is_documented)
{
    char command[4096], line[200];
    size_t options = 0, commands = 0;
    ck_assert_ptr_nonnull(getenv("CISTERNCTL"));
    snprintf(command, sizeof command, "'%s' --help", getenv("CISTERNCTL"));
    FILE *help = popen(command, "r");
    while (fgets(line, sizeof line, help) != NULL) {
        char letter, name[20], item[40];
        commands += strncmp(line, "  ", 2) == 0 && islower((unsigned char)line[2]);
        if (sscanf(line, "  -%c, --%19[a-z]", &letter, name) != 2)
            continue;
        options++;
        snprintf(item, sizeof item, "\n.It Fl %c ", letter);
        const char *head = find(whole(page), item);
        snprintf(item, sizeof item, ", Fl -%s", name);
        ck_assert_msg(head != NULL, "-%c has no item", letter);
        ck_assert_ptr_nonnull(find((struct span){head, strchr(head + 1, '\n')}, item));
    }
    ck_assert_int_eq(pclose(help), 0);
    ck_assert_uint_eq(count(whole(page), "\n.It Fl "), options);
    ck_assert_uint_eq(count(section(whole(page), "Sh COMMANDS"), "\n.It Ic "), commands);
}
END_TEST

static const struct {
    const char *before;
    unsigned long value;
    const char *behind;
} facts[] = {
    {" Lists have ", ROWS_DEFAULT, " rows "},
    {" it has at most ", CONTROL_PATTERN_MAX, " bytes."},
    {" says otherwise, and ", ROWS_MAX, " at most."},
    {" did not answer for ", CLIENT_PATIENCE, " seconds."},
};
#define FACTS (sizeof facts / sizeof facts[0])

START_TEST(numbers_are_true)
{
    char wanted[120];
    snprintf(wanted, sizeof wanted, "%s%lu%s", facts[_i].before, facts[_i].value, facts[_i].behind);
    ck_assert_msg(strstr(squeeze(whole(page)), wanted) != NULL, "nowhere:%s", wanted);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("man_ctl");
    TCase *tcase = tcase_create("man_ctl");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, load_page, NULL);
    tcase_add_test(tcase, commands_are_documented);
    tcase_add_test(tcase, help_is_documented);
    tcase_add_loop_test(tcase, numbers_are_true, 0, FACTS);
    return unit_main(suite);
}
