/* Commands whose second word says what to do: see command.h. */
#include <ctype.h>
#include <stdio.h>

#include "command.h"

/* The longest name of a command, and NUL. */
#define NAME_SIZE 32U

static const struct subcommand *find(const struct command *command, const struct resp_words *words)
{
    const struct subcommand *each = words->count > 1 ? command->subcommands : NULL;
    while (each != NULL && each->name != NULL && !resp_is(words->items[1], each->name))
        each++;
    return each;
}

static const char *upper(const char *name, char text[NAME_SIZE])
{
    size_t length = 0;
    for (; name[length] != '\0' && length < NAME_SIZE - 1; length++)
        text[length] = (char)toupper((unsigned char)name[length]);
    text[length] = '\0';
    return text;
}

bool command_has_subcommand(struct client *client, const struct command *command,
                            const struct resp_words *words)
{
    const struct subcommand *subcommand = find(command, words);
    char name[2 * NAME_SIZE];
    if (subcommand == NULL)
        return true;
    if (subcommand->name == NULL) {
        struct resp_argument word = words->items[1];
        client_error(client, "ERR unknown subcommand '%.*s'. Try %s HELP.",
                     word.length < 128 ? (int)word.length : 128, word.data,
                     upper(command->name, name));
        return false;
    }
    if (command_arity_fits(subcommand->arity, words->count))
        return true;
    snprintf(name, sizeof name, "%s|%s", command->name, subcommand->name);
    command_wrong_arity(client, name);
    return false;
}

COMMAND(subcommand)
{
    find(command_find(words->items[0]), words)->execute(client, words);
}

static void write_help(struct resp_writer *reply, const struct subcommand *subcommand)
{
    char line[128], name[NAME_SIZE];
    snprintf(line, sizeof line, "%s%s%s", upper(subcommand->name, name),
             subcommand->arguments[0] == '\0' ? "" : " ", subcommand->arguments);
    resp_simple(reply, line);
    snprintf(line, sizeof line, "    %s.", subcommand->summary);
    resp_simple(reply, line);
}

COMMAND(help)
{
    const struct command *command = command_find(words->items[0]);
    char line[128], name[NAME_SIZE];
    size_t count = 0;
    while (command->subcommands[count].name != NULL)
        count++;
    resp_array(&client->reply, 1 + 2 * count);
    snprintf(line, sizeof line, "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
             upper(command->name, name));
    resp_simple(&client->reply, line);
    for (size_t i = 0; i < count; i++)
        write_help(&client->reply, &command->subcommands[i]);
}
