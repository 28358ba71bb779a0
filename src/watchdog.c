#include "watchdog.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "systemd.h"

/* Below this a busy machine alone makes it bite: microseconds. */
#define SHORTEST UINT64_C(1000000)

struct watchdog {
    struct event *timer;
    bool (*alive)(void *context);
    void *context;
};

/* Microseconds; 0 if this process is not watched. */
static uint64_t watch_interval(void)
{
    const char *interval = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    if (interval == NULL || (pid != NULL && strtol(pid, NULL, 10) != getpid()))
        return 0;
    uint64_t microseconds = strtoull(interval, NULL, 10);
    if (microseconds > 0 && microseconds < SHORTEST)
        log_warning("WatchdogSec= is %" PRIu64 " ms: below one second a busy machine will do to "
                    "have the daemon killed",
                    microseconds / 1000);
    return microseconds;
}

void watchdog_feed(const struct watchdog *watchdog)
{
    if (watchdog != NULL && (watchdog->alive == NULL || watchdog->alive(watchdog->context)))
        systemd_notify("WATCHDOG=1");
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    watchdog_feed(context);
}

struct watchdog *watchdog_new(struct event_base *base, bool (*alive)(void *context), void *context)
{
    uint64_t third = watch_interval() / 3;
    const struct timeval interval = {.tv_sec = (time_t)(third / 1000000),
                                     .tv_usec = (suseconds_t)(third % 1000000)};
    struct watchdog *watchdog = third == 0 ? NULL : calloc(1, sizeof *watchdog);
    if (watchdog == NULL)
        return NULL;
    *watchdog = (struct watchdog){.alive = alive, .context = context};
    watchdog->timer = event_new(base, -1, EV_PERSIST, on_timer, watchdog);
    if (watchdog->timer == NULL || event_add(watchdog->timer, &interval) != 0) {
        watchdog_free(watchdog);
        return NULL;
    }
    return watchdog;
}

void watchdog_free(struct watchdog *watchdog)
{
    if (watchdog == NULL)
        return;
    if (watchdog->timer != NULL)
        event_free(watchdog->timer);
    free(watchdog);
}
