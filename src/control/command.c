#include "command.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../parameter.h"

static const struct control_option connection_options[] = {
    {"id", "NUMBER", "the connection with that number", CONTROL_WORD_CONNECTION},
    {"idle", "DURATION", "on which nothing has moved for so long", CONTROL_WORD_NONE},
    {"limit", "NUMBER", "no more than so many", CONTROL_WORD_NONE},
    {"listener", "NAME", "of that listener", CONTROL_WORD_LISTENER},
    {"peer", "PATTERN", "whose address, with or without the port, matches", CONTROL_WORD_NONE},
    {"sort", "COLUMN", "the largest first", CONTROL_WORD_FIGURE},
    {0},
};

/* Without limit and sort: all that are meant are ended. */
static const struct control_option kill_options[] = {
    {"idle", "DURATION", "on which nothing has moved for so long", CONTROL_WORD_NONE},
    {"listener", "NAME", "of that listener", CONTROL_WORD_LISTENER},
    {"peer", "PATTERN", "whose address, with or without the port, matches", CONTROL_WORD_NONE},
    {0},
};

static const struct control_option queue_options[] = {
    {"limit", "NUMBER", "no more than so many", CONTROL_WORD_NONE},
    {"sort", "COLUMN", "the largest first", CONTROL_WORD_FIGURE},
    {0},
};

const struct control_command control_commands[CONTROL_COMMANDS] = {
    [CONTROL_CHECK] = {.name = "check",
                       .arguments = "",
                       .summary = "Says what is wrong with the configuration file as it is on disk",
                       .shape = CONTROL_TEXT},
    [CONTROL_CONFIG] = {.name = "config",
                        .arguments = "[LISTENER]",
                        .summary = "Lists the options that hold, and where each was set",
                        .shape = CONTROL_ROWS,
                        .most = 1,
                        .words = {CONTROL_WORD_LISTENER}},
    [CONTROL_CONNECTIONS] = {.name = "connections",
                             .arguments = "[OPTION=VALUE ...]",
                             .summary = "Lists connections",
                             .shape = CONTROL_ROWS,
                             .options = connection_options,
                             .columns = "id listener peer state age_ms idle_ms bytes_received "
                                        "bytes_sent backlog_bytes"},
    [CONTROL_DRAIN] = {.name = "drain",
                       .arguments = "LISTENER",
                       .summary = "Pauses a listener, and lets its connections finish",
                       .shape = CONTROL_TEXT,
                       .changes = true,
                       .least = 1,
                       .most = 1,
                       .words = {CONTROL_WORD_LISTENER}},
    [CONTROL_HELP] = {.name = "help",
                      .arguments = "[COMMAND]",
                      .summary = "Lists the commands",
                      .shape = CONTROL_ROWS,
                      .most = 1,
                      .words = {CONTROL_WORD_COMMAND}},
    [CONTROL_KILL] = {.name = "kill",
                      .arguments = "ID | OPTION=VALUE ...",
                      .summary = "Ends connections at once, and says how many",
                      .shape = CONTROL_TEXT,
                      .changes = true,
                      .most = 1,
                      .words = {CONTROL_WORD_CONNECTION},
                      .options = kill_options},
    [CONTROL_LISTENERS] = {.name = "listeners",
                           .arguments = "",
                           .summary = "Lists the listeners, with their counters",
                           .shape = CONTROL_ROWS,
                           .columns = "name protocol state connections max_connections accepted "
                                      "refused bytes_received bytes_sent addresses"},
    [CONTROL_LOGLEVEL] = {.name = "loglevel",
                          .arguments = "[LISTENER] [LEVEL]",
                          .summary = "Shows what is logged, or sets it until the next reload",
                          .shape = CONTROL_ROWS,
                          .most = 2,
                          .words = {CONTROL_WORD_LISTENER_OR_LEVEL, CONTROL_WORD_LEVEL}},
    [CONTROL_PAUSE] = {.name = "pause",
                       .arguments = "LISTENER",
                       .summary = "Lets new connections wait, until resume",
                       .shape = CONTROL_TEXT,
                       .changes = true,
                       .least = 1,
                       .most = 1,
                       .words = {CONTROL_WORD_LISTENER}},
    [CONTROL_PING] = {.name = "ping",
                      .arguments = "[MESSAGE]",
                      .summary = "Returns PONG, or the message",
                      .shape = CONTROL_TEXT,
                      .most = 1},
    [CONTROL_PURGE] = {.name = "purge",
                       .arguments = "LISTENER QUEUE",
                       .summary = "Deletes the items of a queue, and says how many",
                       .shape = CONTROL_TEXT,
                       .changes = true,
                       .least = 2,
                       .most = 2,
                       .words = {CONTROL_WORD_LISTENER, CONTROL_WORD_QUEUE}},
    [CONTROL_QUEUES] = {.name = "queues",
                        .arguments = "[LISTENER [PATTERN]] [OPTION=VALUE ...]",
                        .summary = "Lists queues, with their bounds and counters",
                        .shape = CONTROL_ROWS,
                        .most = 2,
                        .words = {CONTROL_WORD_LISTENER, CONTROL_WORD_QUEUE},
                        .options = queue_options,
                        .columns = "listener name items max_items bytes max_bytes policy leased "
                                   "waiting_pop waiting_push oldest_age_ms pushed popped"},
    [CONTROL_RELOAD] = {.name = "reload",
                        .arguments = "",
                        .summary = "Loads the configuration file, and says whether it holds now",
                        .shape = CONTROL_TEXT,
                        .changes = true},
    [CONTROL_RESUME] = {.name = "resume",
                        .arguments = "LISTENER",
                        .summary = "Accepts connections again",
                        .shape = CONTROL_TEXT,
                        .changes = true,
                        .least = 1,
                        .most = 1,
                        .words = {CONTROL_WORD_LISTENER}},
    [CONTROL_STATUS] = {.name = "status",
                        .arguments = "",
                        .summary = "Tells how the daemon is",
                        .shape = CONTROL_MAP},
    [CONTROL_STOP] = {.name = "stop",
                      .arguments = "",
                      .summary =
                          "Lets all connections finish, and stops; a second one stops at once",
                      .shape = CONTROL_TEXT,
                      .changes = true},
};

