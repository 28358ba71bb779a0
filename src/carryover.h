/*
 * carryover: what listeners hold passes from one process to the next.
 *
 * At the end of a drain the contents of each listener (contents.h) go into a
 * store of descriptors that outlives the process; at the next start, or when a
 * reload brings the listener back, they are taken from there. What no listener
 * takes, or what one refuses, stays in the store, and the log says so.
 *
 * A mark in the store says that a process is using it. Who finds it at the start
 * knows that the process before ended without handing over.
 */
#ifndef CISTERN_CARRYOVER_H
#define CISTERN_CARRYOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "factory.h"
#include "fdstore.h"

/* What the names in the store begin with; the name of the listener follows. */
#define CARRYOVER_PREFIX FDSTORE_QUEUE

/*
 * Descriptors by name that outlive the process: systemd's, or a test's. What
 * the processes before have stored stays there until it is removed, whatever
 * becomes of this one.
 */
struct descriptor_store {
    void *context; /* for the functions */
    bool wanted;   /* some listener has contents */
    bool marked;   /* the mark is set */
    /* Stores a copy of fd, beside what else has that name. */
    bool (*push)(void *context, const char *name, int fd);
    /* A descriptor of that name that was there at the start; it stays the store's. -1: none. */
    int (*find)(void *context, const char *name);
    /* The index-th name that was there at the start and was not removed since; NULL: no more. */
    const char *(*name)(void *context, size_t index);
    /* All of that name. */
    void (*remove)(void *context, const char *name);
};

/* The manager's, if it offers one, beside what it has passed; else false. */
struct activation;
bool carryover_store(struct descriptor_store *store, struct activation *activation);

/* Without a store (NULL) none of these does anything. */

/* Before the first session of a listener's factory that is attached. */
void carryover_restore(struct descriptor_store *store, struct factory *factory);
/* When all listeners of the start have what is theirs; after a reload only the mark. */
void carryover_begin(struct descriptor_store *store);
void carryover_mark(struct descriptor_store *store);
/* For each listener, when no session is left; then once at the end. */
void carryover_save(struct descriptor_store *store, struct factory *factory);
void carryover_end(struct descriptor_store *store);

#endif
