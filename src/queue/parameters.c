#include "parameters.h"

#include <stdio.h>

#include "client.h"
#include "queue.h"
#include "space.h"

#define GIBIBYTE (UINT64_C(1) << 30)
#define DURATION_YEAR (UINT64_C(365) * 24 * 3600 * 1000)

static const char *const scopes[] = {
    [SCOPE_LISTENER] = "listener",
    [SCOPE_CONNECTION] = "connection",
    NULL,
};

const char *const overflow_policy_names[] = {
    [OVERFLOW_DROP_OLDEST] = "drop-oldest",
    [OVERFLOW_DROP_NEWEST] = "drop-newest",
    [OVERFLOW_REJECT] = "reject",
    [OVERFLOW_BLOCK] = "block",
    NULL,
};

const char *const shrink_policy_names[] = {
    [SHRINK_AUTO] = "auto",
    [SHRINK_TRIM] = "trim",
    [SHRINK_DRAIN] = "drain",
    NULL,
};

const char *overflow_policy_name(enum overflow_policy policy)
{
    return overflow_policy_names[policy];
}

#define ROW(table, member, kind, ...)                                                              \
    {                                                                                              \
        .name = #member, .type = (kind), .offset = offsetof(struct table, member), __VA_ARGS__     \
    }

/* QUEUE_LIMITS, in both tables. */
#define LIMIT_ROWS(table)                                                                          \
    ROW(table, overflow, PARAMETER_CHOICE, .initial = "drop-oldest",                               \
        .choices = overflow_policy_names, .reload = RELOAD_LIVE,                                   \
        .help = "what happens to a push for which there is no room"),                              \
        ROW(table, shrink, PARAMETER_CHOICE, .initial = "auto", .choices = shrink_policy_names,    \
            .reload = RELOAD_LIVE,                                                                 \
            .help = "what happens to items that a smaller bound has no room for"),                 \
        ROW(table, max_items, PARAMETER_COUNT, .initial = "10000", .minimum = 1,                   \
            .maximum = UINT64_C(1) << 40, .reload = RELOAD_LIVE,                                   \
            .help = "the most items that one queue holds"),                                        \
        ROW(table, max_bytes, PARAMETER_SIZE, .initial = "64MiB", .minimum = 64,                   \
            .maximum = 1024 * GIBIBYTE, .reload = RELOAD_LIVE,                                     \
            .help = "the most bytes that one queue holds, 16 more for each item counted in"),      \
        ROW(table, max_item_bytes, PARAMETER_SIZE, .initial = "1MiB", .minimum = 1,                \
            .maximum = DEQUE_ITEM_MAX, .reload = RELOAD_LIVE,                                      \
            .help = "the most bytes of one item"),                                                 \
        ROW(table, max_age, PARAMETER_DURATION, .initial = "none", .flags = PARAMETER_NONE,        \
            .minimum = 1, .maximum = DURATION_YEAR, .reload = RELOAD_LIVE,                         \
            .help = "how old an item may get before it is dropped"),                               \
        ROW(table, push_timeout, PARAMETER_DURATION, .initial = "1s",                              \
            .flags = PARAMETER_NONE | PARAMETER_FOREVER, .minimum = 1, .maximum = DURATION_YEAR,   \
            .reload = RELOAD_LIVE,                                                                 \
            .help = "how long a push waits for room under overflow = block")

const struct parameter queue_match_rows[] = {
    LIMIT_ROWS(queue_match_parameters),
    {0},
};

