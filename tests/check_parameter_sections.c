/* Blocks with titled sub-sections (PARAMETER_SECTIONS); all other types are in check_parameter.c.
 */
#include "parameter.h"

#include <string.h>

#include "address.h"
#include "unit.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* A house has rooms, a room has shelves. */
struct house {
    uint64_t age;
    struct parameter_sections rooms;
};

struct room {
    int colour;
    struct address_list places;
    struct parameter_sections shelves;
};

struct shelf {
    uint64_t count;
};

static const struct parameter shelf_rows[] = {
    {.name = "count",
     .type = PARAMETER_COUNT,
     .offset = offsetof(struct shelf, count),
     .initial = "3",
     .minimum = 1,
     .maximum = 9},
    {0},
};

static const char *const colours[] = {"red", "green", "blue", NULL};

enum { ROOM_COLOUR, ROOM_PLACES, ROOM_SHELVES };
static const struct parameter room_rows[] = {
    [ROOM_COLOUR] = {.name = "colour",
                     .type = PARAMETER_CHOICE,
                     .offset = offsetof(struct room, colour),
                     .initial = "blue",
                     .choices = colours},
    [ROOM_PLACES] = {.name = "places",
                     .type = PARAMETER_ADDRESSES,
                     .offset = offsetof(struct room, places)},
    [ROOM_SHELVES] = {.name = "shelf",
                      .type = PARAMETER_SECTIONS,
                      .offset = offsetof(struct room, shelves),
                      .rows = shelf_rows,
                      .block_size = sizeof(struct shelf)},
    {0},
};

enum { AGE, ROOMS };
static const struct parameter house_rows[] = {
    [AGE] = {.name = "age",
             .type = PARAMETER_COUNT,
             .offset = offsetof(struct house, age),
             .initial = "1",
             .minimum = 1,
             .maximum = 9},
    [ROOMS] = {.name = "room",
               .type = PARAMETER_SECTIONS,
               .offset = offsetof(struct house, rooms),
               .rows = room_rows,
               .block_size = sizeof(struct room)},
    {0},
};

static void set(const struct parameter *row, const char *text, void *block)
{
    char why[PARAMETER_WHY_SIZE];
    ck_assert_msg(parameter_parse(row, text, block, why, sizeof(why)), "%s", why);
}

/* Two rooms: one of all defaults; one with a colour, a place and a shelf. */
static void furnish(struct house *house)
{
    ck_assert(parameters_init(house_rows, house));
    ck_assert_ptr_nonnull(parameter_append_section(&house_rows[ROOMS], "hall", house));
    struct parameter_section *attic = parameter_append_section(&house_rows[ROOMS], "attic", house);
    set(&room_rows[ROOM_COLOUR], "red", attic->block);
    set(&room_rows[ROOM_PLACES], "127.0.0.1:1", attic->block);
    attic->given[ROOM_COLOUR] = true;
    ck_assert_ptr_nonnull(
        parameter_append_section(&room_rows[ROOM_SHELVES], "upper", attic->block));
}

START_TEST(sections_begin_with_defaults_and_nothing_given)
{
    struct house house = {0};

    furnish(&house);
    ck_assert_uint_eq(house.rooms.count, 2);
    ck_assert_str_eq(house.rooms.items[0].title, "hall");
    ck_assert_str_eq(house.rooms.items[1].title, "attic");
    const struct room *hall = house.rooms.items[0].block;
    ck_assert_int_eq(hall->colour, 2);
    ck_assert_uint_eq(hall->places.count, 0);
    ck_assert_uint_eq(hall->shelves.count, 0);
    for (int i = ROOM_COLOUR; i <= ROOM_SHELVES; i++)
        ck_assert(!house.rooms.items[0].given[i]);
    parameters_clear(house_rows, &house);
    ck_assert_uint_eq(house.rooms.count, 0);
    ck_assert_ptr_null(house.rooms.items);
}
END_TEST

START_TEST(sections_are_no_text)
{
    struct house house = {0};
    char why[PARAMETER_WHY_SIZE];

    furnish(&house);
    ck_assert_uint_eq(parameter_text_count(&house_rows[ROOMS], &house), 0);
    ck_assert(!parameter_parse(&house_rows[ROOMS], "cellar", &house, why, sizeof(why)));
    ck_assert_str_eq(why, "\"cellar\" is not a section; allowed: sections, room \"TITLE\" { ... }");
    ck_assert_uint_eq(house.rooms.count, 2);
    parameters_clear(house_rows, &house);
}
END_TEST

static void change_title(struct house *house)
{
    house->rooms.items[1].title[0] = 'A';
}

static void change_given(struct house *house)
{
    house->rooms.items[1].given[ROOM_SHELVES] = true;
}

static void change_colour(struct house *house)
{
    set(&room_rows[ROOM_COLOUR], "blue", house->rooms.items[1].block);
}

static void change_places(struct house *house)
{
    set(&room_rows[ROOM_PLACES], "127.0.0.1:2", house->rooms.items[0].block);
}

static void change_shelf(struct house *house)
{
    struct room *attic = house->rooms.items[1].block;
    set(&shelf_rows[0], "9", attic->shelves.items[0].block);
}

static void change_order(struct house *house)
{
    struct parameter_section hall = house->rooms.items[0];
    house->rooms.items[0] = house->rooms.items[1];
    house->rooms.items[1] = hall;
}

static void change_count(struct house *house)
{
    ck_assert_ptr_nonnull(parameter_append_section(&house_rows[ROOMS], "cellar", house));
}

static void (*const rebuilds[])(struct house *house) = {
    change_title, change_given, change_colour, change_places,
    change_shelf, change_order, change_count,
};

/* Under a sanitizer also: that nothing is shared, and nothing lost. */
START_TEST(copies_of_sections_are_deep_and_equal_until_changed)
{
    struct house one = {0};
    struct house other = {0};

    furnish(&one);
    ck_assert(parameters_copy(house_rows, &one, &other));
    ck_assert(parameters_equal(house_rows, &one, &other));
    rebuilds[_i](&other);
    ck_assert(!parameters_equal(house_rows, &one, &other));
    ck_assert(!parameters_equal(house_rows, &other, &one));
    ck_assert(parameter_equal(&house_rows[AGE], &one, &other));
    parameters_clear(house_rows, &other);

    struct house again = {0};
    furnish(&again);
    ck_assert(parameters_equal(house_rows, &one, &again));
    parameters_clear(house_rows, &again);
    parameters_clear(house_rows, &one);
}
END_TEST

START_TEST(titles_are_printable_and_bounded)
{
    char title[PARAMETER_TITLE_MAX + 2] = "";

    ck_assert(!parameter_title_valid(title));
    memset(title, 'x', PARAMETER_TITLE_MAX);
    ck_assert(parameter_title_valid(title));
    title[PARAMETER_TITLE_MAX] = 'x';
    ck_assert(!parameter_title_valid(title));
    ck_assert(parameter_title_valid("h\xc3\xa9 * \"\\ {}"));
    ck_assert(!parameter_title_valid("a\n"));
    ck_assert(!parameter_title_valid("\033"));
    ck_assert(!parameter_title_valid("a\177b"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("parameter_sections");
    TCase *tcase = tcase_create("parameter_sections");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, sections_begin_with_defaults_and_nothing_given);
    tcase_add_test(tcase, sections_are_no_text);
    tcase_add_loop_test(tcase, copies_of_sections_are_deep_and_equal_until_changed, 0,
                        LENGTH(rebuilds));
    tcase_add_test(tcase, titles_are_printable_and_bounded);
    return unit_main(suite);
}
