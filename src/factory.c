#include "factory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct factory {
    const struct protocol *protocol;
    size_t references;
    char *name;
    void *parameters;
    _Alignas(max_align_t) unsigned char shared[];
};

static void factory_free(struct factory *factory)
{
    if (factory->parameters != NULL)
        parameters_clear(factory->protocol->parameters, factory->parameters);
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
