/*
 * wait: clients that wait for items, or for room, in the order in which they
 * came.
 *
 * A client that waits is not offered input; that it leaves is noticed, and then
 * it has taken and brought nothing. One that waits for several queues is served
 * once. Nobody overtakes: who waits for room is admitted in order, a large
 * batch before the small one behind it. A move (BLMOVE) needs an item and room:
 * it stands in the line of its source, and when there is an item and no room,
 * in that of its destination, where changes of its source wake it, too.
 */
#ifndef CISTERN_QUEUE_WAIT_H
#define CISTERN_QUEUE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"

/* The most queues that one command can wait on. */
#define WAIT_QUEUES_MAX 1024U

enum wait_kind {
    WAIT_POP,      /* an item: BLPOP */
    WAIT_POP_MANY, /* some items: BLMPOP */
    WAIT_TAKE,     /* some items under leases: QTAKE */
    WAIT_MOVE,     /* an item, and room for it elsewhere: BLMOVE */
    WAIT_PUSH,     /* room: a push under the policy block, or BRPUSH */
};

/* What to wait for. Nothing in it needs to outlive the call. */
struct wait_request {
    enum wait_kind kind;
    const struct resp_argument *names; /* queues; one, unless for POP and POP_MANY */
    size_t name_count;
    enum deque_end end;
    uint64_t count;                   /* POP_MANY, TAKE: at most so many */
    uint64_t lease;                   /* TAKE: ms */
    struct resp_argument destination; /* MOVE */
    enum deque_end to_end;            /* MOVE */
    struct batch batch;               /* PUSH */
    bool insists;                     /* PUSH: waits under every policy, and may in vain */
    uint64_t timeout;                 /* ms; 0: for ever */
};

/* From now on the client waits. When it cannot, it has been answered with an error. */
void wait_begin(struct client *client, const struct wait_request *request);

/* Takes it out of every line. Nothing happens if it does not wait. */
void wait_cancel(struct client *client);

/* Its time is up: answers so, and lets it go on with what it has sent. */
void wait_timed_out(struct client *client);

/* CLIENT UNBLOCK: as if its time were up, or with an error. */
void wait_unblock(struct client *client, bool with_error);

/* Serves those who can be served, until nobody can. */
void wait_serve_ready(struct space *space);

/* After every command; mostly nobody waits. */
static inline void wait_serve(struct space *space)
{
    if (!TAILQ_EMPTY(&space->ready))
        wait_serve_ready(space);
}

/* --- answers, for those who wait and those who need not ------------------------- */

/* [name, item] */
void answer_pop(struct client *client, struct named_queue *queue, enum deque_end end);
/* [name, [item, ...]] */
void answer_pop_many(struct client *client, struct named_queue *queue, enum deque_end end,
                     uint64_t count);
/* [item, ...]: takes at most so many off. */
void answer_items(struct client *client, struct named_queue *queue, enum deque_end end,
                  uint64_t count);
/* [[id, item, deliveries], ...] */
void answer_take(struct client *client, struct named_queue *queue, uint64_t count, uint64_t lease);
/*
 * The item, moved. False, and nothing done or answered, if it is to wait: there is
 * no room in a destination whose policy is to wait, or others wait for that room
 * and it is not its turn.
 */
bool answer_move(struct client *client, struct named_queue *from, enum deque_end from_end,
                 struct resp_argument destination, enum deque_end to_end, bool in_turn);
/* The length, or why nothing came in. */
void answer_push(struct client *client, struct named_queue *queue, enum push_result result,
                 const struct batch *batch);
/* Why a queue of that name could not be made. */
void answer_refusal(struct client *client, enum space_refusal refusal, struct resp_argument name);

#endif
