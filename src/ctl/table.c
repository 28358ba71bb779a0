#include "table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"

void table_column(struct table *table, const char *head, bool right)
{
    if (table->columns == TABLE_COLUMNS_MAX)
        return;
    table->heads[table->columns] = head;
    table->right[table->columns++] = right;
}

void table_cell(struct table *table, char *text)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity * 2 + 64;
        char **cells = reallocarray(table->cells, capacity, sizeof *cells);
        if (cells != NULL) {
            table->cells = cells;
            table->capacity = capacity;
        }
    }
    if (text == NULL || table->count == table->capacity) {
        free(text);
        table->no_memory = true;
        return;
    }
    table->cells[table->count++] = text;
}

void table_clear(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){0};
}

/* Characters, of UTF-8, that a text takes on the screen. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_cell(const struct table *table, size_t column, size_t width, const char *text,
                       FILE *out)
{
    int padding = (int)(width - width_of(text));
    bool last = column + 1 == table->columns;
    if (table->right[column])
        fprintf(out, "%*s%s%s", padding, "", text, last ? "\n" : "  ");
    else
        fprintf(out, "%s%*s%s", text, last ? 0 : padding, "", last ? "\n" : "  ");
}

void table_print(const struct table *table, FILE *out)
{
    size_t widths[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = width_of(table->heads[i]);
    for (size_t i = 0; i < table->count; i++) {
        size_t width = width_of(table->cells[i]), *widest = &widths[i % table->columns];
        *widest = width > *widest ? width : *widest;
    }
    for (size_t i = 0; i < table->columns; i++)
        print_cell(table, i, widths[i], table->heads[i], out);
    for (size_t i = 0; i < table->count; i++)
        print_cell(table, i % table->columns, widths[i % table->columns], table->cells[i], out);
}

/* --- what the daemon says -------------------------------------------------------------- */

/* The name in capitals; its unit shows in the values. The caller frees it. */
static char *head_of(const char *name)
{
    size_t length = strlen(name);
    bool has_unit = length > 3 && (strcmp(name + length - 3, "_ms") == 0 ||
                                   strcmp(name + length - 3, "_at") == 0);
    char *head = strndup(name, has_unit ? length - 3 : length);
    for (char *c = head; c != NULL && *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    return head;
}

/* Which columns there are: those of the list, whose copy the names stand in, or all of the row. */
static size_t name_columns(const struct value *row, char *list, const char **names)
{
    size_t count = 0;
    char *rest = list;
    for (size_t i = 0; list == NULL && i + 1 < row->count && count < TABLE_COLUMNS_MAX; i += 2)
        names[count++] = row->items[i].text;
    while (rest != NULL && count < TABLE_COLUMNS_MAX)
        names[count++] = strsep(&rest, " ");
    return count;
}

static bool is_number(const struct value *row, const char *name)
{
    const struct value *value = value_get(row, name);
    return value != NULL && value->kind == VALUE_NUMBER;
}

static void add_rows(struct table *table, const struct value *rows, const char **names)
{
    static const struct value none = {.kind = VALUE_NONE};
    for (size_t i = 0; i < rows->count; i++) {
        for (size_t j = 0; j < table->columns; j++) {
            const struct value *value = value_get(&rows->items[i], names[j]);
            table_cell(table, format_value(names[j], value != NULL ? value : &none));
        }
    }
}

bool table_print_rows(const struct value *rows, const char *columns, FILE *out)
{
    struct table table = {0};
    const char *names[TABLE_COLUMNS_MAX];
    char *heads[TABLE_COLUMNS_MAX];
    if (rows->count == 0)
        return true;
    char *list = columns == NULL ? NULL : strdup(columns);
    size_t count = name_columns(&rows->items[0], list, names);
    for (size_t i = 0; i < count; i++) {
        heads[i] = head_of(names[i]);
        table_column(&table, heads[i] != NULL ? heads[i] : "",
                     is_number(&rows->items[0], names[i]));
    }
    add_rows(&table, rows, names);
    bool complete = !table.no_memory;
    if (complete)
        table_print(&table, out);
    table_clear(&table);
    for (size_t i = 0; i < count; i++)
        free(heads[i]);
    free(list);
    return complete;
}

/* A text of several lines goes on below where it began. */
static void print_lines(const struct value *value, size_t indent, FILE *out)
{
    char *end = value->text + value->length;
    for (char *line = value->text, *next; line < end; line = next + 1) {
        next = memchr(line, '\n', (size_t)(end - line));
        next = next == NULL ? end : next;
        struct value part = {.kind = VALUE_TEXT, .text = line, .length = (size_t)(next - line)};
        char *text = format_value("", &part);
        fprintf(out, "%*s%s\n", line == value->text ? 0 : (int)indent, "", text ? text : "");
        free(text);
    }
}

bool table_print_map(const struct value *map, FILE *out)
{
    size_t width = 0;
    for (size_t i = 0; i + 1 < map->count; i += 2)
        width = map->items[i].length > width ? map->items[i].length : width;
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        const char *name = map->items[i].text;
        const struct value *value = &map->items[i + 1];
        fprintf(out, "%-*s  ", (int)width, name);
        if (value->kind == VALUE_TEXT && value->length > 0) {
            print_lines(value, width + 2, out);
            continue;
        }
        char *text = format_value(name, value);
        if (text == NULL)
            return false;
        fprintf(out, "%s\n", text);
        free(text);
    }
    return true;
}
