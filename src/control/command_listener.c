/* Commands about listeners: see control.h. */
#include <string.h>

#include "../endpoint.h"
#include "../stats.h"
#include "rows.h"

/* --- listeners --------------------------------------------------------------------------- */

static const char *addresses_of(const struct listener *listener, struct rows *rows)
{
    const char *text = "";
    const struct endpoint *endpoint;
    TAILQ_FOREACH(endpoint, &listener->endpoints, siblings)
    {
        if (text != NULL)
            text = rows_keep(rows, "%s%s%s", text, text[0] == '\0' ? "" : " ", endpoint->text);
    }
    return text;
}

static void list(struct listener *listener, struct rows *rows)
{
    const struct listener_stats stats = listener_stats(listener);
    struct figure figures[12 + STATS_REASONS] = {
        figure_text("name", listener->name),
        figure_text("protocol", factory_protocol(listener_factory(listener))->name),
        figure_text("state", listener_state(listener)),
        figure_text("addresses", addresses_of(listener, rows)),
        figure_number("connections", listener_connections(listener)),
        figure_limit("max_connections",
                     listener_is_privileged(listener) ? 0 : listener->max_connections),
        figure_number("peak", stats.peak),
        figure_number("accepted", stats.accepted),
        figure_number("refused", stats_refused(&stats)),
        figure_number("accept_failures", stats.accept_failures),
        figure_number("bytes_received", stats.bytes_received),
        figure_number("bytes_sent", stats.bytes_sent),
    };
    stats_reasons(&stats, figures + 12);
    rows_add(rows, figures, sizeof figures / sizeof figures[0]);
}

CONTROL(listeners)
{
    struct rows rows;
    struct listener *listener;
    if (!rows_begin(&rows, call))
        return;
    rows.limit = SIZE_MAX; /* the configuration bounds them */
    TAILQ_FOREACH(listener, &call->server->listeners, siblings)
    list(listener, &rows);
    TAILQ_FOREACH(listener, &call->server->retired, siblings)
    list(listener, &rows);
    rows_end(&rows, call);
}

/* --- pause, resume, drain ------------------------------------------------------------------ */

/* One that may be closed to the public; the administrator's own way in may not. */
static struct listener *public_listener(struct call *call)
{
    struct listener *listener = control_listener(call, call->request->words[0]);
    if (listener == NULL || !listener_is_privileged(listener))
        return listener;
    control_error(call, "ERR", "%s is the administrator's own way in", listener->name);
    return NULL;
}

CONTROL(pause)
{
    struct listener *listener = public_listener(call);
    if (listener == NULL)
        return;
    listener_pause(listener);
    log_notice("%s: paused by the administrator", listener->name);
    control_ok(call, "%s: paused", listener->name);
}

CONTROL(resume)
{
    struct listener *listener = public_listener(call);
    if (listener == NULL)
        return;
    listener_resume(listener);
    log_notice("%s: resumed by the administrator", listener->name);
    control_ok(call, "%s: resumed", listener->name);
}

CONTROL(drain)
{
    struct listener *listener = public_listener(call);
    if (listener == NULL)
        return;
    uint64_t connections = listener_connections(listener);
    listener_pause(listener);
    listener_drain(listener);
    log_notice("%s: drained by the administrator", listener->name);
    control_ok(call, "%s: draining (connections: %llu)", listener->name,
               (unsigned long long)connections);
}

/* --- loglevel ------------------------------------------------------------------------------ */

/* False if the word is none. */
static bool find_level(struct resp_argument word, enum log_level *level)
{
    for (size_t i = 0; control_levels[i] != NULL; i++) {
        if (!resp_is(word, control_levels[i]))
            continue;
        *level = (enum log_level)(LOG_LEVEL_ERROR + i);
        return true;
    }
    return false;
}

static const char *level_name(enum log_level level)
{
    return control_levels[level - LOG_LEVEL_ERROR];
}

/* The listeners that have no level of their own follow. */
static void set_global(struct server *server, enum log_level level)
{
    log_set_level(level);
    for (size_t i = 0; i < server->config->listener_count; i++) {
        const struct config_listener *configured = &server->config->listeners[i];
        struct listener *listener = server_find_listener(server, configured->name);
        if (configured->options->log_level == 0 && listener != NULL)
            listener_set_log_level(listener, level);
    }
}

static void show(struct call *call, const struct listener *only)
{
    struct rows rows;
    const struct listener *listener;
    if (!rows_begin(&rows, call))
        return;
    rows.limit = SIZE_MAX;
    if (only == NULL) {
        const struct figure global[] = {figure_none("listener"),
                                        figure_text("level", level_name(log_get_level()))};
        rows_add(&rows, global, 2);
    }
    TAILQ_FOREACH(listener, &call->server->listeners, siblings)
    {
        const struct figure figures[] = {
            figure_text("listener", listener->name),
            figure_text("level", level_name(listener->log_level))};
        if (only == NULL || only == listener)
            rows_add(&rows, figures, 2);
    }
    rows_end(&rows, call);
}

CONTROL(loglevel)
{
    const struct control_request *request = call->request;
    struct listener *listener = NULL;
    enum log_level level;
    char quoted[TEXT_QUOTED_SIZE];
    bool sets = request->count > 0 && find_level(request->words[request->count - 1], &level);
    bool names = request->count > (sets ? 1 : 0);
    if (request->count == 2 && !sets) {
        control_error(call, "ERR", "there is no log level %s",
                      text_quote(request->words[1].data, request->words[1].length, quoted));
        return;
    }
    if (sets && !control_may_change(call))
        return;
    if (names && (listener = control_listener(call, request->words[0])) == NULL)
        return;
    if (sets && listener != NULL)
        listener_set_log_level(listener, level);
    else if (sets)
        set_global(call->server, level);
    show(call, listener);
}
