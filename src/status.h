/*
 * status: what the service manager is told of the daemon's life, and the line
 * that `systemctl status` shows. The line has live numbers: it is sent again
 * when they have changed, every STATUS_INTERVAL at most. While the daemon stops
 * it counts down, and asks the manager to wait for it.
 */
#ifndef CISTERN_STATUS_H
#define CISTERN_STATUS_H

#include <event2/event.h>

struct server;

/* Seconds. */
#define STATUS_INTERVAL 5
/* How long the manager waits for the next request to wait: seconds, some intervals. */
#define STATUS_EXTENSION 15
#define STATUS_TEXT_SIZE 512

struct status {
    struct event *timer;                /* NULL when nobody asks, and without memory for it */
    char sent[STATUS_TEXT_SIZE];        /* the line that the manager has */
    char failure[STATUS_TEXT_SIZE / 2]; /* why the last reload failed; "" if it did not */
};

void status_init(struct server *server);
void status_clear(struct server *server);

/* READY=1: after the start, and after each reload, whether it failed (why) or not (NULL). */
void status_ready(struct server *server, const char *failure);
/* STOPPING=1 */
void status_stopping(struct server *server);

#endif
