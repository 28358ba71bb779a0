#include "command.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../rarely.h"
#include "transaction.h"

#define WRITE COMMAND_WRITE
#define READ COMMAND_READONLY
#define FAST COMMAND_FAST
#define BLOCKING COMMAND_BLOCKING
#define DENYOOM COMMAND_DENYOOM
#define ADMIN COMMAND_ADMIN
#define MOVABLE COMMAND_MOVABLEKEYS
#define NOW COMMAND_IMMEDIATE

#define ROW(name, group, arity, flags, first, last, step, arguments, summary)                      \
    {                                                                                              \
#name, GROUP_##group, arity, flags, first, last, step, arguments, summary, command_##name, \
            NULL                                                                                   \
    }
/* A command that has subcommands; execute() is for when none is named. */
#define PARENT(name, group, arity, arguments, summary, execute)                                    \
    {                                                                                              \
#name, GROUP_##group, arity, 0, 0, 0, 0, arguments, summary, execute, name##_subcommands   \
    }

/* In alphabetical order: command_find() searches by halves. */
const struct command commands[] = {
    ROW(auth, CONNECTION, -2, FAST, 0, 0, 0, "[username] password",
        "Accepts the default user, who has no password"),
    ROW(blmove, LIST, 6, WRITE | DENYOOM | BLOCKING, 1, 2, 1,
        "source destination LEFT|RIGHT LEFT|RIGHT timeout",
        "Moves an item to another queue, or waits for it and for room"),
    ROW(blmpop, LIST, -5, WRITE | BLOCKING | MOVABLE, 0, 0, 0,
        "timeout numkeys key [key ...] LEFT|RIGHT [COUNT count]",
        "Takes items from the first queue that has any, or waits for one"),
    ROW(blpop, LIST, -3, WRITE | BLOCKING, 1, -2, 1, "key [key ...] timeout",
        "Takes the first item of the first queue that has one, or waits for it"),
    ROW(blpush, QUEUE, -4, WRITE | DENYOOM | BLOCKING, 1, 1, 1, "key element [element ...] timeout",
        "Adds items at the head, or waits for room"),
    ROW(brpop, LIST, -3, WRITE | BLOCKING, 1, -2, 1, "key [key ...] timeout",
        "Takes the last item of the first queue that has one, or waits for it"),
    ROW(brpoplpush, LIST, 4, WRITE | DENYOOM | BLOCKING, 1, 2, 1, "source destination timeout",
        "Moves the last item to the head of another queue, or waits"),
    ROW(brpush, QUEUE, -4, WRITE | DENYOOM | BLOCKING, 1, 1, 1, "key element [element ...] timeout",
        "Adds items at the tail, or waits for room"),
    PARENT(client, CONNECTION, -2, "subcommand [argument ...]",
           "Tells about connections, names and ends them", command_subcommand),
    PARENT(command, SERVER, -1, "[COUNT|LIST|INFO|DOCS] [name ...]", "Describes the commands",
           command_command),
    PARENT(config, SERVER, -2, "GET parameter [parameter ...]",
           "Returns what clients of Redis ask for", command_subcommand),
    ROW(dbsize, SERVER, 1, READ | FAST, 0, 0, 0, "", "Counts the queues that hold items"),
    ROW(del, GENERIC, -2, WRITE, 1, -1, 1, "key [key ...]", "Deletes all items of queues"),
    ROW(discard, TRANSACTIONS, 1, FAST | NOW, 0, 0, 0, "", "Forgets the requests since MULTI"),
    ROW(echo, CONNECTION, 2, FAST, 0, 0, 0, "message", "Returns the message"),
    ROW(exec, TRANSACTIONS, 1, NOW, 0, 0, 0, "", "Executes the requests since MULTI"),
    ROW(exists, GENERIC, -2, READ | FAST, 1, -1, 1, "key [key ...]",
        "Counts which of the queues hold items"),
    ROW(flushall, SERVER, -1, WRITE, 0, 0, 0, "[ASYNC|SYNC]", "Deletes all items of all queues"),
    ROW(flushdb, SERVER, -1, WRITE, 0, 0, 0, "[ASYNC|SYNC]", "Deletes all items of all queues"),
    ROW(hello, CONNECTION, -1, FAST, 0, 0, 0,
        "[protover [AUTH username password] [SETNAME clientname]]",
        "Chooses the version of the protocol, and tells about the server"),
    ROW(info, SERVER, -1, 0, 0, 0, 0, "[section ...]", "Returns figures about the server"),
    ROW(keys, GENERIC, 2, READ, 0, 0, 0, "pattern", "Names the queues that hold items"),
    ROW(lindex, LIST, 3, READ, 1, 1, 1, "key index", "Returns an item by its place"),
    ROW(llen, LIST, 2, READ | FAST, 1, 1, 1, "key", "Returns the number of items"),
    ROW(lmove, LIST, 5, WRITE | DENYOOM, 1, 2, 1, "source destination LEFT|RIGHT LEFT|RIGHT",
        "Moves an item to another queue, or to the other end"),
    ROW(lmpop, LIST, -4, WRITE | MOVABLE, 0, 0, 0, "numkeys key [key ...] LEFT|RIGHT [COUNT count]",
        "Takes items from the first queue that has any"),
    ROW(lpop, LIST, -2, WRITE | FAST, 1, 1, 1, "key [count]", "Takes the first items"),
    ROW(lpush, LIST, -3, WRITE | DENYOOM | FAST, 1, 1, 1, "key element [element ...]",
        "Adds items at the head"),
    ROW(lpushx, LIST, -3, WRITE | DENYOOM | FAST, 1, 1, 1, "key element [element ...]",
        "Adds items at the head of a queue that holds items"),
    ROW(lrange, LIST, 4, READ, 1, 1, 1, "key start stop", "Returns items without taking them"),
    ROW(lrem, LIST, 4, WRITE, 1, 1, 1, "key count element", "Deletes items that equal the element"),
    ROW(ltrim, LIST, 4, WRITE, 1, 1, 1, "key start stop", "Deletes all items but a range"),
    ROW(multi, TRANSACTIONS, 1, FAST | NOW, 0, 0, 0, "", "Keeps the requests that follow for EXEC"),
    ROW(ping, CONNECTION, -1, FAST, 0, 0, 0, "[message]", "Returns PONG, or the message"),
    ROW(qack, QUEUE, -3, WRITE | FAST, 1, 1, 1, "key id [id ...]",
        "Acknowledges leased items: they are done with"),
    ROW(qinfo, QUEUE, 2, READ, 1, 1, 1, "key", "Returns the bounds and the counters of a queue"),
    ROW(qnack, QUEUE, -3, WRITE | FAST, 1, 1, 1, "key id [id ...]",
        "Gives leased items back to the head of their queue"),
    ROW(qtake, QUEUE, 5, WRITE | BLOCKING, 1, 1, 1, "key count timeout lease",
        "Takes items under a lease, or waits for one"),
    ROW(quit, CONNECTION, -1, FAST | NOW, 0, 0, 0, "", "Closes the connection"),
    ROW(reset, CONNECTION, 1, FAST | NOW, 0, 0, 0, "", "Makes the connection as it was at first"),
    ROW(rpop, LIST, -2, WRITE | FAST, 1, 1, 1, "key [count]", "Takes the last items"),
    ROW(rpoplpush, LIST, 3, WRITE | DENYOOM, 1, 2, 1, "source destination",
        "Moves the last item to the head of another queue"),
    ROW(rpush, LIST, -3, WRITE | DENYOOM | FAST, 1, 1, 1, "key element [element ...]",
        "Adds items at the tail"),
    ROW(rpushx, LIST, -3, WRITE | DENYOOM | FAST, 1, 1, 1, "key element [element ...]",
        "Adds items at the tail of a queue that holds items"),
    ROW(scan, GENERIC, -2, READ, 0, 0, 0, "cursor [MATCH pattern] [COUNT count] [TYPE type]",
        "Names the queues that hold items, in steps"),
    ROW(select, CONNECTION, 2, FAST, 0, 0, 0, "index", "Accepts the only database, 0"),
    ROW(time, SERVER, 1, FAST, 0, 0, 0, "", "Returns the server's time: seconds, microseconds"),
    ROW(type, GENERIC, 2, READ | FAST, 1, 1, 1, "key",
        "Returns list for a queue that holds items, else none"),
    ROW(unlink, GENERIC, -2, WRITE | FAST, 1, -1, 1, "key [key ...]",
        "Deletes all items of queues"),
};
const size_t command_count = sizeof commands / sizeof commands[0];

