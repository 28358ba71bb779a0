/*
 * stage: connections of one module, each with the peer at its other end, on one event base.
 *
 * The stream between the two is a bufferevent_pair or a socketpair, by the number of a
 * loop test: a module cannot tell the difference. Nothing here waits for time to pass.
 */
#ifndef CISTERN_TESTS_STAGE_H
#define CISTERN_TESTS_STAGE_H

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "connection.h"

enum stream { STREAM_PAIR, STREAM_SOCKET, STREAMS };

#define STAGE_PEERS 4
/* Only a hang takes so long: seconds. */
#define STAGE_PATIENCE 10
/* More than any chain of events that needs no further input. */
#define STAGE_TURNS 20
/* What a socket takes of the connection's output, bytes: little, so that a backlog comes soon. */
#define STAGE_SOCKET_BUFFER 8192

struct peer {
    struct stage *stage;
    struct bufferevent *end;       /* what the peer has received stands in its input */
    struct connection *connection; /* until it is lost */
    bool taken;                    /* by the module */
    bool eof;                      /* it has seen the end of the stream */
    bool reset;                    /* and not an orderly one */
};

struct stage {
    enum stream stream;
    struct worker *worker;
    struct connection_owner owner;
    struct factory *factory;
    bool late_readers; /* peers do not read before peer_read() */
    struct event *alarm;
    bool late;
    size_t peer_count;
    struct peer peers[STAGE_PEERS];
};

static inline void stage_on_alarm(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    ((struct stage *)context)->late = true;
}

static inline void stage_ignore_line(enum log_level level, const char *line, void *context)
{
    (void)level;
    (void)line;
    (void)context;
}

/* To the connections made from then on. */
static inline void stage_promise(struct stage *stage, const struct listener_options *options)
{
    terms_put(stage->owner.terms);
    stage->owner.terms = terms_new(options);
    ck_assert_ptr_nonnull(stage->owner.terms);
}

/* parameters: the block that the module's rows describe, or NULL. */
static inline void stage_begin(struct stage *stage, int stream, const struct protocol *protocol,
                               const void *parameters)
{
    char why[PARAMETER_WHY_SIZE];
    signal(SIGPIPE, SIG_IGN);
    log_set_sink(stage_ignore_line, NULL);
    *stage = (struct stage){.stream = (enum stream)stream};
    stage->worker = worker_new();
    ck_assert_ptr_nonnull(stage->worker);
    stage->alarm = evtimer_new(stage->worker->base, stage_on_alarm, stage);
    connection_owner_init(&stage->owner, "stage");
    stage->factory = factory_new(protocol, "stage", parameters, why, sizeof why);
    ck_assert_ptr_nonnull(stage->factory);
    stage_promise(stage, &(struct listener_options){0});
}

static inline void stage_arm(struct stage *stage)
{
    stage->late = false;
    evtimer_add(stage->alarm, &(struct timeval){.tv_sec = STAGE_PATIENCE});
}

