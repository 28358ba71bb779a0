/* must: ck_assert() for places that are passed millions of times: it notes only failures. */
#ifndef CISTERN_TESTS_MUST_H
#define CISTERN_TESTS_MUST_H

#include <check.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("not so: %s", #condition);                                                \
    } while (0)

#endif
