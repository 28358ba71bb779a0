#include "parameter_number.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* From the largest to the smallest; the last divides every number. */
static const struct unit count_units[] = {{"", 1}, {NULL, 0}};
static const struct unit size_units[] = {
    {"GiB", UINT64_C(1) << 30},
    {"MiB", UINT64_C(1) << 20},
    {"KiB", UINT64_C(1) << 10},
    {"", 1},
    {NULL, 0},
};
static const struct unit duration_units[] = {
    {"d", UINT64_C(86400000)},
    {"h", UINT64_C(3600000)},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
    {NULL, 0},
};

static const struct unit rate_units[] = {
    {"/s", 3600},
    {"/m", 60},
    {"/h", 1},
    {NULL, 0},
};
static const struct unit byte_rate_units[] = {
    {"GiB/s", UINT64_C(1) << 30},
    {"MiB/s", UINT64_C(1) << 20},
    {"KiB/s", UINT64_C(1) << 10},
    {"/s", 1},
    {NULL, 0},
};

static const struct unit *units_of(enum parameter_type type)
{
    switch (type) {
    case PARAMETER_SIZE:
        return size_units;
    case PARAMETER_DURATION:
        return duration_units;
    case PARAMETER_RATE:
        return rate_units;
    case PARAMETER_BYTE_RATE:
        return byte_rate_units;
    default:
        return count_units;
    }
}

const char *number_format(enum parameter_type type, uint64_t value, char *buffer, size_t size)
{
    const struct unit *unit = units_of(type);

    while (unit->factor > 1 && (value == 0 || value % unit->factor != 0))
        unit++;
    snprintf(buffer, size, "%" PRIu64 "%s", value / unit->factor, unit->name);
    return buffer;
}

const char *size_format(uint64_t bytes, char *buffer, size_t size)
{
    return number_format(PARAMETER_SIZE, bytes, buffer, size);
}

const char *duration_format(uint64_t milliseconds, char *buffer, size_t size)
{
    return number_format(PARAMETER_DURATION, milliseconds, buffer, size);
}

static const struct unit *find_unit(const struct unit *units, const char *name)
{
    for (; units->name != NULL; units++) {
        if (strcmp(units->name, name) == 0)
            return units;
    }
    return NULL;
}

/* The unit that begins most like the word: KiB for k and KB, ms for msec. */
static const struct unit *nearest_unit(const struct unit *units, const char *word)
{
    const struct unit *nearest = NULL;
    size_t most = 0;

    for (; units->name != NULL; units++) {
        size_t same = 0;
        while (units->name[same] != '\0' && strncasecmp(units->name, word, same + 1) == 0)
            same++;
        if (same > most) {
            most = same;
            nearest = units;
        }
    }
    return nearest;
}

static const char *parse_digits(const char *text, uint64_t *value, const char **end)
{
    if (*text == '\0')
        return "is empty";
    if (text[0] == '-' && isdigit((unsigned char)text[1]))
        return "is negative";
    if (!isdigit((unsigned char)text[0]))
        return "is not a number";
    if (text[0] == '0' && isdigit((unsigned char)text[1]))
        return "has a leading zero";
    for (*value = 0; isdigit((unsigned char)*text); text++) {
        if (__builtin_mul_overflow(*value, 10U, value) ||
            __builtin_add_overflow(*value, (unsigned)(*text - '0'), value))
            return "is too large";
    }
    *end = text;
    return NULL;
}

/* What is meant, probably, by a number without a unit. */
static const char *usual_unit(const struct parameter *row)
{
    return row->type == PARAMETER_RATE || row->type == PARAMETER_BYTE_RATE ? "/s" : "s";
}

static const char *refuse_unit(const struct parameter *row, uint64_t number, const char *word,
                               char hint[NUMBER_HINT_SIZE])
{
    const struct unit *nearest = nearest_unit(units_of(row->type), *word == '\0' ? usual_unit(row) : word);

    if (*word == '.' || *word == ',')
        return "is not a whole number";
    if (row->type == PARAMETER_COUNT)
        return "has a unit, which a count does not";
    if (nearest != NULL)
        snprintf(hint, NUMBER_HINT_SIZE, "%" PRIu64 "%s", number, nearest->name);
    return *word == '\0' ? "has no unit" : "has an unknown unit";
}

const char *number_parse(const struct parameter *row, const char *text, uint64_t *value,
                         char hint[NUMBER_HINT_SIZE])
{
    const char *word;
    uint64_t number;

    hint[0] = '\0';
    const char *wrong = parse_digits(text, &number, &word);
    if (wrong != NULL)
        return wrong;
    const struct unit *unit = find_unit(units_of(row->type), word);
    if (unit == NULL)
        return refuse_unit(row, number, word, hint);
    if (__builtin_mul_overflow(number, unit->factor, &number) || number > row->maximum)
        return "is too large";
    if (number < row->minimum)
        return "is too small";
    *value = number;
    return NULL;
}
