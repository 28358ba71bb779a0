#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WRITE COMMAND_WRITE
#define READ COMMAND_READONLY
#define FAST COMMAND_FAST

/* In alphabetical order: command_find() searches by halves. */
const struct command commands[] = {
    {"blpop", -3, WRITE | COMMAND_BLOCKING, 1, -2, 1, "key [key ...] timeout",
     "Removes and returns the first item of the first queue that has one, or waits for it",
     command_blpop},
    {"brpop", -3, WRITE | COMMAND_BLOCKING, 1, -2, 1, "key [key ...] timeout",
     "Removes and returns the last item of the first queue that has one, or waits for it",
     command_brpop},
    {"command", -1, 0, 0, 0, 0, "[COUNT | LIST | INFO [name ...] | DOCS [name ...]]",
     "Describes the commands", command_command},
    {"del", -2, WRITE, 1, -1, 1, "key [key ...]", "Deletes all items of queues", command_del},
    {"echo", 2, FAST, 0, 0, 0, "message", "Returns the message", command_echo},
    {"exists", -2, READ | FAST, 1, -1, 1, "key [key ...]", "Counts the queues that hold items",
     command_exists},
    {"info", -1, 0, 0, 0, 0, "[section ...]", "Returns figures about the server", command_info},
    {"llen", 2, READ | FAST, 1, 1, 1, "key", "Returns the number of items of a queue",
     command_llen},
    {"lpop", -2, WRITE | FAST, 1, 1, 1, "key [count]",
     "Removes and returns the first items of a queue", command_lpop},
    {"lpush", -3, WRITE | COMMAND_DENYOOM | FAST, 1, 1, 1, "key element [element ...]",
     "Adds items at the head of a queue", command_lpush},
    {"lrange", 4, READ, 1, 1, 1, "key start stop", "Returns items of a queue without taking them",
     command_lrange},
    {"ping", -1, FAST, 0, 0, 0, "[message]", "Returns PONG, or the message", command_ping},
    {"qinfo", 2, READ, 1, 1, 1, "key", "Returns the bounds and the counters of a queue",
     command_qinfo},
    {"quit", -1, FAST, 0, 0, 0, "", "Closes the connection", command_quit},
    {"rpop", -2, WRITE | FAST, 1, 1, 1, "key [count]",
     "Removes and returns the last items of a queue", command_rpop},
    {"rpush", -3, WRITE | COMMAND_DENYOOM | FAST, 1, 1, 1, "key element [element ...]",
     "Adds items at the tail of a queue", command_rpush},
    {"select", 2, FAST, 0, 0, 0, "index", "Accepts the only database, 0", command_select},
    {"type", 2, READ | FAST, 1, 1, 1, "key", "Returns list for a queue that holds items",
     command_type},
};
const size_t command_count = sizeof commands / sizeof commands[0];

static int compare(const void *key, const void *row)
{
    const struct resp_argument *name = key;
    const struct command *command = row;
    size_t length = strlen(command->name);
    int order = strncasecmp(name->data, command->name, name->length);
    /* Equal up to the shorter of the two; or up to a NUL in the name, which then is longer. */
    return order != 0 ? order : (name->length > length) - (name->length < length);
}

const struct command *command_find(struct resp_argument name)
{
    return bsearch(&name, commands, command_count, sizeof commands[0], compare);
}

void command_wrong_arity(struct client *client, const char *name)
{
    resp_error(&client->reply, "ERR wrong number of arguments for '%s' command", name);
}

/* The text is Redis' own to the letter: clients look for it. */
static void answer_unknown(struct client *client, const struct resp_words *words)
{
    char arguments[160] = "";
    size_t used = 0;
    for (size_t i = 1; i < words->count && used < 128; i++) {
        const struct resp_argument *word = &words->items[i];
        size_t shown = word->length < 128 - used ? word->length : 128 - used;
        int size = snprintf(arguments + used, sizeof arguments - used, "'%.*s' ", (int)shown,
                            word->data);
        used += (size_t)size;
    }
    const struct resp_argument *name = &words->items[0];
    int shown = name->length < 128 ? (int)name->length : 128;
    resp_error(&client->reply, "ERR unknown command '%.*s', with args beginning with: %s", shown,
               name->data, arguments);
}

static bool arity_fits(const struct command *command, size_t count)
{
    size_t wanted = (size_t)abs(command->arity);
    return command->arity < 0 ? count >= wanted : count == wanted;
}

/*
 * A web page can make a browser send a request here, and hide commands in its
 * body. The first line of it, and its Host header, give it away; as in Redis.
 */
static bool is_http(struct resp_argument name)
{
    return resp_is(name, "post") || resp_is(name, "host:");
}

void command_execute(struct client *client, const struct resp_words *words)
{
    const struct command *command = command_find(words->items[0]);
    client_shared(client)->commands++;
    if (is_http(words->items[0])) {
        session_log(client_session(client), LOG_LEVEL_WARNING,
                    "closed: it speaks HTTP, perhaps for a web page that attacks this port");
        session_abort(client_session(client));
        return;
    }
    if (command == NULL)
        answer_unknown(client, words);
    else if (!arity_fits(command, words->count))
        command_wrong_arity(client, command->name);
    else
        command->execute(client, words);
}
