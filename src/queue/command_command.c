/* The command COMMAND: the table, told to clients. */
#include <stdio.h>
#include <string.h>

#include "command.h"

static const char *const groups[] = {
    [GROUP_LIST] = "list",       [GROUP_QUEUE] = "queue",
    [GROUP_GENERIC] = "generic", [GROUP_CONNECTION] = "connection",
    [GROUP_SERVER] = "server",   [GROUP_TRANSACTIONS] = "transactions",
};

static const struct {
    unsigned flag;
    const char *name;
} flag_names[] = {
    {COMMAND_WRITE, "write"},
    {COMMAND_READONLY, "readonly"},
    {COMMAND_DENYOOM, "denyoom"},
    {COMMAND_ADMIN, "admin"},
    {COMMAND_BLOCKING, "blocking"},
    {COMMAND_FAST, "fast"},
    {COMMAND_MOVABLEKEYS, "movablekeys"},
};
#define FLAG_NAMES (sizeof flag_names / sizeof flag_names[0])

static void write_flags(struct resp_writer *reply, unsigned flags)
{
    size_t count = 0;
    for (size_t i = 0; i < FLAG_NAMES; i++)
        count += (flags & flag_names[i].flag) != 0;
    resp_set(reply, count);
    for (size_t i = 0; i < FLAG_NAMES; i++) {
        if ((flags & flag_names[i].flag) != 0)
            resp_simple(reply, flag_names[i].name);
    }
}

/* The ten members that Redis 7 has; categories, tips, key specs and subcommands are empty. */
static void write_row(struct resp_writer *reply, const struct command *command)
{
    resp_array(reply, 10);
    resp_bulk_text(reply, command->name);
    resp_integer(reply, command->arity);
    write_flags(reply, command->flags);
    resp_integer(reply, command->first_key);
    resp_integer(reply, command->last_key);
    resp_integer(reply, command->key_step);
    resp_set(reply, 0);
    resp_set(reply, 0);
    resp_set(reply, 0);
    resp_array(reply, 0);
}

/* --- DOCS ------------------------------------------------------------------------------ */

/* One argument in the text of a row: "key", "[key ...]", "[COUNT count]", "LEFT|RIGHT". */
struct piece {
    const char *text;
    size_t length;
    bool optional;
    bool multiple;
};

/* Moves *at behind " [element ...]" if that follows an element; then they are one piece. */
static bool is_repeated(const struct piece *piece, const char **at)
{
    char more[64];
    int length = snprintf(more, sizeof more, " [%.*s ...]", (int)piece->length, piece->text);
    bool repeated = strncmp(*at, more, (size_t)length) == 0;
    if (repeated)
        *at += length;
    return repeated;
}

/* Reads the piece at *at, which moves behind it. False at the end. */
static bool next_piece(const char **at, struct piece *piece)
{
    *at += strspn(*at, " ");
    if (**at == '\0')
        return false;
    *piece = (struct piece){.text = *at, .length = strcspn(*at, " "), .optional = **at == '['};
    if (piece->optional) {
        int depth = 0;
        const char *end = *at;
        do {
            depth += (*end == '[') - (*end == ']');
            end++;
        } while (depth > 0 && *end != '\0');
        piece->text++;
        piece->length = (size_t)(end - *at) - 2;
        *at = end;
    } else {
        *at += piece->length;
        piece->multiple = is_repeated(piece, at);
    }
    if (piece->length > 4 && memcmp(piece->text + piece->length - 4, " ...", 4) == 0) {
        piece->multiple = true;
        piece->length -= 4;
    }
    return true;
}

static void write_piece(struct resp_writer *reply, const struct piece *piece)
{
    size_t flags = (size_t)piece->optional + (size_t)piece->multiple;
    resp_map(reply, flags > 0 ? 3 : 2);
    resp_bulk_text(reply, "name");
    resp_bulk(reply, piece->text, piece->length);
    resp_bulk_text(reply, "type");
    resp_bulk_text(reply, "string");
    if (flags == 0)
        return;
    resp_bulk_text(reply, "flags");
    resp_set(reply, flags);
    if (piece->optional)
        resp_simple(reply, "optional");
    if (piece->multiple)
        resp_simple(reply, "multiple");
}

