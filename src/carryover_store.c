/* The store of descriptors that the service manager has for us: activation.h, fdstore.h. */
#include <unistd.h>

#include "activation.h"
#include "carryover.h"
#include "fdstore.h"

static bool push(void *context, const char *name, int fd)
{
    (void)context;
    return fdstore_push(name, fd);
}

static int find(void *context, const char *name)
{
    return activation_find(context, name);
}

static const char *name_at(void *context, size_t index)
{
    return activation_name(context, index);
}

static void drop(void *context, const char *name)
{
    int fd;
    while ((fd = activation_take(context, name)) >= 0)
        close(fd);
    fdstore_remove(name);
}

bool carryover_store(struct descriptor_store *store, struct activation *activation)
{
    *store = (struct descriptor_store){
        .context = activation, .push = push, .find = find, .name = name_at, .remove = drop};
    return fdstore_offered();
}
