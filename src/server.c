#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>

#include "privileges.h"
#include "systemd.h"

/* --- asking ------------------------------------------------------------------------ */

struct server_usage server_usage(const struct server *server)
{
    uint64_t max_memory = server->config->options->max_memory;
    uint64_t max_buffered = server->config->options->max_buffered;
    return (struct server_usage){
        .workers = server->workers->count,
        .connections = workers_connections(server->workers),
        .max_connections = server->workers->max_connections,
        .memory = workers_memory(server->workers),
        .max_memory = max_memory == PARAMETER_IS_NONE ? UINT64_MAX : max_memory,
        .buffered = (uint64_t)server->relief.buffers.held,
        .max_buffered = max_buffered == PARAMETER_IS_NONE ? UINT64_MAX : max_buffered,
        .overruns = server->relief.times,
    };
}

bool server_is_pending(const struct server *server, const struct parameter *row)
{
    return row->reload == RELOAD_NEVER &&
           !parameter_equal(row, server->config->options, &server->started);
}

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
    relief_set_limit(&server->relief, options->max_buffered);
    server_release(server);
    log_set_level(config_log_level(server->config));
    log_set_format((enum log_format)server->config->options->log_format);
}

static void log_report(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        log_error("%s", report->lines[i]);
    if (report->dropped > 0)
        log_error("and %zu more errors", report->dropped);
}

/* --- reload ------------------------------------------------------------------------ */

static uint64_t seconds_now(void)
{
    return (uint64_t)time(NULL);
}

/* What is set for good at the start, and said otherwise by the file. */
static void log_pending(const struct server *server)
{
    for (const struct parameter *row = config_global_rows; row->name != NULL; row++) {
        if (server_is_pending(server, row))
            log_warning("%s: %s has changed: that takes effect at the next start", server->path,
                        row->name);
    }
}

static void reload_succeeded(struct server *server)
{
    apply_limits(server);
    carryover_mark(server->store);
    server->history.loaded_at = server->history.reloaded_at;
    log_pending(server);
    log_event(LOG_EVENT_RELOADED, LOG_LEVEL_NOTICE, "%s: reloaded", server->path);
    status_ready(server, NULL);
}

static void reload_failed(struct server *server, const struct report *report)
{
    server->history.failure = report_text(report);
    log_report(report);
    log_event(LOG_EVENT_RELOAD_FAILED, LOG_LEVEL_ERROR, "%s: reload failed, nothing has changed",
              server->path);
    status_ready(server, report->count > 0 ? report->lines[0] : "out of memory");
}

