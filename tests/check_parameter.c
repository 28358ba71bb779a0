#include "parameter.h"

#include <string.h>

#include "address.h"
#include "unit.h"

struct block {
    uint64_t count;
    uint64_t size;
    uint64_t wait;
    uint64_t rate;
    uint64_t speed;
    bool flag;
    int colour;
    struct address_list places;
};

static const char *const colours[] = {"red", "dark-green", "blue", NULL};

enum { COUNT, SIZE, WAIT, RATE, SPEED, FLAG, COLOUR, PLACES };
static const struct parameter rows[] = {
    [COUNT] = {.name = "count",
               .type = PARAMETER_COUNT,
               .flags = PARAMETER_AUTO,
               .offset = offsetof(struct block, count),
               .initial = "10",
               .minimum = 2,
               .maximum = 100000},
    [SIZE] = {.name = "size",
              .type = PARAMETER_SIZE,
              .offset = offsetof(struct block, size),
              .initial = "64KiB",
              .minimum = 512,
              .maximum = UINT64_C(8) << 30},
    [WAIT] = {.name = "wait",
              .type = PARAMETER_DURATION,
              .flags = PARAMETER_NONE | PARAMETER_FOREVER,
              .offset = offsetof(struct block, wait),
              .initial = "none",
              .minimum = 10,
              .maximum = UINT64_C(86400000) * 7},
    [RATE] = {.name = "rate",
              .type = PARAMETER_RATE,
              .offset = offsetof(struct block, rate),
              .initial = "10/s",
              .minimum = 2,
              .maximum = UINT64_C(3600) * 1000000},
    [SPEED] = {.name = "speed",
               .type = PARAMETER_BYTE_RATE,
               .flags = PARAMETER_NONE,
               .offset = offsetof(struct block, speed),
               .initial = "none",
               .minimum = 512,
               .maximum = UINT64_C(1) << 40},
    [FLAG] = {.name = "flag",
              .type = PARAMETER_BOOLEAN,
              .offset = offsetof(struct block, flag),
              .initial = "yes"},
    [COLOUR] = {.name = "colour",
                .type = PARAMETER_CHOICE,
                .offset = offsetof(struct block, colour),
                .initial = "blue",
                .choices = colours},
    [PLACES] = {.name = "places",
                .type = PARAMETER_ADDRESSES,
                .flags = PARAMETER_REQUIRED,
                .offset = offsetof(struct block, places)},
    {0},
};

/* Parses text, and gives back how it is formatted then; the reason if it is refused. */
static const char *reformat(int row, const char *text)
{
    static char buffer[PARAMETER_WHY_SIZE];
    struct block block = {0};

    if (!parameter_parse(&rows[row], text, &block, buffer, sizeof(buffer)))
        return buffer;
    parameter_format(&rows[row], &block, 0, buffer, sizeof(buffer));
    parameters_clear(rows, &block);
    return buffer;
}

/* What is expected of a text: the value as it is formatted, or a part of the reason. */
struct expectation {
    int row;
    const char *text;
    const char *formatted;
    const char *why;
};

static const struct expectation good[] = {
    {COUNT, "auto", "auto", NULL},
    {COUNT, "2", "2", NULL},
    {COUNT, "100000", "100000", NULL},
    {SIZE, "512", "512", NULL},
    {SIZE, "1000", "1000", NULL},
    {SIZE, "1024", "1KiB", NULL},
    {SIZE, "1536KiB", "1536KiB", NULL},
    {SIZE, "2048KiB", "2MiB", NULL},
    {SIZE, "8GiB", "8GiB", NULL},
    {SIZE, "8388608KiB", "8GiB", NULL},
    {WAIT, "10ms", "10ms", NULL},
    {WAIT, "1500ms", "1500ms", NULL},
    {WAIT, "2000ms", "2s", NULL},
    {WAIT, "90s", "90s", NULL},
    {WAIT, "60m", "1h", NULL},
    {WAIT, "168h", "7d", NULL},
    {WAIT, "none", "none", NULL},
    {WAIT, "forever", "forever", NULL},
    {RATE, "10/s", "10/s", NULL},
    {RATE, "60/m", "1/s", NULL},
    {RATE, "90/m", "90/m", NULL},
    {RATE, "7/h", "7/h", NULL},
    {RATE, "1000000/s", "1000000/s", NULL},
    {SPEED, "none", "none", NULL},
    {SPEED, "512/s", "512/s", NULL},
    {SPEED, "1024KiB/s", "1MiB/s", NULL},
    {SPEED, "1024GiB/s", "1024GiB/s", NULL},
    {FLAG, "yes", "yes", NULL},
    {FLAG, "on", "yes", NULL},
    {FLAG, "true", "yes", NULL},
    {FLAG, "no", "no", NULL},
    {FLAG, "off", "no", NULL},
    {FLAG, "false", "no", NULL},
    {COLOUR, "red", "red", NULL},
    {COLOUR, "dark-green", "dark-green", NULL},
    {PLACES, "LOCALHOST:1", "localhost:1", NULL},
};

