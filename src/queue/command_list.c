/* Commands on queues. */
#include "command.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "blocking.h"

#define NOT_AN_INTEGER "ERR value is not an integer or out of range"

/* The queue of that name, if it holds items. */
static struct named_queue *find(struct client *client, struct resp_argument name)
{
    struct named_queue *queue = space_find(client->space, name);
    return queue != NULL && queue_count(&queue->queue) > 0 ? queue : NULL;
}

/* --- in ---------------------------------------------------------------------------- */

/* False, and the client answered, if a name or an item is longer than it may be. */
static bool check_sizes(struct client *client, struct named_queue *queue,
                        const struct resp_argument *items, size_t count)
{
    uint64_t limit = client->space->root->max_item_bytes;
    for (size_t i = 0; i < count; i++) {
        if (items[i].length > limit) {
            queue->queue.counters.rejected += count;
            resp_error(&client->reply,
                       "TOOBIG item of %zu bytes is over max_item_bytes, %" PRIu64,
                       items[i].length, limit);
            return false;
        }
    }
    return true;
}

static bool check_name(struct client *client, struct resp_argument name)
{
    if (name.length <= QUEUE_NAME_MAX)
        return true;
    resp_error(&client->reply, "TOOBIG name of %zu bytes is over the limit, %u", name.length,
               QUEUE_NAME_MAX);
    return false;
}

static void answer_push(struct client *client, const struct named_queue *named,
                        enum push_result result)
{
    const struct queue *queue = &named->queue;
    switch (result) {
    case PUSH_DONE:
        resp_integer(&client->reply, (int64_t)queue_count(queue));
        break;
    case PUSH_FULL:
        resp_error(&client->reply,
                   "FULL queue '%.*s' holds %zu/%" PRIu64 " items, %" PRIu64 "/%" PRIu64 " bytes",
                   (int)named->name_length, named->name, queue_count(queue),
                   queue->bound->max_items, queue_bytes(queue), queue->bound->max_bytes);
        break;
    case PUSH_TOO_BIG:
        resp_error(&client->reply, "TOOBIG the items never fit: max_items %" PRIu64
                                   ", max_bytes %" PRIu64,
                   queue->bound->max_items, queue->bound->max_bytes);
        break;
    case PUSH_BUDGET:
        resp_error(&client->reply,
                   "OOM command not allowed when used memory > 'max_total_bytes'.");
        break;
    case PUSH_NO_MEMORY:
        resp_error(&client->reply, "OOM out of memory");
        break;
    }
}

static void push(struct client *client, const struct resp_words *words, enum deque_end end)
{
    bool full;
    const struct resp_argument *items = &words->items[2];
    size_t count = words->count - 2;
    if (!check_name(client, words->items[1]))
        return;
    struct named_queue *queue = space_claim(client->space, words->items[1], &full);
    if (queue == NULL) {
        resp_error(&client->reply, full ? "NOQUEUE max_queues are in use" : "OOM out of memory");
        return;
    }
    if (!check_sizes(client, queue, items, count))
        return;
    enum push_result result = queue_push(&queue->queue, end, items, count);
    answer_push(client, queue, result);
    space_announce(client->space, queue);
}

void command_rpush(struct client *client, const struct resp_words *words)
{
    push(client, words, DEQUE_TAIL);
}

void command_lpush(struct client *client, const struct resp_words *words)
{
    push(client, words, DEQUE_HEAD);
}

/* --- out ----------------------------------------------------------------------------- */

static void pop_one(struct client *client, struct named_queue *queue, enum deque_end end)
{
    struct deque_item item;
    queue_peek(&queue->queue, end, &item);
    resp_bulk(&client->reply, item.data, item.length);
    queue_pop(&queue->queue, end);
}

static void pop_many(struct client *client, struct named_queue *queue, enum deque_end end,
                     int64_t wanted)
{
    size_t count = queue_count(&queue->queue);
    if ((uint64_t)wanted < count)
        count = (size_t)wanted;
    resp_array(&client->reply, count);
    for (size_t i = 0; i < count; i++)
        pop_one(client, queue, end);
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
        resp_error(&client->reply, "ERR value is out of range, must be positive");
        return;
    }
    struct named_queue *queue = find(client, words->items[1]);
    if (queue == NULL && has_count)
        resp_null_array(&client->reply);
    else if (queue == NULL)
        resp_null(&client->reply);
    else if (has_count)
        pop_many(client, queue, end, count);
    else
        pop_one(client, queue, end);
    if (queue != NULL)
        space_release(client->space, queue);
}

void command_rpop(struct client *client, const struct resp_words *words)
{
    pop(client, words, DEQUE_TAIL, "rpop");
}

void command_lpop(struct client *client, const struct resp_words *words)
{
    pop(client, words, DEQUE_HEAD, "lpop");
}

