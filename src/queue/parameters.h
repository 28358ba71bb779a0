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

/* The block of the rows below. */
struct queue_parameters {
    int scope;    /* enum queue_scope */
    int overflow; /* enum overflow_policy */
    uint64_t max_items;
    uint64_t max_bytes;
    uint64_t max_item_bytes;
    uint64_t max_queues;
    uint64_t max_total_bytes;
    uint64_t max_request_bytes;
};

extern const struct parameter queue_parameter_rows[];

/* As struct protocol has them. */
bool queue_parameters_check(const void *block, const char **key, char *why, size_t size);
void queue_parameters_footprint(const void *block, struct footprint *footprint);

#endif
