#include "inspect.h"

#include "../resp/glob.h"
#include "wait.h"

#define COUNTER(name)                                                                              \
    {                                                                                              \
#name, offsetof(struct queue_counters, name)                                               \
    }

static const struct {
    const char *name;
    size_t offset;
} counter_rows[] = {
    COUNTER(pushed),  COUNTER(popped),    COUNTER(evicted),  COUNTER(evicted_resize),
    COUNTER(expired), COUNTER(removed),   COUNTER(dropped),  COUNTER(rejected),
    COUNTER(blocked), COUNTER(timed_out), COUNTER(returned),
};

_Static_assert(sizeof counter_rows / sizeof counter_rows[0] == INSPECT_COUNTERS,
               "inspect.h says how many there are");

void inspect_counters(const struct queue_counters *counters,
                      struct figure figures[INSPECT_COUNTERS])
{
    for (size_t i = 0; i < INSPECT_COUNTERS; i++) {
        uint64_t value;
        memcpy(&value, (const char *)counters + counter_rows[i].offset, sizeof value);
        figures[i] = figure_number(counter_rows[i].name, value);
    }
}

void inspect_queue(const struct named_queue *named, uint64_t now,
                   struct figure figures[INSPECT_FIGURES])
{
    const struct queue *queue = &named->queue;
    struct figure *next = figures;
    *next++ = figure_bytes("name", named->name, named->name_length);
    *next++ = figure_number("items", queue_count(queue));
    *next++ = figure_number("bytes", queue_bytes(queue));
    *next++ = figure_number("leased", queue->leased_items);
    *next++ = figure_number("max_items", queue->bound->max_items);
    *next++ = figure_number("max_bytes", queue->bound->max_bytes);
    *next++ = figure_text("policy", overflow_policy_name(queue->bound->overflow));
    inspect_counters(&queue->counters, next);
    next += INSPECT_COUNTERS;
    *next++ = figure_number("waiting_pop", named->consumers.length);
    *next++ = figure_number("waiting_push", named->producers.length);
    *next++ = figure_number("high_items", queue->counters.high_items);
    *next++ = figure_number("high_bytes", queue->counters.high_bytes);
    *next++ = figure_number("oldest_age_ms", queue_oldest_age(queue, now));
    *next++ = figure_boolean("over_bound", queue_over_bound(queue));
}

static bool matches(const struct named_queue *named, const char *pattern)
{
    return pattern == NULL || glob_match(pattern, strlen(pattern), named->name, named->name_length);
}

void inspect_list(struct service *service, const char *pattern, figure_visitor *visit,
                  void *context)
{
    service_housekeep(service); /* for what has expired to go */
    for (struct named_queue *named = service->space->by_name; named != NULL;
         named = named->hh.next) {
        if (!matches(named, pattern))
            continue;
        struct figure figures[INSPECT_FIGURES];
        inspect_queue(named, service->now, figures);
        visit(figures, INSPECT_FIGURES, context);
    }
}

bool inspect_purge(struct service *service, struct resp_argument name, uint64_t *removed)
{
    struct named_queue *named = space_find(service->space, name);
    if (named == NULL)
        return false;
    service->now = clock_now();
    *removed = queue_count(&named->queue);
    queue_clear(&named->queue);
    space_changed(service->space, named);
    wait_serve(service->space);
    return true;
}
