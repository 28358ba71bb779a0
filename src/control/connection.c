/*
 * What clients of Redis send of their own accord, so that redis-cli and the
 * libraries work: see control.h.
 */
#include <string.h>

#include "control.h"

/* The version of Redis whose replies are ours: clients derive features from it. */
#define COMPATIBLE_VERSION "7.0.15"

static void hello(struct call *call, const struct resp_words *words)
{
    struct resp_writer *reply = call->reply;
    int64_t version = reply->version;
    if (words->count > 1 &&
        (!resp_parse_integer(words->items[1], &version) || version < 2 || version > 3)) {
        control_error(call, "NOPROTO", "unsupported protocol version");
        return;
    }
    reply->version = (int)version;
    const struct figure figures[] = {
        figure_text("server", "cistern"),          figure_text("version", COMPATIBLE_VERSION),
        figure_number("proto", (uint64_t)version), figure_number("id", session_id(call->session)),
        figure_text("mode", "standalone"),         figure_text("role", "master"),
    };
    size_t count = sizeof figures / sizeof figures[0];
    resp_map(reply, count + 1);
    for (size_t i = 0; i < count; i++) {
        resp_bulk_text(reply, figures[i].name);
        if (figures[i].kind == FIGURE_TEXT)
            resp_bulk_text(reply, figures[i].text);
        else
            resp_integer(reply, (int64_t)figures[i].number);
    }
    resp_bulk_text(reply, "modules");
    resp_array(reply, 0);
}

/* CAPA is Valkey's way to say what a client understands. */
static void client(struct call *call, const struct resp_words *words)
{
    struct resp_argument what = words->count > 1 ? words->items[1] : words->items[0];
    if (resp_is(what, "id")) {
        resp_integer(call->reply, (int64_t)session_id(call->session));
        return;
    }
    for (size_t i = 2; i < words->count && resp_is(what, "capa"); i++)
        call->client->blob_errors =
            call->client->blob_errors || resp_is(words->items[i], "blob-errors");
    if (resp_is(what, "setinfo") || resp_is(what, "setname") || resp_is(what, "capa"))
        control_ok(call, "OK");
    else
        control_error(call, "ERR", "CLIENT has no such subcommand here");
}

static void write_docs(struct resp_writer *reply, const struct control_command *command)
{
    resp_bulk_text(reply, command->name);
    resp_map(reply, 3);
    resp_bulk_text(reply, "summary");
    resp_bulk_text(reply, command->summary);
    resp_bulk_text(reply, "since");
    resp_bulk_text(reply, PACKAGE_VERSION);
    resp_bulk_text(reply, "group");
    resp_bulk_text(reply, "server");
}

static bool is_asked_for(const struct resp_words *words, const char *name)
{
    bool asked = words->count <= 2;
    for (size_t i = 2; i < words->count; i++)
        asked = asked || resp_is(words->items[i], name);
    return asked;
}

/* COMMAND DOCS, by which redis-cli completes names; the rest of COMMAND is older. */
static void command(struct call *call, const struct resp_words *words)
{
    size_t count = 0;
    if (words->count < 2 || !resp_is(words->items[1], "docs")) {
        control_error(call, "ERR", "COMMAND has DOCS only, here");
        return;
    }
    for (size_t i = 0; i < CONTROL_COMMANDS; i++)
        count += is_asked_for(words, control_commands[i].name);
    resp_map(call->reply, count);
    for (size_t i = 0; i < CONTROL_COMMANDS; i++) {
        if (is_asked_for(words, control_commands[i].name))
            write_docs(call->reply, &control_commands[i]);
    }
}

static void quit(struct call *call, const struct resp_words *words)
{
    (void)words;
    control_ok(call, "OK");
    session_close(call->session);
}

/* The only database. */
static void pick(struct call *call, const struct resp_words *words)
{
    if (words->count == 2 && resp_is(words->items[1], "0"))
        control_ok(call, "OK");
    else
        control_error(call, "ERR", "DB index is out of range");
}

bool control_greet(struct call *call, const struct resp_words *words)
{
    static const struct {
        const char *name;
        void (*execute)(struct call *call, const struct resp_words *words);
    } greetings[] = {
        {"client", client}, {"command", command}, {"hello", hello},
        {"quit", quit},     {"select", pick},
    };
    for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
        if (!resp_is(words->items[0], greetings[i].name))
            continue;
        greetings[i].execute(call, words);
        return true;
    }
    return false;
}
