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
static void measure_descriptors(struct server *server)
{
    struct rlimit limit;
    server->descriptors = UINT64_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_cur == RLIM_INFINITY)
        return;
    server->descriptors =
        limit.rlim_cur > CONFIG_RESERVED_FDS ? limit.rlim_cur - CONFIG_RESERVED_FDS : 1;
}

static void apply_limits(struct server *server)
{
    uint64_t wanted = server->config->options->max_connections;
    server->worker->max_connections = wanted;
    if (wanted > server->descriptors) {
        log_warning("max_connections = %llu needs more file descriptors than the limit allows: "
                    "%llu are taken; raise LimitNOFILE= or ulimit -n",
                    (unsigned long long)wanted, (unsigned long long)server->descriptors);
        server->worker->max_connections = server->descriptors;
    }
    server->worker->memory.limit = server->config->options->max_memory == PARAMETER_IS_NONE
                                       ? UINT64_MAX
                                       : server->config->options->max_memory;
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

static void reload(struct server *server)
{
    struct report report = {0};
    systemd_notify_reloading();
    struct config *config = config_load(server->path, &report);
    if (config != NULL && server_apply(server, config, &report) == EX_OK) {
        apply_limits(server);
        log_notice("%s: reloaded", server->path);
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
    if (server->draining && server->worker->connection_count == 0)
        event_base_loopbreak(server->worker->base);
}

static void stop_now(struct server *server)
{
    server->draining = true;
    for_each_listener(server, listener_close_endpoints);
    for_each_listener(server, listener_abort);
    stop_if_drained(server);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct server *server = context;
    log_warning("drain_timeout has passed: closing %zu connections",
                server->worker->connection_count);
    stop_now(server);
}

static void drain(struct server *server)
{
    uint64_t timeout = server->config->options->drain_timeout;
    size_t connections = server->worker->connection_count;
    log_notice("stopping: %zu connections to finish", connections);
    systemd_notify("STOPPING=1\nSTATUS=Finishing %zu connections", connections);
    if (timeout == PARAMETER_IS_NONE) {
        stop_now(server);
        return;
    }
    server->draining = true;
    for_each_listener(server, listener_close_endpoints);
    for_each_listener(server, listener_drain);
    if (timeout != PARAMETER_IS_FOREVER) {
        struct timeval after = worker_interval(timeout);
        if (evtimer_add(server->deadline, &after) != 0)
            stop_now(server);
    }
    stop_if_drained(server);
}

void server_on_released(void *context)
{
    struct server *server = context;
    server_sweep(server);
    stop_if_drained(server);
}

void server_sweep(struct server *server)
{
    struct listener *listener = TAILQ_FIRST(&server->retired);
    while (listener != NULL) {
        struct listener *next = TAILQ_NEXT(listener, siblings);
        if (listener->owner.count == 0) {
            TAILQ_REMOVE(&server->retired, listener, siblings);
            listener_free(listener);
        }
        listener = next;
    }
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
        log_notice("stopping now: closing %zu connections", server->worker->connection_count);
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
        server->signals[i] = evsignal_new(server->worker->base, numbers[i], on_signal, server);
        if (server->signals[i] == NULL || event_add(server->signals[i], NULL) != 0)
            return false;
    }
    return true;
}

static bool init(struct server *server, const char *path)
{
    *server = (struct server){.path = path, .worker = worker_new()};
    TAILQ_INIT(&server->listeners);
    TAILQ_INIT(&server->retired);
    measure_descriptors(server);
    if (server->worker == NULL)
        return false;
    server->deadline = evtimer_new(server->worker->base, on_deadline, server);
    return server->deadline != NULL && add_signals(server);
}

static void clear(struct server *server)
{
    struct listener *listener;
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
    worker_free(server->worker);
    config_free(server->config);
}

int server_run(const char *path, struct config *config)
{
    struct server server;
    struct report report = {0};
    int result = EX_OSERR;
    log_set_level(config_log_level(config));
    if (!init(&server, path)) {
        log_error("cannot start: out of memory or file descriptors");
        config_free(config);
    } else if ((result = server_apply(&server, config, &report)) != EX_OK) {
        log_report(&report);
        config_free(config);
    } else {
        apply_limits(&server);
        notify_serving(&server);
        event_base_dispatch(server.worker->base);
        log_notice("stopped");
    }
    report_clear(&report);
    clear(&server);
    return result;
}
