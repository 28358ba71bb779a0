/* Answers that take items off queues, or bring them in: see wait.h. */
#include <inttypes.h>

#include "../rarely.h"
#include "wait.h"

void answer_items(struct client *client, struct named_queue *queue, enum deque_end end,
                  uint64_t count)
{
    count = queue_count_within(&queue->queue, end, count, client->max_reply);
    resp_array(&client->reply, (size_t)count);
    for (uint64_t i = 0; i < count; i++) {
        struct deque_item item;
        queue_peek(&queue->queue, end, &item);
        resp_bulk(&client->reply, item.data, item.length);
        queue_pop(&queue->queue, end);
    }
    space_changed(client->space, queue);
}

void answer_pop(struct client *client, struct named_queue *queue, enum deque_end end)
{
    struct deque_item item;
    queue_peek(&queue->queue, end, &item);
    resp_array(&client->reply, 2);
    resp_bulk(&client->reply, queue->name, queue->name_length);
    resp_bulk(&client->reply, item.data, item.length);
    queue_pop(&queue->queue, end);
    space_changed(client->space, queue);
}

void answer_pop_many(struct client *client, struct named_queue *queue, enum deque_end end,
                     uint64_t count)
{
    resp_array(&client->reply, 2);
    resp_bulk(&client->reply, queue->name, queue->name_length);
    answer_items(client, queue, end, count);
}

void answer_take(struct client *client, struct named_queue *queue, uint64_t count, uint64_t lease)
{
    struct service *service = client->service;
    struct lease *first = NULL;
    size_t taken = 0;
    count = queue_count_within(&queue->queue, DEQUE_HEAD, count, client->max_reply);
    /* First all are taken, then their number is said: memory may run out on the way. */
    while (taken < count && queue_count(&queue->queue) > 0) {
        struct lease *next =
            lease_take(&service->leases, client->space, queue, client, service->now + lease);
        if (next == NULL)
            break;
        if (first == NULL)
            first = next;
        taken++;
    }
    resp_array(&client->reply, taken);
    for (const struct lease *each = first; each != NULL; each = TAILQ_NEXT(each, of_client)) {
        resp_array(&client->reply, 3);
        resp_integer(&client->reply, (int64_t)each->id);
        resp_bulk(&client->reply, each->item.data, each->item.length);
        resp_integer(&client->reply, each->item.deliveries);
    }
    service_schedule(service);
}

/* Items lost for want of room. */
static uint64_t losses_of(const struct queue_counters *counters)
{
    return counters->evicted + counters->dropped + counters->rejected + counters->timed_out;
}

static RARELY void log_new_losses(struct client *client, struct named_queue *named)
{
    const struct queue_counters *counters = &named->queue.counters;
    unsigned long held_back;
    if (!log_limit_pass(&named->loss_lines, client->service->now, &held_back))
        return;
    named->losses = losses_of(counters);
    session_log(client_session(client), LOG_LEVEL_WARNING,
                "queue '%.*s' has lost items so far: %" PRIu64 " evicted, %" PRIu64
                " dropped, %" PRIu64 " rejected, %" PRIu64 " timed out",
                (int)named->name_length, named->name, counters->evicted, counters->dropped,
                counters->rejected, counters->timed_out);
}

/* The first loss of a queue is logged, then at most one a minute. */
static inline void log_losses(struct client *client, struct named_queue *named)
{
    if (losses_of(&named->queue.counters) != named->losses)
        log_new_losses(client, named);
}

bool answer_move(struct client *client, struct named_queue *from, enum deque_end from_end,
                 struct resp_argument destination, enum deque_end to_end, bool in_turn)
{
    enum space_refusal refusal;
    struct named_queue *to = space_claim(client->space, destination, &refusal);
    if (to == NULL) {
        answer_refusal(client, refusal, destination);
        return true;
    }
    queue_expire(&to->queue, client->service->now);
    bool waits = to->queue.bound->overflow == OVERFLOW_BLOCK;
    enum push_result result = PUSH_FULL;
    if (from == to || in_turn || !waits || to->producers.length == 0)
        result = queue_move(&from->queue, from_end, &to->queue, to_end);
    if (result == PUSH_FULL && waits && client->wait != NULL)
        return false;
    if (result == PUSH_DONE) {
        struct deque_item item;
        queue_peek(&to->queue, to_end, &item);
        resp_bulk(&client->reply, item.data, item.length);
        log_losses(client, to);
    } else {
        const struct batch one = {.count = 1};
        answer_push(client, to, result, &one);
    }
    space_changed(client->space, from);
    space_changed(client->space, to);
    return true;
}

static void answer_full(struct client *client, const struct named_queue *named)
{
    const struct queue *queue = &named->queue;
    client_error(client,
                 "FULL queue '%.*s' holds %" PRIu64 "/%" PRIu64 " items, %" PRIu64 "/%" PRIu64
                 " bytes",
                 (int)named->name_length, named->name, queue_count(queue) + queue->leased_items,
                 queue->bound->max_items, queue_bytes(queue), queue->bound->max_bytes);
}

/* True if there is an item over the limit of items: it has been named. */
static bool answer_large_item(struct client *client, const struct queue_bound *bound,
                              const struct batch *batch)
{
    for (size_t i = 0; batch->items != NULL && i < batch->count; i++) {
        if (batch->items[i].length <= bound->max_item_bytes)
            continue;
        client_error(client, "TOOBIG item of %zu bytes is over max_item_bytes, %" PRIu64,
                     batch->items[i].length, bound->max_item_bytes);
        return true;
    }
    return false;
}

static RARELY void answer_refused_push(struct client *client, struct named_queue *named,
                                       enum push_result result, const struct batch *batch)
{
    struct queue *queue = &named->queue;
    const struct queue_bound *bound = queue->bound;
    queue_refused(queue, batch->count);
    log_losses(client, named);
    switch (result) {
    case PUSH_TOO_BIG:
        if (answer_large_item(client, bound, batch))
            break;
        client_error(client,
                     "TOOBIG it would never fit: max_item_bytes %" PRIu64 ", max_items %" PRIu64
                     ", max_bytes %" PRIu64,
                     bound->max_item_bytes, bound->max_items, bound->max_bytes);
        break;
    case PUSH_BUDGET:
        client_error(client, "OOM command not allowed when used memory > '%s'.",
                     budget_is_tighter(queue->budget->outer, queue->budget) ? "max_memory"
                                                                            : "max_total_bytes");
        break;
    case PUSH_NO_MEMORY:
        client_error(client, "OOM out of memory");
        break;
    case PUSH_DONE:
    case PUSH_FULL:
        answer_full(client, named);
        break;
    }
}

void answer_push(struct client *client, struct named_queue *named, enum push_result result,
                 const struct batch *batch)
{
    if (result != PUSH_DONE) {
        answer_refused_push(client, named, result, batch);
        return;
    }
    resp_integer(&client->reply, (int64_t)queue_count(&named->queue));
    log_losses(client, named);
}

void answer_refusal(struct client *client, enum space_refusal refusal, struct resp_argument name)
{
    switch (refusal) {
    case SPACE_NAME_TOO_LONG:
        client_error(client, "TOOBIG name of %zu bytes is over the limit, %u", name.length,
                     QUEUE_NAME_MAX);
        break;
    case SPACE_FULL:
        client_error(client, "NOQUEUE max_queues are in use");
        break;
    case SPACE_UNDECLARED:
        client_error(client, "NOQUEUE no match section has this name, and auto_create is off");
        break;
    case SPACE_MADE:
    case SPACE_NO_MEMORY:
        client_error(client, "OOM out of memory");
        break;
    }
}
