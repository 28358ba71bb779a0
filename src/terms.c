#include "terms.h"

#include <limits.h>
#include <stdlib.h>

/* How often a rate's allowance is given out. What of it is left over does not add up. */
#define TICKS_PER_SECOND 10U
/* More in a tick than any connection moves; libevent counts what it reads in an int. */
#define UNLIMITED ((size_t)INT_MAX)

static size_t per_tick(uint64_t rate)
{
    uint64_t bytes = rate / TICKS_PER_SECOND;
    return rate == PARAMETER_IS_NONE || bytes > UNLIMITED ? UNLIMITED : (size_t)bytes;
}

/*
 * libevent 2.1.12 counts ticks by the time of day: when that is set back, who has
 * used up his allowance gets no more before it is as late as it was.
 */
static struct ev_token_bucket_cfg *new_rates(const struct listener_options *options)
{
    const struct timeval tick = {.tv_usec = 1000000 / TICKS_PER_SECOND};
    size_t reads = per_tick(options->read_rate), writes = per_tick(options->write_rate);
    return ev_token_bucket_cfg_new(reads, reads, writes, writes, &tick);
}

struct terms *terms_new(const struct listener_options *options)
{
    struct terms *terms = malloc(sizeof *terms);
    if (terms == NULL)
        return NULL;
    *terms = (struct terms){.idle_timeout = options->idle_timeout,
                            .request_timeout = options->request_timeout,
                            .write_timeout = options->write_timeout,
                            .references = 1};
    if (options->read_rate == PARAMETER_IS_NONE && options->write_rate == PARAMETER_IS_NONE)
        return terms;
    terms->rates = new_rates(options);
    if (terms->rates == NULL) {
        free(terms);
        return NULL;
    }
    return terms;
}

struct terms *terms_get(struct terms *terms)
{
    terms->references++;
    return terms;
}

void terms_put(struct terms *terms)
{
    if (terms == NULL || --terms->references > 0)
        return;
    if (terms->rates != NULL)
        ev_token_bucket_cfg_free(terms->rates);
    free(terms);
}
