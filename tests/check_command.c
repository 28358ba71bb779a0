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
        ck_assert_str_ne(row->summary, "");
        ck_assert_ptr_nonnull(row->arguments);
        ck_assert(row->execute != NULL);
        ck_assert_msg((row->flags & COMMAND_WRITE) == 0 || (row->flags & COMMAND_READONLY) == 0,
                      "%s both reads and writes", row->name);
        ck_assert_msg((row->first_key == 0) == (row->key_step == 0), "%s", row->name);
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

START_TEST(nothing_else_is_found)
{
    for (size_t i = 0; i < command_count; i++) {
        char name[32];
        size_t length = strlen(commands[i].name);
        memcpy(name, commands[i].name, length);
        memcpy(name + length, "\0xyz", 4);
        ck_assert_ptr_null(find(name, length - 1));
        ck_assert_ptr_null(find(name, length + 1));
        ck_assert_ptr_null(find(name, length + 4));
        name[length] = 'x';
        ck_assert_ptr_null(find(name, length + 1));
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
    tcase_add_test(table, arity_agrees_with_the_arguments);
    tcase_add_test(table, every_command_is_found);
    tcase_add_test(table, nothing_else_is_found);
    suite_add_tcase(suite, table);
    return unit_main(suite);
}
