/*
 * protocol: the contract between the daemon and a protocol module.
 *
 * This is the one header a module includes. To write a module: fill in one
 * `const struct protocol`, list it in the array in protocol.c, and document its
 * parameters in server.conf(5). echo.c is the smallest complete example.
 *
 * The words are those of Twisted and asyncio. A listener's parameters become a
 * *factory*; the factory makes one *session* for each connection. What asyncio
 * calls the transport is the session_*() functions below.
 *
 * Threads: a session's callbacks run on the thread that owns its connection,
 * one at a time, and never from inside a session_*() call, so that a module
 * needs no lock and no guard against re-entry. All functions below are for that
 * thread only. The sessions of one factory are all on one thread; those of a
 * listener are on several, unless the module says shares_state.
 *
 * Memory: the core allocates a session's state together with its connection,
 * and a factory's shared state together with the factory; both begin zeroed.
 * A module frees only what it allocated itself.
 */
#ifndef CISTERN_PROTOCOL_H
#define CISTERN_PROTOCOL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "budget.h"
#include "contents.h"
#include "figure.h"
#include "identity.h"
#include "log.h"
#include "parameter.h"

struct factory; /* one per listener and generation of its parameters */
struct session; /* one per connection */

/* Why a connection ended, for connection_lost() and the log. */
enum lost_reason {
    LOST_FINISHED, /* session_close(), and everything was sent */
    LOST_EOF,      /* the peer closed, and everything was sent */
    LOST_RESET,    /* the peer reset the connection, or the network failed */
    LOST_IDLE,     /* idle_timeout passed */
    LOST_REQUEST,  /* request_timeout passed */
    LOST_STALLED,  /* write_timeout passed */
    LOST_OVERFLOW, /* more input than the read limit, and the module took none */
    LOST_BUFFERED, /* max_buffered of the daemon, and it held the most */
    LOST_ABORTED,  /* session_abort() */
    LOST_STOPPED,  /* the daemon stopped before the connection was finished */
    LOST_KILLED,   /* the administrator ended it */
    LOST_REASONS,
};
const char *lost_reason_text(enum lost_reason reason);

/* Which parameter a module objects to. */
struct parameter_fault {
    const char *key; /* its name; NULL: all of them together */
    /* The sub-section that it stands in, one of the items in the block; NULL: in none. */
    const struct parameter_section *section;
};

/* The most a configuration lets a module hold, in bytes, for --check -v. */
struct footprint {
    uint64_t per_connection; /* beyond the state block, input and output counted */
    uint64_t shared;         /* by the factory, for all its connections */
    uint64_t connections;    /* the most that it takes; 0: as many as the listener lets in */
};

/*
 * A protocol module. Every member but name and summary may be left out; where
 * it matters, what that means stands with it.
 */
struct protocol {
    const char *name; /* the keyword of its section in server.conf */
    const char *summary;

    /* Its parameters, and the size of the block that holds their values. None: no options. */
    const struct parameter *parameters;
    size_t parameters_size;

    /*
     * Its sessions are the administrator's: max_connections and the drain leave
     * them out, and they run on the main thread, which may see the server.
     */
    bool is_privileged;
    /* Listens on unix sockets only, so that session_identity() knows every peer. */
    bool is_local;

    size_t shared_size;  /* of the state that all sessions of a factory share */
    size_t session_size; /* of the state of one session */

    /*
     * Where its sessions may run. Left out: on every worker, with a factory on
     * each that knows nothing of the others; only parameters are the same.
     * shares_state: all sessions of a listener, and its factory, are on one
     * worker. A privileged module's are on the main thread.
     */
    bool shares_state;

    /*
     * Whether the parameters fit together. If not: false, the offending
     * parameter in fault (zeroed before), the reason in why. The error is
     * reported at the line of that parameter, or where the file does not say
     * it, of the section that it would stand in. Called before any
     * factory_start; may not keep the block.
     */
    bool (*check)(const void *parameters, struct parameter_fault *fault, char *why, size_t size);

    /* What the parameters bound. Left out: nothing beyond the default limits. */
    void (*footprint)(const void *parameters, struct footprint *footprint);

