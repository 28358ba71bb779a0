/*
 * returns: which of the items at the head of a queue have come back from a lease.
 *
 * It lets items that come back one by one stand in the order in which they were
 * taken. What goes in before them, or is taken out from among them, ends that
 * knowledge: then what comes back goes to the very head. Pure.
 */
#ifndef CISTERN_RETURNS_H
#define CISTERN_RETURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed, there are none. The ids of their leases, that of the head last. */
struct returns {
    size_t count;
    size_t capacity;
    uint64_t *ids; /* owned */
};

/* How many of them stand before an item of that id: 0 to count. */
size_t returns_before(const struct returns *returns, uint64_t id);
/* The item of that id now stands behind `before` of them. Without memory all are forgotten. */
void returns_add(struct returns *returns, size_t before, uint64_t id);
/* The head has been taken off. */
void returns_drop_head(struct returns *returns);
void returns_forget(struct returns *returns);

#endif