START_TEST(takes)
{
    ck_assert_str_eq(reformat(good[_i].row, good[_i].text), good[_i].formatted);
    ck_assert_str_eq(reformat(good[_i].row, good[_i].formatted), good[_i].formatted);
}
END_TEST

static const struct expectation bad[] = {
    {COUNT, "", NULL, "\"\" is empty; allowed: a number from 2 to 100000"},
    {COUNT, "0", NULL, "too small"},
    {COUNT, "1", NULL, "too small"},
    {COUNT, "100001", NULL, "too large"},
    {COUNT, "18446744073709551616", NULL, "too large"},
    {COUNT, "18446744073709551626", NULL, "too large"},
    {COUNT, "99999999999999999999999999", NULL, "too large"},
    {COUNT, "010", NULL, "leading zero"},
    {COUNT, "00", NULL, "leading zero"},
    {COUNT, "0x10", NULL, "unit"},
    {COUNT, "-5", NULL, "negative"},
    {COUNT, "+5", NULL, "not a number"},
    {COUNT, " 5", NULL, "not a number"},
    {COUNT, "5 ", NULL, "unit"},
    {COUNT, "1.5", NULL, "whole number"},
    {COUNT, "1e3", NULL, "unit"},
    {COUNT, "10KiB", NULL, "unit"},
    {COUNT, "ten", NULL, "not a number"},
    {COUNT, "none", NULL, "not a number"},
    {SIZE, "0", NULL, "too small; allowed: a size from 512 to 8GiB"},
    {SIZE, "511", NULL, "too small"},
    {SIZE, "9GiB", NULL, "too large"},
    {SIZE, "8589934593", NULL, "too large"},
    {SIZE, "17179869184GiB", NULL, "too large"},
    {SIZE, "64K", NULL, "did you mean \"64KiB\"?"},
    {SIZE, "64k", NULL, "did you mean \"64KiB\"?"},
    {SIZE, "64KB", NULL, "did you mean \"64KiB\"?"},
    {SIZE, "64kib", NULL, "did you mean \"64KiB\"?"},
    {SIZE, "1mb", NULL, "did you mean \"1MiB\"?"},
    {SIZE, "1G", NULL, "did you mean \"1GiB\"?"},
    {SIZE, "64 KiB", NULL, "unknown unit"},
    {SIZE, "1TiB", NULL, "unknown unit"},
    {SIZE, "064KiB", NULL, "leading zero"},
    {SIZE, "-1KiB", NULL, "negative"},
    {SIZE, "1.5MiB", NULL, "whole number"},
    {SIZE, "KiB", NULL, "not a number"},
    {SIZE, "none", NULL, "not a number"},
    {RATE, "10", NULL, "has no unit; did you mean \"10/s\"? allowed: a rate from 2/h to 1000000/s"},
    {RATE, "1/h", NULL, "too small"},
    {RATE, "1000001/s", NULL, "too large"},
    {RATE, "10/d", NULL, "unknown unit"},
    {RATE, "10s", NULL, "unknown unit"},
    {SPEED, "64KiB", NULL, "did you mean \"64KiB/s\"?"},
    {SPEED, "64k/s", NULL, "did you mean \"64KiB/s\"?"},
    {SPEED, "511/s", NULL, "too small; allowed: a rate from 512/s to 1024GiB/s, or none"},
    {WAIT, "30", NULL,
     "has no unit; did you mean \"30s\"? allowed: a duration from 10ms to 7d, "
     "or none, or forever"},
    {WAIT, "0", NULL, "no unit"},
    {WAIT, "0s", NULL, "too small"},
    {WAIT, "9ms", NULL, "too small"},
    {WAIT, "8d", NULL, "too large"},
    {WAIT, "213503982335d", NULL, "too large"},
    {WAIT, "30sec", NULL, "did you mean \"30s\"?"},
    {WAIT, "5min", NULL, "did you mean \"5m\"?"},
    {WAIT, "20msec", NULL, "did you mean \"20ms\"?"},
    {WAIT, "1h30m", NULL, "did you mean \"1h\"?"},
    {WAIT, "2w", NULL, "unknown unit"},
    {WAIT, "-1s", NULL, "negative"},
    {WAIT, "None", NULL, "not a number"},
    {FLAG, "1", NULL, "allowed: yes or no"},
    {FLAG, "0", NULL, "allowed: yes or no"},
    {FLAG, "", NULL, "allowed: yes or no"},
    {FLAG, "Yes", NULL, "did you mean \"yes\"?"},
    {FLAG, "ture", NULL, "did you mean \"true\"?"},
    {COLOUR, "darkgreen", NULL,
     "did you mean \"dark-green\"? allowed: one of red, dark-green, blue"},
    {COLOUR, "yellow", NULL, "is not allowed; allowed: one of red"},
    {COLOUR, "", NULL, "\"\" is not allowed; allowed"},
    {PLACES, "127.0.0.1", NULL, "\"127.0.0.1\" is not an address: it has no port; allowed: "},
};

