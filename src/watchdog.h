/*
 * watchdog: tells the service manager that the daemon works (WatchdogSec= in
 * systemd.service(5)), from the loop that does the work, so that a hung loop is
 * noticed: by WATCHDOG_USEC, a message every third of it.
 */
#ifndef CISTERN_WATCHDOG_H
#define CISTERN_WATCHDOG_H

#include <stdbool.h>

#include <event2/event.h>

struct watchdog;

/*
 * Begins, if this process is to be watched; else returns NULL, as when memory is
 * out. alive, unless NULL, is asked before each message whether the rest of the
 * process works, too; while it does not, nothing is sent.
 */
struct watchdog *watchdog_new(struct event_base *base, bool (*alive)(void *context), void *context);
void watchdog_free(struct watchdog *watchdog);

/* At once: before and after what keeps the loop from turning. NULL does nothing. */
void watchdog_feed(const struct watchdog *watchdog);

#endif
