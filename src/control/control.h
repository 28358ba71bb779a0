/*
 * control: what the files of the control module share.
 *
 * It is the one module that sees the server. Every command runs on the main
 * thread with all other threads held (server_hold()), so that it may look at,
 * and change, whatever there is.
 */
#ifndef CISTERN_CONTROL_H
#define CISTERN_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../figure.h"
#include "../protocol.h"
#include "../resp/resp.h"
#include "../server.h"
#include "command.h"

/* The largest request, bytes, and the most words of one. */
#define CONTROL_REQUEST_MAX (64U * 1024)
#define CONTROL_ARGUMENTS_MAX 64U

/* The longest pattern, bytes: the time to match grows with it. */
#define CONTROL_PATTERN_MAX 256U

/* The state of a session. */
struct control {
    struct resp_parser parser;
    struct resp_writer reply;
    bool may_change;
    bool blob_errors; /* it has said that it understands errors of several lines */
};

/* A request that is being executed. */
struct call {
    struct session *session;
    struct control *client;
    struct server *server;
    struct resp_writer *reply;
    const struct control_request *request;
};

/* Answers a request of at least one word. */
void control_execute(struct session *session, const struct resp_words *words);

/* --- connection.c: what clients of Redis ask for -------------------------------- */

/* False if it is none of that. */
bool control_greet(struct call *call, const struct resp_words *words);

/* --- reply.c ------------------------------------------------------------------------ */

/*
 * An error: a word in capitals, and text. A client that has not said that it
 * understands several lines gets them as one.
 */
void control_error(struct call *call, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void control_error_report(struct call *call, const char *code, const struct report *report);
void control_ok(struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
void control_map(struct call *call, const struct figure *figures, size_t count);

/* --- request.c: words of a request; false or NULL, and answered, if they are none ---- */

struct listener *control_listener(struct call *call, struct resp_argument name);
bool control_number(struct call *call, const char *what, struct resp_argument word,
                    uint64_t maximum, uint64_t *number);
bool control_duration(struct call *call, const char *what, struct resp_argument word,
                      uint64_t *milliseconds);
/* Whether a pattern is short enough to be tried on every name there is. */
bool control_pattern(struct call *call, struct resp_argument pattern);
bool control_may_change(struct call *call);

/* --- the commands --------------------------------------------------------------------- */

#define CONTROL(name) void control_##name(struct call *call)

/* command_config.c */
CONTROL(check);
CONTROL(config);
CONTROL(reload);
/* command_connection.c */
CONTROL(connections);
CONTROL(kill);
/* command_listener.c */
CONTROL(drain);
CONTROL(listeners);
CONTROL(loglevel);
CONTROL(pause);
CONTROL(resume);
/* command_queue.c */
CONTROL(purge);
CONTROL(queues);
/* command_status.c */
CONTROL(help);
CONTROL(ping);
CONTROL(status);
CONTROL(stop);

#endif
