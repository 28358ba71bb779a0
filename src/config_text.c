#include "config_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for the path of a statement: its sections, with their titles, and itself. */
#define PLACE_SIZE ((CONFIG_DEPTH_MAX + 1) * (2U * CONFIG_SHOWN_MAX + 8U))

/* --- reading what was scanned ---------------------------------------------- */

uint32_t config_text_first(const struct config_text *text, uint32_t section)
{
    if (section == CONFIG_TOP)
        return 0;
    return section + (config_text_title(text, section) == NULL ? 2 : 3);
}

uint32_t config_text_next(const struct config_text *text, uint32_t statement)
{
    return text->tokens[statement].end + 1;
}

bool config_text_at_end(const struct config_text *text, uint32_t section, uint32_t statement)
{
    return statement == (section == CONFIG_TOP ? text->count : text->tokens[section].end);
}

bool config_text_is_section(const struct config_text *text, uint32_t statement)
{
    return text->tokens[statement + 1].kind != TOKEN_EQUALS;
}

const struct config_token *config_text_title(const struct config_text *text, uint32_t statement)
{
    const struct config_token *next = &text->tokens[statement + 1];
    return next->kind == TOKEN_STRING ? next : NULL;
}

uint32_t config_text_find(const struct config_text *text, uint32_t section, const char *name,
                          size_t index)
{
    for (uint32_t i = config_text_first(text, section); !config_text_at_end(text, section, i);
         i = config_text_next(text, i)) {
        if (!text->tokens[i].dropped && config_text_is(text, i, name) && index-- == 0)
            return i;
    }
    return CONFIG_TOP;
}

bool config_text_is(const struct config_text *text, uint32_t token, const char *word)
{
    size_t length = text->tokens[token].length;
    return strlen(word) == length &&
           memcmp(text->bytes + text->tokens[token].offset, word, length) == 0;
}

void config_text_clear(struct config_text *text)
{
    for (size_t i = 0; i < text->count; i++)
        free(text->tokens[i].value);
    free(text->tokens);
    *text = (struct config_text){0};
}

/* --- errors ---------------------------------------------------------------- */

int config_token_shown(const struct config_token *token)
{
    return token->length < CONFIG_SHOWN_MAX ? (int)token->length : CONFIG_SHOWN_MAX;
}

/* Writes `listener "jobs": queue: max_items: `, from the outermost section on. */
static void describe_place(const struct config_text *text, uint32_t statement,
                           char place[PLACE_SIZE])
{
    uint32_t path[CONFIG_DEPTH_MAX + 1];
    size_t depth = 0;
    size_t used = 0;

    for (; statement != CONFIG_TOP; statement = text->tokens[statement].parent)
        path[depth++] = statement;
    place[0] = '\0';
    while (depth > 0) {
        const struct config_token *key = &text->tokens[path[--depth]];
        used += (size_t)snprintf(place + used, PLACE_SIZE - used, "%.*s", config_token_shown(key),
                                 text->bytes + key->offset);
        const struct config_token *title =
            path[depth] + 1 < text->count ? config_text_title(text, path[depth]) : NULL;
        if (title != NULL)
            used += (size_t)snprintf(place + used, PLACE_SIZE - used, " %.*s",
                                     config_token_shown(title), text->bytes + title->offset);
        used += (size_t)snprintf(place + used, PLACE_SIZE - used, ": ");
    }
}

bool config_text_error(const struct config_text *text, uint32_t statement, unsigned line,
                       const char *format, ...)
{
    char place[PLACE_SIZE];
    char message[2 * PARAMETER_WHY_SIZE];
    va_list arguments;

    describe_place(text, statement, place);
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    report_add_at(text->report, text->path, line, "%s%s", place, message);
    return false;
}
