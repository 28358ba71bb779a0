#include "parameters.h"

#include <stdio.h>

#include "client.h"
#include "queue.h"
#include "space.h"

#define GIBIBYTE (UINT64_C(1) << 30)

static const char *const scopes[] = {
    [SCOPE_LISTENER] = "listener",
    [SCOPE_CONNECTION] = "connection",
    NULL,
};

#define ROW(member, kind, ...)                                                                     \
    {.name = #member,                                                                              \
     .type = (kind),                                                                               \
     .offset = offsetof(struct queue_parameters, member),                                          \
     __VA_ARGS__}

const struct parameter queue_parameter_rows[] = {
    ROW(scope, PARAMETER_CHOICE, .initial = "listener", .choices = scopes,
        .reload = RELOAD_CONNECTIONS,
        .help = "whether the connections of the listener share their queues or each has its own"),
    ROW(overflow, PARAMETER_CHOICE, .initial = "drop-oldest", .choices = overflow_policy_names,
        .reload = RELOAD_LIVE, .help = "what happens to a push for which there is no room"),
    ROW(max_items, PARAMETER_COUNT, .initial = "10000", .minimum = 1,
        .maximum = UINT64_C(1) << 40, .reload = RELOAD_LIVE,
        .help = "the most items that one queue holds"),
    ROW(max_bytes, PARAMETER_SIZE, .initial = "64MiB", .minimum = 64, .maximum = 1024 * GIBIBYTE,
        .reload = RELOAD_LIVE,
        .help = "the most bytes that one queue holds, 16 more for each item counted in"),
    ROW(max_item_bytes, PARAMETER_SIZE, .initial = "1MiB", .minimum = 1,
        .maximum = DEQUE_ITEM_MAX, .reload = RELOAD_LIVE, .help = "the most bytes of one item"),
    ROW(max_queues, PARAMETER_COUNT, .initial = "1024", .minimum = 1, .maximum = 10000000,
        .reload = RELOAD_LIVE, .help = "the most queues that exist at a time"),
    ROW(max_total_bytes, PARAMETER_SIZE, .initial = "256MiB", .minimum = 64,
        .maximum = 1024 * GIBIBYTE, .reload = RELOAD_LIVE,
        .help = "the most bytes that all queues of the listener hold together"),
    ROW(max_request_bytes, PARAMETER_SIZE, .initial = "4MiB", .minimum = 1024,
        .maximum = GIBIBYTE, .reload = RELOAD_CONNECTIONS,
        .help = "the most bytes of one request; a larger one is refused and thrown away"),
    {0},
};

bool queue_parameters_check(const void *block, const char **key, char *why, size_t size)
{
    const struct queue_parameters *parameters = block;
    char found[32], allowed[32];
    if (deque_item_charge(parameters->max_item_bytes) > parameters->max_bytes) {
        *key = "max_item_bytes";
        snprintf(why, size, "%s and %u bytes of overhead do not fit max_bytes, %s",
                 size_format(parameters->max_item_bytes, found, sizeof found), DEQUE_ITEM_COST,
                 size_format(parameters->max_bytes, allowed, sizeof allowed));
        return false;
    }
    if (parameters->max_item_bytes + CLIENT_REQUEST_OVERHEAD > parameters->max_request_bytes) {
        *key = "max_request_bytes";
        snprintf(why, size, "%s has no room for the largest item, max_item_bytes = %s, and %u more",
                 size_format(parameters->max_request_bytes, found, sizeof found),
                 size_format(parameters->max_item_bytes, allowed, sizeof allowed),
                 CLIENT_REQUEST_OVERHEAD);
        return false;
    }
    return true;
}

static uint64_t smaller(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/*
 * A reply is a copy of at most one queue (LRANGE), so a client that does not
 * read holds that much besides its request; the items themselves are bounded
 * for the listener.
 */
void queue_parameters_footprint(const void *block, struct footprint *footprint)
{
    const struct queue_parameters *parameters = block;
    uint64_t queues = parameters->max_queues * (QUEUE_COST + QUEUE_NAME_MAX);
    footprint->per_connection = parameters->max_request_bytes + SESSION_WRITE_HIGH +
                                smaller(parameters->max_bytes, parameters->max_total_bytes);
    footprint->shared = parameters->max_total_bytes;
    if (parameters->scope == SCOPE_CONNECTION)
        footprint->per_connection += queues;
    else
        footprint->shared += queues;
}
