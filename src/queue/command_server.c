/* Commands that tell about the server and the queues. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../resp/glob.h"
#include "command.h"
#include "inspect.h"

COMMAND(time)
{
    (void)words;
    struct timespec now;
    char text[24];
    clock_gettime(CLOCK_REALTIME, &now);
    resp_array(&client->reply, 2);
    snprintf(text, sizeof text, "%lld", (long long)now.tv_sec);
    resp_bulk_text(&client->reply, text);
    snprintf(text, sizeof text, "%ld", now.tv_nsec / 1000);
    resp_bulk_text(&client->reply, text);
}

/* --- CONFIG: what clients of Redis ask for ----------------------------------------------- */

static const struct {
    const char *name;
    const char *value;
} settings[] = {
    {"appendonly", "no"},
    {"databases", "1"},
    {"maxmemory-policy", "noeviction"},
    {"save", ""},
};
#define SETTINGS (sizeof settings / sizeof settings[0])

static bool is_asked_for(const struct resp_words *words, const char *name)
{
    for (size_t i = 2; i < words->count; i++) {
        if (glob_match(words->items[i].data, words->items[i].length, name, strlen(name)))
            return true;
    }
    return false;
}

static void config_get(struct client *client, const struct resp_words *words)
{
    size_t count = 0;
    for (size_t i = 0; i < SETTINGS; i++)
        count += is_asked_for(words, settings[i].name);
    resp_map(&client->reply, count);
    for (size_t i = 0; i < SETTINGS; i++) {
        if (!is_asked_for(words, settings[i].name))
            continue;
        resp_bulk_text(&client->reply, settings[i].name);
        resp_bulk_text(&client->reply, settings[i].value);
    }
}

static void config_set(struct client *client, const struct resp_words *words)
{
    (void)words;
    client_error(client, "ERR CONFIG SET is not supported, edit server.conf and reload");
}

const struct subcommand config_subcommands[] = {
    {"get", -3, "<pattern> [<pattern> ...]", "Returns what clients of Redis ask for", config_get},
    {"help", 2, "", "Prints this help", command_help},
    {"set", -4, "<parameter> <value> [...]", "Is not supported: see server.conf(5)", config_set},
    {0},
};

/* --- QINFO -------------------------------------------------------------------------------- */

static void write_figure(struct resp_writer *reply, const struct figure *figure)
{
    resp_bulk_text(reply, figure->name);
    if (figure->kind == FIGURE_TEXT)
        resp_bulk(reply, figure->text, figure->number);
    else
        resp_integer(reply, (int64_t)figure->number);
}

COMMAND(qinfo)
{
    struct resp_writer *reply = &client->reply;
    struct figure figures[INSPECT_FIGURES];
    command_queue(client, words->items[1]); /* for what has expired to go */
    const struct named_queue *named = space_find(client->space, words->items[1]);
    if (named == NULL) {
        resp_null_array(reply);
        return;
    }
    inspect_queue(named, client->service->now, figures);
    resp_map(reply, INSPECT_FIGURES - 1); /* the name is known */
    for (size_t i = 1; i < INSPECT_FIGURES; i++)
        write_figure(reply, &figures[i]);
}

/* --- INFO --------------------------------------------------------------------------------- */

/* Text that grows up to the size of its buffer, which the longest INFO fits. */
struct text {
    size_t length;
    char bytes[16384];
};

__attribute__((format(printf, 2, 3))) static void append(struct text *text, const char *format, ...)
{
    size_t room = sizeof text->bytes - text->length;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->bytes + text->length, room, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < room)
        text->length += (size_t)length;
}

static void server(struct client *client, struct text *text)
{
    const struct service *service = client->service;
    append(text,
           "redis_version:%s\r\ncistern_version:%s\r\nredis_mode:standalone\r\n"
           "process_id:%ld\r\nuptime_in_seconds:%" PRIu64 "\r\nlistener:%s\r\n",
           COMPATIBLE_VERSION, PACKAGE_VERSION, (long)getpid(),
           (service->now - service->started_at) / 1000,
           factory_name(session_factory(client_session(client))));
}

static void clients(struct client *client, struct text *text)
{
    const struct service *service = client->service;
    append(text, "connected_clients:%" PRIu64 "\r\nblocked_clients:%" PRIu64 "\r\n",
           service->connected, service->blocked);
}

static void memory(struct client *client, struct text *text)
{
    const struct budget *budget = &client->space->limits->budget;
    append(text, "used_memory:%" PRIu64 "\r\nmaxmemory:%" PRIu64 "\r\n", budget->used,
           budget->limit);
}

static void persistence(struct client *client, struct text *text)
{
    (void)client;
    append(text, "loading:0\r\n");
}

static void stats(struct client *client, struct text *text)
{
    append(text,
           "total_connections_received:%" PRIu64 "\r\ntotal_commands_processed:%" PRIu64 "\r\n",
           client->service->accepted, client->service->commands);
}

static void replication(struct client *client, struct text *text)
{
    (void)client;
    append(text, "role:master\r\n");
}

static void commandstats(struct client *client, struct text *text)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command_stats *row = &client->service->stats[i];
        if (row->calls + row->rejected > 0)
            append(text,
                   "cmdstat_%s:calls=%" PRIu64 ",rejected_calls=%" PRIu64 ",failed_calls=%" PRIu64
                   "\r\n",
                   commands[i].name, row->calls, row->rejected, row->failed);
    }
}

static void keyspace(struct client *client, struct text *text)
{
    if (client->space->seen > 0)
        append(text, "db0:keys=%zu,expires=0,avg_ttl=0\r\n", client->space->seen);
}

static void queues(struct client *client, struct text *text)
{
    struct space_totals totals;
    space_sum(client->space, &totals);
    append(text, "queues:%zu\r\nitems:%" PRIu64 "\r\nleased:%" PRIu64 "\r\nbytes:%" PRIu64 "\r\n",
           client->space->seen, totals.items, totals.leased, totals.bytes);
    append(text, "restored:%" PRIu64 "\r\n", client->service->restored);
    struct figure counters[INSPECT_COUNTERS];
    inspect_counters(&totals.counters, counters);
    for (size_t i = 0; i < INSPECT_COUNTERS; i++)
        append(text, "%s:%" PRIu64 "\r\n", counters[i].name, counters[i].number);
}

static const struct section {
    const char *name;
    bool by_default;
    void (*write)(struct client *client, struct text *text);
} sections[] = {
    {"Server", true, server},
    {"Clients", true, clients},
    {"Memory", true, memory},
    {"Persistence", true, persistence},
    {"Stats", true, stats},
    {"Replication", true, replication},
    {"Commandstats", false, commandstats},
    {"Keyspace", true, keyspace},
    {"Queues", true, queues},
};

static bool is_wanted(const struct section *section, const struct resp_words *words)
{
    bool wanted = words->count == 1 && section->by_default;
    for (size_t i = 1; i < words->count; i++) {
        struct resp_argument word = words->items[i];
        wanted = wanted || resp_is(word, section->name) || resp_is(word, "all") ||
                 resp_is(word, "everything") || (resp_is(word, "default") && section->by_default);
    }
    return wanted;
}

COMMAND(info)
{
    struct text text;
    text.length = 0;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (!is_wanted(&sections[i], words))
            continue;
        append(&text, "%s# %s\r\n", text.length > 0 ? "\r\n" : "", sections[i].name);
        sections[i].write(client, &text);
    }
    resp_verbatim(&client->reply, text.bytes, text.length);
}