START_TEST(refuses)
{
    const char *why = reformat(bad[_i].row, bad[_i].text);
    ck_assert_msg(strstr(why, bad[_i].why) != NULL, "%s: %s", bad[_i].text, why);
}
END_TEST

START_TEST(refusal_changes_nothing)
{
    struct block block = {0};
    char why[PARAMETER_WHY_SIZE];

    ck_assert(parameters_init(rows, &block));
    ck_assert(parameter_parse(&rows[PLACES], "127.0.0.1:1", &block, why, sizeof(why)));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert(!parameter_parse(&rows[bad[i].row], bad[i].text, &block, why, sizeof(why)));
    ck_assert_uint_eq(block.count, 10);
    ck_assert_uint_eq(block.size, 65536);
    ck_assert_uint_eq(block.wait, PARAMETER_IS_NONE);
    ck_assert(block.flag);
    ck_assert_int_eq(block.colour, 2);
    ck_assert_uint_eq(block.places.count, 1);
    parameters_clear(rows, &block);
}
END_TEST

/* What is found may be long and hostile; what is allowed must still be there. */
START_TEST(reasons_are_short_and_printable)
{
    char text[10000];
    char why[PARAMETER_WHY_SIZE];
    struct block block = {0};

    memset(text, '\033', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int row = COUNT; row <= PLACES; row++) {
        ck_assert(!parameter_parse(&rows[row], text, &block, why, sizeof(why)));
        ck_assert_ptr_null(strchr(why, '\033'));
        ck_assert_ptr_nonnull(strstr(why, "...\" is not"));
        ck_assert_ptr_nonnull(strstr(why, "allowed: "));
    }
}
END_TEST

START_TEST(lists_grow)
{
    struct block block = {0};
    char text[PARAMETER_TEXT_SIZE];

    ck_assert_uint_eq(parameter_text_count(&rows[COUNT], &block), 1);
    ck_assert_uint_eq(parameter_text_count(&rows[PLACES], &block), 0);
    ck_assert(parameter_parse(&rows[PLACES], "127.0.0.1:1", &block, text, sizeof(text)));
    ck_assert(parameter_parse(&rows[PLACES], "[0::1]:1", &block, text, sizeof(text)));
    ck_assert_uint_eq(parameter_text_count(&rows[PLACES], &block), 2);
    ck_assert_str_eq(parameter_format(&rows[PLACES], &block, 0, text, sizeof(text)), "127.0.0.1:1");
    ck_assert_str_eq(parameter_format(&rows[PLACES], &block, 1, text, sizeof(text)), "[::1]:1");
    parameters_clear(rows, &block);
    ck_assert_uint_eq(block.places.count, 0);
    ck_assert_ptr_null(block.places.items);
}
END_TEST

static const struct expectation changes[] = {
    {COUNT, "11", NULL, NULL}, {SIZE, "1GiB", NULL, NULL},  {WAIT, "forever", NULL, NULL},
    {FLAG, "no", NULL, NULL},  {COLOUR, "red", NULL, NULL}, {PLACES, "*:1", NULL, NULL},
};

