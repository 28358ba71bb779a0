#include "space.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "../resp/glob.h"

/* --- life ---------------------------------------------------------------------------- */

struct space *space_new(struct limits *limits, bool is_private)
{
    struct space *space = calloc(1, sizeof *space);
    if (space == NULL)
        return NULL;
    if (getrandom(&space->hash_key, sizeof space->hash_key, 0) != sizeof space->hash_key) {
        free(space);
        return NULL;
    }
    space->references = 1;
    space->limits = limits_get(limits);
    space->is_private = is_private;
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
    if (space->found == queue)
        space->found = NULL;
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
    HASH_ITER(hh, space->by_name, queue, next)
    free_queue(space, queue);
    limits_put(space->limits);
    free(space);
}

/* --- bounds ---------------------------------------------------------------------------- */

static const struct space_bound *bound_for(const struct limits *limits, const char *name,
                                           size_t length)
{
    const struct space_bound *bound = limits->bounds;
    while (bound->pattern != NULL &&
           !glob_match(bound->pattern, strlen(bound->pattern), name, length))
        bound++;
    return bound;
}

void space_rebind(struct space *space)
{
    for (struct named_queue *queue = space->by_name; queue != NULL; queue = queue->hh.next) {
        queue->queue.bound = &bound_for(space->limits, queue->name, queue->name_length)->bound;
        space_changed(space, queue);
    }
}

/* --- by name --------------------------------------------------------------------------- */

/* Nobody who does not know the key can choose names that collide. */
static unsigned hash_of(const struct space *space, struct resp_argument name)
{
    return (unsigned)XXH3_64bits_withSeed(name.data, name.length, space->hash_key);
}

struct named_queue *space_search(struct space *space, struct resp_argument name)
{
    struct named_queue *queue = NULL;
    if (name.length <= QUEUE_NAME_MAX)
        HASH_FIND_BYHASHVALUE(hh, space->by_name, name.data, name.length, hash_of(space, name),
                              queue);
    if (queue != NULL)
        space->found = queue;
    return queue;
}