/* Runs the events until the condition holds. */
#define RUN_UNTIL(stage, condition)                                                                \
    do {                                                                                           \
        stage_arm(stage);                                                                          \
        while (!(condition) && !(stage)->late)                                                     \
            event_base_loop((stage)->worker->base, EVLOOP_ONCE);                                   \
        if (!(condition))                                                                          \
            ck_abort_msg("never came true: %s", #condition);                                       \
    } while (0)

/* Runs what there is to do by now: to see that something does not happen. */
static inline void stage_settle(struct stage *stage)
{
    for (int i = 0; i < STAGE_TURNS; i++)
        event_base_loop(stage->worker->base, EVLOOP_NONBLOCK);
}

/* --- the peer ---------------------------------------------------------------------------- */

static inline void peer_on_event(struct bufferevent *end, short what, void *context)
{
    (void)end;
    struct peer *peer = context;
    peer->eof |= (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0;
    peer->reset |= (what & BEV_EVENT_ERROR) != 0;
}

static inline void stage_make_ends(struct stage *stage, struct bufferevent *ends[2])
{
    struct event_base *base = stage->worker->base;
    if (stage->stream == STREAM_PAIR) {
        ck_assert_int_eq(bufferevent_pair_new(base, 0, ends), 0);
        return;
    }
    int sockets[2], size = STAGE_SOCKET_BUFFER;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets),
                     0);
    ck_assert_int_eq(setsockopt(sockets[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    for (int i = 0; i < 2; i++)
        ends[i] = bufferevent_socket_new(base, sockets[i], BEV_OPT_CLOSE_ON_FREE);
}

static inline void peer_read(struct peer *peer)
{
    bufferevent_enable(peer->end, EV_READ);
}

static inline void peer_stop_reading(struct peer *peer)
{
    bufferevent_disable(peer->end, EV_READ);
}

static inline struct peer *stage_connect(struct stage *stage)
{
    ck_assert_uint_lt(stage->peer_count, STAGE_PEERS);
    struct peer *peer = &stage->peers[stage->peer_count++];
    struct bufferevent *ends[2];
    stage_make_ends(stage, ends);
    *peer = (struct peer){.stage = stage, .end = ends[1]};
    bufferevent_setcb(peer->end, NULL, NULL, peer_on_event, peer);
    if (!stage->late_readers)
        peer_read(peer);
    peer->taken =
        connection_open(stage->worker, &stage->owner, stage->factory, ends[0], "the peer", NULL);
    peer->connection = TAILQ_LAST(&stage->owner.connections, connection_list);
    return peer;
}

static inline void peer_send(struct peer *peer, const void *data, size_t length)
{
    ck_assert_int_eq(bufferevent_write(peer->end, data, length), 0);
}

static inline void peer_say(struct peer *peer, const char *text)
{
    peer_send(peer, text, strlen(text));
}

/* Bytes it has sent and the connection has not taken. */
static inline size_t peer_unsent(const struct peer *peer)
{
    return evbuffer_get_length(bufferevent_get_output(peer->end));
}

/* Sends all, then says that nothing more will come; reads on. */
static inline void peer_finish(struct peer *peer)
{
    if (peer->stage->stream == STREAM_PAIR) {
        bufferevent_flush(peer->end, EV_WRITE, BEV_FINISHED);
        return;
    }
    RUN_UNTIL(peer->stage, peer_unsent(peer) == 0 || peer->reset);
    shutdown(bufferevent_getfd(peer->end), SHUT_WR);
}

/* Is gone without a word; what it has not read makes it a reset. */
static inline void peer_vanish(struct peer *peer)
{
    bufferevent_free(peer->end);
    peer->end = NULL;
}

static inline size_t peer_received(const struct peer *peer)
{
    return evbuffer_get_length(bufferevent_get_input(peer->end));
}

/* All that it has received, in one piece. */
static inline const char *peer_data(const struct peer *peer)
{
    return (const char *)evbuffer_pullup(bufferevent_get_input(peer->end), -1);
}

static inline bool peer_has(const struct peer *peer, const char *text)
{
    return peer_received(peer) == strlen(text) &&
           (text[0] == '\0' || memcmp(peer_data(peer), text, strlen(text)) == 0);
}

/* --- the end ----------------------------------------------------------------------------- */

static inline void stage_end(struct stage *stage)
{
    struct connection *connection;
    TAILQ_FOREACH(connection, &stage->owner.connections, siblings)
    connection_abort(connection, LOST_STOPPED);
    RUN_UNTIL(stage, stage->owner.count == 0);
    ck_assert_uint_eq(stage->worker->output_length, 0);
    ck_assert_ptr_null(stage->worker->corked);
    stage_settle(stage);
    for (size_t i = 0; i < stage->peer_count; i++) {
        if (stage->peers[i].end != NULL)
            peer_vanish(&stage->peers[i]);
    }
    event_free(stage->alarm);
    factory_put(stage->factory);
    terms_put(stage->owner.terms);
    worker_free(stage->worker);
}

#endif
