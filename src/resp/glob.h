/*
 * glob: patterns for names of queues, as Redis has them.
 *
 *   *  any bytes     ?  one byte     [abc] [a-z] [^a]  one of a set
 *   \x stands for x
 *
 * Names are any bytes, and a client chooses pattern and name: so it is not
 * fnmatch(3), which ends at a NUL and whose time can grow exponentially with
 * the stars. This takes at most length of pattern times length of name steps.
 */
#ifndef CISTERN_GLOB_H
#define CISTERN_GLOB_H

#include <stdbool.h>
#include <stddef.h>

bool glob_match(const char *pattern, size_t pattern_length, const char *name, size_t name_length);

#endif