/* All but the high marks, which are a queue's own. */
static void add_counters(struct queue_counters *sum, const struct queue_counters *more)
{
    sum->pushed += more->pushed;
    sum->popped += more->popped;
    sum->evicted += more->evicted;
    sum->evicted_resize += more->evicted_resize;
    sum->expired += more->expired;
    sum->removed += more->removed;
    sum->dropped += more->dropped;
    sum->rejected += more->rejected;
    sum->blocked += more->blocked;
    sum->timed_out += more->timed_out;
    sum->returned += more->returned;
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

static void init_line(struct waiter_line *line)
{
    TAILQ_INIT(&line->waiters);
    line->length = 0;
}

static struct named_queue *make_queue(struct space *space, struct resp_argument name,
                                      const struct queue_bound *bound)
{
    struct named_queue *queue = calloc(1, sizeof *queue + name.length);
    if (queue == NULL)
        return NULL;
    queue_init(&queue->queue, bound, &space->limits->budget);
    init_line(&queue->consumers);
    init_line(&queue->producers);
    init_line(&queue->movers);
    queue->name_length = name.length;
    memcpy(queue->name, name.data, name.length);
    HASH_ADD_BYHASHVALUE(hh, space->by_name, name, name.length, hash_of(space, name), queue);
    if (queue->hh.tbl == NULL) { /* HASH_NONFATAL_OOM: it was not added */
        free(queue);
        return NULL;
    }
    space_changed(space, queue);
    return queue;
}

struct named_queue *space_claim(struct space *space, struct resp_argument name,
                                enum space_refusal *refusal)
{
    *refusal = SPACE_MADE;
    struct named_queue *queue = space_find(space, name);
    if (queue != NULL)
        return queue;
    if (name.length > QUEUE_NAME_MAX) {
        *refusal = SPACE_NAME_TOO_LONG;
        return NULL;
    }
    const struct space_bound *bound = bound_for(space->limits, name.data, name.length);
    if (bound->pattern == NULL && !space->limits->auto_create) {
        *refusal = SPACE_UNDECLARED;
    } else if (HASH_COUNT(space->by_name) >= space->limits->max_queues && !make_room(space)) {
        *refusal = SPACE_FULL;
    } else {
        queue = make_queue(space, name, &bound->bound);
        if (queue == NULL)
            *refusal = SPACE_NO_MEMORY;
    }
    return queue;
}

struct named_queue *space_restore(struct space *space, struct resp_argument name)
{
    return make_queue(space, name, &bound_for(space->limits, name.data, name.length)->bound);
}

/* --- changes ------------------------------------------------------------------------------ */

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

static void set_ready(struct space *space, struct named_queue *queue)
{
    if (queue->is_ready)
        return;
    queue->is_ready = true;
    TAILQ_INSERT_TAIL(&space->ready, queue, ready);
}

void space_arrange(struct space *space, struct named_queue *queue)
{
    bool seen = queue_count(&queue->queue) > 0;
    bool waited_for = queue->consumers.length + queue->producers.length + queue->movers.length > 0;
    if (seen != queue->is_seen) {
        queue->is_seen = seen;
        space->seen = seen ? space->seen + 1 : space->seen - 1;
    }
    set_idle(space, queue, !seen && !waited_for && queue->queue.leased_items == 0);
    if ((seen && queue->consumers.length > 0) || queue->producers.length > 0)
        set_ready(space, queue);
    const struct waiter *mover; /* there may be room for what it would now move */
    TAILQ_FOREACH(mover, &queue->movers.waiters, others)
    set_ready(space, mover->destination);
}

struct named_queue *space_next_ready(struct space *space)
{
    struct named_queue *queue = TAILQ_FIRST(&space->ready);
    if (queue != NULL) {
        TAILQ_REMOVE(&space->ready, queue, ready);
        queue->is_ready = false;
    }
    return queue;
}

void space_join(struct space *space, struct named_queue *queue, struct waiter_line *line,
                struct waiter *waiter)
{
    waiter->queue = queue;
    waiter->line = line;
    line->length++;
    TAILQ_INSERT_TAIL(&line->waiters, waiter, others);
    space_changed(space, queue);
}

void space_leave(struct space *space, struct waiter *waiter)
{
    TAILQ_REMOVE(&waiter->line->waiters, waiter, others);
    waiter->line->length--;
    waiter->line = NULL;
    space_changed(space, waiter->queue);
}

/* --- all of them --------------------------------------------------------------------------- */

static uint64_t reverse_bits(uint64_t value)
{
    uint64_t reversed = 0;
    for (int i = 0; i < 64; i++) {
        reversed = reversed << 1 | (value & 1);
        value >>= 1;
    }
    return reversed;
}

/*
 * The places are visited in the order of their bits reversed: when the table
 * doubles, a place that was visited becomes places that were.
 */
uint64_t space_scan(const struct space *space, uint64_t cursor, size_t wanted,
                    void (*visit)(struct named_queue *queue, void *context), void *context)
{
    if (space->by_name == NULL)
        return 0;
    const UT_hash_table *table = space->by_name->hh.tbl;
    uint64_t mask = table->num_buckets - 1;
    do {
        UT_hash_handle *handle = table->buckets[cursor & mask].hh_head;
        while (handle != NULL) {
            UT_hash_handle *next = handle->hh_next;
            visit(ELMT_FROM_HH(table, handle), context);
            handle = next;
        }
        cursor = reverse_bits(reverse_bits(cursor | ~mask) + 1);
    } while (cursor != 0 && --wanted > 0);
    return cursor;
}

void space_sum(const struct space *space, struct space_totals *totals)
{
    *totals = (struct space_totals){.counters = space->forgotten};
    for (const struct named_queue *queue = space->by_name; queue != NULL; queue = queue->hh.next) {
        add_counters(&totals->counters, &queue->queue.counters);
        totals->items += queue_count(&queue->queue);
        totals->leased += queue->queue.leased_items;
        totals->bytes += queue_bytes(&queue->queue);
    }
}
