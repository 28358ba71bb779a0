/* format: values for people, and for programs. */
#ifndef CISTERN_CTL_FORMAT_H
#define CISTERN_CTL_FORMAT_H

#include <stdint.h>
#include <stdio.h>

#include "value.h"

/* Room for a number with its unit, or a time. */
#define FORMAT_SIZE 64

const char *format_bytes(uint64_t bytes, char text[FORMAT_SIZE]);
const char *format_duration(uint64_t milliseconds, char text[FORMAT_SIZE]);

/*
 * A value of that name (figure.h says what the name tells about its unit) as
 * people read it, on one line; control characters are '?'. NULL when memory is
 * out. The caller frees it.
 */
char *format_value(const char *name, const struct value *value);

/* As JSON (RFC 8259), without a line end. Bytes that are no UTF-8 become U+FFFD. */
void format_json(const struct value *value, FILE *out);

#endif
