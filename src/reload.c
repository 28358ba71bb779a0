/*
 * reload: from one configuration to the next, at start from none.
 *
 * First a plan is made, in which everything that can fail is done beside the
 * running state: factories are started, addresses that are new are bound. If
 * that fails the plan is thrown away. Then, while the workers are held, the
 * modules are asked whether they let go of what would be replaced, and it is
 * committed, which cannot fail.
 */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* What one listener of the configuration will be made of. */
struct planned_listener {
    const struct config_listener *wanted;
    struct listener *listener; /* the running one, or a new one */
    bool is_new;
    size_t factory_count;
    struct factory **factories;  /* new ones; NULL: it keeps its own */
    struct terms **terms;        /* per worker */
    struct endpoint **endpoints; /* per address; one without a listener is newly bound */
};

struct plan {
    size_t count;
    struct planned_listener *items;
};

struct listener *server_find_listener(const struct server *server, const char *name)
{
    struct listener *listener;
    TAILQ_FOREACH(listener, &server->listeners, siblings)
    {
        if (strcmp(listener->name, name) == 0)
            return listener;
    }
    return NULL;
}

/*
 * The running endpoint of that address, whichever listener has it. With port 0
 * an address is no place of its own: only that of the same listener is meant.
 */
static struct endpoint *find_endpoint(const struct server *server, const struct listener *own,
                                      const struct address *address)
{
    bool anywhere = !address_has_port(address) || address->port != 0;
    const struct listener *listener;
    TAILQ_FOREACH (listener, &server->listeners, siblings) {
        struct endpoint *endpoint;
        TAILQ_FOREACH (endpoint, &listener->endpoints, siblings) {
            if (address_equal(&endpoint->address, address) && (anywhere || listener == own))
                return endpoint;
        }
    }
    return NULL;
}

static int exit_code_of(int error)
{
    switch (error) {
    case EADDRINUSE:
    case EADDRNOTAVAIL:
    case EHOSTUNREACH:
        return EX_UNAVAILABLE;
    case EACCES:
    case EPERM:
        return EX_NOPERM;
    case ENOENT:
    case ENOTDIR:
    case EROFS:
    case ENAMETOOLONG:
    case ENOTSOCK:
    case E2BIG:
        return EX_CONFIG;
    default:
        return EX_OSERR;
    }
}

/* How the listener wants its addresses listened on. */
static struct endpoint_options endpoint_options(const struct server *server,
                                                const struct listener_options *options)
{
    return (struct endpoint_options){
        .backlog = (int)options->backlog,
        .access = {.mode = (mode_t)options->socket_mode,
                   .owner = options->socket_owner.id,
                   .group = options->socket_group.id},
        .activation = server->activation,
    };
}

static void for_each_endpoint(struct server *server, void (*act)(struct endpoint *endpoint))
{
    const struct listener *listener;
    TAILQ_FOREACH (listener, &server->listeners, siblings) {
        struct endpoint *endpoint;
        TAILQ_FOREACH(endpoint, &listener->endpoints, siblings)
        act(endpoint);
    }
}

/* --- the plan -------------------------------------------------------------------- */

static int plan_endpoint(struct server *server, const struct planned_listener *planned,
                         size_t index, struct report *report)
{
    const struct listener_options *options = planned->wanted->options;
    const struct address *address = &options->listen.items[index];
    planned->endpoints[index] = find_endpoint(server, planned->listener, address);
    if (planned->endpoints[index] != NULL)
        return EX_OK;
    int error;
    char why[PARAMETER_WHY_SIZE], text[ADDRESS_TEXT_SIZE];
    struct endpoint_options how = endpoint_options(server, options);
    watchdog_feed(server->watchdog); /* to look up a name may take its time */
    planned->endpoints[index] =
        listener_open_endpoint(server->workers, address, &how, &error, why, sizeof why);
    if (planned->endpoints[index] != NULL)
        return EX_OK;
    report_add_at(report, server->path, config_line_of(&planned->wanted->generic, "listen"),
                  "listener \"%s\": cannot listen on %s: %s", planned->wanted->name,
                  address_format(address, text, sizeof text), why);
    return exit_code_of(error);
}

/* All that fail are reported, and not only the first. */
static int plan_endpoints(struct server *server, struct planned_listener *planned,
                          struct report *report)
{
    size_t count = planned->wanted->options->listen.count;
    planned->endpoints = calloc(count, sizeof(struct endpoint *));
    if (planned->endpoints == NULL) {
        report_add(report, "listener \"%s\": out of memory", planned->wanted->name);
        return EX_OSERR;
    }
    int result = EX_OK;
    for (size_t i = 0; i < count; i++) {
        int one = plan_endpoint(server, planned, i, report);
        if (one != EX_OK)
            result = one;
    }
    return result;
}

