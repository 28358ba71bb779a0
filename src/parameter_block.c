/* What parameter.h says of whole blocks, and of the lists that they own. */
#include "parameter.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

/* Of the types that own nothing. */
static size_t value_size(enum parameter_type type)
{
    switch (type) {
    case PARAMETER_BOOLEAN:
        return sizeof(bool);
    case PARAMETER_CHOICE:
        return sizeof(int);
    case PARAMETER_USER:
    case PARAMETER_GROUP:
        return sizeof(struct account);
    default:
        return sizeof(uint64_t);
    }
}

/* --- addresses ------------------------------------------------------------- */

static bool equal_addresses(const struct address_list *one, const struct address_list *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++) {
        if (!address_equal(&one->items[i], &other->items[i]))
            return false;
    }
    return true;
}

static bool copy_addresses(const struct address_list *from, struct address_list *to)
{
    if (from->count == 0)
        return true;
    to->items = reallocarray(NULL, from->count, sizeof(*to->items));
    if (to->items == NULL)
        return false;
    memcpy(to->items, from->items, from->count * sizeof(*to->items));
    to->count = from->count;
    return true;
}

static void clear_addresses(struct address_list *list)
{
    free(list->items);
    *list = (struct address_list){0};
}

/* --- sub-sections ---------------------------------------------------------- */

bool parameter_title_valid(const char *title)
{
    size_t length = 0;

    for (; title[length] != '\0'; length++) {
        if (iscntrl((unsigned char)title[length]))
            return false;
    }
    return length > 0 && length <= PARAMETER_TITLE_MAX;
}

static void clear_section(const struct parameter *row, struct parameter_section *section)
{
    if (section->block != NULL)
        parameters_clear(row->rows, section->block);
    free(section->block);
    free(section->given);
    free(section->lines);
    free(section->title);
}

struct parameter_section *parameter_append_section(const struct parameter *row, const char *title,
                                                   void *block)
{
    struct parameter_sections *list = parameter_value_in(row, block);
    struct parameter_section *items = reallocarray(list->items, list->count + 1, sizeof(*items));

    if (items == NULL)
        return NULL;
    list->items = items;
    struct parameter_section *section = &items[list->count];
    *section = (struct parameter_section){
        .title = strdup(title),
        .block = calloc(1, row->block_size),
        .given = calloc(parameters_count(row->rows), sizeof(*section->given)),
        .lines = calloc(parameters_count(row->rows), sizeof(*section->lines)),
    };
    if (section->title == NULL || section->block == NULL || section->given == NULL ||
        section->lines == NULL || !parameters_init(row->rows, section->block)) {
        clear_section(row, section);
        return NULL;
    }
    list->count++;
    return section;
}

static bool equal_sections(const struct parameter *row, const struct parameter_sections *one,
                           const struct parameter_sections *other)
{
    size_t given_size = parameters_count(row->rows) * sizeof(*one->items->given);

    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++) {
        if (strcmp(one->items[i].title, other->items[i].title) != 0 ||
            memcmp(one->items[i].given, other->items[i].given, given_size) != 0 ||
            !parameters_equal(row->rows, one->items[i].block, other->items[i].block))
            return false;
    }
    return true;
}

static bool copy_sections(const struct parameter *row, const struct parameter_sections *from,
                          void *to)
{
    size_t given_size = parameters_count(row->rows) * sizeof(*from->items->given);

    for (size_t i = 0; i < from->count; i++) {
        struct parameter_section *copy = parameter_append_section(row, from->items[i].title, to);
        if (copy == NULL || !parameters_copy(row->rows, from->items[i].block, copy->block))
            return false;
        memcpy(copy->given, from->items[i].given, given_size);
        memcpy(copy->lines, from->items[i].lines,
               parameters_count(row->rows) * sizeof(*copy->lines));
    }
    return true;
}

static void clear_sections(const struct parameter *row, struct parameter_sections *list)
{
    for (size_t i = 0; i < list->count; i++)
        clear_section(row, &list->items[i]);
    free(list->items);
    *list = (struct parameter_sections){0};
}

/* --- whole blocks ---------------------------------------------------------- */

bool parameter_equal(const struct parameter *row, const void *one, const void *other)
{
    const void *value = parameter_value(row, one);
    const void *other_value = parameter_value(row, other);

    switch (row->type) {
    case PARAMETER_ADDRESSES:
        return equal_addresses(value, other_value);
    case PARAMETER_SECTIONS:
        return equal_sections(row, value, other_value);
    default:
        return memcmp(value, other_value, value_size(row->type)) == 0;
    }
}

bool parameters_init(const struct parameter *rows, void *block)
{
    char why[PARAMETER_WHY_SIZE];

    for (; rows->name != NULL; rows++) {
        if (rows->initial != NULL && !parameter_parse(rows, rows->initial, block, why, sizeof(why)))
            return false;
    }
    return true;
}

static bool copy_value(const struct parameter *row, const void *from, void *to)
{
    switch (row->type) {
    case PARAMETER_ADDRESSES:
        return copy_addresses(parameter_value(row, from), parameter_value_in(row, to));
    case PARAMETER_SECTIONS:
        return copy_sections(row, parameter_value(row, from), to);
    default:
        memcpy(parameter_value_in(row, to), parameter_value(row, from), value_size(row->type));
        return true;
    }
}

bool parameters_copy(const struct parameter *rows, const void *from, void *to)
{
    for (; rows->name != NULL; rows++) {
        if (!copy_value(rows, from, to))
            return false;
    }
    return true;
}

bool parameters_equal(const struct parameter *rows, const void *one, const void *other)
{
    for (; rows->name != NULL; rows++) {
        if (!parameter_equal(rows, one, other))
            return false;
    }
    return true;
}

void parameters_clear(const struct parameter *rows, void *block)
{
    for (; rows->name != NULL; rows++) {
        if (rows->type == PARAMETER_ADDRESSES)
            clear_addresses(parameter_value_in(rows, block));
        else if (rows->type == PARAMETER_SECTIONS)
            clear_sections(rows, parameter_value_in(rows, block));
    }
}

size_t parameters_count(const struct parameter *rows)
{
    size_t count = 0;

    while (rows != NULL && rows[count].name != NULL)
        count++;
    return count;
}

const struct parameter *parameter_find(const struct parameter *rows, const char *name)
{
    for (; rows->name != NULL; rows++) {
        if (strcmp(rows->name, name) == 0)
            return rows;
    }
    return NULL;
}
