/*
 * connection: one accepted stream, from its bufferevent up to its session.
 *
 * Bytes come in by the transport, are offered to the session, and what the
 * session writes goes out by the transport; in between stand the bounds: the
 * read limit on what is kept of the input, the watermarks on the output, the
 * deadlines. A session is a connection as its module sees it; connection and
 * session state are one allocation.
 *
 * States: open -> closing (sends what was written) -> lingering (has sent its
 * FIN, waits for the peer's, so that no unread input turns our close into a
 * reset that takes the last reply along) -> lost (freed at the turn's end).
 * Closing or lingering may be skipped.
 */
#ifndef CISTERN_CONNECTION_H
#define CISTERN_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <event2/bufferevent.h>

#include "access_log.h"
#include "factory.h"
#include "input.h"
#include "log.h"
#include "sources.h"
#include "stats.h"
#include "terms.h"
#include "worker.h"

/* Input is kept in steps of at least so many bytes. */
#define CONNECTION_KEEP_MIN 4096U

enum connection_state {
    CONNECTION_OPEN,
    CONNECTION_CLOSING,
    CONNECTION_LINGERING,
    CONNECTION_LOST,
};

/* Whether the module takes what comes in. */
enum intake {
    INTAKE_READY,    /* it has seen all that is kept, and wants to see more behind it */
    INTAKE_LEFT_OFF, /* it had to leave off, and will be offered again what is kept */
    INTAKE_PAUSED,   /* session_pause_reading() */
};

/* What a module is told once. */
enum notice {
    NOTICE_NONE,
    NOTICE_DUE,
    NOTICE_GIVEN,
};

/* What a connection belongs to: a listener, or a test. Outlives its connections. */
struct connection_owner {
    struct connection_list connections;
    size_t count;
    const char *name;
    enum log_level log_level;
    uint64_t generation; /* of the configuration that it has */
    struct access_log access_log;
    struct terms *terms; /* of connections made from now on; a reference */
    struct listener_stats stats;
    /*
     * A connection is gone: count is already one less. Once for each
     * connection_open(), also one that failed. May free the owner, if nothing is
     * opened on it any more.
     */
    void (*released)(struct connection_owner *owner);
};

struct session {
    struct factory *factory;
};

/* What each message touches comes first. */
struct connection {
    struct session session; /* first, so that one pointer is both */
    struct worker *worker;
    struct bufferevent *transport;
    int fd; /* the bufferevent's; -1 where it moves the bytes itself (transport.h) */
    enum connection_state state;
    enum intake intake;
    enum notice eof;        /* the peer will send no more, and all it sent was read */
    enum notice full;       /* output is above the high, not yet below the low watermark */
    bool reading;           /* the transport's read event is on */
    bool transport_eof;     /* the bufferevent has seen the end; input may be left in it */
    bool has_backlog;       /* false: the bufferevent has nothing to send; it need not be asked */
    bool attending;         /* in worker->attention */
    bool stamped;           /* active_at is kept (connection_idle()) */
    uint8_t stalls;         /* looks in a row, by the write timeout, that saw no progress */
    bool made;              /* connection_made took it, so connection_lost is owed */
    uint32_t progress_seen; /* transport_progress() when the write timeout last looked */
    struct input kept;      /* received, and left by the module */
    size_t held;            /* what it is counted for in worker->buffers */
    size_t read_limit;
    size_t write_high;
    struct connection *cork_below; /* what was corked before this one (worker.h) */
    size_t cork_base;              /* where its own output begins in the worker's buffer */
    unsigned corks;                /* calls of connection_cork() without connection_uncork() */
    enum lost_reason reason;
    uint64_t bytes_received;
    uint64_t bytes_sent; /* the backlog included */
    struct terms *terms; /* a reference */
    uint64_t active_at;  /* clock_now() of the last bytes */

    struct connection_owner *owner;
    TAILQ_ENTRY(connection) siblings;
    TAILQ_ENTRY(connection) attention;
    struct event *deadline; /* idle, flush or linger; NULL until there is one */
    struct event *timer;    /* the module's; NULL until it sets one */
    struct event *request;  /* looks for a late request; NULL until one comes in pieces */
    struct event *watch;    /* for a peer that leaves unread; NULL until it is needed */
    uint64_t request_at;    /* clock_now() when the one began that is not whole; 0: there is none */
    size_t backlog_seen;    /* when the deadline was last checked */
    uint64_t id;
    uint64_t opened_at;    /* clock_now() */
    const char *peer;      /* behind the module's state */
    struct source *source; /* where it is counted; or NULL */
};

/* Where the module's state stands in the allocation. */
#define SESSION_STATE_OFFSET                                                                       \
    ((sizeof(struct connection) + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) *             \
     _Alignof(max_align_t))

void connection_owner_init(struct connection_owner *owner, const char *name);

/*
 * Makes a connection and its session, and offers it to the module. Takes over
 * the transport and what was counted for source (NULL: nothing), whatever
 * happens; copies peer, who it is as text. False when memory is out or the
 * module has refused (logged).
 */
bool connection_open(struct worker *worker, struct connection_owner *owner, struct factory *factory,
                     struct bufferevent *transport, const char *peer, struct source *source);

/* Sends what was written, then closes: connection_lost comes with reason. */
void connection_close(struct connection *connection, enum lost_reason reason);
/* Closes without sending; connection_lost comes at the end of this loop turn. */
void connection_abort(struct connection *connection, enum lost_reason reason);

/* What the peer's kernel, or ours on its behalf, has taken; without the backlog. */
uint64_t connection_bytes_sent(const struct connection *connection);

/* Milliseconds since bytes last moved. */
uint64_t connection_idle(const struct connection *connection, uint64_t now);

/* For what is logged of an owner, perhaps with a peer that has no connection; of a connection. */
struct log_context connection_owner_log_context(const struct connection_owner *owner,
                                                const char *peer);
struct log_context connection_log_context(const struct connection *connection);

/* What worker_attend() asked for. */
void connection_attend(struct connection *connection);

/* --- between connection.c, flow.c, session.c and transport.c ------------------- */

/* The transport has bytes, or the end of them. */
void connection_on_readable(struct connection *connection);
/* The backlog has fallen to the low watermark. */
void connection_on_drained(struct connection *connection);
/* The module's timer has run out. */
void connection_on_timer(struct connection *connection);

/*
 * What is written between these two is gathered in the worker's buffer and
 * leaves in one piece. They nest, the last corked first uncorked. Every call
 * into a module stands between them.
 */
void connection_cork(struct connection *connection);
void connection_uncork(struct connection *connection);

/* Sends, or adds to the backlog. */
void connection_send(struct connection *connection, const char *data, size_t length);
/* Sends what the session has gathered. */
void connection_flush(struct connection *connection);

/* The backlog is above the high watermark. */
void connection_pause(struct connection *connection);
/* Offers the module what was kept for it, and the end of the stream. */
void connection_offer(struct connection *connection);
/* After anything that may have moved a watermark: the module is told, reading follows. */
void connection_settle(struct connection *connection);
/* Turns the transport's reading on or off, as the state and the bounds want it. */
void connection_update_reading(struct connection *connection);

static inline struct connection *connection_of(struct session *session)
{
    return (struct connection *)session;
}

/* Bytes have flowed: the connection is not idle. */
static inline void connection_touch(struct connection *connection)
{
    if (connection->stamped)
        connection->active_at = clock_now();
}

static inline const struct protocol *connection_protocol(const struct connection *connection)
{
    return factory_protocol(connection->session.factory);
}

#endif