_Static_assert(sizeof commands / sizeof commands[0] <= SERVICE_COMMANDS_MAX,
               "each command has its place in the statistics");

/* A name as two large numbers, which are in alphabetical order too. */
struct packed_name {
    uint64_t high;
    uint64_t low;
};
_Static_assert(sizeof(struct packed_name) == COMMAND_NAME_SIZE, "a name has room in two numbers");

static struct packed_name pack(const char name[COMMAND_NAME_SIZE])
{
    struct packed_name packed;
    memcpy(&packed, name, sizeof packed);
    return (struct packed_name){.high = be64toh(packed.high), .low = be64toh(packed.low)};
}

/* The name as it stands in a row; one that is too long becomes an empty one. */
static struct packed_name pack_argument(struct resp_argument name)
{
    char lower[COMMAND_NAME_SIZE] = {0};
    for (size_t i = 0; i < name.length && name.length < sizeof lower; i++)
        lower[i] = (char)(name.data[i] | 0x20); /* of all bytes only letters become letters */
    return pack(lower);
}

static int compare(const void *key, const void *row)
{
    const struct packed_name *one = key;
    const struct packed_name other = pack(((const struct command *)row)->name);
    if (one->high != other.high)
        return one->high < other.high ? -1 : 1;
    return (one->low > other.low) - (one->low < other.low);
}

