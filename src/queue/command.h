/*
 * command: the table of commands.
 *
 * A command is one row and one function. The row is what COMMAND and its DOCS
 * tell clients and what the errors about a wrong number of arguments say.
 */
#ifndef CISTERN_QUEUE_COMMAND_H
#define CISTERN_QUEUE_COMMAND_H

#include "client.h"
#include "resp.h"

#define COMMAND_WRITE (1U << 0)
#define COMMAND_READONLY (1U << 1)
#define COMMAND_FAST (1U << 2)
#define COMMAND_BLOCKING (1U << 3)
#define COMMAND_DENYOOM (1U << 4) /* adds items: may be refused for want of room */
#define COMMAND_ADMIN (1U << 5)

struct command {
    const char *name; /* lower case */
    /* Arguments, the name included; negative: at least so many. As Redis has it. */
    int arity;
    unsigned flags;
    /* Positions of the names of queues, as Redis has them: 0 if none, last -1 the last, -2 ... */
    int first_key;
    int last_key;
    int key_step;
    const char *arguments; /* for people: "key element [element ...]" */
    const char *summary;
    void (*execute)(struct client *client, const struct resp_words *words);
};

extern const struct command commands[];
extern const size_t command_count;

/* NULL when there is none of that name. */
const struct command *command_find(struct resp_argument name);

/* Executes a request, and answers it. */
void command_execute(struct client *client, const struct resp_words *words);

/* The answer to a number of arguments that the row does not allow. */
void command_wrong_arity(struct client *client, const char *name);

/* --- the functions, by file --------------------------------------------------- */

/* command_list.c */
void command_rpush(struct client *client, const struct resp_words *words);
void command_lpush(struct client *client, const struct resp_words *words);
void command_rpop(struct client *client, const struct resp_words *words);
void command_lpop(struct client *client, const struct resp_words *words);
void command_brpop(struct client *client, const struct resp_words *words);
void command_blpop(struct client *client, const struct resp_words *words);
void command_llen(struct client *client, const struct resp_words *words);
void command_lrange(struct client *client, const struct resp_words *words);
void command_del(struct client *client, const struct resp_words *words);
void command_exists(struct client *client, const struct resp_words *words);
void command_type(struct client *client, const struct resp_words *words);

/* command_connection.c */
void command_ping(struct client *client, const struct resp_words *words);
void command_echo(struct client *client, const struct resp_words *words);
void command_quit(struct client *client, const struct resp_words *words);
void command_select(struct client *client, const struct resp_words *words);

/* command_info.c */
void command_command(struct client *client, const struct resp_words *words);
void command_info(struct client *client, const struct resp_words *words);
void command_qinfo(struct client *client, const struct resp_words *words);

#endif
