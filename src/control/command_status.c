/* Commands about the daemon as a whole: see control.h. */
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "rows.h"

/* --- status ---------------------------------------------------------------------------- */

static uint64_t descriptor_limit(void)
{
    struct rlimit limit;
    bool is_limited = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return is_limited ? limit.rlim_cur : UINT64_MAX;
}

/* That are open, by counting: nobody else knows. All of them if there is none left to count with.
 */
static uint64_t descriptors_in_use(void)
{
    uint64_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;
    if (directory == NULL)
        return descriptor_limit();
    while ((entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count - 1; /* the directory's own */
}

static const char *last_reload(const struct server_history *history)
{
    if (history->reloaded_at == 0)
        return "none";
    return history->failed ? "failed" : "succeeded";
}

/* The options whose new values wait for a restart, with spaces between them; NULL: there are none. */
static const char *pending_options(const struct server *server, char *text, size_t size)
{
    size_t length = 0;
    for (const struct parameter *row = config_global_rows; row->name != NULL; row++) {
        if (server_is_pending(server, row) && length < size)
            length += (size_t)snprintf(text + length, size - length, "%s%s",
                                       length == 0 ? "" : " ", row->name);
    }
    return length == 0 ? NULL : text;
}

CONTROL(status)
{
    const struct server *server = call->server;
    const struct server_history *history = &server->history;
    const struct server_usage usage = server_usage(server);
    uint64_t now = (uint64_t)time(NULL);
    bool counted = usage.max_buffered != UINT64_MAX;
    char pending[200];
    const struct figure figures[] = {
        figure_text("version", PACKAGE_VERSION),
        figure_number("pid", (uint64_t)getpid()),
        figure_text("state", server->draining ? "stopping" : "serving"),
        figure_number("started_at", history->started_at),
        figure_number("uptime_ms",
                      now > history->started_at ? (now - history->started_at) * 1000 : 0),
        figure_text("configuration", server->path),
        figure_number("generation", server->generation),
        figure_number("loaded_at", history->loaded_at),
        figure_text("last_reload", last_reload(history)),
        figure_limit("last_reload_at", history->reloaded_at),
        figure_text("last_reload_error", history->failed ? history->failure : NULL),
        figure_text("pending_restart", pending_options(server, pending, sizeof pending)),
        figure_number("workers", usage.workers),
        figure_number("listeners", server->config->listener_count),
        figure_number("connections", usage.connections),
        figure_limit("max_connections", usage.max_connections),
        figure_number("descriptors", descriptors_in_use()),
        figure_limit("max_descriptors", descriptor_limit()),
        figure_number("queued_bytes", usage.memory),
        figure_limit("max_queued_bytes", usage.max_memory),
        counted ? figure_number("buffered_bytes", usage.buffered) : figure_none("buffered_bytes"),
        figure_limit("max_buffered_bytes", usage.max_buffered),
        figure_number("buffered_overruns", usage.overruns),
    };
    control_map(call, figures, sizeof figures / sizeof figures[0]);
}

/* --- others ----------------------------------------------------------------------------- */

CONTROL(ping)
{
    const struct control_request *request = call->request;
    if (request->count > 0)
        resp_bulk(call->reply, request->words[0].data, request->words[0].length);
    else
        control_ok(call, "PONG");
}

CONTROL(help)
{
    const struct control_request *request = call->request;
    const struct control_command *only = NULL;
    struct rows rows;
    if (request->count > 0 && (only = control_find(request->words[0])) == NULL) {
        control_error(call, "ERR", "there is no such command");
        return;
    }
    if (!rows_begin(&rows, call))
        return;
    for (size_t i = 0; i < CONTROL_COMMANDS; i++) {
        const struct control_command *command = &control_commands[i];
        const struct figure figures[] = {
            figure_text("command", command->name),
            figure_text("arguments", command->arguments),
            figure_text("summary", command->summary),
        };
        if (only == NULL || only == command)
            rows_add(&rows, figures, sizeof figures / sizeof figures[0]);
    }
    rows_end(&rows, call);
}

/* As the signal does it, when this turn of the loop is over and the answer on its way. */
CONTROL(stop)
{
    log_notice("stopped by the administrator");
    control_ok(call, "stopping (connections: %llu)",
               (unsigned long long)server_usage(call->server).connections);
    kill(getpid(), SIGTERM);
}
