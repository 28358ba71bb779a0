/*
 * command: the table of commands.
 *
 * A command is one row and one function. The row is what COMMAND and its DOCS
 * tell clients, what the errors about a wrong number of arguments say, what
 * INFO commandstats counts and what the manual is checked against.
 */
#ifndef CISTERN_QUEUE_COMMAND_H
#define CISTERN_QUEUE_COMMAND_H

#include "../resp/resp.h"
#include "client.h"

#define COMMAND_WRITE (1U << 0)
#define COMMAND_READONLY (1U << 1)
#define COMMAND_FAST (1U << 2)
#define COMMAND_BLOCKING (1U << 3)
#define COMMAND_DENYOOM (1U << 4) /* adds items: may be refused for want of room */
#define COMMAND_ADMIN (1U << 5)
#define COMMAND_MOVABLEKEYS (1U << 6) /* where its keys are depends on its arguments */
#define COMMAND_IMMEDIATE (1U << 7)   /* is not kept by MULTI. Not told to clients */

/* What a command is about: a group of the manual, and of COMMAND DOCS. */
enum command_group {
    GROUP_LIST,
    GROUP_QUEUE, /* not of Redis */
    GROUP_GENERIC,
    GROUP_CONNECTION,
    GROUP_SERVER,
    GROUP_TRANSACTIONS,
};

/* What the word behind CLIENT, COMMAND or CONFIG asks for. */
struct subcommand {
    const char *name;      /* lower case; NULL ends a table */
    int arity;             /* as in struct command, whose name counts too */
    const char *arguments; /* for people */
    const char *summary;
    void (*execute)(struct client *client, const struct resp_words *words);
};

extern const struct subcommand client_subcommands[];
extern const struct subcommand command_subcommands[];
extern const struct subcommand config_subcommands[];

/* Room for the longest name, and the NULs behind it. */
#define COMMAND_NAME_SIZE 16U

struct command {
    char name[COMMAND_NAME_SIZE]; /* lower case, letters only */
    enum command_group group;
    /* Arguments, the name included; negative: at least so many. As Redis has it. */
    int arity;
    unsigned flags;
    /* Positions of the names of queues, as Redis has them: 0 if none; last -1 the last, -2 ... */
    int first_key;
    int last_key;
    int key_step;
    const char *arguments; /* for people: "key element [element ...]" */
    const char *summary;
    void (*execute)(struct client *client, const struct resp_words *words);
    const struct subcommand *subcommands; /* NULL: it has none */
};

extern const struct command commands[];
extern const size_t command_count;

/* NULL when there is none of that name. */
const struct command *command_find(struct resp_argument name);

/*
 * True if the command has no subcommands, or the request names one of them with
 * as many arguments as it takes; else the client is answered.
 */
bool command_has_subcommand(struct client *client, const struct command *command,
                            const struct resp_words *words);
/* Whether a request of so many words is right for an arity. */
bool command_arity_fits(int arity, size_t count);

/* Executes a request, or keeps it for EXEC, and answers it. */
void command_execute(struct client *client, const struct resp_words *words);

/* The answer to a number of arguments that is not allowed. */
void command_wrong_arity(struct client *client, const char *name);

/* --- arguments; false, and the client answered, if they are none ---------------- */

bool command_integer(struct client *client, struct resp_argument argument, int64_t *value);
/* Seconds, possibly fractional, rounded up to milliseconds; what: "timeout". */
bool command_seconds(struct client *client, struct resp_argument argument, const char *what,
                     uint64_t *milliseconds);
/* LEFT or RIGHT. */
bool command_end(struct client *client, struct resp_argument argument, enum deque_end *end);

/* The queue of that name, if it holds items: what is too old in it has been dropped. */
struct named_queue *command_queue(struct client *client, struct resp_argument name);
/* Finds or makes it. NULL, and the client answered, if it cannot be. */
struct named_queue *command_claim(struct client *client, struct resp_argument name);

#define COMMAND(name) void command_##name(struct client *client, const struct resp_words *words)

/* command_push.c */
COMMAND(rpush);
COMMAND(lpush);
COMMAND(rpushx);
COMMAND(lpushx);
COMMAND(brpush);
COMMAND(blpush);
/* command_pop.c */
COMMAND(rpop);
COMMAND(lpop);
COMMAND(lmpop);
COMMAND(brpop);
COMMAND(blpop);
COMMAND(blmpop);
/* command_move.c */
COMMAND(lmove);
COMMAND(rpoplpush);
COMMAND(blmove);
COMMAND(brpoplpush);
/* command_lease.c */
COMMAND(qtake);
COMMAND(qack);
COMMAND(qnack);
/* command_range.c */
COMMAND(llen);
COMMAND(lindex);
COMMAND(lrange);
COMMAND(ltrim);
COMMAND(lrem);
/* command_key.c */
COMMAND(del);
COMMAND(unlink);
COMMAND(exists);
COMMAND(type);
COMMAND(keys);
COMMAND(scan);
COMMAND(dbsize);
COMMAND(flushdb);
COMMAND(flushall);
/* command_multi.c */
COMMAND(multi);
COMMAND(exec);
COMMAND(discard);
/* command_connection.c */
COMMAND(auth);
COMMAND(echo);
COMMAND(hello);
COMMAND(ping);
COMMAND(quit);
COMMAND(reset);
COMMAND(select);
/* subcommand.c: what is named behind the command, which has been found to be right; all of them */
COMMAND(subcommand);
COMMAND(help);
/* command_command.c */
COMMAND(command);
/* command_server.c */
COMMAND(info);
COMMAND(qinfo);
COMMAND(time);

#endif
