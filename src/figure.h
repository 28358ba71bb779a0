/*
 * figure: a named value that the daemon tells about itself.
 *
 * Names are lower case with underscores. Their endings are units: `_ms`
 * milliseconds, `_at` seconds since 1970, `bytes` (alone or behind an
 * underscore, or with `_received` and the like behind it) bytes; all else are
 * numbers of things. Programs for people format by that.
 */
#ifndef CISTERN_FIGURE_H
#define CISTERN_FIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum figure_kind {
    FIGURE_NONE, /* there is no such value, or no limit */
    FIGURE_NUMBER,
    FIGURE_BOOLEAN,
    FIGURE_TEXT,
};

struct figure {
    const char *name;
    const char *text; /* FIGURE_TEXT: `number` bytes, any bytes; borrowed */
    uint64_t number;
    enum figure_kind kind;
};

/* Is handed one row of figures; they are borrowed. */
typedef void figure_visitor(const struct figure *figures, size_t count, void *context);

static inline struct figure figure_none(const char *name)
{
    return (struct figure){.name = name, .kind = FIGURE_NONE};
}

static inline struct figure figure_number(const char *name, uint64_t number)
{
    return (struct figure){.name = name, .kind = FIGURE_NUMBER, .number = number};
}

/* A limit, for which 0 and UINT64_MAX say that there is none. */
static inline struct figure figure_limit(const char *name, uint64_t limit)
{
    return limit == 0 || limit == UINT64_MAX ? figure_none(name) : figure_number(name, limit);
}

static inline struct figure figure_boolean(const char *name, bool value)
{
    return (struct figure){.name = name, .kind = FIGURE_BOOLEAN, .number = value};
}

static inline struct figure figure_bytes(const char *name, const char *text, size_t length)
{
    return (struct figure){.name = name, .kind = FIGURE_TEXT, .text = text, .number = length};
}

/* NULL is none. */
static inline struct figure figure_text(const char *name, const char *text)
{
    return text == NULL ? figure_none(name) : figure_bytes(name, text, strlen(text));
}

#endif
