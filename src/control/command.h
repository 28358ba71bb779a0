/*
 * command: what an administrator can ask the daemon, one row a command.
 *
 * The daemon, cisternctl, its completion and its manual page all read the rows.
 * A request is the command's name, some words, and options KEY=VALUE behind
 * them. Pure.
 */
#ifndef CISTERN_CONTROL_COMMAND_H
#define CISTERN_CONTROL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "../resp/resp.h"

#define CONTROL_WORDS_MAX 2U
#define CONTROL_OPTIONS_MAX 6U

enum control_id {
    CONTROL_CHECK,
    CONTROL_CONFIG,
    CONTROL_CONNECTIONS,
    CONTROL_DRAIN,
    CONTROL_HELP,
    CONTROL_KILL,
    CONTROL_LISTENERS,
    CONTROL_LOGLEVEL,
    CONTROL_PAUSE,
    CONTROL_PING,
    CONTROL_PURGE,
    CONTROL_QUEUES,
    CONTROL_RELOAD,
    CONTROL_RESUME,
    CONTROL_STATUS,
    CONTROL_STOP,
    CONTROL_COMMANDS,
};

enum control_shape {
    CONTROL_TEXT, /* a line, or a number */
    CONTROL_MAP,  /* names and values */
    CONTROL_ROWS, /* maps of the same names */
};

/* What a word is, for completion. */
enum control_word {
    CONTROL_WORD_NONE,
    CONTROL_WORD_COMMAND,
    CONTROL_WORD_CONNECTION,
    CONTROL_WORD_LEVEL,
    CONTROL_WORD_LISTENER,
    CONTROL_WORD_LISTENER_OR_LEVEL,
    CONTROL_WORD_QUEUE, /* of the listener before it */
    CONTROL_WORD_FIGURE,
};

struct control_option {
    const char *key;
    const char *value; /* for people: DURATION */
    const char *help;
    enum control_word completes;
};

struct control_command {
    const char *name; /* lower case */
    const char *arguments;
    const char *summary;
    enum control_shape shape;
    bool changes;   /* something: needs the right to */
    unsigned least; /* words that it needs */
    unsigned most;  /* and takes, options apart */
    enum control_word words[CONTROL_WORDS_MAX];
    const struct control_option *options; /* ends with a key NULL; NULL: none */
    const char *columns;                  /* of its rows that a table for people has; NULL: all */
};

/* In alphabetical order, by enum control_id. */
extern const struct control_command control_commands[CONTROL_COMMANDS];

/* Names of the levels, "error" first; ends with NULL. */
extern const char *const control_levels[];

struct control_request {
    enum control_id id;
    const struct control_command *command;
    size_t count;
    struct resp_argument words[CONTROL_WORDS_MAX];
    struct resp_argument options[CONTROL_OPTIONS_MAX]; /* as in the row; data NULL: not given */
};

/* NULL when there is none of that name, in upper or lower case. */
const struct control_command *control_find(struct resp_argument name);

/*
 * Sorts the words of a request, of which the first is the command's name. False
 * if they make none, with the reason in why.
 */
#define CONTROL_WHY_SIZE 256
bool control_parse(struct control_request *request, const struct resp_argument *words, size_t count,
                   char why[CONTROL_WHY_SIZE]);

/* The value of an option of the request; data NULL: it is not given. */
struct resp_argument control_option(const struct control_request *request, const char *key);

#endif
