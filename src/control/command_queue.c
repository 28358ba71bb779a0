/* Commands about what modules keep, such as queues: see control.h. */
#include <string.h>

#include "rows.h"

/* The most figures of a row that a module gives. */
#define FIGURES_MAX 40U

struct listing {
    struct rows *rows;
    const struct listener *listener;
    const char *pattern;
};

/* Puts the listener before what the module says. */
static void add(const struct figure *figures, size_t count, void *context)
{
    const struct listing *listing = context;
    struct figure row[1 + FIGURES_MAX] = {figure_text("listener", listing->listener->name)};
    if (count > FIGURES_MAX)
        count = FIGURES_MAX;
    memcpy(row + 1, figures, count * sizeof *figures);
    rows_add(listing->rows, row, 1 + count);
}

static void list(struct factory *factory, void *context)
{
    struct listing *listing = context;
    const struct protocol *protocol = factory_protocol(factory);
    if (protocol->factory_list != NULL)
        protocol->factory_list(factory, listing->pattern, add, listing);
}

CONTROL(queues)
{
    const struct control_request *request = call->request;
    const struct listener *only = NULL;
    struct rows rows;
    struct listener *each;
    if (request->count > 0 && (only = control_listener(call, request->words[0])) == NULL)
        return;
    if (request->count > 1 && !control_pattern(call, request->words[1]))
        return;
    if (!rows_begin(&rows, call))
        return;
    struct listing listing = {.rows = &rows};
    if (request->count > 1)
        listing.pattern =
            rows_keep(&rows, "%.*s", (int)request->words[1].length, request->words[1].data);
    TAILQ_FOREACH(each, &call->server->listeners, siblings)
    {
        listing.listener = each;
        if (only == NULL || only == each)
            listener_each_factory(each, list, &listing);
    }
    rows_end(&rows, call);
}

/* --- purge ---------------------------------------------------------------------------------- */

struct purge {
    struct resp_argument name;
    bool found;
    uint64_t removed;
};

static void purge(struct factory *factory, void *context)
{
    struct purge *purge = context;
    const struct protocol *protocol = factory_protocol(factory);
    uint64_t removed;
    if (protocol->factory_purge == NULL ||
        !protocol->factory_purge(factory, purge->name.data, purge->name.length, &removed))
        return;
    purge->found = true;
    purge->removed += removed;
}

CONTROL(purge)
{
    struct purge what = {.name = call->request->words[1]};
    struct listener *listener = control_listener(call, call->request->words[0]);
    char quoted[TEXT_QUOTED_SIZE];
    if (listener == NULL)
        return;
    listener_each_factory(listener, purge, &what);
    text_quote(what.name.data, what.name.length, quoted);
    if (!what.found) {
        control_error(call, "ERR", "%s has no queue %s", listener->name, quoted);
        return;
    }
    log_notice("%s: %s purged by the administrator: %llu items", listener->name, quoted,
               (unsigned long long)what.removed);
    resp_integer(call->reply, (int64_t)what.removed);
}
