/*
 * server: the running daemon: its configuration, its listeners, its signals.
 *
 * SIGHUP reloads. SIGTERM and SIGINT drain: nothing more is accepted, what was
 * written is sent, and after drain_timeout, or at a second signal, the rest is
 * closed; then what the listeners hold is kept for the next start. SIGQUIT stops
 * at once. SIGUSR1 logs the state, SIGUSR2 switches debug messages.
 */
#ifndef CISTERN_SERVER_H
#define CISTERN_SERVER_H

#include <stdbool.h>

#include "activation.h"
#include "config.h"
#include "carryover.h"
#include "listener.h"
#include "relief.h"
#include "status.h"
#include "watchdog.h"
#include "workers.h"

#define SERVER_SIGNALS 6
/* Of each listener, in the dump: more say no more, and journald drops bursts. */
#define SERVER_DUMP_CONNECTIONS 100

/* What became of the configuration since the daemon started. Times: seconds since 1970. */
struct server_history {
    uint64_t started_at;
    uint64_t loaded_at;   /* the configuration that holds */
    uint64_t reloaded_at; /* the last reload, whether it succeeded or not; 0: there was none */
    bool failed;          /* that one */
    char *failure;        /* why, a line an error; NULL if memory was out. Owned */
};

struct server {
    const char *path; /* of server.conf */
    struct activation *activation; /* what the service manager has passed */
    struct config *config;
    struct workers *workers;
    struct event_base *base;              /* the main thread's */
    struct descriptor_store *store; /* of contents; NULL: there is none */
    struct descriptor_store systemd_store;
    struct listener_list listeners;
    struct listener_list retired; /* gone from the configuration, with connections left */
    struct event *signals[SERVER_SIGNALS];
    struct watchdog *watchdog; /* NULL: nobody watches */
    struct relief relief; /* max_buffered */
    struct status status;
    struct event *deadline; /* of the drain */
    uint64_t drain_end;     /* by clock_now(); or PARAMETER_IS_FOREVER */
    bool draining;
    bool keeping; /* what listeners hold is for the next start */
    uint64_t generation;           /* of the configuration: 1 at start, one more a reload */
    struct global_options started; /* what RELOAD_NEVER options were at start */
    uint64_t descriptors;          /* connections that RLIMIT_NOFILE leaves room for */
    struct server_history history;
};

/*
 * Serves the configuration (which it takes over) until a signal ends it.
 * Returns an exit code of sysexits(3): EX_OK, or why it could not begin.
 */
int server_run(const char *path, struct config *config);

/*
 * Between the two no other thread does anything, and the main thread may touch
 * whatever belongs to a listener or a connection: workers_hold(). Nests.
 */
void server_hold(struct server *server);
void server_release(struct server *server);

/*
 * Loads the file again and applies all of it or nothing; tells the log, and the
 * service manager. False with the reasons in report.
 */
bool server_reload(struct server *server, struct report *report);
/* Stops in good order; stops now, whatever is left. */
void server_drain(struct server *server);
void server_stop(struct server *server);

/* Logs the state: limits, listeners, connections. */
void server_dump(struct server *server);

/* What all threads together use, and may. Held. */
struct server_usage {
    size_t workers;
    uint64_t connections; /* that max_connections counts */
    uint64_t max_connections;
    uint64_t memory;     /* bytes that modules hold on behalf of clients */
    uint64_t max_memory; /* UINT64_MAX: no limit */
    uint64_t buffered;   /* bytes that wait in connections; only counted with a limit */
    uint64_t max_buffered;
    uint64_t overruns;   /* times that it was reached */
};
struct server_usage server_usage(const struct server *server);

/* Whether the file says something else of a global option than what holds until a restart. */
bool server_is_pending(const struct server *server, const struct parameter *row);

/* NULL if no listener has that name; the retired are not asked. */
struct listener *server_find_listener(const struct server *server, const char *name);

/* --- between server.c, signals.c and reload.c -------------------------------- */

bool server_add_signals(struct server *server);
void server_remove_signals(struct server *server);

/*
 * Makes the running state what config says: all of it, or nothing. On success
 * takes config over and returns EX_OK; else returns what kind of failure it was
 * (EX_UNAVAILABLE, EX_NOPERM, EX_CONFIG, EX_OSERR) with the reasons in report.
 */
int server_apply(struct server *server, struct config *config, struct report *report);

/* Frees the retired listeners that have no connections. */
void server_sweep(struct server *server);

#endif
