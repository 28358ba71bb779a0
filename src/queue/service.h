/*
 * service: what all clients of a queue listener share, whatever generation of
 * its parameters they were made by: the queues, the clients, the figures.
 *
 * A reload hands it from the old factory to the new one. It goes with the last
 * of them.
 */
#ifndef CISTERN_SERVICE_H
#define CISTERN_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "../protocol.h"
#include "../resp/resp.h"
#include "lease.h"
#include "parameters.h"
#include "space.h"

/* The most commands in the table (command.h). */
#define SERVICE_COMMANDS_MAX 96U

struct client;

/* Of one command, for INFO commandstats. */
struct command_stats {
    uint64_t calls;
    uint64_t rejected; /* wrong number of arguments, or refused before it ran */
    uint64_t failed;   /* ran, and answered with an error */
};

struct service {
    unsigned references;
    struct factory *current; /* the newest of its factories: has the timer */
    struct space *space;     /* the listener's queues, and the limits of all */
    struct leases leases;
    struct resp_words words; /* of the request being executed */
    TAILQ_HEAD(, client) clients;
    uint64_t now; /* ms; when the input that is being handled came */
    uint64_t due; /* when the factory's timer runs out; UINT64_MAX: it is not set */
    bool trims;   /* service_trim() */
    uint64_t started_at;
    uint64_t restored; /* items that the daemon before has left */
    uint64_t accepted; /* connections, since then */
    uint64_t connected;
    uint64_t blocked;
    uint64_t commands;
    struct command_stats stats[SERVICE_COMMANDS_MAX];
};

/* With one reference; its limits are what the parameters say. NULL when memory is out. */
struct service *service_new(const struct queue_parameters *parameters);
struct service *service_get(struct service *service);
void service_put(struct service *service);

/* After a reload: the limits of another service, made for the new parameters, hold. */
void service_adopt_limits(struct service *service, const struct service *other);

/*
 * What is due: trims queues whose bound was lowered, drops what has grown too
 * old, takes back leases that have run out. Not while somebody is being served.
 */
void service_housekeep(struct service *service);

/* A queue may hold more than a bound that was lowered: the housekeeping is to look for it. */
void service_trim(struct service *service);

/* Sees to it that the housekeeping is done when a lease or an item's time is up. */
void service_schedule(struct service *service);

#endif
