#include "factory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker.h"

struct factory {
    const struct protocol *protocol;
    size_t references;
    char *name;
    void *parameters;
    struct worker *worker; /* NULL until it is attached */
    struct event *timer;   /* NULL until the module sets one */
    _Alignas(max_align_t) unsigned char shared[];
};

static void factory_free(struct factory *factory)
{
    if (factory->parameters != NULL)
        parameters_clear(factory->protocol->parameters, factory->parameters);
    if (factory->timer != NULL)
        event_free(factory->timer);
    free(factory->parameters);
    free(factory->name);
    free(factory);
}

static bool copy_parameters(struct factory *factory, const void *parameters)
{
    const struct protocol *protocol = factory->protocol;
    if (protocol->parameters == NULL)
        return true;
    factory->parameters = calloc(1, protocol->parameters_size);
    return factory->parameters != NULL &&
           parameters_copy(protocol->parameters, parameters, factory->parameters);
}

struct factory *factory_new(const struct protocol *protocol, const char *name,
                            const void *parameters, char *why, size_t size)
{
    struct factory *factory = calloc(1, sizeof *factory + protocol->shared_size);
    if (factory == NULL) {
        snprintf(why, size, "out of memory");
        return NULL;
    }
    factory->protocol = protocol;
    factory->references = 1;
    factory->name = strdup(name);
    if (factory->name == NULL || !copy_parameters(factory, parameters)) {
        snprintf(why, size, "out of memory");
        factory_free(factory);
        return NULL;
    }
    if (protocol->factory_start != NULL && !protocol->factory_start(factory, why, size)) {
        factory_free(factory);
        return NULL;
    }
    return factory;
}

struct factory *factory_get(struct factory *factory)
{
    factory->references++;
    return factory;
}

void factory_put(struct factory *factory)
{
    if (factory == NULL || --factory->references > 0)
        return;
    if (factory->protocol->factory_stop != NULL)
        factory->protocol->factory_stop(factory);
    factory_free(factory);
}

void factory_adopt(struct factory *factory, struct factory *old)
{
    if (factory->protocol == old->protocol && factory->protocol->factory_adopt != NULL)
        factory->protocol->factory_adopt(factory, old);
}

bool factory_may_change(struct factory *factory, const struct protocol *protocol,
                        const void *parameters, char *why, size_t size)
{
    if (factory->protocol->factory_may_change == NULL)
        return true;
    return factory->protocol->factory_may_change(
        factory, protocol == factory->protocol ? parameters : NULL, why, size);
}

void factory_attach(struct factory *factory, struct worker *worker)
{
    factory->worker = worker;
}

struct budget *factory_budget(const struct factory *factory)
{
    return factory->worker != NULL ? &factory->worker->memory : NULL;
}

struct server *factory_server(const struct factory *factory)
{
    return factory->worker != NULL ? factory->worker->server : NULL;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct factory *factory = context;
    factory->protocol->factory_timer_expired(factory);
}

/* Without memory for it the module is not called: it loses time, and nothing else. */
void factory_set_timer(struct factory *factory, uint64_t milliseconds)
{
    if (factory->timer == NULL && factory->worker != NULL)
        factory->timer = evtimer_new(factory->worker->base, on_timer, factory);
    struct timeval after = worker_interval(milliseconds);
    if (factory->timer != NULL)
        evtimer_add(factory->timer, &after);
}

void factory_stop_timer(struct factory *factory)
{
    if (factory->timer != NULL)
        evtimer_del(factory->timer);
}

const struct protocol *factory_protocol(const struct factory *factory)
{
    return factory->protocol;
}

bool factory_matches(const struct factory *factory, const struct protocol *protocol,
                     const void *parameters)
{
    return factory->protocol == protocol &&
           (protocol->parameters == NULL ||
            parameters_equal(protocol->parameters, factory->parameters, parameters));
}

const void *factory_parameters(const struct factory *factory)
{
    return factory->parameters;
}

void *factory_shared(struct factory *factory)
{
    return factory->shared;
}

const char *factory_name(const struct factory *factory)
{
    return factory->name;
}
