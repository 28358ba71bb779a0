/* Commands of transactions: see transaction.h. */
#include "command.h"
#include "transaction.h"

static void end(struct client *client)
{
    transaction_free(client->transaction);
    client->transaction = NULL;
}

COMMAND(multi)
{
    (void)words;
    const struct queue_parameters *parameters = session_parameters(client_session(client));
    if (client->transaction != NULL) {
        client_error(client, "ERR MULTI calls can not be nested");
        return;
    }
    client->transaction = transaction_new(parameters->max_request_bytes);
    if (client->transaction != NULL)
        resp_simple(&client->reply, "OK");
    else
        client_error(client, "OOM out of memory");
}

COMMAND(discard)
{
    (void)words;
    if (client->transaction == NULL) {
        client_error(client, "ERR DISCARD without MULTI");
        return;
    }
    end(client);
    resp_simple(&client->reply, "OK");
}

/* The replies of a transaction are one reply: when it has become too much, the rest is refused. */
static void execute(struct client *client, const struct resp_words *words)
{
    if (client_may_reply(client, session_backlog(client_session(client))))
        command_execute(client, words);
}

COMMAND(exec)
{
    (void)words;
    struct transaction *transaction = client->transaction;
    if (transaction == NULL) {
        client_error(client, "ERR EXEC without MULTI");
        return;
    }
    if (transaction_is_spoiled(transaction)) {
        client_error(client, "EXECABORT Transaction discarded because of previous errors.");
        end(client);
        return;
    }
    resp_array(&client->reply, transaction_count(transaction));
    client->executing = true;
    transaction_run(transaction, client, execute);
    client->executing = false;
    end(client);
}
