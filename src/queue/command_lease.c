/* Commands for at-least-once delivery: see lease.h. */
#include "command.h"
#include "lease.h"
#include "wait.h"

COMMAND(qtake)
{
    int64_t count;
    struct wait_request request = {.kind = WAIT_TAKE, .names = &words->items[1], .name_count = 1};
    if (!command_integer(client, words->items[2], &count) ||
        !command_seconds(client, words->items[3], "timeout", &request.timeout) ||
        !command_seconds(client, words->items[4], "lease", &request.lease))
        return;
    request.count = (uint64_t)count;
    if (count <= 0 || request.lease == 0) {
        client_error(client, "ERR %s should be greater than 0", count <= 0 ? "count" : "lease");
        return;
    }
    if (client->space->is_private) {
        client_error(client, "ERR QTAKE needs a listener with scope = listener");
        return;
    }
    struct named_queue *queue = command_queue(client, words->items[1]);
    if (queue != NULL)
        answer_take(client, queue, request.count, request.lease);
    else if (!client_may_wait(client))
        resp_null_array(&client->reply);
    else if (command_claim(client, words->items[1]) != NULL)
        wait_begin(client, &request);
}

/* Ends the leases that are named, and answers how many there were. */
static void end_leases(struct client *client, const struct resp_words *words,
                       void (*end)(struct leases *leases, struct space *space, struct lease *lease))
{
    struct leases *leases = &client->service->leases;
    const struct named_queue *queue = space_find(client->space, words->items[1]);
    int64_t ended = 0, id;
    for (size_t i = 2; i < words->count; i++) {
        if (!command_integer(client, words->items[i], &id))
            return;
    }
    /* From the last, so that what goes back to the head keeps its order. */
    for (size_t i = words->count; i-- > 2;) {
        resp_parse_integer(words->items[i], &id);
        struct lease *lease = queue != NULL ? lease_find(leases, (uint64_t)id, queue) : NULL;
        if (lease == NULL)
            continue;
        end(leases, client->space, lease);
        ended++;
    }
    resp_integer(&client->reply, ended);
}

COMMAND(qack)
{
    end_leases(client, words, lease_acknowledge);
}

COMMAND(qnack)
{
    end_leases(client, words, lease_return);
}
