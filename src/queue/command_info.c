/* Commands that tell about the server, the commands and the queues. */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The version of Redis whose replies are ours: clients derive features from it. */
#define COMPATIBLE_VERSION "7.0.15"

/* --- COMMAND ------------------------------------------------------------------------ */

static void write_flags(struct resp_writer *reply, unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {
        {COMMAND_WRITE, "write"},       {COMMAND_READONLY, "readonly"}, {COMMAND_FAST, "fast"},
        {COMMAND_BLOCKING, "blocking"}, {COMMAND_DENYOOM, "denyoom"},   {COMMAND_ADMIN, "admin"},
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        count += (flags & names[i].flag) != 0;
    resp_set(reply, count);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((flags & names[i].flag) != 0)
            resp_simple(reply, names[i].name);
    }
}

/* The ten members that Redis 7 has; categories, tips, key specs and subcommands are empty. */
static void write_row(struct resp_writer *reply, const struct command *command)
{
    resp_array(reply, 10);
    resp_bulk_text(reply, command->name);
    resp_integer(reply, command->arity);
    write_flags(reply, command->flags);
    resp_integer(reply, command->first_key);
    resp_integer(reply, command->last_key);
    resp_integer(reply, command->key_step);
    resp_set(reply, 0);
    for (int i = 0; i < 3; i++)
        resp_array(reply, 0);
}

static void write_docs(struct resp_writer *reply, const struct command *command)
{
    resp_bulk_text(reply, command->name);
    resp_map(reply, 2);
    resp_bulk_text(reply, "summary");
    resp_bulk_text(reply, command->summary);
    resp_bulk_text(reply, "group");
    resp_bulk_text(reply, command->first_key != 0 ? "list" : "connection");
}

static void write_named_docs(struct resp_writer *reply, const struct resp_words *words)
{
    size_t found = 0;
    for (size_t i = 2; i < words->count; i++)
        found += command_find(words->items[i]) != NULL;
    resp_map(reply, found);
    for (size_t i = 2; i < words->count; i++) {
        const struct command *command = command_find(words->items[i]);
        if (command != NULL)
            write_docs(reply, command);
    }
}

static void write_named_rows(struct resp_writer *reply, const struct resp_words *words)
{
    resp_array(reply, words->count - 2);
    for (size_t i = 2; i < words->count; i++) {
        const struct command *command = command_find(words->items[i]);
        if (command != NULL)
            write_row(reply, command);
        else
            resp_null_array(reply);
    }
}

void command_command(struct client *client, const struct resp_words *words)
{
    struct resp_writer *reply = &client->reply;
    const struct resp_argument *what = words->count > 1 ? &words->items[1] : NULL;
    bool all = words->count <= 2;
    if (what == NULL || (all && resp_is(*what, "info"))) {
        resp_array(reply, command_count);
        for (size_t i = 0; i < command_count; i++)
            write_row(reply, &commands[i]);
    } else if (resp_is(*what, "info")) {
        write_named_rows(reply, words);
    } else if (resp_is(*what, "count")) {
        resp_integer(reply, (int64_t)command_count);
    } else if (resp_is(*what, "list")) {
        resp_array(reply, command_count);
        for (size_t i = 0; i < command_count; i++)
            resp_bulk_text(reply, commands[i].name);
    } else if (resp_is(*what, "docs") && !all) {
        write_named_docs(reply, words);
    } else if (resp_is(*what, "docs")) {
        resp_map(reply, command_count);
        for (size_t i = 0; i < command_count; i++)
            write_docs(reply, &commands[i]);
    } else {
        resp_error(reply, "ERR unknown subcommand '%.*s'. Try COMMAND HELP.",
                   what->length < 128 ? (int)what->length : 128, what->data);
    }
}

/* --- counters: one row a figure, for INFO and QINFO --------------------------------------- */

static const struct {
    const char *name;
    size_t offset;
} counter_rows[] = {
    {"pushed", offsetof(struct queue_counters, pushed)},
    {"popped", offsetof(struct queue_counters, popped)},
    {"evicted", offsetof(struct queue_counters, evicted)},
    {"evicted_resize", offsetof(struct queue_counters, evicted_resize)},
    {"removed", offsetof(struct queue_counters, removed)},
    {"dropped", offsetof(struct queue_counters, dropped)},
    {"rejected", offsetof(struct queue_counters, rejected)},
};
#define COUNTER_ROWS (sizeof counter_rows / sizeof counter_rows[0])

