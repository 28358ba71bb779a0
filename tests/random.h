/* random: the random numbers of a test. SEED=N in the environment repeats the run that said N. */
#ifndef CISTERN_TESTS_RANDOM_H
#define CISTERN_TESTS_RANDOM_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline void random_begin(int test)
{
    const char *given = getenv("SEED");
    unsigned long seed =
        given != NULL ? strtoul(given, NULL, 10) : (unsigned long)time(NULL) + (unsigned long)test;
    fprintf(stderr, "# SEED=%lu\n", seed);
    srandom((unsigned)seed);
}

/* At least 0, less than limit. */
static inline size_t below(size_t limit)
{
    return (size_t)random() % limit;
}

#endif
