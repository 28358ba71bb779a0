#include "value.h"

#include <stdlib.h>
#include <string.h>

#include "../resp/resp.h"

/* The longest line: of a simple string or an error. */
#define LINE_MAX_LENGTH 4096

static bool read_value(FILE *stream, struct value *value, unsigned depth);

/* A line without its CRLF. */
static bool read_line(FILE *stream, char line[LINE_MAX_LENGTH])
{
    if (fgets(line, LINE_MAX_LENGTH, stream) == NULL)
        return false;
    size_t length = strlen(line);
    if (length < 3 || line[length - 1] != '\n' || line[length - 2] != '\r')
        return false;
    line[length - 2] = '\0';
    return true;
}

static bool set_text(struct value *value, enum value_kind kind, const char *text)
{
    value->kind = kind;
    value->text = strdup(text);
    value->length = strlen(text);
    return value->text != NULL;
}

/* Bytes of an announced length, and CRLF. */
static bool read_bytes(FILE *stream, struct value *value, enum value_kind kind, int64_t length)
{
    char end[2];
    if (length == -1)
        return true;
    if (length < 0 || length > VALUE_TEXT_MAX)
        return false;
    value->kind = kind;
    value->text = malloc((size_t)length + 1);
    if (value->text == NULL || fread(value->text, 1, (size_t)length, stream) != (size_t)length ||
        fread(end, 1, 2, stream) != 2 || memcmp(end, "\r\n", 2) != 0)
        return false;
    value->text[length] = '\0';
    value->length = (size_t)length;
    return true;
}

/* Memory comes with the items, and not with their announcement. */
static bool read_items(FILE *stream, struct value *value, int64_t count, unsigned depth)
{
    size_t capacity = 0;
    while ((int64_t)value->count < count) {
        if (value->count == capacity) {
            capacity = capacity * 2 + 8;
            struct value *items = reallocarray(value->items, capacity, sizeof *items);
            if (items == NULL)
                return false;
            value->items = items;
        }
        struct value *item = &value->items[value->count++];
        *item = (struct value){0};
        bool is_name = value->kind == VALUE_MAP && value->count % 2 == 1;
        if (!read_value(stream, item, depth + 1) || (is_name && item->kind != VALUE_TEXT))
            return false;
    }
    return true;
}

static bool read_list(FILE *stream, struct value *value, enum value_kind kind, int64_t count,
                      unsigned depth)
{
    if (count == -1)
        return true;
    if (count < 0 || count > INT32_MAX || depth == VALUE_DEPTH_MAX)
        return false;
    value->kind = kind;
    return read_items(stream, value, kind == VALUE_MAP ? count * 2 : count, depth);
}

static bool read_value(FILE *stream, struct value *value, unsigned depth)
{
    char line[LINE_MAX_LENGTH];
    int64_t number = 0;
    if (!read_line(stream, line))
        return false;
    struct resp_argument rest = {line + 1, strlen(line + 1)};
    if (strchr(":$*%~!=", line[0]) != NULL && !resp_parse_integer(rest, &number))
        return false;
    switch (line[0]) {
    case '+':
        return set_text(value, VALUE_TEXT, line + 1);
    case '-':
        return set_text(value, VALUE_ERROR, line + 1);
    case ':':
        *value = (struct value){.kind = VALUE_NUMBER, .number = number};
        return true;
    case '#':
        *value = (struct value){.kind = VALUE_BOOLEAN, .number = line[1] == 't'};
        return true;
    case '_':
        return true;
    case '$':
    case '=':
        return read_bytes(stream, value, VALUE_TEXT, number);
    case '!':
        return read_bytes(stream, value, VALUE_ERROR, number);
    case '*':
    case '~':
        return read_list(stream, value, VALUE_LIST, number, depth);
    case '%':
        return read_list(stream, value, VALUE_MAP, number, depth);
    default:
        return false;
    }
}

bool value_read(FILE *stream, struct value *value)
{
    *value = (struct value){0};
    return read_value(stream, value, 0);
}

void value_clear(struct value *value)
{
    for (size_t i = 0; i < value->count; i++)
        value_clear(&value->items[i]);
    free(value->items);
    free(value->text);
    *value = (struct value){0};
}

const struct value *value_get(const struct value *map, const char *name)
{
    for (size_t i = 0; map->kind == VALUE_MAP && i + 1 < map->count; i += 2) {
        if (map->items[i].kind == VALUE_TEXT && strcmp(map->items[i].text, name) == 0)
            return &map->items[i + 1];
    }
    return NULL;
}

uint64_t value_number(const struct value *map, const char *name)
{
    const struct value *found = value_get(map, name);
    return found != NULL && found->kind == VALUE_NUMBER && found->number > 0
               ? (uint64_t)found->number
               : 0;
}

const char *value_text(const struct value *map, const char *name)
{
    const struct value *found = value_get(map, name);
    return found != NULL && found->kind == VALUE_TEXT ? found->text : "";
}
