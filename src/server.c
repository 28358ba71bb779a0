#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "systemd.h"

/* --- limits ---------------------------------------------------------------------- */

/*
 * Raises the soft limit of descriptors to the hard one (select(2), for which
 * the soft one is kept low, is not used here), and works out for how many
 * connections it is enough.
 */
static void measure_descriptors(struct server *server, unsigned workers)
{
    struct rlimit limit;
    unsigned reserved = config_reserved_descriptors(workers);
    server->descriptors = UINT64_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_cur == RLIM_INFINITY)
        return;
    server->descriptors = limit.rlim_cur > reserved ? limit.rlim_cur - reserved : 1;
}

static void apply_limits(struct server *server)
{
    const struct global_options *options = server->config->options;
    uint64_t wanted = options->max_connections;
    server->workers->max_connections = wanted;
    if (wanted > server->descriptors) {
        log_warning("max_connections = %llu needs more file descriptors than the limit allows: "
                    "%llu are taken; raise LimitNOFILE= or ulimit -n",
                    (unsigned long long)wanted, (unsigned long long)server->descriptors);
        server->workers->max_connections = server->descriptors;
    }
    server_hold(server);
    workers_set_max_memory(server->workers, options->max_memory == PARAMETER_IS_NONE
                                                ? UINT64_MAX
                                                : options->max_memory);
    server_release(server);
    log_set_level(config_log_level(server->config));
}

static void log_report(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        log_error("%s", report->lines[i]);
    if (report->dropped > 0)
        log_error("and %zu more errors", report->dropped);
}

static void notify_serving(const struct server *server)
{
    systemd_notify("READY=1\nSTATUS=Serving %zu listeners", server->config->listener_count);
}

/* --- reload ------------------------------------------------------------------------ */

/* What the file says and only a start can do. */
static void log_pending(const struct server *server)
{
    unsigned wanted = config_workers(server->config);
    if (wanted != server->workers->count)
        log_notice("workers = %u waits for a restart: there are %u", wanted,
                   server->workers->count);
}

static void reload(struct server *server)
{
    struct report report = {0};
    systemd_notify_reloading();
    struct config *config = config_load(server->path, &report);
    if (config != NULL && server_apply(server, config, &report) == EX_OK) {
        apply_limits(server);
        log_notice("%s: reloaded", server->path);
        log_pending(server);
        notify_serving(server);
    } else {
        config_free(config);
        log_report(&report);
        log_error("%s: reload failed, nothing has changed", server->path);
        systemd_notify("READY=1\nSTATUS=Serving %zu listeners; the last reload failed: %s",
                       server->config->listener_count,
                       report.count > 0 ? report.lines[0] : "out of memory");
    }
    report_clear(&report);
}

/* --- drain ------------------------------------------------------------------------- */

/* Held. */
static void for_each_listener(struct server *server, void (*act)(struct listener *listener))
{
    struct listener *listener;
    TAILQ_FOREACH(listener, &server->listeners, siblings)
    act(listener);
    TAILQ_FOREACH(listener, &server->retired, siblings)
    act(listener);
}

static void stop_if_drained(struct server *server)
{
    if (server->draining && workers_connections(server->workers) == 0)
        event_base_loopbreak(server->base);
}

/* Accepts nothing more, and does that to each connection. */
static void end_all(struct server *server, void (*end)(struct listener *listener))
{
    server->draining = true;
    server_hold(server);
    for_each_listener(server, listener_close_endpoints);
    for_each_listener(server, end);
    server->workers->watched = true;
    server_release(server);
}

static void stop_now(struct server *server)
{
    end_all(server, listener_abort);
    stop_if_drained(server);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct server *server = context;
    log_warning("drain_timeout has passed: closing %llu connections",
                (unsigned long long)workers_connections(server->workers));
    stop_now(server);
}

