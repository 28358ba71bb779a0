#include "wait.h"

#include <stdlib.h>
#include <string.h>

/* A request to wait, with all that it refers to, in one allocation. */
struct wait {
    struct wait_request request;
    size_t waiter_count; /* that stand in a line */
    struct waiter waiters[];
};

/* --- making and unmaking ---------------------------------------------------------- */

/* Lays out copies of words one behind the other; *bytes moves behind them. */
static void copy_words(struct resp_argument *to, const struct resp_argument *from, size_t count,
                       char **bytes)
{
    for (size_t i = 0; i < count; i++) {
        to[i] = (struct resp_argument){.data = *bytes, .length = from[i].length};
        if (from[i].length > 0) /* else data may be NULL */
            *bytes = mempcpy(*bytes, from[i].data, from[i].length);
    }
}

static size_t words_size(const struct resp_argument *words, size_t count)
{
    size_t size = count * sizeof *words;
    for (size_t i = 0; i < count; i++)
        size += words[i].length;
    return size;
}

/* The words of a request, which is about to be gone, are copied behind the waiters. */
static struct wait *wait_new(const struct wait_request *request)
{
    size_t names = request->name_count, items = request->batch.count;
    size_t lines = request->kind == WAIT_MOVE ? 2 : names;
    size_t head = sizeof(struct wait) + lines * sizeof(struct waiter);
    struct wait *wait =
        calloc(1, head + words_size(request->names, names) +
                      words_size(request->batch.items, items) + request->destination.length);
    if (wait == NULL)
        return NULL;
    struct resp_argument *words = (void *)((char *)wait + head);
    char *bytes = (char *)(words + names + items);
    wait->request = *request;
    wait->request.names = words;
    wait->request.batch.items = words + names;
    copy_words(words, request->names, names, &bytes);
    copy_words(words + names, request->batch.items, items, &bytes);
    copy_words(&wait->request.destination, &request->destination, 1, &bytes);
    return wait;
}

/* Stands in the one line of one queue. */
static void join(struct client *client, struct named_queue *queue, struct waiter_line *line)
{
    struct wait *wait = client->wait;
    struct waiter *waiter = &wait->waiters[wait->waiter_count++];
    waiter->client = client;
    waiter->destination = NULL;
    space_join(client->space, queue, line, waiter);
}

/* A move whose source has an item waits for room: it is looked at when either of them changes. */
static void join_destination(struct client *client, struct named_queue *from,
                             struct named_queue *to)
{
    struct wait *wait = client->wait;
    join(client, to, &to->producers);
    struct waiter *waiter = &wait->waiters[wait->waiter_count++];
    waiter->client = client;
    waiter->destination = to;
    space_join(client->space, from, &from->movers, waiter);
}

static bool join_all(struct client *client)
{
    const struct wait_request *request = &client->wait->request;
    for (size_t i = 0; i < request->name_count; i++) {
        enum space_refusal refusal;
        struct named_queue *queue = space_claim(client->space, request->names[i], &refusal);
        if (queue == NULL) {
            answer_refusal(client, refusal, request->names[i]);
            return false;
        }
        join(client, queue, request->kind == WAIT_PUSH ? &queue->producers : &queue->consumers);
    }
    return true;
}

void wait_begin(struct client *client, const struct wait_request *request)
{
    client->wait = wait_new(request);
    if (client->wait == NULL) {
        client_error(client, "OOM out of memory");
        return;
    }
    client->service->blocked++;
    if (!join_all(client)) {
        wait_cancel(client);
        return;
    }
    session_pause_reading(client_session(client));
    if (request->timeout > 0)
        session_set_timer(client_session(client), request->timeout);
}

static void leave_lines(struct client *client)
{
    struct wait *wait = client->wait;
    while (wait->waiter_count > 0)
        space_leave(client->space, &wait->waiters[--wait->waiter_count]);
}

void wait_cancel(struct client *client)
{
    if (client->wait == NULL)
        return;
    leave_lines(client);
    free(client->wait);
    client->wait = NULL;
    client->service->blocked--;
    session_stop_timer(client_session(client));
}

/* --- ending it with an answer ------------------------------------------------------- */

/* The answer is written between these two, and goes out in one piece. */
static void begin_answer(struct client *client)
{
    session_cork(client_session(client));
}

static void end_answer(struct client *client)
{
    session_uncork(client_session(client));
    wait_cancel(client);
    session_resume_reading(client_session(client));
}

