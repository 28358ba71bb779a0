/*
 * wakeup: how one thread gets another one's event loop to look at something.
 *
 * Whoever has changed what is to be looked at sends; the other clears, and
 * looks then. Sending again before that costs no system call. What was written
 * before the sending is seen after the clearing.
 */
#ifndef CISTERN_WAKEUP_H
#define CISTERN_WAKEUP_H

#include <stdatomic.h>
#include <stdbool.h>

struct wakeup {
    int fd; /* an eventfd, readable when there is something to look at; -1: not made */
    atomic_bool sent;
};

/* False when descriptors are out. */
bool wakeup_init(struct wakeup *wakeup);
void wakeup_close(struct wakeup *wakeup);

void wakeup_send(struct wakeup *wakeup);
void wakeup_clear(struct wakeup *wakeup);

#endif