/* --- out, waiting ---------------------------------------------------------------------- */

/* Seconds, possibly fractional, as Redis takes them; rounded up to milliseconds. */
static bool parse_timeout(struct client *client, struct resp_argument argument,
                          uint64_t *milliseconds)
{
    char text[64], *end = text;
    double seconds = NAN;
    if (argument.length > 0 && argument.length < sizeof text &&
        memchr(argument.data, '\0', argument.length) == NULL) {
        memcpy(text, argument.data, argument.length);
        text[argument.length] = '\0';
        seconds = strchr(" \t\n\v\f\r", text[0]) == NULL ? strtod(text, &end) : NAN;
    }
    if (*end != '\0' || !isfinite(seconds) || seconds > (double)(INT64_MAX / 1000)) {
        resp_error(&client->reply, "ERR timeout is not a float or out of range");
        return false;
    }
    if (seconds < 0) {
        resp_error(&client->reply, "ERR timeout is negative");
        return false;
    }
    *milliseconds = (uint64_t)ceil(seconds * 1000);
    return true;
}

static void blocking_pop(struct client *client, const struct resp_words *words, enum deque_end end)
{
    uint64_t milliseconds;
    size_t count = words->count - 2;
    const struct resp_argument *names = &words->items[1];
    if (!parse_timeout(client, words->items[words->count - 1], &milliseconds))
        return;
    for (size_t i = 0; i < count; i++) {
        struct named_queue *queue = find(client, names[i]);
        if (queue != NULL) {
            blocking_answer(client, queue, end);
            return;
        }
    }
    if (count > BLOCKING_QUEUES_MAX) {
        resp_error(&client->reply, "TOOBIG more than %u queues to wait on", BLOCKING_QUEUES_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (!check_name(client, names[i]))
            return;
    }
    if (client->space->root != client->space)
        resp_null_array(&client->reply); /* its own space: nobody else could bring an item */
    else
        blocking_wait(client, names, count, end, milliseconds);
}

void command_brpop(struct client *client, const struct resp_words *words)
{
    blocking_pop(client, words, DEQUE_TAIL);
}

void command_blpop(struct client *client, const struct resp_words *words)
{
    blocking_pop(client, words, DEQUE_HEAD);
}

/* --- looking ----------------------------------------------------------------------------- */

void command_llen(struct client *client, const struct resp_words *words)
{
    const struct named_queue *queue = find(client, words->items[1]);
    resp_integer(&client->reply, queue != NULL ? (int64_t)queue_count(&queue->queue) : 0);
}

/* Redis' rule for both ends of a range: negative counts from behind; then into what there is. */
static int64_t clamp(int64_t index, int64_t count, int64_t lowest)
{
    if (index < 0)
        index = index < -count ? lowest : index + count;
    return index < lowest ? lowest : index;
}

void command_lrange(struct client *client, const struct resp_words *words)
{
    int64_t start, stop;
    if (!resp_parse_integer(words->items[2], &start) ||
        !resp_parse_integer(words->items[3], &stop)) {
        resp_error(&client->reply, NOT_AN_INTEGER);
        return;
    }
    struct named_queue *queue = find(client, words->items[1]);
    int64_t count = queue != NULL ? (int64_t)queue_count(&queue->queue) : 0;
    start = clamp(start, count, 0);
    stop = clamp(stop, count, -1);
    if (stop >= count)
        stop = count - 1;
    if (start > stop) {
        resp_array(&client->reply, 0);
        return;
    }
    struct deque_cursor cursor;
    struct deque_item item;
    resp_array(&client->reply, (size_t)(stop - start + 1));
    deque_seek(&queue->queue.items, (size_t)start, &cursor);
    for (int64_t i = start; i <= stop && deque_at(&cursor, &item); i++) {
        resp_bulk(&client->reply, item.data, item.length);
        deque_next(&cursor);
    }
}

/* --- whole queues --------------------------------------------------------------------------- */

void command_del(struct client *client, const struct resp_words *words)
{
    int64_t deleted = 0;
    for (size_t i = 1; i < words->count; i++) {
        struct named_queue *queue = find(client, words->items[i]);
        if (queue == NULL)
            continue;
        queue_clear(&queue->queue);
        space_release(client->space, queue);
        deleted++;
    }
    resp_integer(&client->reply, deleted);
}

void command_exists(struct client *client, const struct resp_words *words)
{
    int64_t existing = 0;
    for (size_t i = 1; i < words->count; i++)
        existing += find(client, words->items[i]) != NULL;
    resp_integer(&client->reply, existing);
}

void command_type(struct client *client, const struct resp_words *words)
{
    resp_simple(&client->reply, find(client, words->items[1]) != NULL ? "list" : "none");
}
