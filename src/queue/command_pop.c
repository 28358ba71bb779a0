/* Commands that take items. */
#include "command.h"
#include "wait.h"

/* --- from one queue ------------------------------------------------------------------ */

static void pop_one(struct client *client, struct named_queue *queue, enum deque_end end)
{
    struct deque_item item;
    queue_peek(&queue->queue, end, &item);
    resp_bulk(&client->reply, item.data, item.length);
    queue_pop(&queue->queue, end);
    space_changed(client->space, queue);
}

static void pop(struct client *client, const struct resp_words *words, enum deque_end end,
                const char *name)
{
    bool has_count = words->count == 3;
    int64_t count = 1;
    if (words->count > 3) {
        command_wrong_arity(client, name);
        return;
    }
    if (has_count && (!resp_parse_integer(words->items[2], &count) || count < 0)) {
        client_error(client, "ERR value is out of range, must be positive");
        return;
    }
    struct named_queue *queue = command_queue(client, words->items[1]);
    if (queue == NULL && has_count)
        resp_null_array(&client->reply);
    else if (queue == NULL)
        resp_null(&client->reply);
    else if (has_count)
        answer_items(client, queue, end, (uint64_t)count);
    else
        pop_one(client, queue, end);
}

COMMAND(rpop)
{
    pop(client, words, DEQUE_TAIL, "rpop");
}

COMMAND(lpop)
{
    pop(client, words, DEQUE_HEAD, "lpop");
}

/* --- from the first of several that has items ------------------------------------------ */

static struct named_queue *first_queue(struct client *client, const struct resp_argument *names,
                                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct named_queue *queue = command_queue(client, names[i]);
        if (queue != NULL)
            return queue;
    }
    return NULL;
}

/* Waits, if this client may; else its time is up at once. */
static void wait_or_null(struct client *client, const struct wait_request *request)
{
    if (!client_may_wait(client)) {
        resp_null_array(&client->reply);
        return;
    }
    if (request->name_count > WAIT_QUEUES_MAX) {
        client_error(client, "TOOBIG more than %u queues to wait on", WAIT_QUEUES_MAX);
        return;
    }
    wait_begin(client, request);
}

static void blocking_pop(struct client *client, const struct resp_words *words, enum deque_end end)
{
    struct wait_request request = {
        .kind = WAIT_POP, .names = &words->items[1], .name_count = words->count - 2, .end = end};
    if (!command_seconds(client, words->items[words->count - 1], "timeout", &request.timeout))
        return;
    struct named_queue *queue = first_queue(client, request.names, request.name_count);
    if (queue != NULL)
        answer_pop(client, queue, end);
    else
        wait_or_null(client, &request);
}

COMMAND(brpop)
{
    blocking_pop(client, words, DEQUE_TAIL);
}

COMMAND(blpop)
{
    blocking_pop(client, words, DEQUE_HEAD);
}

/* --- several items --------------------------------------------------------------------- */

/* A number from 1, with an error of its own: as Redis has them for this command. */
static bool positive(struct client *client, struct resp_argument argument, const char *what,
                     int64_t *value)
{
    if (resp_parse_integer(argument, value) && *value > 0)
        return true;
    client_error(client, "ERR %s should be greater than 0", what);
    return false;
}

/* numkeys key [key ...] LEFT|RIGHT [COUNT count], from the argument at `at`. */
static bool parse_many(struct client *client, const struct resp_words *words, size_t at,
                       struct wait_request *request)
{
    int64_t names, count = 1;
    if (!positive(client, words->items[at], "numkeys", &names))
        return false;
    size_t rest = words->count - at - 1;
    if ((uint64_t)names >= rest) {
        client_error(client, "ERR syntax error");
        return false;
    }
    request->names = &words->items[at + 1];
    request->name_count = (size_t)names;
    at += request->name_count + 1;
    if (!command_end(client, words->items[at], &request->end))
        return false;
    rest = words->count - at - 1;
    bool has_count = rest >= 2 && resp_is(words->items[at + 1], "count");
    if (has_count && !positive(client, words->items[at + 2], "count", &count))
        return false;
    if (rest != (has_count ? 2 : 0)) {
        client_error(client, "ERR syntax error");
        return false;
    }
    request->count = (uint64_t)count;
    return true;
}

COMMAND(lmpop)
{
    struct wait_request request = {.kind = WAIT_POP_MANY};
    if (!parse_many(client, words, 1, &request))
        return;
    struct named_queue *queue = first_queue(client, request.names, request.name_count);
    if (queue != NULL)
        answer_pop_many(client, queue, request.end, request.count);
    else
        resp_null_array(&client->reply);
}

COMMAND(blmpop)
{
    struct wait_request request = {.kind = WAIT_POP_MANY};
    if (!parse_many(client, words, 2, &request) ||
        !command_seconds(client, words->items[1], "timeout", &request.timeout))
        return;
    struct named_queue *queue = first_queue(client, request.names, request.name_count);
    if (queue != NULL)
        answer_pop_many(client, queue, request.end, request.count);
    else
        wait_or_null(client, &request);
}