    /*
     * Once before the first session of a factory, and once after the last
     * session is gone and the listener has let go of it. start may fail (false,
     * reason in why); then there is no stop.
     */
    bool (*factory_start)(struct factory *factory, char *why, size_t size);
    void (*factory_stop)(struct factory *factory);

    /*
     * At a reload, after start of the new and before its first session: take
     * over what `old` shares, so that it outlives the change of parameters.
     * Sessions of `old` may live on. Cannot fail: everything that could was
     * done in factory_start.
     */
    void (*factory_adopt)(struct factory *factory, struct factory *old);

    /*
     * Whether a reload may replace the factory by one with these parameters, or
     * (NULL) by none of this module. If not: false and the reason in why, and
     * the reload fails. Left out: it may.
     */
    bool (*factory_may_change)(struct factory *factory, const void *parameters, char *why,
                               size_t size);

    /* The timer of factory_set_timer() has run out. Called once a set. */
    void (*factory_timer_expired)(struct factory *factory);

    /*
     * For the administrator: what the factory keeps for all its sessions, such
     * as queues. Visits each with its figures, of which the first is its name;
     * all have the same figures, in the same order. Only names that match the
     * pattern (resp/glob.h; NULL: all).
     */
    void (*factory_list)(struct factory *factory, const char *pattern, figure_visitor *visit,
                         void *context);

    /* Empties what has that name. False if there is none; else how much that was. */
    bool (*factory_purge)(struct factory *factory, const char *name, size_t length,
                          uint64_t *removed);

    /*
     * What the factory shares, over a restart of the daemon; both or none. save
     * is called after its last session and before factory_stop: writes all of it
     * down (contents_put() in contents.h), and may free it on the way. Returns
     * how many items that are, for the log. If it writes nothing, nothing is
     * kept. load is called at the start, before the first session: takes in what
     * a save has written, all of it, or (false, reason in why) nothing. Another
     * version of the program may have written it, and it may be damaged: every
     * number in it is to be checked.
     */
    uint64_t (*factory_save)(struct factory *factory, struct contents_writer *writer);
    bool (*factory_load)(struct factory *factory, struct contents_reader *reader, char *why,
                         size_t size);

    /*
     * A connection has come. NULL takes it; a reason (a constant string) refuses
     * it: it is closed after what was written so far, and no other callback
     * follows.
     */
    const char *(*connection_made)(struct session *session);

    /*
     * `length` contiguous bytes have come, length > 0. Returns how many it is
     * done with; the connection keeps the rest, up to the read limit, and offers
     * it again from its first byte when more has come; if session_must_wait()
     * made the module leave off, when it need no longer wait. So take all that
     * is complete, in a loop, until session_must_wait(). The bytes are gone on
     * return.
     * Left out: input is thrown away.
     */
    size_t (*data_received)(struct session *session, const char *data, size_t length);

    /*
     * The peer will send no more (it may still read). Comes after all data was
     * offered; or at once while the module has paused reading, so that someone
     * who waits for somebody notices that he has gone. True keeps the
     * connection open for writing until session_close(). False, or left out:
     * it is closed when everything written has been sent.
     */
    bool (*eof_received)(struct session *session);

    /*
     * What was written and not yet taken by the peer has risen above the high
     * watermark; has fallen to the low one. Between the two the connection
     * neither reads nor offers data, so only a module that writes of its own
     * accord (chargen) needs these.
     */
    void (*pause_writing)(struct session *session);
    void (*resume_writing)(struct session *session);

    /* The timer of session_set_timer() has run out. Called once a set. */
    void (*timer_expired)(struct session *session);

    /* Always, exactly once, after a connection_made that took the connection. */
    void (*connection_lost)(struct session *session, enum lost_reason reason);
};

/* All modules; ends with NULL. The only global object of the daemon. */
extern const struct protocol *const protocols[];
const struct protocol *protocol_find(const char *name);

/* Whether the sessions of one listener are spread over the workers. */
static inline bool protocol_spreads(const struct protocol *protocol)
{
    return !protocol->shares_state && !protocol->is_privileged;
}

