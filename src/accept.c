#include "accept.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener.h"
#include "peer.h"
#include "workers.h"

#define RESUME_DELAY_MIN 100U  /* ms */
#define RESUME_DELAY_MAX 1000U /* ms */
/* For workers to take over what they have been handed, ms. */
#define BUSY_DELAY 10U
/* For a descriptor to be closed, ms. */
#define SPARE_DELAY 10U

/* --- pauses -------------------------------------------------------------------- */

void accept_update(struct listener *listener)
{
    bool accepting = !listener->paused && !evtimer_pending(listener->resume, NULL);
    struct endpoint *endpoint;
    TAILQ_FOREACH(endpoint, &listener->endpoints, siblings)
    {
        for (size_t i = 0; i < endpoint->socket_count; i++) {
            if (accepting)
                event_add(endpoint->sockets[i].acceptable, NULL);
            else
                event_del(endpoint->sockets[i].acceptable);
        }
    }
}

static void on_resume(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    accept_keep_spare(context);
    accept_update(context);
}

/* The sockets stay readable, and to look at them all the time would take a whole core. */
static void pause_accepting(struct listener *listener, unsigned milliseconds)
{
    struct timeval after = worker_interval(milliseconds);
    event_add(listener->resume, &after);
    accept_update(listener);
}

/* Who has just gone may still have his: then it is tried again, before the others accept. */
void accept_keep_spare(struct listener *listener)
{
    if (listener->spare >= 0 || !listener_is_privileged(listener))
        return;
    listener->spare = eventfd(0, EFD_CLOEXEC); /* any will do */
    if (listener->spare < 0)
        pause_accepting(listener, SPARE_DELAY);
}

/* Out of descriptors or memory: for a while, which grows. */
static void back_off(struct listener *listener, int error)
{
    unsigned delay = listener->resume_delay * 2;
    if (delay < RESUME_DELAY_MIN)
        delay = RESUME_DELAY_MIN;
    listener->resume_delay = delay > RESUME_DELAY_MAX ? RESUME_DELAY_MAX : delay;
    pause_accepting(listener, listener->resume_delay);
    listener->stats.accept_failures++;

    unsigned long held_back;
    struct log_context about = listener_log_context(listener, NULL);
    about.event = LOG_EVENT_ACCEPT_PAUSED;
    if (log_limit_pass(&listener->failures, clock_now(), &held_back))
        log_about(&about, LOG_LEVEL_ERROR,
                  "cannot accept connections: %s; trying again every %u ms at most",
                  strerror(error), RESUME_DELAY_MAX);
}

/* --- limits -------------------------------------------------------------------- */

static const enum refusal refusal_of[] = {
    [SOURCES_ADMITTED] = REFUSALS,
    [SOURCES_FULL] = REFUSAL_SOURCE_FULL,
    [SOURCES_FAST] = REFUSAL_SOURCE_FAST,
    [SOURCES_NO_MEMORY] = REFUSAL_NO_MEMORY,
};

/* Why it cannot be let in; or REFUSALS, and it is counted with its source. */
static enum refusal over_limit(const struct listener *listener, struct handover *item)
{
    if (listener_is_privileged(listener))
        return REFUSALS;
    if (listener_connections(listener) >= listener->max_connections)
        return REFUSAL_LISTENER_FULL;
    if (workers_connections(listener->workers) >= listener->workers->max_connections)
        return REFUSAL_DAEMON_FULL;
    return refusal_of[sources_admit(listener->sources, &item->peer, clock_now(), &item->source)];
}

/* A reset, at once: to somebody who is refused we owe no state, not even TIME_WAIT. */
static void refuse(struct listener *listener, int fd, const union peer_address *peer,
                   enum refusal reason)
{
    listener->stats.refused[reason]++;
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    unsigned long held_back;
    char text[PEER_TEXT_SIZE];
    struct log_context about = listener_log_context(listener, peer_format(peer, text));
    about.event = LOG_EVENT_REFUSED;
    if (log_limit_pass(&listener->refusals, clock_now(), &held_back))
        log_about(&about, LOG_LEVEL_WARNING,
                  "refused: %s is reached (%lu more refused since the last such line)",
                  refusal_text(reason), held_back);
}

/* --- accepting ----------------------------------------------------------------- */

/* On the worker with the fewest connections. NULL: none can be handed one more. */
static struct shard *choose_shard(const struct listener *listener)
{
    struct shard *best = NULL;
    uint64_t fewest = UINT64_MAX;
    for (unsigned i = 0; i < listener->workers->count; i++) {
        struct shard *shard = &listener->shards[i];
        uint64_t count = tally_count(&shard->worker->connections);
        if (shard->factory == NULL || count >= fewest || !workers_can_take(shard->worker))
            continue;
        best = shard;
        fewest = count;
    }
    return best;
}

/* accept(2): errors of the connection that was to be accepted, not of the socket. */
static bool is_transient(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
        return false;
    default:
        return true;
    }
}

static void accepted(struct listener *listener, struct handover *item)
{
    enum refusal reason = over_limit(listener, item);
    listener->resume_delay = 0;
    if (reason != REFUSALS) {
        refuse(listener, item->fd, &item->peer, reason);
        return;
    }
    workers_hand_over(item);
    uint64_t connections = listener_connections(listener);
    if (connections > listener->stats.peak)
        listener->stats.peak = connections;
}

/* Descriptors are out, but one is kept for this. */
static int accept_on_spare(struct listener *listener, int fd)
{
    close(listener->spare);
    listener->spare = -1;
    return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* Whether to go on: there may be more to accept, and somebody to serve it. */
static bool accept_one(struct listener *listener, int fd)
{
    struct handover item = {.shard = choose_shard(listener)};
    socklen_t length = sizeof item.peer;
    if (item.shard == NULL) {
        pause_accepting(listener, BUSY_DELAY);
        return false;
    }
    item.fd = accept4(fd, &item.peer.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (item.fd < 0 && (errno == EMFILE || errno == ENFILE) && listener->spare >= 0)
        item.fd = accept_on_spare(listener, fd);
    if (item.fd >= 0) {
        accepted(listener, &item);
        return true;
    }
    if (errno == EAGAIN)
        return false;
    bool transient = is_transient(errno);
    if (!transient)
        back_off(listener, errno);
    return transient;
}

static void on_acceptable(evutil_socket_t fd, short what, void *context)
{
    (void)what;
    const struct endpoint_socket *from = context;
    struct listener *listener = from->endpoint->listener;
    accept_keep_spare(listener);
    for (int i = 0; i < ACCEPTS_PER_TURN && accept_one(listener, fd); i++)
        ;
    workers_flush(listener->workers);
}

struct event *accept_new_event(struct event_base *base, struct endpoint_socket *from)
{
    return event_new(base, from->fd, EV_READ | EV_PERSIST, on_acceptable, from);
}

struct event *accept_new_timer(struct event_base *base, struct listener *listener)
{
    return evtimer_new(base, on_resume, listener);
}
