#include "service.h"

#include <stdlib.h>

#include "client.h"
#include "wait.h"

/* Items trimmed in one go, some tenths of a millisecond. */
#define TRIM_SLICE 16384U
/* How often queues with a max_age are looked at that nobody uses, ms. */
#define EXPIRY_INTERVAL 1000U

struct service *service_new(const struct queue_parameters *parameters)
{
    struct service *service = calloc(1, sizeof *service);
    struct limits *limits = limits_new();
    if (service != NULL && limits != NULL && limits_set(limits, parameters))
        service->space = space_new(limits, false);
    limits_put(limits); /* the space has its own reference */
    if (service == NULL || service->space == NULL) {
        free(service);
        return NULL;
    }
    service->references = 1;
    service->started_at = service->now = clock_now();
    service->due = UINT64_MAX;
    leases_init(&service->leases);
    TAILQ_INIT(&service->clients);
    return service;
}

struct service *service_get(struct service *service)
{
    service->references++;
    return service;
}

void service_put(struct service *service)
{
    if (service == NULL || --service->references > 0)
        return;
    space_put(service->space);
    resp_words_free(&service->words);
    free(service);
}

void service_adopt_limits(struct service *service, const struct service *other)
{
    limits_adopt(service->space->limits, other->space->limits);
    service_trim(service);
    space_rebind(service->space);
    struct client *client;
    TAILQ_FOREACH(client, &service->clients, others)
    {
        if (client->space != service->space)
            space_rebind(client->space);
    }
}

/* --- housekeeping --------------------------------------------------------------------- */

static bool trim(struct space *space, size_t *slice)
{
    bool left = false;
    for (struct named_queue *queue = space->by_name; queue != NULL; queue = queue->hh.next) {
        uint64_t before = queue->queue.counters.evicted_resize;
        left = queue_trim(&queue->queue, *slice) || left;
        *slice -= (size_t)(queue->queue.counters.evicted_resize - before);
        space_changed(space, queue);
    }
    return left;
}

/* A slice of what a reload has left to trim. */
static void trim_all(struct service *service)
{
    size_t slice = TRIM_SLICE;
    bool left = trim(service->space, &slice);
    struct client *client;
    TAILQ_FOREACH(client, &service->clients, others)
    {
        if (client->space->is_private)
            left = trim(client->space, &slice) || left;
    }
    service->trims = left;
}

static bool has_max_age(const struct limits *limits)
{
    for (size_t i = 0; i < limits->bound_count; i++) {
        if (limits->bounds[i].bound.max_age != PARAMETER_IS_NONE)
            return true;
    }
    return false;
}

static void expire(struct space *space, uint64_t now)
{
    for (struct named_queue *queue = space->by_name; queue != NULL; queue = queue->hh.next) {
        if (queue_expire(&queue->queue, now))
            space_changed(space, queue);
    }
}

static void expire_all(struct service *service)
{
    expire(service->space, service->now);
    struct client *client;
    TAILQ_FOREACH(client, &service->clients, others)
    {
        if (client->space->is_private)
            expire(client->space, service->now);
    }
}

/* Sets the factory's timer, unless it runs out earlier. */
static void call_at(struct service *service, uint64_t when)
{
    if (service->current == NULL || when >= service->due)
        return;
    service->due = when;
    factory_set_timer(service->current, when > service->now ? when - service->now : 0);
}

void service_trim(struct service *service)
{
    service->trims = true;
    call_at(service, service->now);
}

void service_schedule(struct service *service)
{
    if (has_max_age(service->space->limits))
        call_at(service, service->now + EXPIRY_INTERVAL);
    call_at(service, leases_next_deadline(&service->leases));
}

void service_housekeep(struct service *service)
{
    struct space *space = service->space;
    service->now = clock_now();
    service->due = UINT64_MAX;
    leases_expire(&service->leases, space, service->now);
    if (has_max_age(space->limits))
        expire_all(service);
    if (service->trims)
        trim_all(service);
    if (service->trims)
        service_trim(service);
    service_schedule(service);
    wait_serve(space);
}