static void write_arguments(struct resp_writer *reply, const char *text)
{
    struct piece piece;
    size_t count = 0;
    const char *at = text;
    while (next_piece(&at, &piece))
        count++;
    resp_array(reply, count);
    for (at = text; next_piece(&at, &piece);)
        write_piece(reply, &piece);
}

/* What the docs of a command and of a subcommand both have; how many more pairs are to come. */
static void begin_docs(struct resp_writer *reply, const char *summary, enum command_group group,
                       const char *arguments, size_t more)
{
    bool has_arguments = arguments[0] != '\0';
    resp_map(reply, 3 + (size_t)has_arguments + more);
    resp_bulk_text(reply, "summary");
    resp_bulk_text(reply, summary);
    resp_bulk_text(reply, "since");
    resp_bulk_text(reply, PACKAGE_VERSION);
    resp_bulk_text(reply, "group");
    resp_bulk_text(reply, groups[group]);
    if (has_arguments) {
        resp_bulk_text(reply, "arguments");
        write_arguments(reply, arguments);
    }
}

static void write_docs(struct resp_writer *reply, const struct command *command)
{
    const struct subcommand *subcommands = command->subcommands;
    resp_bulk_text(reply, command->name);
    /* Those of a command with subcommands are theirs. */
    begin_docs(reply, command->summary, command->group,
               subcommands == NULL ? command->arguments : "", subcommands != NULL);
    if (subcommands == NULL)
        return;
    size_t count = 0;
    while (subcommands[count].name != NULL)
        count++;
    resp_bulk_text(reply, "subcommands");
    resp_map(reply, count);
    for (size_t i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s|%s", command->name, subcommands[i].name);
        resp_bulk_text(reply, name);
        begin_docs(reply, subcommands[i].summary, command->group, subcommands[i].arguments, 0);
    }
}

/* --- subcommands ------------------------------------------------------------------------- */

/* Else a short request would have a long reply. */
static bool is_too_long(struct client *client, const struct resp_words *words)
{
    bool too_long = words->count - 2 > command_count;
    if (too_long)
        client_error(client, "TOOBIG more names than there are commands");
    return too_long;
}

static void docs(struct client *client, const struct resp_words *words)
{
    struct resp_writer *reply = &client->reply;
    size_t found = 0;
    if (is_too_long(client, words))
        return;
    if (words->count == 2) {
        resp_map(reply, command_count);
        for (size_t i = 0; i < command_count; i++)
            write_docs(reply, &commands[i]);
        return;
    }
    for (size_t i = 2; i < words->count; i++)
        found += command_find(words->items[i]) != NULL;
    resp_map(reply, found);
    for (size_t i = 2; i < words->count; i++) {
        const struct command *command = command_find(words->items[i]);
        if (command != NULL)
            write_docs(reply, command);
    }
}

static void all_rows(struct resp_writer *reply)
{
    resp_array(reply, command_count);
    for (size_t i = 0; i < command_count; i++)
        write_row(reply, &commands[i]);
}

static void info(struct client *client, const struct resp_words *words)
{
    struct resp_writer *reply = &client->reply;
    if (is_too_long(client, words))
        return;
    if (words->count == 2) {
        all_rows(reply);
        return;
    }
    resp_array(reply, words->count - 2);
    for (size_t i = 2; i < words->count; i++) {
        const struct command *command = command_find(words->items[i]);
        if (command != NULL)
            write_row(reply, command);
        else
            resp_null_array(reply);
    }
}

static void list(struct client *client, const struct resp_words *words)
{
    if (words->count > 2) { /* FILTERBY of Redis */
        client_error(client, "ERR syntax error");
        return;
    }
    resp_array(&client->reply, command_count);
    for (size_t i = 0; i < command_count; i++)
        resp_bulk_text(&client->reply, commands[i].name);
}

static void count(struct client *client, const struct resp_words *words)
{
    (void)words;
    resp_integer(&client->reply, (int64_t)command_count);
}

const struct subcommand command_subcommands[] = {
    {"count", 2, "", "Counts the commands", count},
    {"docs", -2, "[<name> ...]", "Explains all commands, or those that are named", docs},
    {"help", 2, "", "Prints this help", command_help},
    {"info", -2, "[<name> ...]", "Describes all commands, or those that are named", info},
    {"list", -2, "", "Names all commands", list},
    {0},
};

COMMAND(command)
{
    if (words->count == 1)
        all_rows(&client->reply);
    else
        command_subcommand(client, words);
}