static void drain(struct server *server)
{
    uint64_t timeout = server->config->options->drain_timeout;
    unsigned long long connections = workers_connections(server->workers);
    log_notice("stopping: %llu connections to finish", connections);
    systemd_notify("STOPPING=1\nSTATUS=Finishing %llu connections", connections);
    if (timeout == PARAMETER_IS_NONE) {
        stop_now(server);
        return;
    }
    end_all(server, listener_drain);
    if (timeout != PARAMETER_IS_FOREVER) {
        struct timeval after = worker_interval(timeout);
        if (evtimer_add(server->deadline, &after) != 0)
            stop_now(server);
    }
    stop_if_drained(server);
}

/* Connections have gone: perhaps the last that were waited for. */
static void on_released(void *context)
{
    struct server *server = context;
    server_sweep(server);
    stop_if_drained(server);
}

/* To be called when there may be one; held only when there is. */
static void free_retired(struct server *server, struct listener *listener)
{
    TAILQ_REMOVE(&server->retired, listener, siblings);
    server_hold(server);
    listener_free(listener);
    server->workers->watched = server->draining || !TAILQ_EMPTY(&server->retired);
    server_release(server);
}

void server_sweep(struct server *server)
{
    struct listener *listener = TAILQ_FIRST(&server->retired);
    while (listener != NULL) {
        struct listener *next = TAILQ_NEXT(listener, siblings);
        if (listener_connections(listener) == 0)
            free_retired(server, listener);
        listener = next;
    }
}

void server_hold(struct server *server)
{
    workers_hold(server->workers);
}

void server_release(struct server *server)
{
    workers_release(server->workers);
}

/* --- life ---------------------------------------------------------------------------- */

/* Runs in the loop: libevent's own handler has only written to a socket pair. */
static void on_signal(evutil_socket_t number, short what, void *context)
{
    (void)what;
    struct server *server = context;
    if (number == SIGHUP && !server->draining) {
        reload(server);
    } else if (number == SIGQUIT || (number != SIGHUP && server->draining)) {
        log_notice("stopping now: closing %llu connections",
                   (unsigned long long)workers_connections(server->workers));
        stop_now(server);
    } else if (number != SIGHUP) {
        drain(server);
    }
}

static bool add_signals(struct server *server)
{
    static const int numbers[SERVER_SIGNALS] = {SIGHUP, SIGTERM, SIGINT, SIGQUIT};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SERVER_SIGNALS; i++) {
        server->signals[i] = evsignal_new(server->base, numbers[i], on_signal, server);
        if (server->signals[i] == NULL || event_add(server->signals[i], NULL) != 0)
            return false;
    }
    return true;
}

static bool init(struct server *server, const char *path, unsigned workers)
{
    *server = (struct server){.path = path};
    TAILQ_INIT(&server->listeners);
    TAILQ_INIT(&server->retired);
    measure_descriptors(server, workers);
    server->workers = workers_new(workers, on_released, server);
    if (server->workers == NULL)
        return false;
    server->base = server->workers->items[0]->base;
    server->deadline = evtimer_new(server->base, on_deadline, server);
    return server->deadline != NULL && add_signals(server);
}

static void clear(struct server *server)
{
    struct listener *listener;
    if (server->workers != NULL) {
        workers_stop(server->workers);
        server_sweep(server); /* whose last connections have gone just now */
    }
    while ((listener = TAILQ_FIRST(&server->listeners)) != NULL) {
        TAILQ_REMOVE(&server->listeners, listener, siblings);
        listener_free(listener);
    }
    for (size_t i = 0; i < SERVER_SIGNALS; i++) {
        if (server->signals[i] != NULL)
            event_free(server->signals[i]);
    }
    if (server->deadline != NULL)
        event_free(server->deadline);
    workers_free(server->workers);
    config_free(server->config);
}

int server_run(const char *path, struct config *config)
{
    struct server server;
    struct report report = {0};
    int result = EX_OSERR;
    log_set_level(config_log_level(config));
    if (!init(&server, path, config_workers(config))) {
        log_error("cannot start: out of memory, file descriptors or threads");
        config_free(config);
    } else if ((result = server_apply(&server, config, &report)) != EX_OK) {
        log_report(&report);
        config_free(config);
    } else {
        apply_limits(&server);
        notify_serving(&server);
        workers_run(server.workers);
        log_notice("stopped");
    }
    report_clear(&report);
    clear(&server);
    return result;
}
