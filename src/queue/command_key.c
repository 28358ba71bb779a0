/* Commands on whole queues, and on all of them. */
#include <stdio.h>
#include <stdlib.h>

#include "../resp/glob.h"
#include "command.h"

/* --- by name ------------------------------------------------------------------------- */

static void clear(struct client *client, struct named_queue *queue)
{
    queue_clear(&queue->queue);
    space_changed(client->space, queue);
}

COMMAND(del)
{
    int64_t deleted = 0;
    for (size_t i = 1; i < words->count; i++) {
        struct named_queue *queue = command_queue(client, words->items[i]);
        if (queue == NULL)
            continue;
        clear(client, queue);
        deleted++;
    }
    resp_integer(&client->reply, deleted);
}

COMMAND(unlink)
{
    command_del(client, words);
}

COMMAND(exists)
{
    int64_t existing = 0;
    for (size_t i = 1; i < words->count; i++)
        existing += command_queue(client, words->items[i]) != NULL;
    resp_integer(&client->reply, existing);
}

COMMAND(type)
{
    resp_simple(&client->reply, command_queue(client, words->items[1]) != NULL ? "list" : "none");
}

COMMAND(dbsize)
{
    (void)words;
    resp_integer(&client->reply, (int64_t)client->space->seen);
}

/* --- all ------------------------------------------------------------------------------- */

static void flush(struct client *client, const struct resp_words *words)
{
    bool known = words->count == 1 || (words->count == 2 && (resp_is(words->items[1], "async") ||
                                                             resp_is(words->items[1], "sync")));
    if (!known) {
        client_error(client, "ERR syntax error");
        return;
    }
    struct named_queue *queue = client->space->by_name;
    for (; queue != NULL; queue = queue->hh.next)
        clear(client, queue);
    resp_simple(&client->reply, "OK");
}

COMMAND(flushdb)
{
    flush(client, words);
}

COMMAND(flushall)
{
    flush(client, words);
}

/* --- finding names ------------------------------------------------------------------------ */

/* Names that match, while they are collected: bounded by the names that there are. */
struct found {
    const struct resp_argument *pattern; /* NULL: all match */
    struct named_queue **queues;
    size_t count;
    uint64_t bytes; /* of the names, and what the reply adds */
};

static void collect(struct named_queue *queue, void *context)
{
    struct found *found = context;
    const struct resp_argument *pattern = found->pattern;
    if (queue->is_seen && (pattern == NULL || glob_match(pattern->data, pattern->length,
                                                         queue->name, queue->name_length))) {
        found->queues[found->count++] = queue;
        found->bytes += queue->name_length + DEQUE_ITEM_COST;
    }
}

/* Answers with an array of names. */
static void answer_names(struct client *client, const struct found *found)
{
    resp_array(&client->reply, found->count);
    for (size_t i = 0; i < found->count; i++)
        resp_bulk(&client->reply, found->queues[i]->name, found->queues[i]->name_length);
}

/* Room for all there are. False, and the client answered, when memory is out. */
static bool begin_search(struct client *client, struct found *found)
{
    found->queues = calloc(client->space->seen + 1, sizeof(struct named_queue *));
    if (found->queues == NULL)
        client_error(client, "OOM out of memory");
    return found->queues != NULL;
}

COMMAND(keys)
{
    struct found found = {.pattern = &words->items[1]};
    if (!begin_search(client, &found))
        return;
    space_scan(client->space, 0, SIZE_MAX, collect, &found);
    if (client_may_reply(client, found.bytes))
        answer_names(client, &found);
    free(found.queues);
}

struct scan_options {
    int64_t count;
    const struct resp_argument *pattern;
    bool lists; /* the only type there is is asked for */
};

static bool parse_scan(struct client *client, const struct resp_words *words,
                       struct scan_options *options)
{
    for (size_t i = 2; i < words->count; i += 2) {
        struct resp_argument option = words->items[i];
        if (i + 1 == words->count) {
            client_error(client, "ERR syntax error");
            return false;
        }
        const struct resp_argument *value = &words->items[i + 1];
        if (resp_is(option, "match")) {
            options->pattern = value;
        } else if (resp_is(option, "type")) {
            options->lists = resp_is(*value, "list");
        } else if (!resp_is(option, "count")) {
            client_error(client, "ERR syntax error");
            return false;
        } else if (!command_integer(client, *value, &options->count)) {
            return false;
        } else if (options->count < 1) {
            client_error(client, "ERR syntax error");
            return false;
        }
    }
    return true;
}

COMMAND(scan)
{
    int64_t cursor;
    struct scan_options options = {.count = 10, .lists = true};
    if (!resp_parse_integer(words->items[1], &cursor) || cursor < 0) {
        client_error(client, "ERR invalid cursor");
        return;
    }
    struct found found = {0};
    if (!parse_scan(client, words, &options) || !begin_search(client, &found))
        return;
    found.pattern = options.pattern;
    uint64_t next =
        space_scan(client->space, (uint64_t)cursor, (size_t)options.count, collect, &found);
    if (!options.lists)
        found.count = 0;
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)next);
    resp_array(&client->reply, 2);
    resp_bulk_text(&client->reply, text);
    answer_names(client, &found);
    free(found.queues);
}
