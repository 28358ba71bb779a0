/* crew: the workers that a test program runs, made anew for each test. For one file of a program.
 */
#ifndef CISTERN_TESTS_CREW_H
#define CISTERN_TESTS_CREW_H

#include <check.h>

#include "log.h"
#include "workers.h"

#define COUNT 3

static struct workers *workers;
static unsigned released; /* calls */

static inline void crew_on_released(void *context)
{
    (void)context;
    released++;
}

static inline void crew_ignore_line(enum log_level level, const char *line, void *context)
{
    (void)level;
    (void)line;
    (void)context;
}

static inline void crew_begin(void)
{
    log_set_sink(crew_ignore_line, NULL);
    released = 0;
    workers = workers_new(COUNT, crew_on_released, NULL);
    ck_assert_ptr_nonnull(workers);
}

static inline void crew_end(void)
{
    workers_free(workers);
}

#endif