static int plan_factories(struct server *server, struct planned_listener *planned,
                          struct report *report)
{
    const struct config_listener *wanted = planned->wanted;
    const struct factory *running = listener_factory(planned->listener);
    if (running != NULL && factory_matches(running, wanted->protocol, wanted->parameters.block))
        return EX_OK;
    char why[PARAMETER_WHY_SIZE] = "out of memory";
    planned->factory_count = listener_factory_count(server->workers, wanted->protocol);
    planned->factories = calloc(planned->factory_count, sizeof(struct factory *));
    bool made = planned->factories != NULL;
    for (size_t i = 0; made && i < planned->factory_count; i++) {
        planned->factories[i] =
            factory_new(wanted->protocol, wanted->name, wanted->parameters.block, why, sizeof why);
        made = planned->factories[i] != NULL;
    }
    if (made)
        return EX_OK;
    report_add(report, "listener \"%s\": %s: %s", wanted->name, wanted->protocol->name, why);
    return EX_OSERR;
}

static int plan_terms(const struct server *server, struct planned_listener *planned,
                      struct report *report)
{
    unsigned count = server->workers->count;
    planned->terms = calloc(count, sizeof(struct terms *));
    bool made = planned->terms != NULL;
    for (unsigned i = 0; made && i < count; i++) {
        planned->terms[i] = terms_new(planned->wanted->options);
        made = planned->terms[i] != NULL;
    }
    if (!made)
        report_add(report, "listener \"%s\": out of memory", planned->wanted->name);
    return made ? EX_OK : EX_OSERR;
}

static int plan_listener(struct server *server, struct planned_listener *planned,
                         struct report *report)
{
    const char *name = planned->wanted->name;
    planned->listener = server_find_listener(server, name);
    planned->is_new = planned->listener == NULL;
    if (planned->is_new)
        planned->listener = listener_new(server->workers, name);
    if (planned->listener == NULL) {
        report_add(report, "listener \"%s\": out of memory", name);
        return EX_OSERR;
    }
    int result = plan_terms(server, planned, report);
    int factories = plan_factories(server, planned, report);
    int endpoints = plan_endpoints(server, planned, report);
    if (result != EX_OK)
        return result;
    return factories != EX_OK ? factories : endpoints;
}

static void plan_undo(const struct server *server, const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned_listener *planned = &plan->items[i];
        size_t count = planned->endpoints == NULL ? 0 : planned->wanted->options->listen.count;
        for (size_t j = 0; j < count; j++) {
            if (planned->endpoints[j] != NULL && planned->endpoints[j]->listener == NULL)
                endpoint_close(planned->endpoints[j]);
        }
        for (size_t j = 0; planned->factories != NULL && j < planned->factory_count; j++)
            factory_put(planned->factories[j]);
        for (unsigned j = 0; planned->terms != NULL && j < server->workers->count; j++)
            terms_put(planned->terms[j]);
        if (planned->is_new && planned->listener != NULL)
            listener_free(planned->listener);
    }
}

static void plan_free(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->items[i].endpoints);
        free(plan->items[i].factories);
        free(plan->items[i].terms);
    }
    free(plan->items);
}

static int plan_make(struct server *server, const struct config *config, struct plan *plan,
                     struct report *report)
{
    plan->items = calloc(config->listener_count, sizeof *plan->items);
    if (plan->items == NULL) {
        report_add(report, "out of memory");
        return EX_OSERR;
    }
    int result = EX_OK;
    for (size_t i = 0; i < config->listener_count; i++) {
        struct planned_listener *planned = &plan->items[plan->count++];
        planned->wanted = &config->listeners[i];
        int one = plan_listener(server, planned, report);
        if (one != EX_OK)
            result = one;
    }
    return result;
}

/* --- leave ------------------------------------------------------------------------ */

/* Whether the modules let go of the factories that are to be replaced, */
static int check_changed(const struct plan *plan, struct report *report)
{
    int result = EX_OK;
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned_listener *planned = &plan->items[i];
        const struct config_listener *wanted = planned->wanted;
        char why[PARAMETER_WHY_SIZE];
        if (planned->is_new || planned->factories == NULL ||
            factory_may_change(listener_factory(planned->listener), wanted->protocol,
                               wanted->parameters.block, why, sizeof why))
            continue;
        report_add(report, "listener \"%s\": cannot be changed: %s", wanted->name, why);
        result = EX_CONFIG;
    }
    return result;
}

