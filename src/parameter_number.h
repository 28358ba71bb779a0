/*
 * parameter_number: counts, sizes and durations as text, for parameter.c.
 *
 * Strict: decimal digits without a sign or leading zeros, then the unit, exactly
 * as it is written in server.conf(5). A count has none, a duration has to have one.
 */
#ifndef CISTERN_PARAMETER_NUMBER_H
#define CISTERN_PARAMETER_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parameter.h"

/* A number that was probably meant, with its unit. */
#define NUMBER_HINT_SIZE 32

/*
 * NULL and the value, which is within the row's range. Or what is wrong with
 * text, to be read after it ("is too large"), and perhaps a hint, else "".
 */
const char *number_parse(const struct parameter *row, const char *text, uint64_t *value,
                         char hint[NUMBER_HINT_SIZE]);

/* The number in the unit of its type. */
const char *number_format(enum parameter_type type, uint64_t value, char *buffer, size_t size);

#endif
