/* signals: what each of them does. cisternd(8) documents it. */
#include <signal.h>

#include "log.h"
#include "server.h"

static void on_hup(struct server *server)
{
    struct report report = {0};
    if (!server->draining)
        server_reload(server, &report);
    report_clear(&report);
}

static void stop(struct server *server)
{
    log_notice("stopping now: closing %llu connections",
               (unsigned long long)workers_connections(server->workers));
    server_stop(server);
}

static void on_quit(struct server *server)
{
    server->keeping = false;
    stop(server);
}

static void on_term(struct server *server)
{
    if (server->draining)
        stop(server);
    else
        server_drain(server);
}

static void on_usr2(struct server *server)
{
    (void)server;
    const struct log_context about = {.threshold = LOG_LEVEL_NOTICE}; /* whatever the level is */
    bool debug = !log_get_debug();
    log_set_debug(debug);
    log_about(&about, LOG_LEVEL_NOTICE, "debug messages are %s", debug ? "on" : "off");
}

static const struct {
    int number;
    void (*act)(struct server *server);
} actions[SERVER_SIGNALS] = {
    {SIGHUP, on_hup},   {SIGTERM, on_term},     {SIGINT, on_term},
    {SIGQUIT, on_quit}, {SIGUSR1, server_dump}, {SIGUSR2, on_usr2},
};

/* Runs in the loop: libevent's own handler has only written to a socket pair. */
static void on_signal(evutil_socket_t number, short what, void *context)
{
    (void)what;
    for (size_t i = 0; i < SERVER_SIGNALS; i++) {
        if (actions[i].number == number)
            actions[i].act(context);
    }
}

bool server_add_signals(struct server *server)
{
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SERVER_SIGNALS; i++) {
        server->signals[i] =
            evsignal_new(server->base, actions[i].number, on_signal, server);
        if (server->signals[i] == NULL || event_add(server->signals[i], NULL) != 0)
            return false;
    }
    return true;
}

void server_remove_signals(struct server *server)
{
    for (size_t i = 0; i < SERVER_SIGNALS; i++) {
        if (server->signals[i] != NULL)
            event_free(server->signals[i]);
    }
}
