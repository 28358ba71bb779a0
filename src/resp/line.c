/* The words of an inline request: see parts.h. */
#include "parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- words ------------------------------------------------------------------ */

void resp_words_free(struct resp_words *words)
{
    free(words->items);
    free(words->scratch);
    *words = (struct resp_words){0};
}

bool resp_words_reserve(struct resp_words *words, size_t capacity)
{
    if (capacity <= words->capacity)
        return true;
    struct resp_argument *items = reallocarray(words->items, capacity, sizeof(*items));
    if (items == NULL)
        return false;
    words->items = items;
    words->capacity = capacity;
    return true;
}

/* --- a line of them ----------------------------------------------------------- */

/* What ends a word outside quotes. Between words isspace() holds: VT and FF too, as in Redis. */
static bool ends_word(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static unsigned hex_value(char c)
{
    return isdigit((unsigned char)c) ? (unsigned)(c - '0')
                                     : (unsigned)(tolower((unsigned char)c) - 'a') + 10;
}

/* Unescapes what follows a backslash in double quotes; returns how many bytes it took. */
static size_t unescape(const char *text, const char *end, char *out)
{
    if (end - text >= 3 && text[0] == 'x' && isxdigit((unsigned char)text[1]) &&
        isxdigit((unsigned char)text[2])) {
        *out = (char)(hex_value(text[1]) << 4 | hex_value(text[2]));
        return 3;
    }
    static const char escapes[] = "n\nr\rt\tb\ba\a";
    *out = *text;
    for (const char *e = escapes; *e != '\0'; e += 2)
        if (*e == *text)
            *out = e[1];
    return 1;
}

/*
 * Copies a quoted part, from behind its opening quote, to *out, which moves on.
 * Returns where the part ends, behind the closing quote; NULL if there is none.
 */
static const char *unquote(const char *text, const char *end, char quote, char **out)
{
    while (text < end && *text != quote) {
        bool escaped = *text == '\\' && end - text >= 2 && (quote == '"' || text[1] == quote);
        if (escaped)
            text += 1 + unescape(text + 1, end, *out);
        else
            **out = *text++;
        (*out)++;
    }
    if (text == end)
        return NULL;
    text++;
    return text == end || isspace((unsigned char)*text) ? text : NULL;
}

/*
 * Reads one word of the line, from *text, which moves behind it. A word without
 * quotes stays where it is; any other goes to *out in the scratch buffer.
 * False when the quotes do not balance.
 */
static bool read_word(const char **text, const char *end, char **out, struct resp_argument *word)
{
    const char *start = *text;
    const char *at = start;
    while (at < end && !ends_word(*at) && *at != '"' && *at != '\'')
        at++;
    *word = (struct resp_argument){start, (size_t)(at - start)};
    if (at < end && !ends_word(*at)) {
        char *copy = *out;
        memcpy(copy, start, word->length);
        *out += word->length;
        at = unquote(at + 1, end, *at, out);
        *word = (struct resp_argument){copy, (size_t)(*out - copy)};
    }
    *text = at;
    return at != NULL;
}

enum resp_status resp_split_line(const char *text, const char *end, size_t most,
                                 struct resp_words *words, const char **reason)
{
    /* Unescaping never lengthens, so that a line always fits. */
    if (words->scratch == NULL && (words->scratch = malloc(RESP_INLINE_MAX)) == NULL)
        return RESP_NO_MEMORY;

    char *out = words->scratch;
    for (;;) {
        while (text < end && isspace((unsigned char)*text))
            text++;
        if (text == end)
            return words->count > 0 ? RESP_REQUEST : RESP_EMPTY;
        struct resp_argument word;
        *reason = "unbalanced quotes in request";
        if (!read_word(&text, end, &out, &word))
            return RESP_ERROR;
        *reason = "too big inline request";
        if (words->count == most) /* Redis has no such limit */
            return RESP_ERROR;
        if (!resp_words_add(words, word.data, word.length))
            return RESP_NO_MEMORY;
    }
}