const char *const control_levels[] = {"error", "warning", "notice", "info", "debug", NULL};

const struct control_command *control_find(struct resp_argument name)
{
    for (size_t i = 0; i < CONTROL_COMMANDS; i++) {
        if (resp_is(name, control_commands[i].name))
            return &control_commands[i];
    }
    return NULL;
}

/* --- requests ------------------------------------------------------------------------ */

static void refuse_name(struct resp_argument name, char why[CONTROL_WHY_SIZE])
{
    char word[64], quoted[TEXT_QUOTED_SIZE];
    struct suggestion suggestion;
    snprintf(word, sizeof word, "%.*s", name.length < 63 ? (int)name.length : 63, name.data);
    suggestion_init(&suggestion, word);
    for (size_t i = 0; i < CONTROL_COMMANDS; i++)
        suggestion_offer(&suggestion, control_commands[i].name);
    snprintf(why, CONTROL_WHY_SIZE, "unknown command %s%s%s%s",
             text_quote(name.data, name.length, quoted), suggestion.best ? ", perhaps \"" : "",
             suggestion.best ? suggestion.best : "", suggestion.best ? "\"" : "");
}

/* If the word is an option of the command, keeps its value. */
static bool take_option(struct control_request *request, struct resp_argument word)
{
    const struct control_option *option = request->command->options;
    for (size_t i = 0; option != NULL && option[i].key != NULL; i++) {
        size_t length = strlen(option[i].key);
        if (word.length <= length || word.data[length] != '=' ||
            strncasecmp(word.data, option[i].key, length) != 0)
            continue;
        request->options[i] =
            (struct resp_argument){word.data + length + 1, word.length - length - 1};
        return true;
    }
    return false;
}

static void refuse_words(const struct control_command *command, char why[CONTROL_WHY_SIZE])
{
    const struct control_option *option = command->options;
    size_t used =
        (size_t)snprintf(why, CONTROL_WHY_SIZE, "wrong arguments; it is: %s%s%s", command->name,
                         command->arguments[0] == '\0' ? "" : " ", command->arguments);
    for (; option != NULL && option->key != NULL && used < CONTROL_WHY_SIZE; option++)
        used += (size_t)snprintf(why + used, CONTROL_WHY_SIZE - used, "%s%s=%s",
                                 option == command->options ? "; options: " : ", ", option->key,
                                 option->value);
}

bool control_parse(struct control_request *request, const struct resp_argument *words, size_t count,
                   char why[CONTROL_WHY_SIZE])
{
    *request = (struct control_request){.command = control_find(words[0])};
    const struct control_command *command = request->command;
    if (command == NULL) {
        refuse_name(words[0], why);
        return false;
    }
    request->id = (enum control_id)(command - control_commands);
    bool fits = true;
    for (size_t i = 1; i < count && fits; i++) {
        if (take_option(request, words[i]))
            continue;
        fits = request->count < command->most;
        if (fits)
            request->words[request->count++] = words[i];
    }
    if (fits && request->count >= command->least)
        return true;
    refuse_words(command, why);
    return false;
}

struct resp_argument control_option(const struct control_request *request, const char *key)
{
    const struct control_option *option = request->command->options;
    for (size_t i = 0; option != NULL && option[i].key != NULL; i++) {
        if (strcmp(option[i].key, key) == 0)
            return request->options[i];
    }
    return (struct resp_argument){0};
}