const struct parameter queue_parameter_rows[] = {
    ROW(queue_parameters, scope, PARAMETER_CHOICE, .initial = "listener", .choices = scopes,
        .reload = RELOAD_CONNECTIONS,
        .help = "whether the connections of the listener share their queues or each has its own"),
    LIMIT_ROWS(queue_parameters),
    ROW(queue_parameters, auto_create, PARAMETER_BOOLEAN, .initial = "yes", .reload = RELOAD_LIVE,
        .help = "whether a queue may have any name, or only one that a match section has"),
    ROW(queue_parameters, max_queues, PARAMETER_COUNT, .initial = "1024", .minimum = 1,
        .maximum = 10000000, .reload = RELOAD_LIVE, .help = "the most queues that exist at a time"),
    ROW(queue_parameters, max_total_bytes, PARAMETER_SIZE, .initial = "256MiB", .minimum = 64,
        .maximum = 1024 * GIBIBYTE, .reload = RELOAD_LIVE,
        .help = "the most bytes that all queues of the listener hold together"),
    ROW(queue_parameters, max_request_bytes, PARAMETER_SIZE, .initial = "2MiB", .minimum = 1024,
        .maximum = GIBIBYTE, .reload = RELOAD_CONNECTIONS,
        .help = "the most bytes of one request; a larger one is refused and thrown away"),
    ROW(queue_parameters, max_reply_bytes, PARAMETER_SIZE, .initial = "4MiB", .minimum = 1024,
        .maximum = GIBIBYTE, .reload = RELOAD_CONNECTIONS,
        .help =
            "the most bytes of one reply; a pop of several items takes fewer, a range is refused"),
    ROW(queue_parameters, reply_timeout, PARAMETER_DURATION, .initial = "1m",
        .flags = PARAMETER_NONE, .minimum = 100, .maximum = DURATION_YEAR,
        .reload = RELOAD_CONNECTIONS,
        .help = "how long a client may take nothing of the replies that wait for it"),
    ROW(queue_parameters, match, PARAMETER_SECTIONS, .rows = queue_match_rows,
        .block_size = sizeof(struct queue_match_parameters), .reload = RELOAD_LIVE,
        .help = "other values for the queues whose names match a pattern (glob); the first that "
                "matches holds"),
    {0},
};

struct queue_match_parameters queue_parameters_for(const struct queue_parameters *parameters,
                                                   size_t index)
{
    const struct parameter_section *section =
        index < parameters->match.count ? &parameters->match.items[index] : NULL;
    const struct queue_match_parameters *own = section != NULL ? section->block : NULL;
    struct queue_match_parameters values;
    size_t row = 0;
    /* In the order of LIMIT_ROWS. */
#define TAKE(member)                                                                               \
    values.member = own != NULL && section->given[row++] ? own->member : parameters->member
    TAKE(overflow);
    TAKE(shrink);
    TAKE(max_items);
    TAKE(max_bytes);
    TAKE(max_item_bytes);
    TAKE(max_age);
    TAKE(push_timeout);
#undef TAKE
    return values;
}

static bool check_item_fits(const struct queue_match_parameters *values, char *why, size_t size)
{
    char found[32], allowed[32];
    if (deque_item_charge(values->max_item_bytes) <= values->max_bytes)
        return true;
    snprintf(why, size, "%s and %u bytes of overhead do not fit max_bytes, %s",
             size_format(values->max_item_bytes, found, sizeof found), DEQUE_ITEM_COST,
             size_format(values->max_bytes, allowed, sizeof allowed));
    return false;
}

static bool check_request_fits(const struct queue_parameters *parameters,
                               const struct queue_match_parameters *values, char *why, size_t size)
{
    char found[32], allowed[32];
    if (values->max_item_bytes + CLIENT_REQUEST_OVERHEAD <= parameters->max_request_bytes)
        return true;
    snprintf(why, size, "%s and %u more do not fit max_request_bytes, %s",
             size_format(values->max_item_bytes, found, sizeof found), CLIENT_REQUEST_OVERHEAD,
             size_format(parameters->max_request_bytes, allowed, sizeof allowed));
    return false;
}

bool queue_parameters_check(const void *block, struct parameter_fault *fault, char *why,
                            size_t size)
{
    const struct queue_parameters *parameters = block;
    for (size_t i = 0; i <= parameters->match.count; i++) {
        const struct queue_match_parameters values = queue_parameters_for(parameters, i);
        if (check_item_fits(&values, why, size) &&
            check_request_fits(parameters, &values, why, size))
            continue;
        fault->key = "max_item_bytes";
        fault->section = i < parameters->match.count ? &parameters->match.items[i] : NULL;
        return false;
    }
    return true;
}

/*
 * A client may have a request kept for it, another parked, others kept for EXEC,
 * and a reply that it does not read; the items are bounded for the listener.
 */
void queue_parameters_footprint(const void *block, struct footprint *footprint)
{
    const struct queue_parameters *parameters = block;
    uint64_t queues = parameters->max_queues * (QUEUE_COST + QUEUE_NAME_MAX);
    uint64_t reply = parameters->max_reply_bytes;
    for (size_t i = 0; i <= parameters->match.count; i++) {
        const struct queue_match_parameters values = queue_parameters_for(parameters, i);
        if (values.max_item_bytes > reply)
            reply = values.max_item_bytes; /* one item may always go out */
    }
    footprint->per_connection =
        3 * parameters->max_request_bytes + SESSION_WRITE_HIGH + parameters->max_reply_bytes;
    footprint->shared = parameters->max_total_bytes;
    if (parameters->scope == SCOPE_CONNECTION)
        footprint->per_connection += queues;
    else
        footprint->shared += queues;
}
