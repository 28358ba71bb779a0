/* client: the state of one connection that speaks to the queues. */
#ifndef CISTERN_QUEUE_CLIENT_H
#define CISTERN_QUEUE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "../protocol.h"
#include "../resp/resp.h"
#include "lease.h"
#include "service.h"
#include "space.h"

/* The most arguments of one request, as Redis has it. */
#define CLIENT_ARGUMENTS_MAX 1048576U
/* Bytes of a request besides one largest item: name of the queue, command, headers. */
#define CLIENT_REQUEST_OVERHEAD 2048U
/* The longest name of a connection (CLIENT SETNAME). */
#define CLIENT_NAME_MAX 128U

/* The version of Redis whose replies are ours: clients derive features from it. */
#define COMPATIBLE_VERSION "7.0.15"

struct command;     /* command.h */
struct transaction; /* transaction.h */
struct wait;        /* wait.h */

struct client {
    TAILQ_ENTRY(client) others; /* in service->clients */
    struct service *service;    /* a reference */
    struct space *space;        /* the listener's, or its own; a reference */
    struct resp_parser parser;
    struct resp_writer reply;
    struct wait *wait;                  /* what it waits for; NULL: it does not. Owned */
    struct transaction *transaction;    /* between MULTI and EXEC; else NULL. Owned */
    struct lease_list leases;           /* what it has taken and not acknowledged */
    char *name;                         /* CLIENT SETNAME; or NULL. Owned */
    const struct command *last_command; /* or NULL */
    uint64_t connected_at;              /* ms */
    uint64_t active_at;                 /* ms; of the last command */
    uint64_t max_reply;                 /* bytes */
    size_t backlog_seen;                /* when it was last looked whether it reads its replies */
    bool executing;                     /* inside EXEC: nothing waits */
    bool failed;                        /* the command that runs has answered with an error */
};

static inline struct session *client_session(struct client *client)
{
    return session_of_state(client);
}

/* Whether a command of this client may wait: somebody else could bring what it waits for. */
static inline bool client_may_wait(const struct client *client)
{
    return !client->executing && !client->space->is_private;
}

/* Names the connection; an empty name takes it away. False, and answered, without memory. */
bool client_set_name(struct client *client, struct resp_argument name);
/* False, and the client answered, if it has spaces or is too long. */
bool client_name_is_valid(struct client *client, struct resp_argument name);

/* False, and the client answered, if a reply of so many bytes would be too much. */
bool client_may_reply(struct client *client, uint64_t bytes);

/* Answers with an error, which is counted as a failure of the command. */
void client_error(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
