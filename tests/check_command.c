/* The table of commands: its order, its lookup, and what is told about arguments. */
#include <stdio.h>
#include <string.h>

#include "queue/command.h"
#include "unit.h"

static const struct command *find(const char *name, size_t length)
{
    /* In a block of its own size, so that a byte read too many is noticed. */
    char *copy = malloc(length + (length == 0));
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, name, length);
    const struct command *command = command_find((struct resp_argument){copy, length});
    free(copy);
    return command;
}

START_TEST(table_is_sorted)
{
    ck_assert_uint_gt(command_count, 0);
    for (size_t i = 1; i < command_count; i++)
        ck_assert_str_lt(commands[i - 1].name, commands[i].name);
}
END_TEST

START_TEST(every_row_is_whole)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *row = &commands[i];
        for (const char *c = row->name; *c != '\0'; c++)
            ck_assert_msg(*c >= 'a' && *c <= 'z', "%s", row->name);
        ck_assert_int_ne(row->arity, 0);
        ck_assert_msg(row->group <= GROUP_TRANSACTIONS, "%s", row->name);
        ck_assert_ptr_nonnull(row->arguments);
        ck_assert(row->execute != NULL);
        for (size_t j = 0; j < i && row->subcommands == NULL; j++)
            ck_assert_msg(commands[j].execute != row->execute, "%s", row->name);
    }
}
END_TEST

static int count_words(const char *text)
{
    int words = 0;
    for (size_t i = 0; text[i] != '\0'; i++)
        words += text[i] != ' ' && (i == 0 || text[i - 1] == ' ');
    return words;
}

/* A sentence without its full stop, in a line of the manual. */
static void check_summary(const char *name, const char *summary)
{
    size_t length = strlen(summary);
    ck_assert_msg(length > 0 && length < 80, "%s", name);
    ck_assert_msg(summary[0] >= 'A' && summary[0] <= 'Z', "%s", name);
    ck_assert_msg(summary[length - 1] != '.', "%s", name);
    ck_assert_msg(strpbrk(summary, "\"\\\r\n\t") == NULL, "%s", name);
}

START_TEST(summaries)
{
    for (size_t i = 0; i < command_count; i++)
        check_summary(commands[i].name, commands[i].summary);
}
END_TEST

/* Sorted, with HELP among them; what takes just so many words says which. */
START_TEST(subcommands_are_whole)
{
    size_t parents = 0;
    for (size_t i = 0; i < command_count; i++) {
        const struct subcommand *first = commands[i].subcommands;
        bool has_help = false;
        parents += first != NULL;
        for (const struct subcommand *row = first; row != NULL && row->name != NULL; row++) {
            ck_assert(row == first || strcmp(row[-1].name, row->name) < 0);
            ck_assert_uint_eq(strspn(row->name, "abcdefghijklmnopqrstuvwxyz"), strlen(row->name));
            ck_assert_int_ge(abs(row->arity), 2);
            ck_assert_msg(row->arity < 0 || row->arity == 2 + count_words(row->arguments), "%s",
                          row->name);
            ck_assert(row->arity < 0 || strchr(row->arguments, '[') == NULL);
            ck_assert(row->execute != NULL);
            check_summary(row->name, row->summary);
            has_help = has_help || strcmp(row->name, "help") == 0;
        }
        ck_assert_msg(has_help == (first != NULL), "%s", commands[i].name);
    }
    ck_assert_uint_eq(parents, 3);
}
END_TEST

static bool adds_items(const char *name)
{
    return strstr(name, "push") != NULL || strstr(name, "move") != NULL;
}

static bool is_immediate(const char *name)
{
    static const char *const names[] = {"discard", "exec", "multi", "quit", "reset"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        found = found || strcmp(names[i], name) == 0;
    return found;
}

START_TEST(flags_agree)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *row = &commands[i];
        bool writes = (row->flags & COMMAND_WRITE) != 0;
        bool blocks = (row->flags & COMMAND_BLOCKING) != 0;
        ck_assert_msg(!writes || (row->flags & COMMAND_READONLY) == 0, "%s", row->name);
        ck_assert_msg(!blocks || (writes && (row->flags & COMMAND_FAST) == 0), "%s", row->name);
        ck_assert_msg(blocks == (strstr(row->arguments, "timeout") != NULL), "%s", row->name);
        ck_assert_msg(((row->flags & COMMAND_DENYOOM) != 0) == adds_items(row->name), "%s",
                      row->name);
        ck_assert_msg(((row->flags & COMMAND_IMMEDIATE) != 0) == is_immediate(row->name), "%s",
                      row->name);
    }
}
END_TEST

