/* Commands that add items. */
#include "../rarely.h"
#include "command.h"
#include "wait.h"

/* Under block, and behind others who wait for room, a push waits its turn. */
static enum push_result try_push(struct client *client, struct named_queue *queue,
                                 enum overflow_policy policy, enum deque_end end,
                                 const struct batch *batch)
{
    if (policy == OVERFLOW_BLOCK && queue->producers.length > 0)
        return queue_could_hold(&queue->queue, batch) ? PUSH_FULL : PUSH_TOO_BIG;
    return queue_push(&queue->queue, policy, end, batch, client->service->now);
}

static RARELY void wait_for_room(struct client *client, struct named_queue *queue,
                                 enum deque_end end, const struct batch *batch, bool insists,
                                 uint64_t timeout)
{
    const struct queue_bound *bound = queue->queue.bound;
    if (!insists)
        timeout = bound->push_timeout == PARAMETER_IS_FOREVER ? 0 : bound->push_timeout;
    struct resp_argument name = {.data = queue->name, .length = queue->name_length};
    queue->queue.counters.blocked += batch->count;
    wait_begin(client, &(struct wait_request){.kind = WAIT_PUSH,
                                              .names = &name,
                                              .name_count = 1,
                                              .end = end,
                                              .batch = *batch,
                                              .insists = insists,
                                              .timeout = timeout});
}

/* insists: waits under every policy, for so long (ms; 0: for ever). */
static void push(struct client *client, struct named_queue *queue, enum deque_end end,
                 const struct batch *batch, bool insists, uint64_t timeout)
{
    const struct queue_bound *bound = queue->queue.bound;
    enum overflow_policy policy = insists ? OVERFLOW_BLOCK : bound->overflow;
    enum push_result result = try_push(client, queue, policy, end, batch);
    if (result == PUSH_FULL && policy == OVERFLOW_BLOCK && client_may_wait(client) &&
        (insists || bound->push_timeout != PARAMETER_IS_NONE)) {
        wait_for_room(client, queue, end, batch, insists, timeout);
        return;
    }
    answer_push(client, queue, result, batch);
    space_changed(client->space, queue);
}

static void push_words(struct client *client, const struct resp_words *words, enum deque_end end)
{
    const struct batch batch = {.items = &words->items[2], .count = words->count - 2};
    struct named_queue *queue = command_claim(client, words->items[1]);
    if (queue != NULL)
        push(client, queue, end, &batch, false, 0);
}

COMMAND(rpush)
{
    push_words(client, words, DEQUE_TAIL);
}

COMMAND(lpush)
{
    push_words(client, words, DEQUE_HEAD);
}

static void push_if_seen(struct client *client, const struct resp_words *words, enum deque_end end)
{
    if (command_queue(client, words->items[1]) != NULL)
        push_words(client, words, end);
    else
        resp_integer(&client->reply, 0);
}

COMMAND(rpushx)
{
    push_if_seen(client, words, DEQUE_TAIL);
}

COMMAND(lpushx)
{
    push_if_seen(client, words, DEQUE_HEAD);
}

static void push_waiting(struct client *client, const struct resp_words *words, enum deque_end end)
{
    const struct batch batch = {.items = &words->items[2], .count = words->count - 3};
    uint64_t timeout;
    if (!command_seconds(client, words->items[words->count - 1], "timeout", &timeout))
        return;
    struct named_queue *queue = command_claim(client, words->items[1]);
    if (queue != NULL)
        push(client, queue, end, &batch, true, timeout);
}

COMMAND(brpush)
{
    push_waiting(client, words, DEQUE_TAIL);
}

COMMAND(blpush)
{
    push_waiting(client, words, DEQUE_HEAD);
}
