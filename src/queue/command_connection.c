/* Commands about the client's own connection. */
#include <limits.h>
#include <stdlib.h>

#include "command.h"
#include "transaction.h"

COMMAND(ping)
{
    if (words->count > 2)
        command_wrong_arity(client, "ping");
    else if (words->count == 2)
        resp_bulk(&client->reply, words->items[1].data, words->items[1].length);
    else
        resp_simple(&client->reply, "PONG");
}

COMMAND(echo)
{
    resp_bulk(&client->reply, words->items[1].data, words->items[1].length);
}

COMMAND(quit)
{
    (void)words;
    resp_simple(&client->reply, "OK");
    leases_return_client(&client->service->leases, client->space, client);
    session_close(client_session(client));
}

COMMAND(select)
{
    int64_t index;
    if (!command_integer(client, words->items[1], &index))
        return;
    if (index == 0)
        resp_simple(&client->reply, "OK");
    else if (index < INT_MIN || index > INT_MAX)
        client_error(client, "ERR value is out of range, value must between %d and %d", INT_MIN,
                     INT_MAX);
    else
        client_error(client, "ERR DB index is out of range");
}

COMMAND(reset)
{
    (void)words;
    transaction_free(client->transaction);
    client->transaction = NULL;
    free(client->name);
    client->name = NULL;
    client->reply.version = 2;
    resp_simple(&client->reply, "RESET");
}

/* --- who is there ---------------------------------------------------------------------- */

/* Nobody needs a password: the default user has any. */
static bool authenticate(struct client *client, struct resp_argument user)
{
    if (resp_is(user, "default"))
        return true;
    client_error(client, "WRONGPASS invalid username-password pair or user is disabled.");
    return false;
}

COMMAND(auth)
{
    if (words->count > 3)
        client_error(client, "ERR syntax error");
    else if (words->count == 2)
        client_error(client, "ERR AUTH <password> called without any password configured for the "
                             "default user. Are you sure your configuration is correct?");
    else if (authenticate(client, words->items[1]))
        resp_simple(&client->reply, "OK");
}

static void answer_hello(struct client *client)
{
    struct resp_writer *reply = &client->reply;
    resp_map(reply, 7);
    resp_bulk_text(reply, "server");
    resp_bulk_text(reply, "cistern");
    resp_bulk_text(reply, "version");
    resp_bulk_text(reply, COMPATIBLE_VERSION);
    resp_bulk_text(reply, "proto");
    resp_integer(reply, reply->version);
    resp_bulk_text(reply, "id");
    resp_integer(reply, (int64_t)session_id(client_session(client)));
    resp_bulk_text(reply, "mode");
    resp_bulk_text(reply, "standalone");
    resp_bulk_text(reply, "role");
    resp_bulk_text(reply, "master");
    resp_bulk_text(reply, "modules");
    resp_array(reply, 0);
}

/* HELLO's options; nothing of them holds before all of them are right. */
struct hello {
    int64_t version;
    const struct resp_argument *name;
};

static bool parse_hello(struct client *client, const struct resp_words *words, struct hello *hello)
{
    if (words->count > 1 && !resp_parse_integer(words->items[1], &hello->version)) {
        client_error(client, "ERR Protocol version is not an integer or out of range");
        return false;
    }
    if (words->count > 1 && (hello->version < 2 || hello->version > 3)) {
        client_error(client, "NOPROTO unsupported protocol version");
        return false;
    }
    for (size_t i = 2; i < words->count; i++) {
        struct resp_argument option = words->items[i];
        size_t more = words->count - 1 - i;
        if (resp_is(option, "auth") && more >= 2) {
            if (!authenticate(client, words->items[i + 1]))
                return false;
            i += 2;
        } else if (resp_is(option, "setname") && more >= 1) {
            hello->name = &words->items[++i];
            if (!client_name_is_valid(client, *hello->name))
                return false;
        } else {
            client_error(client, "ERR Syntax error in HELLO option '%.*s'",
                         option.length < 128 ? (int)option.length : 128, option.data);
            return false;
        }
    }
    return true;
}

COMMAND(hello)
{
    struct hello hello = {.version = client->reply.version};
    if (!parse_hello(client, words, &hello))
        return;
    if (hello.name != NULL && !client_set_name(client, *hello.name))
        return;
    client->reply.version = (int)hello.version;
    answer_hello(client);
}