/* and of the listeners that the configuration no longer names. */
static int check_removed(struct server *server, const struct config *config, struct report *report)
{
    int result = EX_OK;
    struct listener *listener;
    TAILQ_FOREACH (listener, &server->listeners, siblings) {
        char why[PARAMETER_WHY_SIZE];
        if (config_find_listener(config, listener->name) != NULL ||
            factory_may_change(listener_factory(listener), NULL, NULL, why, sizeof why))
            continue;
        report_add(report, "listener \"%s\": cannot be removed: %s", listener->name, why);
        result = EX_CONFIG;
    }
    return result;
}

/* --- the commit ------------------------------------------------------------------- */

static void log_listening(const struct server *server, const struct planned_listener *planned,
                          const struct endpoint *endpoint)
{
    const struct log_context about = {.listener = planned->wanted->name,
                                      .generation = server->generation,
                                      .event = LOG_EVENT_LISTENING};
    log_about(&about, LOG_LEVEL_NOTICE, "%s on %s", planned->wanted->protocol->name,
              endpoint->text);
}

/* Takes the wanted endpoints from where they are, so that what is left has to go. */
static void claim_endpoints(const struct server *server, const struct planned_listener *planned)
{
    for (size_t i = 0; i < planned->wanted->options->listen.count; i++) {
        struct endpoint *endpoint = planned->endpoints[i];
        if (endpoint->listener != planned->listener)
            log_listening(server, planned, endpoint);
        listener_detach(endpoint);
    }
}

static void commit_listener(struct server *server, const struct config *config,
                            const struct planned_listener *planned)
{
    const struct config_listener *wanted = planned->wanted;
    struct listener *listener = planned->listener;
    struct endpoint_options how = endpoint_options(server, wanted->options);
    listener->generation = server->generation;
    listener_configure(listener, wanted->options, planned->terms,
                       config_listener_log_level(config, wanted), planned->factories);
    if (planned->is_new)
        carryover_restore(server->store, listener_factory(listener));
    for (size_t i = 0; i < wanted->options->listen.count; i++) {
        endpoint_adjust(planned->endpoints[i], &how);
        listener_attach(listener, planned->endpoints[i]);
    }
    if (!planned->is_new)
        TAILQ_REMOVE(&server->listeners, listener, siblings);
    TAILQ_INSERT_TAIL(&server->listeners, listener, siblings);
}

/* The listeners that the configuration no longer names. */
static void retire_others(struct server *server, const struct config *config)
{
    struct listener *listener = TAILQ_FIRST(&server->listeners);
    while (listener != NULL) {
        struct listener *next = TAILQ_NEXT(listener, siblings);
        if (config_find_listener(config, listener->name) == NULL) {
            const struct log_context about = {.listener = listener->name,
                                              .generation = server->generation};
            log_about(&about, LOG_LEVEL_NOTICE, "removed, %llu connections left",
                      (unsigned long long)listener_connections(listener));
            TAILQ_REMOVE(&server->listeners, listener, siblings);
            TAILQ_INSERT_TAIL(&server->retired, listener, siblings);
            server->workers->watched = true;
            listener_retire(listener, config->options->drain_timeout);
        }
        listener = next;
    }
}

static void plan_commit(struct server *server, struct config *config, const struct plan *plan)
{
    server->generation++;
    for (size_t i = 0; i < plan->count; i++)
        claim_endpoints(server, &plan->items[i]);
    for_each_endpoint(server, endpoint_unstore); /* what is still attached goes */
    retire_others(server, config);
    struct listener *listener;
    TAILQ_FOREACH(listener, &server->listeners, siblings)
    listener_close_endpoints(listener);
    for (size_t i = 0; i < plan->count; i++)
        commit_listener(server, config, &plan->items[i]);
    for_each_endpoint(server, endpoint_store);
    config_free(server->config);
    server->config = config;
    server_sweep(server);
}

int server_apply(struct server *server, struct config *config, struct report *report)
{
    struct plan plan = {0};
    int result = plan_make(server, config, &plan, report);
    server_hold(server);
    int changed = check_changed(&plan, report);
    int removed = check_removed(server, config, report);
    if (result == EX_OK)
        result = changed != EX_OK ? changed : removed;
    if (result == EX_OK)
        plan_commit(server, config, &plan);
    else
        plan_undo(server, &plan);
    server_release(server);
    plan_free(&plan);
    return result;
}
