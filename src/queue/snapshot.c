#include "snapshot.h"

#include <stdio.h>
#include <string.h>

#include "service.h"

/* Of what is written: another one for every change of it, a counter more included. */
#define SNAPSHOT_VERSION 1U
#define COUNTERS 13U
_Static_assert(sizeof(struct queue_counters) == COUNTERS * sizeof(uint64_t),
               "with other counters the snapshot has another version");

static const char damaged[] = "it is damaged";
static const char no_memory[] = "out of memory";

/* --- saving ------------------------------------------------------------------------- */

static void put_counters(struct contents_writer *writer, const struct queue_counters *counters)
{
    uint64_t values[COUNTERS];
    memcpy(values, counters, sizeof values);
    for (size_t i = 0; i < COUNTERS; i++)
        contents_put_number(writer, values[i]);
}

/* Small whether it is a step ahead or back. */
static uint64_t difference(uint64_t from, uint64_t to)
{
    return to >= from ? (to - from) << 1 : (from - to) << 1 | 1;
}

static uint64_t save_items(struct queue *queue, uint64_t saved_at, struct contents_writer *writer)
{
    uint64_t count = queue_count(queue), time = saved_at;
    struct deque_item item;
    contents_put_number(writer, count);
    while (queue_peek(queue, DEQUE_HEAD, &item)) {
        contents_put_number(writer, item.length);
        contents_put_number(writer, difference(time, item.pushed_at));
        contents_put_number(writer, item.deliveries);
        contents_put(writer, item.data, item.length);
        time = item.pushed_at;
        queue_unload(queue);
    }
    return count;
}

static uint64_t save_queue(struct space *space, struct named_queue *queue, uint64_t saved_at,
                           struct contents_writer *writer)
{
    contents_put_number(writer, queue->name_length);
    contents_put(writer, queue->name, queue->name_length);
    put_counters(writer, &queue->queue.counters);
    uint64_t count = save_items(&queue->queue, saved_at, writer);
    space_changed(space, queue);
    return count;
}

uint64_t snapshot_save(struct service *service, struct contents_writer *writer)
{
    struct space *space = service->space;
    uint64_t saved_at = clock_now(), items = 0;
    struct named_queue *queue;
    contents_put_number(writer, SNAPSHOT_VERSION);
    contents_put_number(writer, saved_at);
    contents_put_number(writer, service->leases.last_id);
    put_counters(writer, &space->forgotten);
    contents_put_number(writer, HASH_COUNT(space->by_name));
    TAILQ_FOREACH(queue, &space->idle, idle)
    save_queue(space, queue, saved_at, writer);
    for (queue = space->by_name; queue != NULL; queue = queue->hh.next) {
        if (!queue->is_idle) /* it becomes so, once it is unloaded */
            items += save_queue(space, queue, saved_at, writer);
    }
    return items;
}

/* --- loading: each function returns why it cannot go on, or NULL ----------------------- */

struct loading {
    struct contents_reader *reader;
    struct space *space;
    uint64_t saved_at;
    uint64_t behind; /* the clock has stepped back by so much since: another boot's; else 0 */
    uint64_t items;
};

static bool get_counters(struct contents_reader *reader, struct queue_counters *counters)
{
    uint64_t values[COUNTERS];
    for (size_t i = 0; i < COUNTERS; i++) {
        if (!contents_get_number(reader, &values[i]))
            return false;
    }
    memcpy(counters, values, sizeof values);
    return true;
}

/* The equation of queue.h, without leases. */
static bool add_up(const struct queue_counters *counters, uint64_t items)
{
    return counters->pushed == counters->popped + counters->evicted + counters->evicted_resize +
                                   counters->expired + counters->removed + items;
}

static bool get_time(struct loading *loading, uint64_t *time)
{
    uint64_t step;
    if (!contents_get_number(loading->reader, &step))
        return false;
    *time = (step & 1) != 0 ? *time - (step >> 1) : *time + (step >> 1);
    return *time <= loading->saved_at; /* wrapped around it is not */
}

static const char *load_item(struct loading *loading, struct queue *queue, uint64_t *time)
{
    uint64_t length, deliveries;
    struct deque_item item;
    if (!contents_get_number(loading->reader, &length) || !get_time(loading, time) ||
        !contents_get_number(loading->reader, &deliveries) || deliveries > DEQUE_DELIVERIES_MAX ||
        !contents_get(loading->reader, length, &item.data))
        return damaged;
    item.length = (size_t)length;
    item.pushed_at = *time > loading->behind ? *time - loading->behind : 0;
    item.deliveries = (unsigned)deliveries;
    return queue_load(queue, &item) ? NULL : no_memory;
}

static const char *load_items(struct loading *loading, struct named_queue *queue)
{
    uint64_t count, time = loading->saved_at;
    if (!get_counters(loading->reader, &queue->queue.counters) ||
        !contents_get_number(loading->reader, &count) || !add_up(&queue->queue.counters, count))
        return damaged;
    loading->items += count;
    const char *fault = NULL;
    while (count-- > 0 && fault == NULL)
        fault = load_item(loading, &queue->queue, &time);
    space_changed(loading->space, queue);
    return fault;
}

static const char *load_queue(struct loading *loading)
{
    uint64_t length;
    struct resp_argument name;
    if (!contents_get_number(loading->reader, &length) || length > QUEUE_NAME_MAX ||
        !contents_get(loading->reader, length, &name.data))
        return damaged;
    name.length = (size_t)length;
    if (space_find(loading->space, name) != NULL)
        return damaged;
    struct named_queue *queue = space_restore(loading->space, name);
    return queue != NULL ? load_items(loading, queue) : no_memory;
}

/* Into a space of its own, which is to be thrown away if anything is wrong. */
static const char *load(struct loading *loading, uint64_t *last_lease)
{
    struct contents_reader *reader = loading->reader;
    uint64_t version, count;
    if (!contents_get_number(reader, &version))
        return damaged;
    if (version != SNAPSHOT_VERSION)
        return "it was written by another version";
    if (!contents_get_number(reader, &loading->saved_at) ||
        !contents_get_number(reader, last_lease) || *last_lease > INT64_MAX ||
        !get_counters(reader, &loading->space->forgotten) ||
        !add_up(&loading->space->forgotten, 0) || !contents_get_number(reader, &count))
        return damaged;
    uint64_t now = clock_now();
    loading->behind = loading->saved_at > now ? loading->saved_at - now : 0;
    while (count-- > 0) {
        const char *fault = load_queue(loading);
        if (fault != NULL)
            return fault;
    }
    return contents_at_end(reader) ? NULL : damaged;
}

bool snapshot_load(struct service *service, struct contents_reader *reader, char *why, size_t size)
{
    uint64_t last_lease;
    struct loading loading = {.reader = reader, .space = space_new(service->space->limits, false)};
    const char *fault = loading.space != NULL ? load(&loading, &last_lease) : no_memory;
    if (fault != NULL) {
        snprintf(why, size, "%s", fault);
        space_put(loading.space);
        return false;
    }
    space_put(service->space);
    service->space = loading.space;
    service->leases.last_id = last_lease;
    service->restored = loading.items;
    return true;
}
