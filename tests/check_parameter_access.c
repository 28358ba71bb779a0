/* Parameters that say who may do what: modes of files, users and groups. */
#include "parameter.h"

#include <string.h>

#include "unit.h"

struct block {
    uint64_t mode;
    struct account user;
    struct account group;
    uint64_t required;
};

enum { MODE, USER, GROUP, REQUIRED };
#define ROW(field, kind, ...)                                                                      \
    {                                                                                              \
        .name = #field, .type = (kind), .offset = offsetof(struct block, field), __VA_ARGS__       \
    }
static const struct parameter rows[] = {
    [MODE] = ROW(mode, PARAMETER_MODE, .flags = PARAMETER_NONE, .initial = "none"),
    [USER] = ROW(user, PARAMETER_USER, .flags = PARAMETER_NONE, .initial = "none"),
    [GROUP] = ROW(group, PARAMETER_GROUP, .flags = PARAMETER_NONE, .initial = "none"),
    [REQUIRED] = ROW(required, PARAMETER_MODE, .initial = "0600"),
    {0},
};

static char text[PARAMETER_WHY_SIZE];

static const struct {
    int row;
    const char *text;
    const char *formatted;
} good[] = {
    {MODE, "0660", "0660"}, {MODE, "666", "0666"},  {MODE, "0001", "0001"}, {MODE, "777", "0777"},
    {MODE, "none", "none"}, {USER, "root", "root"}, {USER, "none", "none"}, {GROUP, "root", "root"},
    {GROUP, "none", "none"},
};

START_TEST(takes)
{
    struct block block = {0};
    const struct parameter *row = &rows[good[_i].row];
    ck_assert_msg(parameter_parse(row, good[_i].text, &block, text, sizeof(text)), "%s", text);
    ck_assert_str_eq(parameter_format(row, &block, 0, text, sizeof(text)), good[_i].formatted);
}
END_TEST

static const struct {
    int row;
    const char *text;
    const char *why;
} bad[] = {
    {MODE, "0000", "out of range; allowed: a mode from 0001 to 0777, or none"},
    {MODE, "1777", "out of range"},
    {MODE, "60", "no mode"},
    {MODE, "00660", "no mode"},
    {MODE, "0680", "no mode"},
    {MODE, "rw-", "no mode"},
    {MODE, "", "no mode"},
    {REQUIRED, "none", "no mode; allowed: a mode from 0001 to 0777"},
    {USER, "no-such-user", "is no user of this system; allowed: a user, or none"},
    {USER, "", "no user"},
    {USER, "a-name-that-is-longer-than-any-of-a-user", "too long"},
    {GROUP, "no-such-group", "is no group of this system; allowed: a group, or none"},
};

START_TEST(refuses)
{
    struct block block, before;
    const struct parameter *row = &rows[bad[_i].row];
    memset(&block, 7, sizeof(block));
    before = block;
    ck_assert(!parameter_parse(row, bad[_i].text, &block, text, sizeof(text)));
    ck_assert_msg(strstr(text, bad[_i].why) != NULL, "%s: %s", bad[_i].text, text);
    ck_assert_mem_eq(&block, &before, sizeof(block));
}
END_TEST

START_TEST(accounts_have_their_numbers)
{
    struct block block = {0}, copy = {0};

    ck_assert(parameters_init(rows, &block));
    ck_assert_uint_eq(block.user.id, ACCOUNT_NOBODY);
    ck_assert_uint_eq(block.group.id, ACCOUNT_NOBODY);
    ck_assert_uint_eq(block.mode, PARAMETER_IS_NONE);
    ck_assert(parameter_parse(&rows[USER], "root", &block, text, sizeof(text)));
    ck_assert(parameter_parse(&rows[GROUP], "root", &block, text, sizeof(text)));
    ck_assert(parameter_parse(&rows[MODE], "0751", &block, text, sizeof(text)));
    ck_assert_uint_eq(block.user.id, 0);
    ck_assert_uint_eq(block.user.group, 0);
    ck_assert_uint_eq(block.group.id, 0);
    ck_assert_uint_eq(block.mode, 0751);
    ck_assert(parameters_copy(rows, &block, &copy));
    ck_assert(parameters_equal(rows, &block, &copy));
    ck_assert(parameter_parse(&rows[USER], "none", &copy, text, sizeof(text)));
    ck_assert(!parameters_equal(rows, &block, &copy));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("parameter_access");
    TCase *tcase = tcase_create("parameter_access");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, takes, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(tcase, refuses, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tcase, accounts_have_their_numbers);
    return unit_main(suite);
}