const struct command *command_find(struct resp_argument name)
{
    const struct packed_name packed = pack_argument(name);
    return bsearch(&packed, commands, command_count, sizeof commands[0], compare);
}

/* The NUL behind the command's name ends it: it is no letter in either case. */
static bool is_named(const struct command *command, struct resp_argument name)
{
    size_t at = 0;
    while (at < name.length && command->name[at] == (name.data[at] | 0x20))
        at++;
    return at == name.length && command->name[at] == '\0';
}

/* Clients repeat themselves: the command is looked for at the last one's first. */
static const struct command *find_again(const struct command *last, struct resp_argument name)
{
    return last != NULL && is_named(last, name) ? last : command_find(name);
}

/* --- errors ------------------------------------------------------------------------- */

void command_wrong_arity(struct client *client, const char *name)
{
    client_error(client, "ERR wrong number of arguments for '%s' command", name);
}

static int shown(struct resp_argument argument)
{
    return argument.length < 128 ? (int)argument.length : 128;
}

/* The text is Redis' own to the letter: clients look for it. */
static void answer_unknown(struct client *client, const struct resp_words *words)
{
    char arguments[192] = "";
    size_t used = 0;
    for (size_t i = 1; i < words->count && used < 128; i++) {
        struct resp_argument word = words->items[i];
        if (word.length > 128 - used)
            word.length = 128 - used;
        int size =
            snprintf(arguments + used, sizeof arguments - used, "'%.*s' ", shown(word), word.data);
        used += (size_t)size;
    }
    client_error(client, "ERR unknown command '%.*s', with args beginning with: %s",
                 shown(words->items[0]), words->items[0].data, arguments);
}

/* --- execution ------------------------------------------------------------------------ */

bool command_arity_fits(int arity, size_t count)
{
    return arity < 0 ? count >= (size_t)-arity : count == (size_t)arity;
}

/*
 * A web page can make a browser send a request here, and hide commands in its
 * body. The first line of it, and its Host header, give it away; as in Redis.
 */
static bool is_http(struct resp_argument name)
{
    return resp_is(name, "post") || resp_is(name, "host:");
}

static void keep(struct client *client, const struct resp_words *words)
{
    if (transaction_add(client->transaction, words)) {
        resp_simple(&client->reply, "QUEUED");
    } else {
        transaction_spoil(client->transaction);
        client_error(client, "TOOBIG the transaction is over max_request_bytes");
    }
}

/* EXEC with arguments: an error of its own, and the end of the transaction; as in Redis. */
static void refuse_exec(struct client *client)
{
    client_error(client, "EXECABORT Transaction discarded because of: wrong number of arguments "
                         "for 'exec' command");
    transaction_free(client->transaction);
    client->transaction = NULL;
}

/* A request that cannot be executed, whatever the queues hold. False: it can, after all. */
static RARELY bool refuse(struct client *client, const struct command *command,
                          const struct resp_words *words)
{
    if (command == NULL && is_http(words->items[0])) {
        session_log(client_session(client), LOG_LEVEL_WARNING,
                    "closed: it speaks HTTP, perhaps for a web page that attacks this port");
        session_abort(client_session(client));
        return true;
    }
    if (command == NULL)
        answer_unknown(client, words);
    else if (command_arity_fits(command->arity, words->count)) {
        if (command_has_subcommand(client, command, words))
            return false;
    } else if (command->execute == command_exec)
        refuse_exec(client);
    else
        command_wrong_arity(client, command->name);
    if (command != NULL)
        client->service->stats[command - commands].rejected++;
    if (client->transaction != NULL)
        transaction_spoil(client->transaction);
    return true;
}

void command_execute(struct client *client, const struct resp_words *words)
{
    const struct command *command = find_again(client->last_command, words->items[0]);
    struct service *service = client->service;
    service->commands++;
    client->active_at = service->now;
    bool is_plain = command != NULL && command_arity_fits(command->arity, words->count) &&
                    command->subcommands == NULL;
    if (!is_plain && refuse(client, command, words))
        return;
    client->last_command = command;
    if (client->transaction != NULL && !client->executing &&
        (command->flags & COMMAND_IMMEDIATE) == 0) {
        keep(client, words);
        return;
    }
    client->failed = false;
    command->execute(client, words);
    service->stats[command - commands].calls++;
    service->stats[command - commands].failed += client->failed;
}
