/* Commands that move an item from one queue to another. */
#include "command.h"
#include "wait.h"

static void move(struct client *client, const struct resp_words *words, enum deque_end from_end,
                 enum deque_end to_end)
{
    struct named_queue *from = command_queue(client, words->items[1]);
    if (from == NULL)
        resp_null(&client->reply);
    else if (command_claim(client, words->items[2]) != NULL)
        answer_move(client, from, from_end, words->items[2], to_end, false);
}

COMMAND(lmove)
{
    enum deque_end from_end, to_end;
    if (command_end(client, words->items[3], &from_end) &&
        command_end(client, words->items[4], &to_end))
        move(client, words, from_end, to_end);
}

COMMAND(rpoplpush)
{
    move(client, words, DEQUE_TAIL, DEQUE_HEAD);
}

static void move_waiting(struct client *client, const struct resp_words *words,
                         struct wait_request *request)
{
    request->kind = WAIT_MOVE;
    request->names = &words->items[1];
    request->name_count = 1;
    request->destination = words->items[2];
    struct named_queue *from = command_queue(client, words->items[1]);
    if (from == NULL && !client_may_wait(client)) {
        resp_null(&client->reply);
        return;
    }
    struct named_queue *to = command_claim(client, request->destination);
    if (to == NULL || command_claim(client, words->items[1]) == NULL)
        return;
    bool has_room = from == to || (to->producers.length == 0 && from != NULL &&
                                   queue_has_room(&to->queue, &from->queue, request->end));
    if (from != NULL &&
        (has_room || to->queue.bound->overflow != OVERFLOW_BLOCK || !client_may_wait(client)))
        answer_move(client, from, request->end, request->destination, request->to_end, false);
    else
        wait_begin(client, request);
}

COMMAND(blmove)
{
    struct wait_request request = {0};
    if (command_end(client, words->items[3], &request.end) &&
        command_end(client, words->items[4], &request.to_end) &&
        command_seconds(client, words->items[5], "timeout", &request.timeout))
        move_waiting(client, words, &request);
}

COMMAND(brpoplpush)
{
    struct wait_request request = {.end = DEQUE_TAIL, .to_end = DEQUE_HEAD};
    if (command_seconds(client, words->items[3], "timeout", &request.timeout))
        move_waiting(client, words, &request);
}
