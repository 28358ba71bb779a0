/* Commands about connections: see control.h. */
#include <string.h>

#include "../connection.h"
#include "../resp/glob.h"
#include "../transport.h"
#include "rows.h"

/* Which connections are meant. */
struct filter {
    struct call *call;
    const struct listener *listener; /* NULL: any */
    uint64_t id;                     /* 0: any */
    uint64_t idle;                   /* at least: ms */
    struct resp_argument peer;       /* a pattern; data NULL: any */
    uint64_t now;
    struct rows *rows; /* of `connections` */
    uint64_t killed;   /* by `kill` */
    bool is_own;       /* the last of them is the administrator's own */
};

/* What the options of the request say. False, and answered, if they are wrong. */
static bool make_filter(struct filter *filter, struct call *call)
{
    const struct control_request *request = call->request;
    struct resp_argument listener = control_option(request, "listener");
    struct resp_argument id = control_option(request, "id");
    struct resp_argument idle = control_option(request, "idle");
    *filter =
        (struct filter){.call = call, .peer = control_option(request, "peer"), .now = clock_now()};
    if (!control_pattern(call, filter->peer))
        return false;
    if (listener.data != NULL && (filter->listener = control_listener(call, listener)) == NULL)
        return false;
    if (id.data != NULL && !control_number(call, "id", id, INT64_MAX, &filter->id))
        return false;
    return idle.data == NULL || control_duration(call, "idle", idle, &filter->idle);
}

/* With or without the port; an IPv6 address then without its brackets too. */
static bool peer_matches(const char *peer, struct resp_argument pattern)
{
    const char *end = strrchr(peer, ':');
    if (glob_match(pattern.data, pattern.length, peer, strlen(peer)))
        return true;
    if (end == NULL)
        return false;
    if (peer[0] == '[')
        return glob_match(pattern.data, pattern.length, peer + 1, (size_t)(end - peer) - 2);
    return glob_match(pattern.data, pattern.length, peer, (size_t)(end - peer));
}

static bool is_meant(const struct filter *filter, struct connection *connection)
{
    return connection->state != CONNECTION_LOST &&
           (filter->id == 0 || filter->id == connection->id) &&
           (filter->idle == 0 || connection_idle(connection, filter->now) >= filter->idle) &&
           (filter->peer.data == NULL ||
            peer_matches(session_peer(&connection->session), filter->peer));
}

static void each_of(struct listener_list *listeners, struct filter *filter,
                    void (*visit)(struct connection *connection, void *context))
{
    struct listener *listener;
    TAILQ_FOREACH(listener, listeners, siblings)
    {
        if (filter->listener == NULL || filter->listener == listener)
            listener_each_connection(listener, visit, filter);
    }
}

static void each_connection(struct filter *filter,
                            void (*visit)(struct connection *connection, void *context))
{
    each_of(&filter->call->server->listeners, filter, visit);
    each_of(&filter->call->server->retired, filter, visit);
}

/* --- connections ------------------------------------------------------------------------ */

static const char *const state_names[] = {
    [CONNECTION_OPEN] = "open",
    [CONNECTION_CLOSING] = "closing",
    [CONNECTION_LINGERING] = "lingering",
    [CONNECTION_LOST] = "lost",
};

static void list(struct connection *connection, void *context)
{
    struct filter *filter = context;
    if (!is_meant(filter, connection))
        return;
    const struct figure figures[] = {
        figure_number("id", connection->id),
        figure_text("listener", connection->owner->name),
        figure_text("protocol", connection_protocol(connection)->name),
        figure_text("peer", session_peer(&connection->session)),
        figure_text("state", state_names[connection->state]),
        figure_number("age_ms", filter->now - connection->opened_at),
        figure_number("idle_ms", connection_idle(connection, filter->now)),
        figure_number("bytes_received", connection->bytes_received),
        figure_number("bytes_sent", connection_bytes_sent(connection)),
        figure_number("backlog_bytes", transport_backlog(connection)),
        figure_number("kept_bytes", input_length(&connection->kept)),
    };
    rows_add(filter->rows, figures, sizeof figures / sizeof figures[0]);
}

CONTROL(connections)
{
    struct filter filter;
    struct rows rows;
    if (!make_filter(&filter, call) || !rows_begin(&rows, call))
        return;
    filter.rows = &rows;
    each_connection(&filter, list);
    rows_end(&rows, call);
}

/* --- kill ---------------------------------------------------------------------------------- */

/* The administrator's own connection is not what he means, unless he says so. */
static void end(struct connection *connection, void *context)
{
    struct filter *filter = context;
    bool is_own = connection == connection_of(filter->call->session);
    if (!is_meant(filter, connection) || (is_own && filter->id == 0))
        return;
    filter->killed++;
    filter->is_own = is_own;
    if (!is_own)
        connection_abort(connection, LOST_KILLED);
}

CONTROL(kill)
{
    struct filter filter;
    const struct control_request *request = call->request;
    if (!make_filter(&filter, call))
        return;
    if (request->count > 0 && !control_number(call, "ID", request->words[0], INT64_MAX, &filter.id))
        return;
    if (filter.id == 0 && filter.listener == NULL && filter.idle == 0 && filter.peer.data == NULL) {
        control_error(call, "ERR", "kill needs the number of a connection, or options");
        return;
    }
    each_connection(&filter, end);
    if (filter.killed == 0 && filter.id != 0)
        control_error(call, "ERR", "there is no connection %llu", (unsigned long long)filter.id);
    else
        resp_integer(call->reply, (int64_t)filter.killed);
    if (filter.is_own) /* and has its answer */
        connection_close(connection_of(call->session), LOST_KILLED);
}
