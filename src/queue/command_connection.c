/* Commands about the connection. */
#include "command.h"

void command_ping(struct client *client, const struct resp_words *words)
{
    if (words->count > 2)
        command_wrong_arity(client, "ping");
    else if (words->count == 2)
        resp_bulk(&client->reply, words->items[1].data, words->items[1].length);
    else
        resp_simple(&client->reply, "PONG");
}

void command_echo(struct client *client, const struct resp_words *words)
{
    resp_bulk(&client->reply, words->items[1].data, words->items[1].length);
}

void command_quit(struct client *client, const struct resp_words *words)
{
    (void)words;
    resp_simple(&client->reply, "OK");
    session_close(client_session(client));
}

void command_select(struct client *client, const struct resp_words *words)
{
    int64_t index;
    if (!resp_parse_integer(words->items[1], &index))
        resp_error(&client->reply, "ERR value is not an integer or out of range");
    else if (index != 0)
        resp_error(&client->reply, "ERR DB index is out of range");
    else
        resp_simple(&client->reply, "OK");
}
