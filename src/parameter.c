#include "parameter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "parameter_access.h"
#include "parameter_number.h"

/* --- what is allowed ------------------------------------------------------- */

static const char *const boolean_words[] = {"no", "yes", "off", "on", "false", "true", NULL};

static void append(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void append(char *buffer, size_t size, const char *format, ...)
{
    size_t used = strlen(buffer);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(buffer + used, size - used, format, arguments);
    va_end(arguments);
}

static const char *or_none(const struct parameter *row)
{
    return row->flags & PARAMETER_NONE ? ", or none" : "";
}

static void append_range(const struct parameter *row, const char *noun, char *buffer, size_t size)
{
    char minimum[PARAMETER_TEXT_SIZE];
    char maximum[PARAMETER_TEXT_SIZE];

    append(buffer, size, "a %s from %s to %s", noun,
           number_format(row->type, row->minimum, minimum, sizeof(minimum)),
           number_format(row->type, row->maximum, maximum, sizeof(maximum)));
    append(buffer, size, "%s", or_none(row));
    if (row->flags & PARAMETER_FOREVER)
        append(buffer, size, ", or forever");
    if (row->flags & PARAMETER_AUTO)
        append(buffer, size, ", or auto");
}

const char *parameter_allowed(const struct parameter *row, char *buffer, size_t size)
{
    buffer[0] = '\0';
    switch (row->type) {
    case PARAMETER_COUNT:
        append_range(row, "number", buffer, size);
        break;
    case PARAMETER_SIZE:
        append_range(row, "size", buffer, size);
        break;
    case PARAMETER_DURATION:
        append_range(row, "duration", buffer, size);
        break;
    case PARAMETER_RATE:
    case PARAMETER_BYTE_RATE:
        append_range(row, "rate", buffer, size);
        break;
    case PARAMETER_BOOLEAN:
        append(buffer, size, "yes or no");
        break;
    case PARAMETER_CHOICE:
        for (size_t i = 0; row->choices[i] != NULL; i++)
            append(buffer, size, "%s%s", i == 0 ? "one of " : ", ", row->choices[i]);
        break;
    case PARAMETER_MODE:
        append(buffer, size, "a mode from 0001 to 0777%s", or_none(row));
        break;
    case PARAMETER_USER:
        append(buffer, size, "a user%s", or_none(row));
        break;
    case PARAMETER_GROUP:
        append(buffer, size, "a group%s", or_none(row));
        break;
    case PARAMETER_ADDRESSES:
        append(buffer, size,
               "addresses like \"127.0.0.1:7007\", \"[::1]:7007\", "
               "\"localhost:7007\", \"*:7007\", \"unix:/run/x.sock\", \"systemd:NAME\"");
        break;
    case PARAMETER_SECTIONS:
        append(buffer, size, "sections, %s \"TITLE\" { ... }", row->name);
        break;
    }
    return buffer;
}

/* --- from text ------------------------------------------------------------- */

/* Says in why what is wrong with text; hint may be empty. Returns false. */
static bool refuse(const struct parameter *row, const char *text, const char *wrong,
                   const char *hint, char *why, size_t size)
{
    char quoted[TEXT_QUOTED_SIZE];
    char allowed[PARAMETER_TEXT_SIZE];

    snprintf(why, size, "%s %s; ", text_quote(text, strlen(text), quoted), wrong);
    if (hint[0] != '\0')
        append(why, size, "did you mean \"%s\"? ", hint);
    append(why, size, "allowed: %s", parameter_allowed(row, allowed, sizeof(allowed)));
    return false;
}

static bool parse_number(const struct parameter *row, const char *text, uint64_t *value, char *why,
                         size_t size)
{
    char hint[NUMBER_HINT_SIZE];

    if ((row->flags & PARAMETER_NONE) && strcmp(text, "none") == 0) {
        *value = PARAMETER_IS_NONE;
        return true;
    }
    if ((row->flags & PARAMETER_FOREVER) && strcmp(text, "forever") == 0) {
        *value = PARAMETER_IS_FOREVER;
        return true;
    }
    if ((row->flags & PARAMETER_AUTO) && strcmp(text, "auto") == 0) {
        *value = PARAMETER_IS_AUTO;
        return true;
    }
    const char *wrong = number_parse(row, text, value, hint);
    return wrong == NULL || refuse(row, text, wrong, hint, why, size);
}

/* The index of text among the words, or -1 with the reason in why. */
static int parse_word(const struct parameter *row, const char *const *words, const char *text,
                      char *why, size_t size)
{
    struct suggestion suggestion;

    suggestion_init(&suggestion, text);
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0)
            return i;
        suggestion_offer(&suggestion, words[i]);
    }
    refuse(row, text, "is not allowed", suggestion.best == NULL ? "" : suggestion.best, why, size);
    return -1;
}