/* --- for modules: the factory ------------------------------------------- */

/* The block that parameters describes; immutable as long as the factory lives. */
const void *factory_parameters(const struct factory *factory);
/* The shared state, shared_size bytes. */
void *factory_shared(struct factory *factory);
/* The name of the listener that the factory was made for. */
const char *factory_name(const struct factory *factory);

/*
 * The process's budget, for what a module holds on behalf of clients: to be
 * charged by it, or the outer one of a budget of its own. Not before the first
 * session of the factory, its factory_adopt, or its factory_load.
 */
struct budget *factory_budget(const struct factory *factory);

/* Calls factory_timer_expired after so many milliseconds; replaces a timer that runs. */
void factory_set_timer(struct factory *factory, uint64_t milliseconds);
void factory_stop_timer(struct factory *factory);

/* Milliseconds of a clock that never steps back, to some 4 ms: cheap enough for each request. */
uint64_t clock_now(void);

/* --- for modules: the session -------------------------------------------- */

/* The session's own state, session_size bytes. */
void *session_state(struct session *session);
struct session *session_of_state(void *state);
struct factory *session_factory(struct session *session);
/* Short for factory_parameters(session_factory(session)). */
const void *session_parameters(struct session *session);
/* The peer as text, "127.0.0.1:40112" or "unix"; valid as long as the session. */
const char *session_peer(const struct session *session);
/* Who the peer is; false if he did not come by a unix socket. */
bool session_identity(const struct session *session, struct identity *identity);
/* A number no other connection of this process has had; from 1. */
uint64_t session_id(const struct session *session);

/*
 * Sends length bytes: what the socket does not take is kept and counts towards
 * the watermarks. What is written from inside data_received leaves in one piece
 * when it returns. After close or abort, or when memory is out (the session is
 * then aborted), nothing is written. Copies the data.
 */
void session_write(struct session *session, const void *data, size_t length);

/*
 * A place for length bytes behind what was written, which are to be put there
 * before the next call: session_write() without a copy. NULL where that cannot
 * be: session_write() them.
 */
char *session_append(struct session *session, size_t length);

/*
 * To write to another session than the one whose callback runs (a waiter that
 * is served), in several pieces that shall leave as one: cork it, write to it
 * alone, uncork it.
 */
void session_cork(struct session *session);
void session_uncork(struct session *session);

/* Bytes written and not yet taken by the socket. */
size_t session_backlog(const struct session *session);

/*
 * Inside data_received: whether to return, leaving what is not consumed for
 * later: because output is above the high watermark, the session is closing, or
 * reading is paused.
 */
bool session_must_wait(const struct session *session);

/*
 * No data_received until resumed. The connection goes on noticing that the
 * peer leaves (eof_received, connection_lost) and keeps what comes, up to the
 * read limit. Not subject to idle_timeout meanwhile.
 */
void session_pause_reading(struct session *session);
void session_resume_reading(struct session *session);

/* Input kept for the module, unconsumed, never exceeds this. Default 64 KiB. */
#define SESSION_READ_LIMIT (64U * 1024)
void session_set_read_limit(struct session *session, size_t bytes);

/* Defaults 64 KiB and 16 KiB. high 0: writing pauses whenever anything is left. */
#define SESSION_WRITE_HIGH (64U * 1024)
#define SESSION_WRITE_LOW (16U * 1024)
void session_set_write_watermarks(struct session *session, size_t high, size_t low);

/* Calls timer_expired after so many milliseconds; replaces a timer that runs. */
void session_set_timer(struct session *session, uint64_t milliseconds);
void session_stop_timer(struct session *session);

/* Sends what was written, then closes. No data_received any more. */
void session_close(struct session *session);
/* Closes at once; what was not sent is lost. */
void session_abort(struct session *session);
/* False from close, abort or loss on: what is written now reaches nobody. */
bool session_is_open(const struct session *session);

/*
 * Asks the kernel whether the peer has closed or reset, even if that has not
 * been read yet: before handing something out that would be lost.
 */
bool session_peer_has_left(const struct session *session);

/* Logs for this session, at its listener's level, with listener and peer. */
void session_log(struct session *session, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
