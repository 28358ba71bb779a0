/*
 * blocking: clients that wait for an item, in the order in which they came.
 *
 * A waiting client is not offered input, but its leaving is noticed; it then
 * has taken nothing. One that waits in several queues is served once.
 */
#ifndef CISTERN_QUEUE_BLOCKING_H
#define CISTERN_QUEUE_BLOCKING_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"

/* The most queues that one command can wait on. */
#define BLOCKING_QUEUES_MAX 1024U

/*
 * Makes the client wait in all these queues for an item from that end;
 * milliseconds 0: for ever. When it cannot, it has been answered with an error.
 */
void blocking_wait(struct client *client, const struct resp_argument *names, size_t count,
                   enum deque_end end, uint64_t milliseconds);

/* Takes it out of every line. Nothing happens if it does not wait. */
void blocking_cancel(struct client *client);

/* Its time is up: answers so, and goes on with what it has sent. */
void blocking_timed_out(struct client *client);

/* Hands items to those who wait, until either run out. After every command. */
void blocking_serve(struct space *space);

/* The answer to a pop of the named queue: its name and the item, which is taken off. */
void blocking_answer(struct client *client, struct named_queue *queue, enum deque_end end);

#endif
