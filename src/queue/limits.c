/* The limits of a listener, from its parameters: see space.h. */
#include <stdlib.h>
#include <string.h>

#include "space.h"

struct limits *limits_new(void)
{
    struct limits *limits = calloc(1, sizeof *limits);
    if (limits != NULL)
        limits->references = 1;
    return limits;
}

struct limits *limits_get(struct limits *limits)
{
    limits->references++;
    return limits;
}

static void free_bounds(struct space_bound *bounds, size_t count)
{
    for (size_t i = 0; bounds != NULL && i < count; i++)
        free(bounds[i].pattern);
    free(bounds);
}

void limits_put(struct limits *limits)
{
    if (limits == NULL || --limits->references > 0)
        return;
    free_bounds(limits->bounds, limits->bound_count);
    free(limits);
}

static struct queue_bound bound_of(const struct queue_match_parameters *values)
{
    return (struct queue_bound){
        .max_items = values->max_items,
        .max_bytes = values->max_bytes,
        .max_item_bytes = values->max_item_bytes,
        .overflow = (enum overflow_policy)values->overflow,
        .shrink = (enum shrink_policy)values->shrink,
        .push_timeout = values->push_timeout,
        .max_age = values->max_age,
    };
}

static bool set_bound(struct space_bound *bound, const struct queue_parameters *parameters,
                      size_t index)
{
    const struct queue_match_parameters values = queue_parameters_for(parameters, index);
    bound->bound = bound_of(&values);
    if (index == parameters->match.count)
        return true;
    bound->pattern = strdup(parameters->match.items[index].title);
    return bound->pattern != NULL;
}

bool limits_set(struct limits *limits, const struct queue_parameters *parameters)
{
    size_t count = parameters->match.count + 1;
    struct space_bound *bounds = calloc(count, sizeof *bounds);
    bool set = bounds != NULL;
    for (size_t i = 0; set && i < count; i++)
        set = set_bound(&bounds[i], parameters, i);
    if (!set) {
        free_bounds(bounds, count);
        return false;
    }
    free_bounds(limits->bounds, limits->bound_count);
    limits->bounds = bounds;
    limits->bound_count = count;
    limits->max_queues = parameters->max_queues;
    limits->auto_create = parameters->auto_create;
    limits->budget.limit = parameters->max_total_bytes;
    return true;
}

void limits_adopt(struct limits *limits, struct limits *other)
{
    struct limits old = *limits;
    limits->bounds = other->bounds;
    limits->bound_count = other->bound_count;
    limits->max_queues = other->max_queues;
    limits->auto_create = other->auto_create;
    limits->budget.limit = other->budget.limit;
    other->bounds = old.bounds;
    other->bound_count = old.bound_count;
}
