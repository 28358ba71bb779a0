/* The command CLIENT: names, lists, ends connections. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "transaction.h"
#include "wait.h"

/* --- names -------------------------------------------------------------------------- */

static void getname(struct client *client, const struct resp_words *words)
{
    (void)words;
    if (client->name != NULL)
        resp_bulk_text(&client->reply, client->name);
    else
        resp_null(&client->reply);
}

static void setname(struct client *client, const struct resp_words *words)
{
    if (client_name_is_valid(client, words->items[2]) && client_set_name(client, words->items[2]))
        resp_simple(&client->reply, "OK");
}

/* What a library calls itself is of no use here; it is thanked. */
static void setinfo(struct client *client, const struct resp_words *words)
{
    (void)words;
    resp_simple(&client->reply, "OK");
}

static void id(struct client *client, const struct resp_words *words)
{
    (void)words;
    resp_integer(&client->reply, (int64_t)session_id(client_session(client)));
}

/* --- figures -------------------------------------------------------------------------- */

/* Room for one line of CLIENT LIST. */
#define LINE_SIZE (CLIENT_NAME_MAX + 512U)

static size_t describe(struct client *client, char *line)
{
    struct session *session = client_session(client);
    uint64_t now = client->service->now;
    int length = snprintf(
        line, LINE_SIZE,
        "id=%" PRIu64 " addr=%s name=%s age=%" PRIu64 " idle=%" PRIu64 " flags=%s db=0 multi=%d "
        "obl=%zu cmd=%s user=default resp=%d\n",
        session_id(session), session_peer(session), client->name != NULL ? client->name : "",
        (now - client->connected_at) / 1000, (now - client->active_at) / 1000,
        client->wait != NULL          ? "b"
        : client->transaction != NULL ? "x"
                                      : "N",
        client->transaction != NULL ? (int)transaction_count(client->transaction) : -1,
        session_backlog(session),
        client->last_command != NULL ? client->last_command->name : "NULL", client->reply.version);
    return (size_t)length < LINE_SIZE ? (size_t)length : LINE_SIZE - 1;
}

static void info(struct client *client, const struct resp_words *words)
{
    (void)words;
    char line[LINE_SIZE];
    resp_verbatim(&client->reply, line, describe(client, line));
}

static void list(struct client *client, const struct resp_words *words)
{
    if (words->count != 2) {
        client_error(client, "ERR syntax error");
        return;
    }
    struct service *service = client->service;
    char *text = malloc(service->connected * LINE_SIZE);
    size_t length = 0;
    if (text == NULL) {
        client_error(client, "OOM out of memory");
        return;
    }
    struct client *each;
    TAILQ_FOREACH(each, &service->clients, others)
    length += describe(each, text + length);
    resp_verbatim(&client->reply, text, length);
    free(text);
}

/* --- others ------------------------------------------------------------------------------ */

/* One that is not about to be closed. */
static struct client *find(struct client *client, int64_t wanted)
{
    struct client *each;
    TAILQ_FOREACH(each, &client->service->clients, others)
    {
        struct session *session = client_session(each);
        if ((int64_t)session_id(session) == wanted && session_is_open(session))
            return each;
    }
    return NULL;
}

static void unblock(struct client *client, const struct resp_words *words)
{
    int64_t wanted;
    bool with_error = words->count == 4 && resp_is(words->items[3], "error");
    if (words->count > 4) {
        client_error(client,
                     "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try "
                     "CLIENT HELP.",
                     (int)words->items[1].length, words->items[1].data);
        return;
    }
    if (words->count == 4 && !with_error && !resp_is(words->items[3], "timeout")) {
        client_error(client, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
        return;
    }
    if (!command_integer(client, words->items[2], &wanted))
        return;
    struct client *other = find(client, wanted);
    bool waits = other != NULL && other->wait != NULL;
    if (waits)
        wait_unblock(other, with_error);
    resp_integer(&client->reply, waits);
}

/* ID id [SKIPME yes|no], in any order. False, and the client answered, if it is not that. */
static bool parse_kill(struct client *client, const struct resp_words *words, int64_t *wanted,
                       bool *skips_me)
{
    size_t i = 2;
    for (*wanted = 0; i + 1 < words->count; i += 2) {
        struct resp_argument option = words->items[i], value = words->items[i + 1];
        bool is_id = resp_is(option, "id");
        if (is_id && (!resp_parse_integer(value, wanted) || *wanted < 1)) {
            client_error(client, "ERR client-id should be greater than 0");
            return false;
        }
        if (is_id)
            continue;
        *skips_me = resp_is(value, "yes");
        if (!resp_is(option, "skipme") || (!*skips_me && !resp_is(value, "no")))
            break;
    }
    if (i == words->count && *wanted != 0)
        return true;
    client_error(client, "ERR syntax error");
    return false;
}

static void end(struct client *client, struct client *other)
{
    if (other == client)
        session_close(client_session(other));
    else
        session_abort(client_session(other));
}

/* The oldest form of CLIENT KILL: +OK, or an error. */
static void kill_address(struct client *client, struct resp_argument address)
{
    struct client *each;
    TAILQ_FOREACH(each, &client->service->clients, others)
    {
        if (resp_is(address, session_peer(client_session(each)))) {
            resp_simple(&client->reply, "OK");
            end(client, each);
            return;
        }
    }
    client_error(client, "ERR No such client");
}

/* The number of connections it ended. As in Redis, it spares its own unless told otherwise. */
static void kill(struct client *client, const struct resp_words *words)
{
    int64_t wanted;
    bool skips_me = true;
    if (words->count == 3) {
        kill_address(client, words->items[2]);
        return;
    }
    if (!parse_kill(client, words, &wanted, &skips_me))
        return;
    struct client *other = find(client, wanted);
    if (other == client && skips_me)
        other = NULL;
    resp_integer(&client->reply, other != NULL);
    if (other != NULL)
        end(client, other);
}

/* --- the table ------------------------------------------------------------------------------ */

const struct subcommand client_subcommands[] = {
    {"getname", 2, "", "Returns the name of this connection", getname},
    {"help", 2, "", "Prints this help", command_help},
    {"id", 2, "", "Returns the number of this connection", id},
    {"info", 2, "", "Tells about this connection", info},
    {"kill", -3, "<address>|ID <id> [SKIPME yes|no]", "Ends a connection", kill},
    {"list", -2, "", "Tells about all connections", list},
    {"setinfo", 4, "<option> <value>", "Is accepted", setinfo},
    {"setname", 3, "<name>", "Names this connection", setname},
    {"unblock", -3, "<id> [TIMEOUT|ERROR]", "Ends a connection's waiting", unblock},
    {0},
};
