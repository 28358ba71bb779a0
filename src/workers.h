/*
 * workers: the threads that serve connections, and what they have in common.
 *
 * The first worker is the main thread's, which also accepts, reloads and stops.
 * The others only serve what it hands over to them. A worker's event base, its
 * connections and what modules have there are touched by its thread alone, or
 * by the main thread while it holds the workers; so there are no other locks,
 * and libevent's are not needed. With one worker nothing of this is done.
 *
 * Threads: all functions are for the main thread, but workers_count_out().
 */
#ifndef CISTERN_WORKERS_H
#define CISTERN_WORKERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "mailbox.h"
#include "wakeup.h"
#include "worker.h"

struct workers {
    unsigned count;
    struct worker **items;    /* the first is the main thread's */
    unsigned running;         /* threads; none before all are made, and after workers_stop() */
    uint64_t max_connections; /* of all together; listeners refuse what comes above it */
    struct budget_pool memory;

    bool watched; /* released is to be called; set while they are held */
    void (*released)(void *context);
    void *context;
    struct wakeup wakeup; /* of the main thread, when a connection has gone elsewhere */
    struct event *woken;

    unsigned holds; /* that are not released */
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* parked, or held */
    bool held;              /* under mutex, as all below: threads are to park */
    uint64_t hold;          /* the number of this hold */
    unsigned parked;        /* threads, in this hold */
    bool stopping;
    uint64_t question; /* of workers_alive(), as a number */
};

/*
 * So many workers, from 1, whose threads wait for connections. While watched is
 * set, released(context) is called on the main thread after connections have
 * gone. NULL when memory, descriptors or threads are out.
 */
struct workers *workers_new(unsigned count, void (*released)(void *context), void *context);
/* Ends and joins the threads: all is the main thread's from then on. */
void workers_stop(struct workers *workers);
/* Only after their last connections are gone. NULL is allowed. */
void workers_free(struct workers *workers);

/* Runs the main thread's loop until event_base_loopbreak(). */
void workers_run(struct workers *workers);

/*
 * Has every other worker park between two events, with no module's code on its
 * stack and nothing on its way to it, and returns when all have. Then the main
 * thread may touch all that is theirs, event bases included, until the release.
 * Nests. A worker that hangs makes this wait: the watchdog is for that.
 */
void workers_hold(struct workers *workers);
void workers_release(struct workers *workers);

/*
 * Whether each worker has turned its loop since the last call; the first time,
 * true. For the watchdog's timer: costs each worker one turn, and does not
 * wait. Between two calls there has to be the time that no turn may take.
 */
bool workers_alive(struct workers *workers);

/* Connections of all of them, those on their way included, but not the administrator's. */
uint64_t workers_connections(const struct workers *workers);

/*
 * The worker that a listener is to be on for good: the one with the fewest such
 * listeners, then connections. Of equals not the first, which has to accept as well.
 */
struct worker *workers_choose_home(struct workers *workers);

/* The most bytes that all budgets `memory` together may use; UINT64_MAX: any. While held. */
void workers_set_max_memory(struct workers *workers, uint64_t bytes);

/* What those budgets use together, bytes. While held. */
uint64_t workers_memory(const struct workers *workers);

/* Whether the worker can be handed a connection. */
bool workers_can_take(const struct worker *worker);
/* Gives it to its shard's worker: at once on the main thread, else after workers_flush(). */
void workers_hand_over(const struct handover *item);
/* Wakes those that were handed something. */
void workers_flush(struct workers *workers);

/* A connection has gone: for the worker's own thread. */
void workers_count_out(struct worker *worker);

#endif
