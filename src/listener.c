#include "listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

#define RESUME_DELAY_MIN 100U  /* ms */
#define RESUME_DELAY_MAX 1000U /* ms */

/* --- accepting ----------------------------------------------------------------- */

static void set_accepting(struct listener *listener, bool accepting)
{
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
    set_accepting(context, true);
}

/*
 * Out of descriptors or memory: the socket stays readable, and to go on trying
 * would take a whole core. So nothing is accepted for a while, which grows.
 */
static void pause_accepting(struct listener *listener, int error)
{
    unsigned delay = listener->resume_delay * 2;
    if (delay < RESUME_DELAY_MIN)
        delay = RESUME_DELAY_MIN;
    listener->resume_delay = delay > RESUME_DELAY_MAX ? RESUME_DELAY_MAX : delay;
    struct timeval after = worker_interval(listener->resume_delay);
    set_accepting(listener, false);
    event_add(listener->resume, &after);

    unsigned long held_back;
    if (log_limit_pass(&listener->failures, clock_now(), &held_back))
        log_line_at(listener->owner.log_level, LOG_LEVEL_ERROR,
                    "%s: cannot accept connections: %s; trying again every %u ms at most",
                    listener->name, strerror(error), RESUME_DELAY_MAX);
}

static const char *over_limit(const struct listener *listener)
{
    if (listener->owner.count >= listener->max_connections)
        return "max_connections of the listener";
    if (listener->worker->connection_count >= listener->worker->max_connections)
        return "max_connections of the daemon";
    return NULL;
}

/* A reset, at once: to somebody who is refused we owe no state, not even TIME_WAIT. */
static void refuse(struct listener *listener, int fd, const char *peer, const char *reason)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    unsigned long held_back;
    if (log_limit_pass(&listener->refusals, clock_now(), &held_back))
        log_line_at(listener->owner.log_level, LOG_LEVEL_WARNING,
                    "%s: %s: refused: %s is reached (%lu more refused since the last such line)",
                    listener->name, peer, reason, held_back);
}

static void accepted(struct listener *listener, int fd, const union peer_address *peer)
{
    char text[PEER_TEXT_SIZE];
    peer_format(peer, text);
    const char *reason = over_limit(listener);
    if (reason != NULL) {
        refuse(listener, fd, text, reason);
        return;
    }
    struct bufferevent *transport =
        bufferevent_socket_new(listener->worker->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (transport == NULL) {
        close(fd);
        return;
    }
    connection_open(listener->worker, &listener->owner, listener->factory, transport, text);
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

static void on_acceptable(evutil_socket_t fd, short what, void *context)
{
    (void)what;
    const struct endpoint_socket *from = context;
    struct listener *listener = from->endpoint->listener;
    for (int i = 0; i < LISTENER_ACCEPTS_PER_TURN; i++) {
        union peer_address peer = {0};
        socklen_t length = sizeof peer;
        int accepted_fd = accept4(fd, &peer.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted_fd >= 0) {
            listener->resume_delay = 0;
            accepted(listener, accepted_fd, &peer);
        } else if (errno == EAGAIN) {
            return;
        } else if (!is_transient(errno)) {
            pause_accepting(listener, errno);
            return;
        }
    }
}

/* --- endpoints ------------------------------------------------------------------- */

struct endpoint *listener_open_endpoint(struct worker *worker, const struct address *address,
                                        int backlog, int *error, char *why, size_t size)
{
    struct endpoint *endpoint = endpoint_open(address, backlog, error, why, size);
    for (size_t i = 0; endpoint != NULL && i < endpoint->socket_count; i++) {
        struct endpoint_socket *from = &endpoint->sockets[i];
        from->acceptable =
            event_new(worker->base, from->fd, EV_READ | EV_PERSIST, on_acceptable, from);
        if (from->acceptable == NULL) {
            *error = ENOMEM;
            snprintf(why, size, "out of memory");
            endpoint_close(endpoint);
            return NULL;
        }
    }
    return endpoint;
}

/* On Linux what is accepted inherits these: set once, and not for each connection. */
static void set_options(const struct listener *listener, const struct endpoint *endpoint)
{
    const int keepalive = listener->keepalive, nodelay = listener->nodelay;
    if (endpoint->address.family == ADDRESS_UNIX)
        return;
    for (size_t i = 0; i < endpoint->socket_count; i++) {
        int fd = endpoint->sockets[i].fd;
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keepalive, sizeof keepalive);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, sizeof nodelay);
    }
}