bool server_reload(struct server *server, struct report *report)
{
    systemd_notify_reloading();
    watchdog_feed(server->watchdog);
    free(server->history.failure);
    server->history.failure = NULL;
    server->history.reloaded_at = seconds_now();
    struct config *config = config_load(server->path, report);
    bool succeeded = config != NULL && server_apply(server, config, report) == EX_OK;
    server->history.failed = !succeeded;
    if (succeeded) {
        reload_succeeded(server);
    } else {
        config_free(config);
        reload_failed(server, report);
    }
    watchdog_feed(server->watchdog);
    return succeeded;
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

/* Held. */
static void each_connection(void *whose, connection_visitor *visit, void *context)
{
    const struct server *server = whose;
    const struct listener *listener;
    TAILQ_FOREACH(listener, &server->listeners, siblings)
    listener_each_connection(listener, visit, context);
    TAILQ_FOREACH(listener, &server->retired, siblings)
    listener_each_connection(listener, visit, context);
}

/* Administrators are served until all others have gone. */
static void stop_if_drained(struct server *server)
{
    if (!server->draining || workers_connections(server->workers) > 0)
        return;
    for_each_listener(server, listener_close_endpoints);
    for_each_listener(server, listener_abort);
    if (server->workers->items[0]->privileged_count == 0)
        event_base_loopbreak(server->base);
}

/* Stops to accept, and ends what is there. */
static void end_all(struct server *server, void (*close)(struct listener *listener),
                    void (*end)(struct listener *listener))
{
    server->draining = true;
    server_hold(server);
    for_each_listener(server, close);
    for_each_listener(server, end);
    server->workers->watched = true;
    server_release(server);
}

void server_stop(struct server *server)
{
    end_all(server, listener_close_endpoints, listener_abort);
    stop_if_drained(server);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct server *server = context;
    log_event(LOG_EVENT_DRAIN_TIMEOUT, LOG_LEVEL_WARNING,
              "drain_timeout has passed: closing %llu connections",
              (unsigned long long)workers_connections(server->workers));
    server_stop(server);
}

static void stop_listening(struct listener *listener)
{
    if (!listener_is_privileged(listener))
        listener_close_endpoints(listener);
}

void server_drain(struct server *server)
{
    uint64_t timeout = server->config->options->drain_timeout;
    log_event(LOG_EVENT_STOPPING, LOG_LEVEL_NOTICE, "stopping: %llu connections to finish",
              (unsigned long long)workers_connections(server->workers));
    server->keeping = true;
    server->drain_end = timeout == PARAMETER_IS_FOREVER ? timeout : clock_now() + timeout;
    status_stopping(server);
    if (timeout == PARAMETER_IS_NONE) {
        server_stop(server);
        return;
    }
    end_all(server, stop_listening, listener_drain);
    if (timeout != PARAMETER_IS_FOREVER) {
        struct timeval after = worker_interval(timeout);
        if (evtimer_add(server->deadline, &after) != 0)
            server_stop(server);
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

/* Its listeners have no connection left. */
static void hand_over(const struct server *server)
{
    const struct listener *listener;
    TAILQ_FOREACH(listener, &server->listeners, siblings)
    carryover_save(server->store, listener_factory(listener));
    carryover_end(server->store);
}

/* --- life ---------------------------------------------------------------------------- */

static bool init(struct server *server, const char *path, unsigned workers)
{
    *server = (struct server){.path = path, .activation = activation_new()};
    TAILQ_INIT(&server->listeners);
    TAILQ_INIT(&server->retired);
    measure_descriptors(server, workers);
    server->workers = workers_new(workers, on_released, server);
    if (server->workers == NULL || server->activation == NULL)
        return false;
    if (carryover_store(&server->systemd_store, server->activation))
        server->store = &server->systemd_store;
    server->base = server->workers->items[0]->base;
    server->workers->items[0]->server = server;
    server->deadline = evtimer_new(server->base, on_deadline, server);
    return relief_init(&server->relief, server->workers, each_connection, server) && server->deadline != NULL &&
           server_add_signals(server);
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
    server_remove_signals(server);
    watchdog_free(server->watchdog);
    status_clear(server);
    if (server->deadline != NULL)
        event_free(server->deadline);
    relief_clear(&server->relief);
    workers_free(server->workers);
    free(server->history.failure);
    config_free(server->config);
    activation_free(server->activation);
}

static bool workers_are_alive(void *context)
{
    return workers_alive(context);
}

/* Takes config over, whatever comes of it. */
static int start(struct server *server, struct config *config, struct report *report)
{
    int result = server_apply(server, config, report);
    if (result != EX_OK) {
        config_free(config);
        return result;
    }
    server->started = *config->options;
    carryover_begin(server->store);
    activation_settle(server->activation);
    result = privileges_drop(config, report);
    if (result != EX_OK)
        return result;
    apply_limits(server);
    server->watchdog = watchdog_new(server->base, workers_are_alive, server->workers);
    status_init(server);
    status_ready(server, NULL);
    return EX_OK;
}

int server_run(const char *path, struct config *config)
{
    struct server server;
    struct report report = {0};
    int result = EX_OSERR;
    log_set_level(config_log_level(config));
    log_set_format((enum log_format)config->options->log_format);
    if (!init(&server, path, config_workers(config))) {
        log_error("cannot start: out of memory, file descriptors or threads");
        config_free(config);
    } else if ((result = start(&server, config, &report)) == EX_OK) {
        server.history.started_at = server.history.loaded_at = seconds_now();
        workers_run(server.workers);
        workers_stop(server.workers);
        if (server.keeping)
            hand_over(&server);
        log_event(LOG_EVENT_STOPPED, LOG_LEVEL_NOTICE, "stopped");
    }
    log_report(&report);
    report_clear(&report);
    clear(&server);
    return result;
}