static void answer_in_vain(struct client *client)
{
    const struct wait_request *request = &client->wait->request;
    if (request->kind != WAIT_PUSH) {
        resp_null_array(&client->reply);
        return;
    }
    struct named_queue *queue = client->wait->waiters[0].queue;
    queue->queue.counters.timed_out += request->batch.count;
    if (request->insists) {
        resp_null(&client->reply);
    } else {
        answer_push(client, queue, PUSH_FULL, &request->batch);
        queue->queue.counters.rejected -= request->batch.count; /* it is in timed_out */
    }
}

void wait_timed_out(struct client *client)
{
    begin_answer(client);
    answer_in_vain(client);
    end_answer(client);
}

void wait_unblock(struct client *client, bool with_error)
{
    begin_answer(client);
    if (with_error)
        client_error(client, "UNBLOCKED client unblocked via CLIENT UNBLOCK");
    else
        answer_in_vain(client);
    end_answer(client);
}

/* --- serving -------------------------------------------------------------------------- */

/* The first in line who is still there. Those who have gone leave. */
static struct client *first_in(const struct waiter_line *line)
{
    struct waiter *waiter;
    while ((waiter = TAILQ_FIRST(&line->waiters)) != NULL) {
        struct session *session = client_session(waiter->client);
        if (session_is_open(session) && !session_peer_has_left(session))
            return waiter->client;
        wait_cancel(waiter->client);
    }
    return NULL;
}

/*
 * A move whose source has an item: true if it is over. Without room it changes
 * to the destination's line; there it is tried again when something leaves.
 */
static bool serve_move(struct client *client, struct named_queue *from, bool in_turn)
{
    const struct wait_request *request = &client->wait->request;
    begin_answer(client);
    if (answer_move(client, from, request->end, request->destination, request->to_end, in_turn)) {
        end_answer(client);
        return true;
    }
    session_uncork(client_session(client));
    struct named_queue *to = space_find(client->space, request->destination);
    leave_lines(client);
    join_destination(client, from, to);
    return false;
}

static void serve_consumer(struct client *client, struct named_queue *queue)
{
    const struct wait_request *request = &client->wait->request;
    if (request->kind == WAIT_MOVE) {
        serve_move(client, queue, false);
        return;
    }
    begin_answer(client);
    if (request->kind == WAIT_POP)
        answer_pop(client, queue, request->end);
    else if (request->kind == WAIT_POP_MANY)
        answer_pop_many(client, queue, request->end, request->count);
    else
        answer_take(client, queue, request->count, request->lease);
    end_answer(client);
}

/* A move in its destination's line: with room, but without an item, it goes back to its source. */
static bool admit_move(struct client *client, struct named_queue *to)
{
    const struct wait_request *request = &client->wait->request;
    enum space_refusal refusal;
    struct named_queue *from = space_claim(client->space, request->names[0], &refusal);
    if (from != NULL && queue_count(&from->queue) > 0)
        return (to->queue.bound->overflow != OVERFLOW_BLOCK ||
                queue_has_room(&to->queue, &from->queue, request->end)) &&
               serve_move(client, from, true);
    leave_lines(client);
    if (from != NULL) {
        join(client, from, &from->consumers);
    } else {
        begin_answer(client);
        answer_refusal(client, refusal, request->names[0]);
        end_answer(client);
    }
    return true;
}

/* True if the first in the line of those who wait for room waits there no more. */
static bool admit_producer(struct client *client, struct named_queue *queue)
{
    const struct wait_request *request = &client->wait->request;
    if (request->kind == WAIT_MOVE)
        return admit_move(client, queue);
    /* The policy is asked anew: a reload may have changed it. */
    enum overflow_policy policy = request->insists ? OVERFLOW_BLOCK : queue->queue.bound->overflow;
    enum push_result result =
        queue_push(&queue->queue, policy, request->end, &request->batch, client->service->now);
    if (result == PUSH_FULL && policy == OVERFLOW_BLOCK)
        return false;
    begin_answer(client);
    answer_push(client, queue, result, &request->batch);
    end_answer(client);
    return true;
}

/* One step at a queue. False if nothing can be done there. */
static bool serve_one(struct named_queue *queue)
{
    struct client *client = first_in(&queue->producers);
    if (client != NULL && admit_producer(client, queue))
        return true;
    client = queue_count(&queue->queue) > 0 ? first_in(&queue->consumers) : NULL;
    if (client == NULL)
        return false;
    if (queue_expire(&queue->queue, client->service->now)) /* what a lease has given back */
        space_changed(client->space, queue);
    else
        serve_consumer(client, queue);
    return true;
}

/*
 * It ends: each step takes a client out of a line, or moves one on to the line
 * of its destination, which it leaves only when that has room.
 */
void wait_serve_ready(struct space *space)
{
    struct named_queue *queue;
    while ((queue = space_next_ready(space)) != NULL) {
        while (serve_one(queue))
            continue;
    }
}
