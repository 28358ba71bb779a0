/*
 * actor: a module that tells what it is called with, and does what the test wants there.
 *
 * To be included by one file of a program. Its story reads "made;data abc;eof;lost finished;".
 */
#ifndef CISTERN_TESTS_ACTOR_H
#define CISTERN_TESTS_ACTOR_H

#include <stdio.h>
#include <string.h>

#include "must.h"
#include "protocol.h"

enum callback {
    ON_MADE,
    ON_DATA,
    ON_EOF,
    ON_PAUSE,
    ON_RESUME,
    ON_TIMER,
    ON_LOST,
    CALLBACKS,
};

static const char *const callback_names[CALLBACKS] = {"made",   "data",  "eof", "pause",
                                                      "resume", "timer", "lost"};

/* Data longer than this are told by their length. */
#define ACTOR_SHORT 24

static struct {
    char story[1024];
    size_t calls[CALLBACKS];
    struct session *session; /* the one that was made last */
    enum lost_reason reason;
    const char *refusal;
    bool stays;  /* what eof_received says */
    bool silent; /* tells no story, only counts */
    void (*act[CALLBACKS])(struct session *session);
    /* What data_received returns; without it, everything. */
    size_t (*take)(struct session *session, const char *data, size_t length);
} actor;

static inline void actor_tell(struct session *session, enum callback callback, const char *detail)
{
    size_t used = strlen(actor.story);
    if (!actor.silent) {
        int length = snprintf(actor.story + used, sizeof actor.story - used, "%s%s%s;",
                              callback_names[callback], detail[0] == '\0' ? "" : " ", detail);
        MUST((size_t)length < sizeof actor.story - used);
    }
    actor.calls[callback]++;
    if (actor.act[callback] != NULL)
        actor.act[callback](session);
}

static inline const char *actor_connection_made(struct session *session)
{
    actor.session = session;
    actor_tell(session, ON_MADE, "");
    return actor.refusal;
}

static inline size_t actor_data_received(struct session *session, const char *data, size_t length)
{
    char detail[ACTOR_SHORT + 1];
    if (length <= ACTOR_SHORT)
        snprintf(detail, sizeof detail, "%.*s", (int)length, data);
    else
        snprintf(detail, sizeof detail, "%zu", length);
    actor_tell(session, ON_DATA, detail);
    return actor.take == NULL ? length : actor.take(session, data, length);
}

static inline bool actor_eof_received(struct session *session)
{
    actor_tell(session, ON_EOF, "");
    return actor.stays;
}

static inline void actor_pause_writing(struct session *session)
{
    actor_tell(session, ON_PAUSE, "");
}

static inline void actor_resume_writing(struct session *session)
{
    actor_tell(session, ON_RESUME, "");
}

static inline void actor_timer_expired(struct session *session)
{
    actor_tell(session, ON_TIMER, "");
}

static inline void actor_connection_lost(struct session *session, enum lost_reason reason)
{
    actor.reason = reason;
    actor_tell(session, ON_LOST, lost_reason_text(reason));
}

static const struct protocol actor_protocol = {
    .name = "actor",
    .summary = "does what a test wants",
    .session_size = 100,
    .connection_made = actor_connection_made,
    .data_received = actor_data_received,
    .eof_received = actor_eof_received,
    .pause_writing = actor_pause_writing,
    .resume_writing = actor_resume_writing,
    .timer_expired = actor_timer_expired,
    .connection_lost = actor_connection_lost,
};

#endif
