/*
 * value: a reply of the daemon, as a tree.
 *
 * Owns all that is in it. Zeroed it is VALUE_NONE, and may be freed.
 */
#ifndef CISTERN_CTL_VALUE_H
#define CISTERN_CTL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum value_kind {
    VALUE_NONE,
    VALUE_NUMBER,
    VALUE_BOOLEAN,
    VALUE_TEXT,
    VALUE_ERROR, /* its text begins with a word in capitals */
    VALUE_LIST,
    VALUE_MAP, /* items: name, value, name, value ... */
};

struct value {
    enum value_kind kind;
    int64_t number; /* of a boolean: 0 or 1 */
    char *text;     /* any bytes, and a NUL behind them */
    size_t length;
    size_t count; /* of items */
    struct value *items;
};

/* The largest text, bytes, and the deepest list that is taken. */
#define VALUE_TEXT_MAX (16U * 1024 * 1024)
#define VALUE_DEPTH_MAX 8U

/*
 * Reads one reply, in RESP2 or 3. False if the stream ends or is no reply, or
 * memory is out; the value is to be freed in any case.
 */
bool value_read(FILE *stream, struct value *value);
void value_clear(struct value *value);

/* What a map has under that name; NULL if nothing. */
const struct value *value_get(const struct value *map, const char *name);
/* The same as a number, 0 if it is none; as a text, "" if it is none. */
uint64_t value_number(const struct value *map, const char *name);
const char *value_text(const struct value *map, const char *name);

#endif