static uint64_t counter(const struct queue_counters *counters, size_t row)
{
    uint64_t value;
    memcpy(&value, (const char *)counters + counter_rows[row].offset, sizeof value);
    return value;
}

/* --- QINFO -------------------------------------------------------------------------------- */

static void write_figure(struct resp_writer *reply, const char *name, uint64_t value)
{
    resp_bulk_text(reply, name);
    resp_integer(reply, (int64_t)value);
}

void command_qinfo(struct client *client, const struct resp_words *words)
{
    struct resp_writer *reply = &client->reply;
    const struct named_queue *named = space_find(client->space, words->items[1]);
    if (named == NULL) {
        resp_null_array(reply);
        return;
    }
    const struct queue *queue = &named->queue;
    resp_map(reply, COUNTER_ROWS + 9);
    write_figure(reply, "items", queue_count(queue));
    write_figure(reply, "bytes", queue_bytes(queue));
    write_figure(reply, "max_items", queue->bound->max_items);
    write_figure(reply, "max_bytes", queue->bound->max_bytes);
    resp_bulk_text(reply, "policy");
    resp_bulk_text(reply, overflow_policy_name(queue->bound->overflow));
    for (size_t i = 0; i < COUNTER_ROWS; i++)
        write_figure(reply, counter_rows[i].name, counter(&queue->counters, i));
    write_figure(reply, "waiting_pop", named->waiting);
    write_figure(reply, "high_items", queue->counters.high_items);
    write_figure(reply, "high_bytes", queue->counters.high_bytes);
    write_figure(reply, "over_bound", queue_over_bound(queue));
}

/* --- INFO --------------------------------------------------------------------------------- */

/* Text that grows up to the size of its buffer, which the longest INFO fits. */
struct text {
    size_t length;
    char bytes[4096];
};

__attribute__((format(printf, 2, 3))) static void append(struct text *text, const char *format,
                                                         ...)
{
    size_t room = sizeof text->bytes - text->length;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->bytes + text->length, room, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < room)
        text->length += (size_t)length;
}

static void append_queues(struct text *text, const struct space_totals *totals)
{
    append(text, "\r\n# Queues\r\nqueues:%" PRIu64 "\r\nitems:%" PRIu64 "\r\nbytes:%" PRIu64 "\r\n",
           totals->queues, totals->items, totals->bytes);
    for (size_t i = 0; i < COUNTER_ROWS; i++)
        append(text, "%s:%" PRIu64 "\r\n", counter_rows[i].name, counter(&totals->counters, i));
}

void command_info(struct client *client, const struct resp_words *words)
{
    (void)words;
    const struct clients *clients = client_shared(client);
    const struct space *root = client->space->root;
    struct space_totals totals;
    struct text text = {0};
    space_sum(client->space, &totals);
    append(&text,
           "# Server\r\nredis_version:%s\r\ncistern_version:%s\r\nredis_mode:standalone\r\n"
           "process_id:%ld\r\n",
           COMPATIBLE_VERSION, PACKAGE_VERSION, (long)getpid());
    append(&text, "\r\n# Clients\r\nconnected_clients:%" PRIu64 "\r\nblocked_clients:%" PRIu64 "\r\n",
           clients->connected, clients->blocked);
    append(&text, "\r\n# Memory\r\nused_memory:%" PRIu64 "\r\nmaxmemory:%" PRIu64 "\r\n",
           root->budget.used, root->budget.limit);
    append(&text, "\r\n# Persistence\r\nloading:0\r\n");
    append(&text, "\r\n# Stats\r\ntotal_commands_processed:%" PRIu64 "\r\n", clients->commands);
    append(&text, "\r\n# Replication\r\nrole:master\r\n");
    append(&text, "\r\n# Keyspace\r\n");
    if (totals.queues > 0)
        append(&text, "db0:keys=%" PRIu64 ",expires=0,avg_ttl=0\r\n", totals.queues);
    append_queues(&text, &totals);
    resp_verbatim(&client->reply, text.bytes, text.length);
}
