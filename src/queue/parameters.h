/* parameters: what server.conf sets for a queue listener. */
#ifndef CISTERN_QUEUE_PARAMETERS_H
#define CISTERN_QUEUE_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../parameter.h"
#include "../protocol.h"

enum queue_scope {
    SCOPE_LISTENER,   /* one name space for all connections of the listener */
    SCOPE_CONNECTION, /* one for each, gone with it: Python's deque in a protocol's __init__ */
};

/* What holds for each queue, and what `match` can say otherwise; LIMIT_ROWS has the rows. */
#define QUEUE_LIMITS                                                                               \
    int overflow; /* enum overflow_policy */                                                       \
    int shrink;   /* enum shrink_policy */                                                         \
    uint64_t max_items;                                                                            \
    uint64_t max_bytes;                                                                            \
    uint64_t max_item_bytes;                                                                       \
    uint64_t max_age;      /* ms; none: no limit */                                                \
    uint64_t push_timeout; /* ms; none: a push does not wait; forever */

/* The block of a match section; its title is the pattern. */
struct queue_match_parameters {
    QUEUE_LIMITS
};

/* The block of the module's section. */
struct queue_parameters {
    int scope; /* enum queue_scope */
    QUEUE_LIMITS
    bool auto_create;
    uint64_t max_queues;
    uint64_t max_total_bytes;
    uint64_t max_request_bytes;
    uint64_t max_reply_bytes;
    uint64_t reply_timeout;          /* ms; none: no limit */
    struct parameter_sections match; /* struct queue_match_parameters */
};

extern const struct parameter queue_match_rows[];
extern const struct parameter queue_parameter_rows[];

/*
 * What holds for the queues of the index-th match section, what it does not
 * give taken from the module's section; index match.count: for all others.
 */
struct queue_match_parameters queue_parameters_for(const struct queue_parameters *parameters,
                                                   size_t index);

/* As struct protocol has them. */
bool queue_parameters_check(const void *block, struct parameter_fault *fault, char *why,
                            size_t size);
void queue_parameters_footprint(const void *block, struct footprint *footprint);

#endif
