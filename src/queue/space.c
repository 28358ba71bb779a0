#include "space.h"

#include <stdlib.h>
#include <string.h>

struct space *space_new(struct space *root)
{
    struct space *space = calloc(1, sizeof *space);
    if (space == NULL)
        return NULL;
    space->references = 1;
    space->root = root != NULL ? space_get(root) : space;
    TAILQ_INIT(&space->idle);
    TAILQ_INIT(&space->ready);
    return space;
}

struct space *space_get(struct space *space)
{
    space->references++;
    return space;
}

static void free_queue(struct space *space, struct named_queue *queue)
{
    HASH_DEL(space->by_name, queue);
    if (queue->is_idle)
        TAILQ_REMOVE(&space->idle, queue, idle);
    if (queue->is_ready)
        TAILQ_REMOVE(&space->ready, queue, ready);
    queue_clear(&queue->queue);
    free(queue);
}

void space_put(struct space *space)
{
    if (space == NULL || --space->references > 0)
        return;
    struct named_queue *queue, *next;
    HASH_ITER (hh, space->by_name, queue, next)
        free_queue(space, queue);
    if (space->root != space)
        space_put(space->root);
    free(space);
}

void space_configure(struct space *space, const struct queue_parameters *parameters)
{
    space->bound = (struct queue_bound){
        .max_items = parameters->max_items,
        .max_bytes = parameters->max_bytes,
        .overflow = (enum overflow_policy)parameters->overflow,
    };
    space->max_item_bytes = parameters->max_item_bytes;
    space->max_queues = parameters->max_queues;
    space->budget.limit = parameters->max_total_bytes;
    for (struct named_queue *queue = space->by_name; queue != NULL; queue = queue->hh.next)
        queue_resize(&queue->queue);
}

struct named_queue *space_find(const struct space *space, struct resp_argument name)
{
    struct named_queue *queue;
    HASH_FIND(hh, space->by_name, name.data, name.length, queue);
    return queue;
}

static void add_counters(struct queue_counters *sum, const struct queue_counters *more)
{
    sum->pushed += more->pushed;
    sum->popped += more->popped;
    sum->evicted += more->evicted;
    sum->evicted_resize += more->evicted_resize;
    sum->removed += more->removed;
    sum->dropped += more->dropped;
    sum->rejected += more->rejected;
}

/* Forgets the queue that has been idle for longest, if there is one. */
static bool make_room(struct space *space)
{
    struct named_queue *queue = TAILQ_FIRST(&space->idle);
    if (queue == NULL)
        return false;
    add_counters(&space->forgotten, &queue->queue.counters);
    free_queue(space, queue);
    return true;
}

static void set_idle(struct space *space, struct named_queue *queue, bool idle)
{
    if (idle == queue->is_idle)
        return;
    queue->is_idle = idle;
    if (idle)
        TAILQ_INSERT_TAIL(&space->idle, queue, idle);
    else
        TAILQ_REMOVE(&space->idle, queue, idle);
}

static struct named_queue *make_queue(struct space *space, struct resp_argument name)
{
    struct named_queue *queue = calloc(1, sizeof *queue + name.length);
    if (queue == NULL)
        return NULL;
    queue_init(&queue->queue, &space->root->bound, &space->root->budget);
    TAILQ_INIT(&queue->waiters);
    queue->name_length = name.length;
    memcpy(queue->name, name.data, name.length);
    HASH_ADD(hh, space->by_name, name, name.length, queue);
    if (queue->hh.tbl == NULL) { /* HASH_NONFATAL_OOM: it was not added */
        free(queue);
        return NULL;
    }
    set_idle(space, queue, true);
    return queue;
}

struct named_queue *space_claim(struct space *space, struct resp_argument name, bool *full)
{
    *full = false;
    struct named_queue *queue = space_find(space, name);
    if (queue != NULL)
        return queue;
    if (HASH_COUNT(space->by_name) >= space->root->max_queues && !make_room(space)) {
        *full = true;
        return NULL;
    }
    return make_queue(space, name);
}

void space_release(struct space *space, struct named_queue *queue)
{
    set_idle(space, queue, queue_count(&queue->queue) == 0 && queue->waiting == 0);
}

void space_announce(struct space *space, struct named_queue *queue)
{
    space_release(space, queue);
    if (queue->waiting == 0 || queue->is_ready)
        return;
    queue->is_ready = true;
    TAILQ_INSERT_TAIL(&space->ready, queue, ready);
}

void space_enqueue_waiter(struct space *space, struct named_queue *queue, struct waiter *waiter)
{
    waiter->queue = queue;
    queue->waiting++;
    TAILQ_INSERT_TAIL(&queue->waiters, waiter, others);
    space_release(space, queue);
}

void space_remove_waiter(struct space *space, struct waiter *waiter)
{
    struct named_queue *queue = waiter->queue;
    TAILQ_REMOVE(&queue->waiters, waiter, others);
    queue->waiting--;
    space_release(space, queue);
}

void space_sum(const struct space *space, struct space_totals *totals)
{
    *totals = (struct space_totals){.counters = space->forgotten};
    for (const struct named_queue *queue = space->by_name; queue != NULL; queue = queue->hh.next) {
        add_counters(&totals->counters, &queue->queue.counters);
        totals->queues += queue_count(&queue->queue) > 0;
        totals->items += queue_count(&queue->queue);
        totals->bytes += queue_bytes(&queue->queue);
    }
}
