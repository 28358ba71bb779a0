/*
 * terms: what a connection is promised when it is made, and keeps when a reload
 * promises others something else.
 *
 * Immutable and counted. Each shard has terms of its own, so that the references
 * are plain numbers of one thread.
 */
#ifndef CISTERN_TERMS_H
#define CISTERN_TERMS_H

#include <stdint.h>

#include <event2/bufferevent.h>

#include "config.h"

struct terms {
    uint64_t idle_timeout; /* ms; PARAMETER_IS_NONE: no limit; the next two likewise */
    uint64_t request_timeout;
    uint64_t write_timeout;
    struct ev_token_bucket_cfg *rates; /* of both directions; NULL: neither is limited */
    unsigned references;
};

/* With one reference. NULL when memory is out. */
struct terms *terms_new(const struct listener_options *options);

struct terms *terms_get(struct terms *terms);
/* NULL is allowed. */
void terms_put(struct terms *terms);

#endif
