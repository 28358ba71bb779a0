#include "carryover.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "contents.h"
#include "log.h"

/* No listener has such a name. */
#define MARK CARRYOVER_PREFIX "~in-use"

/* Above the longest name of a listener. */
#define NAME_SIZE 256

static const char *name_of(const struct factory *factory, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, CARRYOVER_PREFIX "%s", factory_name(factory));
    return name;
}

void carryover_restore(struct descriptor_store *store, struct factory *factory)
{
    char name[NAME_SIZE], why[PARAMETER_WHY_SIZE];
    uint64_t items;
    if (store == NULL || !contents_possible(factory))
        return;
    store->wanted = true;
    int fd = store->find(store->context, name_of(factory, name));
    if (fd >= 0 && contents_load(factory, fd, &items, why, sizeof why)) {
        store->remove(store->context, name);
        log_notice("%s: %llu items are back that were there before the restart",
                   factory_name(factory), (unsigned long long)items);
    } else if (fd >= 0) {
        log_error("%s: begins empty: what was there before the restart cannot be taken in: %s",
                  factory_name(factory), why);
    } else if (store->find(store->context, MARK) >= 0) {
        log_warning("%s: begins empty: the daemon has been killed or has crashed, or was told to "
                    "stop at once",
                    factory_name(factory));
    }
}

static void log_unclaimed(struct descriptor_store *store, const char *name)
{
    struct contents_label label;
    int fd = store->find(store->context, name);
    if (strncmp(name, CARRYOVER_PREFIX, strlen(CARRYOVER_PREFIX)) != 0 || strcmp(name, MARK) == 0)
        return;
    if (contents_look(fd, &label))
        log_warning("%s: no listener has taken these %llu items of the protocol %s: they stay "
                    "in the store of descriptors",
                    name, (unsigned long long)label.items, label.module);
    else
        log_warning("%s: this descriptor in the store is not a cisternd's", name);
}

void carryover_mark(struct descriptor_store *store)
{
    if (store == NULL || !store->wanted || store->marked)
        return;
    store->marked = true;
    int fd = eventfd(0, EFD_CLOEXEC); /* any will do */
    if (fd < 0 || !store->push(store->context, MARK, fd))
        log_warning("the store of descriptors cannot be marked: after a crash nothing will be "
                    "said about items that are lost");
    if (fd >= 0)
        close(fd);
}

void carryover_begin(struct descriptor_store *store)
{
    const char *name;
    if (store == NULL)
        return;
    if (store->find(store->context, MARK) >= 0)
        store->remove(store->context, MARK);
    for (size_t i = 0; (name = store->name(store->context, i)) != NULL; i++)
        log_unclaimed(store, name);
    carryover_mark(store);
}

/* What was refused at the start is replaced. */
static bool push(struct descriptor_store *store, const struct factory *factory, int fd)
{
    char name[NAME_SIZE];
    store->remove(store->context, name_of(factory, name));
    bool pushed = store->push(store->context, name, fd);
    close(fd);
    return pushed;
}

void carryover_save(struct descriptor_store *store, struct factory *factory)
{
    char why[PARAMETER_WHY_SIZE] = "the store does not take them";
    uint64_t items;
    int fd;
    if (store == NULL || !contents_possible(factory))
        return;
    bool saved = contents_save(factory, &fd, &items, why, sizeof why);
    if (saved && fd < 0)
        return;
    if (saved && push(store, factory, fd))
        log_notice("%s: %llu items are kept for the next start", factory_name(factory),
                   (unsigned long long)items);
    else
        log_error("%s: %llu items are lost: %s", factory_name(factory), (unsigned long long)items,
                  why);
}

void carryover_end(struct descriptor_store *store)
{
    if (store != NULL && store->marked)
        store->remove(store->context, MARK);
}
