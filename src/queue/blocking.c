#include "blocking.h"

#include <stdlib.h>

void blocking_cancel(struct client *client)
{
    if (client->waiters == NULL)
        return;
    for (size_t i = 0; i < client->waiter_count; i++)
        space_remove_waiter(client->space, &client->waiters[i]);
    free(client->waiters);
    client->waiters = NULL;
    client->waiter_count = 0;
    client_shared(client)->blocked--;
    session_stop_timer(client_session(client));
}

/* Stands in line for as many of the queues as there are, or can be made. */
static const char *enqueue(struct client *client, const struct resp_argument *names, size_t count)
{
    client->waiters = calloc(count, sizeof *client->waiters);
    if (client->waiters == NULL)
        return "OOM out of memory";
    client_shared(client)->blocked++;
    while (client->waiter_count < count) {
        bool full;
        struct waiter *waiter = &client->waiters[client->waiter_count];
        struct named_queue *queue =
            space_claim(client->space, names[client->waiter_count], &full);
        if (queue == NULL)
            return full ? "NOQUEUE max_queues are in use" : "OOM out of memory";
        waiter->client = client;
        space_enqueue_waiter(client->space, queue, waiter);
        client->waiter_count++;
    }
    return NULL;
}

void blocking_wait(struct client *client, const struct resp_argument *names, size_t count,
                   enum deque_end end, uint64_t milliseconds)
{
    struct session *session = client_session(client);
    client->wait_end = end;
    const char *error = enqueue(client, names, count);
    if (error != NULL) {
        blocking_cancel(client);
        resp_error(&client->reply, "%s", error);
        return;
    }
    session_pause_reading(session);
    if (milliseconds > 0)
        session_set_timer(session, milliseconds);
}

void blocking_timed_out(struct client *client)
{
    blocking_cancel(client);
    resp_null_array(&client->reply);
    session_resume_reading(client_session(client));
}

void blocking_answer(struct client *client, struct named_queue *queue, enum deque_end end)
{
    struct deque_item item;
    queue_peek(&queue->queue, end, &item);
    resp_array(&client->reply, 2);
    resp_bulk(&client->reply, queue->name, queue->name_length);
    resp_bulk(&client->reply, item.data, item.length);
    queue_pop(&queue->queue, end);
    space_release(client->space, queue);
}

static void serve(struct client *client, struct named_queue *queue)
{
    struct session *session = client_session(client);
    session_cork(session);
    blocking_answer(client, queue, client->wait_end);
    session_uncork(session);
    session_resume_reading(session);
}

void blocking_serve(struct space *space)
{
    struct named_queue *queue;
    while ((queue = TAILQ_FIRST(&space->ready)) != NULL) {
        TAILQ_REMOVE(&space->ready, queue, ready);
        queue->is_ready = false;
        /* The head is read anew each time: to take a client out changes the line. */
        struct waiter *waiter;
        while (queue_count(&queue->queue) > 0 &&
               (waiter = TAILQ_FIRST(&queue->waiters)) != NULL) {
            struct client *client = waiter->client;
            blocking_cancel(client);
            if (session_is_open(client_session(client)))
                serve(client, queue);
        }
    }
}
