/*
 * listener: accepts connections on its endpoints and makes sessions of them
 * with its factory, within its limits.
 *
 * It is known by its name: a reload changes its options, factory and endpoints
 * in place, and the connections it has stay. One that the configuration no
 * longer has is retired: it accepts nothing more and goes when the last of its
 * connections has gone.
 *
 * It has a shard on each worker. A module whose sessions share state serves on
 * one of them alone, the listener's home.
 *
 * Threads: the main thread's. "Held" are functions that touch what is the
 * workers' too: see workers_hold().
 */
#ifndef CISTERN_LISTENER_H
#define CISTERN_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "config.h"
#include "endpoint.h"
#include "factory.h"
#include "shard.h"
#include "sources.h"

struct workers;

struct listener {
    TAILQ_ENTRY(listener) siblings;
    char *name;
    struct workers *workers;
    struct shard *shards; /* one a worker, in their order */
    struct worker *home;  /* the only one it serves on; NULL: it does on all */
    struct endpoint_list endpoints;
    uint64_t max_connections;
    struct sources *sources; /* of its connections */
    bool keepalive;
    bool nodelay;
    bool retired;
    bool paused; /* by the administrator: accepts nothing until listener_resume() */
    enum log_level log_level;
    uint64_t generation;         /* of the configuration that it has */
    struct listener_stats stats; /* what accepting counts; the rest stands with the shards */
    struct event *resume;        /* accepting again after a pause (accept.c) */
    int spare;                   /* a descriptor to give up for a privileged session; -1: none */
    unsigned resume_delay;       /* ms; doubles while descriptors are out, 0 when all is well */
    struct event *expiry;  /* of a retired listener's connections */
    struct log_limit refusals;
    struct log_limit failures;
};

TAILQ_HEAD(listener_list, listener);

/* Without endpoints or factories. */
struct listener *listener_new(struct workers *workers, const char *name);
/* Closes everything. Only when it has no connections left. Held. */
void listener_free(struct listener *listener);

/* How many factories listener_configure() takes for a module. */
size_t listener_factory_count(const struct workers *workers, const struct protocol *protocol);

/*
 * Takes options over, with the terms that they make, one a worker, and, unless
 * NULL, the factories: the references, not the arrays. Held.
 */
void listener_configure(struct listener *listener, const struct listener_options *options,
                        struct terms *const *terms, enum log_level log_level,
                        struct factory **factories);

/* One of its factories, which are all alike; NULL before the first listener_configure(). */
struct factory *listener_factory(const struct listener *listener);

/* What a message about it, and perhaps about a peer (or NULL), says of them. */
struct log_context listener_log_context(const struct listener *listener, const char *peer);

/* All its connections, those on their way to a worker included. */
uint64_t listener_connections(const struct listener *listener);

/*
 * An endpoint ready to be attached to a listener of these workers; the rest, and
 * what it returns, is as of endpoint_open().
 */
struct endpoint *listener_open_endpoint(const struct workers *workers,
                                        const struct address *address,
                                        const struct endpoint_options *options, int *error,
                                        char *why, size_t size);

/* Takes an endpoint that has no listener, and accepts on it. */
void listener_attach(struct listener *listener, struct endpoint *endpoint);
/* Leaves an endpoint, if it has one, without a listener: its connections wait in the kernel. */
void listener_detach(struct endpoint *endpoint);

/* Closes the endpoints that are left and lets the connections live for so long (milliseconds).
 * Held. */
void listener_retire(struct listener *listener, uint64_t timeout);

void listener_close_endpoints(struct listener *listener);

/* Whom it does not accept waits in the kernel, up to the backlog. Outlasts a reload. */
void listener_pause(struct listener *listener);
void listener_resume(struct listener *listener);
/* One word: accepting, paused, waiting (for descriptors or memory), closed, retired. */
const char *listener_state(const struct listener *listener);

/* Its protocol's sessions are the administrator's (struct protocol). */
bool listener_is_privileged(const struct listener *listener);

/* Until the next reload. Held. */
void listener_set_log_level(struct listener *listener, enum log_level level);

/* --- asking; held -------------------------------------------------------------------- */

/* Whose factories serve new connections, and all connections. */
void listener_each_factory(struct listener *listener,
                           void (*visit)(struct factory *factory, void *context), void *context);
void listener_each_connection(const struct listener *listener,
                              void (*visit)(struct connection *connection, void *context),
                              void *context);
/* Since it was made; bytes of the connections that it has, too. */
struct listener_stats listener_stats(const struct listener *listener);

/*
 * The end of each connection: in good order, but not of the administrator's; or
 * of all at once. Held.
 */
void listener_drain(struct listener *listener);
void listener_abort(struct listener *listener);

#endif