/* Where `arguments` has names of queues, there the positions find them. */
START_TEST(key_positions_agree_with_the_arguments)
{
    static const char many[] = "[key ...]", two[] = "source destination";
    for (size_t i = 0; i < command_count; i++) {
        const struct command *row = &commands[i];
        const char *repeated = strstr(row->arguments, many);
        bool movable = strstr(row->arguments, "numkeys") != NULL;
        int first = 0, last = 0;
        if (strncmp(row->arguments, two, strlen(two)) == 0) {
            first = 1;
            last = 2;
        } else if (strncmp(row->arguments, "key", 3) == 0) {
            first = 1;
            last = repeated != NULL ? -1 - count_words(repeated + strlen(many)) : 1;
        }
        ck_assert_msg(movable == ((row->flags & COMMAND_MOVABLEKEYS) != 0), "%s", row->name);
        ck_assert_msg(row->first_key == first, "%s", row->name);
        ck_assert_msg(row->last_key == last, "%s", row->name);
        ck_assert_msg(row->key_step == (first > 0), "%s", row->name);
        /* Of the fewest words that the arity allows, none of the keys is missing. */
        ck_assert_msg(last < abs(row->arity) && -last <= abs(row->arity), "%s", row->name);
    }
}
END_TEST

/* As many words as `arguments` names must be enough, and one less too few. */
START_TEST(arity_agrees_with_the_arguments)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *row = &commands[i];
        int words = 1, depth = 0;
        bool optional = strchr(row->arguments, '[') != NULL;
        for (const char *c = row->arguments; *c != '\0'; c++) {
            depth += (*c == '[') - (*c == ']');
            if (depth == 0 && *c != ' ' && *c != ']' && (c[1] == ' ' || c[1] == '\0'))
                words++;
        }
        if (strcmp(row->name, "quit") == 0)
            ck_assert_int_eq(row->arity, -1); /* Redis has ignored what follows, always */
        else if (row->subcommands != NULL)
            ck_assert_msg(row->arity == -1 || row->arity == -2, "%s", row->name);
        else
            ck_assert_msg(row->arity == (optional ? -words : words), "%s", row->name);
    }
}
END_TEST

START_TEST(every_command_is_found)
{
    for (size_t i = 0; i < command_count; i++) {
        char name[32];
        size_t length = strlen(commands[i].name);
        ck_assert_uint_lt(length, sizeof name - 1);
        ck_assert_ptr_eq(find(commands[i].name, length), &commands[i]);
        for (size_t j = 0; j < length; j++)
            name[j] = (char)(commands[i].name[j] - (j % 2 == 0 ? 'a' - 'A' : 0));
        ck_assert_ptr_eq(find(name, length), &commands[i]);
    }
}
END_TEST

/* The row that has just this name, bytes and all. */
static const struct command *find_plainly(const char *name, size_t length)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strlen(commands[i].name) == length && memcmp(commands[i].name, name, length) == 0)
            return &commands[i];
    }
    return NULL;
}

START_TEST(nothing_else_is_found)
{
    for (size_t i = 0; i < command_count; i++) {
        char name[32];
        size_t length = strlen(commands[i].name);
        memcpy(name, commands[i].name, length);
        memcpy(name + length, "\0xyz", 4);
        for (size_t part = 0; part < length; part++)
            ck_assert_ptr_eq(find(name, part), find_plainly(name, part));
        ck_assert_ptr_null(find(name, length + 1));
        ck_assert_ptr_null(find(name, length + 4));
        name[length] = 'x'; /* of some it makes another command */
        ck_assert_ptr_eq(find(name, length + 1), find_plainly(name, length + 1));
        name[0] = '\0';
        ck_assert_ptr_null(find(name, length));
    }
    ck_assert_ptr_null(find("", 0));
    ck_assert_ptr_null(find("\0", 1));
    ck_assert_ptr_null(find("\xff\xff", 2));
    ck_assert_ptr_null(find("zzzz", 4));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("command");
    TCase *table = tcase_create("table");
    tcase_add_test(table, table_is_sorted);
    tcase_add_test(table, every_row_is_whole);
    tcase_add_test(table, summaries);
    tcase_add_test(table, subcommands_are_whole);
    tcase_add_test(table, flags_agree);
    tcase_add_test(table, key_positions_agree_with_the_arguments);
    tcase_add_test(table, arity_agrees_with_the_arguments);
    tcase_add_test(table, every_command_is_found);
    tcase_add_test(table, nothing_else_is_found);
    suite_add_tcase(suite, table);
    return unit_main(suite);
}
