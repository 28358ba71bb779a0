#include "wakeup.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool wakeup_init(struct wakeup *wakeup)
{
    atomic_init(&wakeup->sent, false);
    wakeup->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return wakeup->fd >= 0;
}

void wakeup_close(struct wakeup *wakeup)
{
    if (wakeup->fd >= 0)
        close(wakeup->fd);
    wakeup->fd = -1;
}

void wakeup_send(struct wakeup *wakeup)
{
    if (!atomic_exchange_explicit(&wakeup->sent, true, memory_order_acq_rel))
        eventfd_write(wakeup->fd, 1); /* can only fail at 2^64 - 2 that nobody has read */
}

/* In this order: who sends between the two finds it sent, and is looked at now. */
void wakeup_clear(struct wakeup *wakeup)
{
    eventfd_t count;
    eventfd_read(wakeup->fd, &count);
    atomic_exchange_explicit(&wakeup->sent, false, memory_order_acq_rel);
}
