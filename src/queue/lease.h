/*
 * lease: an item that a client has taken and not yet acknowledged.
 *
 * It is out of its queue but counts towards its bound. It ends with an
 * acknowledgement, or comes back to the head of its queue: when the client
 * gives it back, when its time is up, when the client's connection is lost.
 * What comes back stands there in the order in which it was taken. An item may thus be delivered
 * more than once, never lost while the daemon runs.
 */
#ifndef CISTERN_LEASE_H
#define CISTERN_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "deque.h"

struct client;
struct named_queue;
struct space;

struct lease {
    UT_hash_handle hh;
    uint64_t id; /* from 1; no two of a listener are alike */
    uint64_t deadline;
    struct named_queue *queue;
    TAILQ_ENTRY(lease) by_deadline; /* in leases->by_deadline */
    TAILQ_ENTRY(lease) of_client;   /* in client->leases, the newest last */
    struct client *client;
    struct deque_item item; /* data: behind the struct */
    char bytes[];
};

TAILQ_HEAD(lease_list, lease);

struct leases {
    struct lease *by_id; /* uthash */
    struct lease_list by_deadline;
    uint64_t last_id;
};

void leases_init(struct leases *leases);

/*
 * Takes the item at the head of the queue, which exists, under a lease. NULL
 * when memory is out: the item is where it was.
 */
struct lease *lease_take(struct leases *leases, struct space *space, struct named_queue *queue,
                         struct client *client, uint64_t deadline);

/* The lease of that id on that queue, or NULL. */
struct lease *lease_find(const struct leases *leases, uint64_t id, const struct named_queue *queue);

/* Ends it: the item is done with. */
void lease_acknowledge(struct leases *leases, struct space *space, struct lease *lease);
/* Ends it: the item goes back to the head. */
void lease_return(struct leases *leases, struct space *space, struct lease *lease);

/* The same for all of a client, and for all that are past their deadline. */
void leases_return_client(struct leases *leases, struct space *space, struct client *client);
void leases_expire(struct leases *leases, struct space *space, uint64_t now);

/* When the next one runs out; UINT64_MAX when there is none. */
uint64_t leases_next_deadline(const struct leases *leases);

#endif