static bool append_address(const struct parameter *row, const char *text, struct address_list *list,
                           char *why, size_t size)
{
    struct address address;
    char reason[PARAMETER_TEXT_SIZE];
    char wrong[PARAMETER_TEXT_SIZE + 32];

    if (!address_parse(&address, text, reason, sizeof(reason))) {
        snprintf(wrong, sizeof(wrong), "is not an address: %s", reason);
        return refuse(row, text, wrong, "", why, size);
    }
    struct address *items = reallocarray(list->items, list->count + 1, sizeof(*items));
    if (items == NULL) {
        snprintf(why, size, "out of memory");
        return false;
    }
    items[list->count] = address;
    list->items = items;
    list->count++;
    return true;
}

bool parameter_parse(const struct parameter *row, const char *text, void *block, char *why,
                     size_t size)
{
    void *value = parameter_value_in(row, block);
    const char *wrong;
    int index;

    switch (row->type) {
    case PARAMETER_BOOLEAN:
        index = parse_word(row, boolean_words, text, why, size);
        if (index >= 0)
            *(bool *)value = index % 2 == 1;
        return index >= 0;
    case PARAMETER_CHOICE:
        index = parse_word(row, row->choices, text, why, size);
        if (index >= 0)
            *(int *)value = index;
        return index >= 0;
    case PARAMETER_MODE:
    case PARAMETER_USER:
    case PARAMETER_GROUP:
        wrong = access_parse(row, text, value);
        return wrong == NULL || refuse(row, text, wrong, "", why, size);
    case PARAMETER_ADDRESSES:
        return append_address(row, text, value, why, size);
    case PARAMETER_SECTIONS:
        return refuse(row, text, "is not a section", "", why, size);
    default:
        return parse_number(row, text, value, why, size);
    }
}

/* --- to text --------------------------------------------------------------- */

size_t parameter_text_count(const struct parameter *row, const void *block)
{
    switch (row->type) {
    case PARAMETER_ADDRESSES:
        return ((const struct address_list *)parameter_value(row, block))->count;
    case PARAMETER_SECTIONS:
        return 0;
    default:
        return 1;
    }
}

static const char *format_number(const struct parameter *row, uint64_t value, char *buffer,
                                 size_t size)
{
    if ((row->flags & PARAMETER_NONE) && value == PARAMETER_IS_NONE)
        snprintf(buffer, size, "none");
    else if ((row->flags & PARAMETER_FOREVER) && value == PARAMETER_IS_FOREVER)
        snprintf(buffer, size, "forever");
    else if ((row->flags & PARAMETER_AUTO) && value == PARAMETER_IS_AUTO)
        snprintf(buffer, size, "auto");
    else
        number_format(row->type, value, buffer, size);
    return buffer;
}

const char *parameter_format(const struct parameter *row, const void *block, size_t index,
                             char *buffer, size_t size)
{
    const void *value = parameter_value(row, block);

    switch (row->type) {
    case PARAMETER_BOOLEAN:
        snprintf(buffer, size, "%s", boolean_words[*(const bool *)value]);
        return buffer;
    case PARAMETER_CHOICE:
        snprintf(buffer, size, "%s", row->choices[*(const int *)value]);
        return buffer;
    case PARAMETER_MODE:
    case PARAMETER_USER:
    case PARAMETER_GROUP:
        return access_format(row, value, buffer, size);
    case PARAMETER_ADDRESSES:
        return address_format(((const struct address_list *)value)->items + index, buffer, size);
    default:
        return format_number(row, *(const uint64_t *)value, buffer, size);
    }
}