void listener_attach(struct listener *listener, struct endpoint *endpoint)
{
    endpoint->listener = listener;
    TAILQ_INSERT_TAIL(&listener->endpoints, endpoint, siblings);
    set_options(listener, endpoint);
    for (size_t i = 0; i < endpoint->socket_count; i++)
        event_add(endpoint->sockets[i].acceptable, NULL);
}

void listener_detach(struct endpoint *endpoint)
{
    if (endpoint->listener == NULL)
        return;
    TAILQ_REMOVE(&endpoint->listener->endpoints, endpoint, siblings);
    endpoint->listener = NULL;
    for (size_t i = 0; i < endpoint->socket_count; i++)
        event_del(endpoint->sockets[i].acceptable);
}

void listener_close_endpoints(struct listener *listener)
{
    struct endpoint *endpoint;
    while ((endpoint = TAILQ_FIRST(&listener->endpoints)) != NULL) {
        listener_detach(endpoint);
        endpoint_close(endpoint);
    }
}

/* --- life -------------------------------------------------------------------------- */

/* Called for each connection that goes; a retired listener goes with its last. */
static void on_released(struct connection_owner *owner)
{
    struct listener *listener = (struct listener *)owner;
    listener->released(listener->context);
}

struct listener *listener_new(struct worker *worker, const char *name,
                              void (*released)(void *context), void *context)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return NULL;
    connection_owner_init(&listener->owner, NULL);
    TAILQ_INIT(&listener->endpoints);
    listener->worker = worker;
    listener->released = released;
    listener->context = context;
    listener->owner.released = on_released;
    listener->name = strdup(name);
    listener->owner.name = listener->name;
    listener->resume = evtimer_new(worker->base, on_resume, listener);
    if (listener->name == NULL || listener->resume == NULL) {
        listener_free(listener);
        return NULL;
    }
    return listener;
}

void listener_free(struct listener *listener)
{
    listener_close_endpoints(listener);
    if (listener->resume != NULL)
        event_free(listener->resume);
    if (listener->expiry != NULL)
        event_free(listener->expiry);
    factory_put(listener->factory);
    free(listener->name);
    free(listener);
}

void listener_configure(struct listener *listener, const struct listener_options *options,
                        enum log_level log_level, struct factory *factory)
{
    listener->max_connections = options->max_connections;
    listener->keepalive = options->keepalive;
    listener->nodelay = options->nodelay;
    listener->owner.idle_timeout = options->idle_timeout;
    listener->owner.log_level = log_level;
    if (factory == NULL)
        return;
    factory_attach(factory, listener->worker);
    if (listener->factory != NULL)
        factory_adopt(factory, listener->factory);
    factory_put(listener->factory);
    listener->factory = factory;
}

static void on_expiry(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    listener_abort(context);
}

void listener_retire(struct listener *listener, uint64_t timeout)
{
    listener->retired = true;
    listener_close_endpoints(listener);
    event_del(listener->resume);
    if (timeout == PARAMETER_IS_FOREVER || listener->owner.count == 0)
        return;
    struct timeval after = worker_interval(timeout);
    listener->expiry = evtimer_new(listener->worker->base, on_expiry, listener);
    if (listener->expiry == NULL || evtimer_add(listener->expiry, &after) != 0)
        listener_abort(listener);
}

void listener_drain(struct listener *listener)
{
    struct connection *connection;
    TAILQ_FOREACH(connection, &listener->owner.connections, siblings)
    connection_close(connection, LOST_STOPPED);
}

void listener_abort(struct listener *listener)
{
    struct connection *connection;
    TAILQ_FOREACH(connection, &listener->owner.connections, siblings)
    connection_abort(connection, LOST_STOPPED);
}
