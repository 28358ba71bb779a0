#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"
#include "systemd.h"

static void describe_serving(const struct server *server, char *text, size_t size)
{
    const char *failure = server->status.failure;
    snprintf(text, size, "Serving %zu listeners, %llu connections%s%s",
             server->config->listener_count,
             (unsigned long long)workers_connections(server->workers), failure[0] == '\0' ? "" : "; the last reload failed: ", failure);
}

static void describe_stopping(const struct server *server, char *text, size_t size)
{
    unsigned long long connections = workers_connections(server->workers);
    uint64_t now = clock_now();
    if (server->drain_end == PARAMETER_IS_FOREVER)
        snprintf(text, size, "Finishing %llu connections", connections);
    else
        snprintf(text, size, "Finishing %llu connections, %llu s left", connections,
                 server->drain_end > now
                     ? (unsigned long long)(server->drain_end - now + 999) / 1000
                     : 0ULL);
}

/* state: what goes before the line, with its line end. */
static void send_status(struct server *server, const char *state, const char *text)
{
    snprintf(server->status.sent, sizeof server->status.sent, "%s", text);
    systemd_notify("%sSTATUS=%s", state, text);
}

static void send_stopping(struct server *server, const char *state)
{
    char text[STATUS_TEXT_SIZE], states[80];
    describe_stopping(server, text, sizeof text);
    snprintf(states, sizeof states, "%sEXTEND_TIMEOUT_USEC=%d000000\n", state, STATUS_EXTENSION);
    send_status(server, states, text);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct server *server = context;
    char text[STATUS_TEXT_SIZE];
    if (server->draining) {
        send_stopping(server, "");
        return;
    }
    describe_serving(server, text, sizeof text);
    if (strcmp(text, server->status.sent) != 0)
        send_status(server, "", text);
}

void status_init(struct server *server)
{
    const struct timeval interval = {.tv_sec = STATUS_INTERVAL};
    if (getenv("NOTIFY_SOCKET") == NULL)
        return;
    server->status.timer = event_new(server->base, -1, EV_PERSIST, on_timer, server);
    if (server->status.timer != NULL)
        event_add(server->status.timer, &interval);
}

void status_clear(struct server *server)
{
    if (server->status.timer != NULL)
        event_free(server->status.timer);
}

void status_ready(struct server *server, const char *failure)
{
    char text[STATUS_TEXT_SIZE];
    snprintf(server->status.failure, sizeof server->status.failure, "%s",
             failure == NULL ? "" : failure);
    describe_serving(server, text, sizeof text);
    send_status(server, "READY=1\n", text);
}

void status_stopping(struct server *server)
{
    send_stopping(server, "STOPPING=1\n");
}