START_TEST(copies_are_deep_and_equal_until_changed)
{
    struct block one = {0};
    struct block other = {0};
    char why[PARAMETER_WHY_SIZE];

    ck_assert(parameters_init(rows, &one));
    ck_assert(parameter_parse(&rows[PLACES], "127.0.0.1:1", &one, why, sizeof(why)));
    ck_assert(parameters_copy(rows, &one, &other));
    ck_assert(parameters_equal(rows, &one, &other));
    ck_assert_ptr_ne(one.places.items, other.places.items);

    const struct parameter *row = &rows[changes[_i].row];
    ck_assert(parameter_parse(row, changes[_i].text, &other, why, sizeof(why)));
    ck_assert(!parameters_equal(rows, &one, &other));
    for (int i = COUNT; i <= PLACES; i++)
        ck_assert_int_eq(parameter_equal(&rows[i], &one, &other), &rows[i] != row);
    parameters_clear(rows, &one);
    parameters_clear(rows, &other);
}
END_TEST

START_TEST(bad_defaults_fail)
{
    static const struct parameter wrong[] = {
        {.name = "count", .type = PARAMETER_COUNT, .initial = "5", .minimum = 6, .maximum = 7},
        {0},
    };
    struct block block = {0};

    ck_assert(!parameters_init(wrong, &block));
}
END_TEST

START_TEST(rows_are_found_by_their_exact_name)
{
    ck_assert_uint_eq(parameters_count(rows), PLACES + 1);
    ck_assert_uint_eq(parameters_count(NULL), 0);
    ck_assert_ptr_eq(parameter_find(rows, "colour"), &rows[COLOUR]);
    ck_assert_ptr_null(parameter_find(rows, "color"));
    ck_assert_ptr_null(parameter_find(rows, "Colour"));
    ck_assert_ptr_null(parameter_find(rows, ""));
}
END_TEST

START_TEST(numbers_for_people)
{
    char text[PARAMETER_TEXT_SIZE];

    ck_assert_str_eq(size_format(0, text, sizeof(text)), "0");
    ck_assert_str_eq(size_format(1023, text, sizeof(text)), "1023");
    ck_assert_str_eq(size_format(UINT64_MAX, text, sizeof(text)), "18446744073709551615");
    ck_assert_str_eq(size_format(UINT64_C(1) << 63, text, sizeof(text)), "8589934592GiB");
    ck_assert_str_eq(duration_format(0, text, sizeof(text)), "0ms");
    ck_assert_str_eq(duration_format(86400000, text, sizeof(text)), "1d");
    ck_assert_str_eq(duration_format(61000, text, sizeof(text)), "61s");
}
END_TEST

static const struct {
    const char *word;
    const char *best;
} guesses[] = {
    {"max_item", "max_items"},
    {"max_itmes", "max_items"},
    {"maxitems", "max_items"},
    {"max-items", "max_items"},
    {"MAX_ITEMS", "max_items"},
    {"max_conn", "max_connections"},
    {"bufer", "buffer"},
    {"listne", "listen"},
    {"lsiten", "listen"},
    {"max_connection", "max_connections"},
    {"colour", NULL},
    {"x", NULL},
    {"", NULL},
    {"an_option_name_that_is_longer_than_all_that_there_are", NULL},
};

START_TEST(guesses_what_was_meant)
{
    static const char *const names[] = {"listen", "max_bytes", "max_items", "max_connections",
                                        "buffer"};
    struct suggestion suggestion;

    suggestion_init(&suggestion, guesses[_i].word);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        suggestion_offer(&suggestion, names[i]);
    ck_assert_pstr_eq(suggestion.best, guesses[_i].best);
}
END_TEST

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

int main(void)
{
    Suite *suite = suite_create("parameter");
    TCase *tcase = tcase_create("parameter");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, takes, 0, LENGTH(good));
    tcase_add_loop_test(tcase, refuses, 0, LENGTH(bad));
    tcase_add_test(tcase, refusal_changes_nothing);
    tcase_add_test(tcase, reasons_are_short_and_printable);
    tcase_add_test(tcase, lists_grow);
    tcase_add_loop_test(tcase, copies_are_deep_and_equal_until_changed, 0, LENGTH(changes));
    tcase_add_test(tcase, bad_defaults_fail);
    tcase_add_test(tcase, rows_are_found_by_their_exact_name);
    tcase_add_test(tcase, numbers_for_people);
    tcase_add_loop_test(tcase, guesses_what_was_meant, 0, LENGTH(guesses));
    return unit_main(suite);
}
