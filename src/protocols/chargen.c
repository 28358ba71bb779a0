/* chargen: sends a pattern of characters until the peer closes. RFC 864, TCP. */
#include "protocol.h"

/* The RFC's recommended pattern: 72 of the 95 printing characters, one further each line. */
#define PRINTING 95U
#define COLUMNS 72U
#define LINES_PER_TURN 512U

struct chargen_session {
    unsigned first; /* character of the next line, counted from the space */
};

static void write_line(struct session *session, struct chargen_session *state)
{
    char line[COLUMNS + 2];
    for (unsigned column = 0; column < COLUMNS; column++)
        line[column] = (char)(' ' + (state->first + column) % PRINTING);
    line[COLUMNS] = '\r';
    line[COLUMNS + 1] = '\n';
    session_write(session, line, sizeof line);
    state->first = (state->first + 1) % PRINTING;
}

/* A peer that reads as fast as we write gets its share of a turn, and the next turn the next. */
static void write_lines(struct session *session)
{
    for (unsigned i = 0; i < LINES_PER_TURN && !session_must_wait(session); i++)
        write_line(session, session_state(session));
    session_set_timer(session, 0);
}

static const char *connection_made(struct session *session)
{
    write_lines(session);
    return NULL;
}

extern const struct protocol chargen_protocol;
const struct protocol chargen_protocol = {
    .name = "chargen",
    .summary = "sends a pattern of characters until the peer closes (RFC 864)",
    .session_size = sizeof(struct chargen_session),
    .connection_made = connection_made,
    .pause_writing = session_stop_timer,
    .resume_writing = write_lines,
    .timer_expired = write_lines,
};
