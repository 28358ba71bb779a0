/*
 * unit: the main() of a unit test program, for Check.
 *
 * How much is printed, and whether as TAP, is up to the environment: CK_VERBOSITY,
 * CK_TAP_LOG_FILE_NAME.
 */
#ifndef CISTERN_TESTS_UNIT_H
#define CISTERN_TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

/* Runs the suite, which it takes over, and returns main()'s exit status. */
static inline int unit_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
