/* What a word on the command line may become: see commands.h. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "../control/command.h"
#include "commands.h"

/* The command line so far. */
struct line {
    const char *path;
    const char *word;                      /* that is being typed */
    bool has_command;                      /* a word before it is the command */
    const struct control_command *command; /* NULL: none of the daemon's */
    size_t position;                       /* of the word, among the command's words */
    const char *listener;
};

/* Prints it if it begins as the word does; before: what stands before it, "listener=". */
static void offer(const struct line *line, const char *before, const char *candidate,
                  const char *help)
{
    char whole[1200];
    snprintf(whole, sizeof whole, "%s%s", before, candidate);
    if (strncmp(whole, line->word, strlen(line->word)) == 0 && strpbrk(whole, "\t\r\n") == NULL)
        printf("%s\t%s\n", whole, help);
}

/* --- names that the daemon knows ----------------------------------------------------------- */

/* Values of one column, which tell what another column says; silent if there is no daemon. */
static void offer_column(const struct line *line, const char *before, const char *const *question,
                         size_t words, const char *column, const char *about)
{
    struct client client;
    struct value answer = {0};
    char why[CLIENT_WHY_SIZE], number[32];
    bool answered = client_open(&client, line->path, why) == EX_OK &&
                    client_ask(&client, question, words, &answer, why);
    for (size_t i = 0; answered && i < answer.count; i++) {
        const struct value *row = &answer.items[i], *value = value_get(row, column);
        if (value == NULL)
            continue;
        snprintf(number, sizeof number, "%llu", (unsigned long long)value->number);
        offer(line, before, value->kind == VALUE_NUMBER ? number : value_text(row, column),
              value_text(row, about));
    }
    value_clear(&answer);
    client_close(&client);
}

static void offer_listeners(const struct line *line, const char *before)
{
    static const char *const question[] = {"listeners"};
    offer_column(line, before, question, 1, "name", "protocol");
}

static void offer_connections(const struct line *line, const char *before)
{
    static const char *const question[] = {"connections"};
    offer_column(line, before, question, 1, "id", "peer");
}

static void offer_queues(const struct line *line)
{
    const char *question[] = {"queues", line->listener};
    offer_column(line, "", question, 2, "name", "policy");
}

/* --- names that the tables know --------------------------------------------------------------- */

static void offer_levels(const struct line *line)
{
    for (size_t i = 0; control_levels[i] != NULL; i++)
        offer(line, "", control_levels[i], "log level");
}

static void offer_commands(const struct line *line)
{
    for (size_t i = 0; i < CONTROL_COMMANDS; i++)
        offer(line, "", control_commands[i].name, control_commands[i].summary);
    for (const struct own_command *own = own_commands; own->name != NULL; own++)
        offer(line, "", own->name, own->summary);
}

static void offer_columns(const struct line *line, const char *before)
{
    char columns[400];
    snprintf(columns, sizeof columns, "%s", line->command->columns);
    for (char *rest = columns, *column; (column = strsep(&rest, " ")) != NULL;)
        offer(line, before, column, "column");
}

static void offer_words(const struct line *line, enum control_word kind, const char *before)
{
    switch (kind) {
    case CONTROL_WORD_NONE:
        break;
    case CONTROL_WORD_COMMAND:
        offer_commands(line);
        break;
    case CONTROL_WORD_CONNECTION:
        offer_connections(line, before);
        break;
    case CONTROL_WORD_FIGURE:
        offer_columns(line, before);
        break;
    case CONTROL_WORD_LEVEL:
        offer_levels(line);
        break;
    case CONTROL_WORD_LISTENER_OR_LEVEL:
        offer_levels(line);
        offer_listeners(line, before);
        break;
    case CONTROL_WORD_LISTENER:
        offer_listeners(line, before);
        break;
    case CONTROL_WORD_QUEUE:
        offer_queues(line);
        break;
    }
}

/* The keys of options; behind the equals sign of one, its values. */
static void offer_options(const struct line *line)
{
    const struct control_option *option = line->command->options;
    for (; option != NULL && option->key != NULL; option++) {
        char before[40];
        size_t length = (size_t)snprintf(before, sizeof before, "%s=", option->key);
        if (strncmp(line->word, before, length) == 0)
            offer_words(line, option->completes, before);
        else
            offer(line, "", before, option->help);
    }
}

/* --- the command line ------------------------------------------------------------------------ */

static void offer_own_options(const struct line *line)
{
    for (const struct own_option *option = own_options; option->letter != '\0'; option++) {
        char name[40];
        snprintf(name, sizeof name, "--%s%s", option->name, option->value != NULL ? "=" : "");
        offer(line, "", name, option->help);
    }
}

/* Whether the word is an option whose value is the next word. */
static bool takes_next(const char *word)
{
    for (const struct own_option *option = own_options; option->letter != '\0'; option++) {
        bool is_short = word[0] == '-' && word[1] == option->letter && word[2] == '\0';
        bool is_long = strncmp(word, "--", 2) == 0 && strcmp(word + 2, option->name) == 0;
        if (option->value != NULL && (is_short || is_long))
            return true;
    }
    return false;
}

/* An option among the words: the next one may be its value, too. Returns how many words it is. */
static size_t take_option(struct line *line, const char *const *words, size_t left)
{
    if (strncmp(words[0], "--socket=", 9) == 0)
        line->path = words[0] + 9;
    if (!takes_next(words[0]))
        return 1;
    if (left > 1 && (strcmp(words[0], "-s") == 0 || strcmp(words[0], "--socket") == 0))
        line->path = words[1];
    return 2;
}

/* A word that is no option of ours. */
static void take_word(struct line *line, const char *word)
{
    bool is_option = line->command != NULL && line->command->options != NULL && strchr(word, '=');
    if (!line->has_command)
        line->command = control_find((struct resp_argument){word, strlen(word)});
    else if (!is_option && line->position++ == 0)
        line->listener = word;
    line->has_command = true;
}

int complete_run(const char *path, const char *const *words, size_t count)
{
    struct line line = {.path = path, .word = count > 0 ? words[count - 1] : ""};
    size_t last = count > 0 ? count - 1 : 0, i = 0;
    while (i < last) {
        if (words[i][0] == '-') {
            i += take_option(&line, words + i, last - i);
        } else {
            take_word(&line, words[i]);
            i++;
        }
    }
    if (i > last) /* the value of an option */
        return EX_OK;
    if (line.word[0] == '-') {
        offer_own_options(&line);
    } else if (!line.has_command) {
        offer_commands(&line);
    } else if (line.command != NULL) {
        if (line.position < line.command->most)
            offer_words(&line, line.command->words[line.position], "");
        offer_options(&line);
    }
    return EX_OK;
}
