/*
 * log: one line an event, on stderr or to the journal.
 *
 * Where stderr is the journal (JOURNAL_STREAM in systemd.exec(5)), an event goes
 * there as an entry with fields, by the journal's own socket; if that cannot be
 * reached, as a line that begins with its priority as `<N>` (sd-daemon(3)).
 * Elsewhere a line begins with a timestamp. It can also be an object of JSON.
 * Control bytes become '?', so that no client can forge a line. libevent's own
 * messages come the same way.
 *
 * Any thread may log: a line is one write, and what is static is atomic. It is
 * the process's, as stderr is: libevent's log callback has no room for a context.
 */
#ifndef CISTERN_LOG_H
#define CISTERN_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/* The values are the priorities of syslog(3). */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7,
};

enum log_format {
    LOG_FORMAT_AUTO, /* entries for the journal, text for all others */
    LOG_FORMAT_TEXT,
    LOG_FORMAT_JSON,
};

/* What programs that read the log look for: names and ids stand in log_event.c. */
enum log_event {
    LOG_EVENT_NONE,
    LOG_EVENT_LISTENING,
    LOG_EVENT_RELOADED,
    LOG_EVENT_RELOAD_FAILED,
    LOG_EVENT_STOPPING,
    LOG_EVENT_DRAIN_TIMEOUT,
    LOG_EVENT_STOPPED,
    LOG_EVENT_REFUSED,
    LOG_EVENT_ACCEPT_PAUSED,
    LOG_EVENT_CLOSED, /* of a connection: the access log */
    LOG_EVENTS,
};

/* A figure that goes with an event; its name is lower case with underscores. */
struct log_number {
    const char *name;
    uint64_t value;
};

/* What an event is about. All may be left out, and is borrowed. */
struct log_context {
    const char *listener;
    const char *peer;
    uint64_t connection; /* its number, from 1 */
    uint64_t generation; /* of the configuration, from 1 */
    enum log_event event;
    enum log_level threshold;         /* of the listener; 0: the process's */
    const struct log_number *numbers; /* the last has no name */
};

/* The longest line; what is longer ends in "...". */
#define LOG_LINE_SIZE 1024

/* Where the journal listens. */
#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

/*
 * Chooses the form by what stderr is. Before it, lines come with a timestamp.
 * journal: another socket than LOG_JOURNAL_SOCKET, or NULL.
 */
void log_init(const char *journal);
void log_set_format(enum log_format format);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* Whether everything is logged, whatever the levels are. */
void log_set_debug(bool debug);
bool log_get_debug(void);

/* For tests: every line goes to sink instead of stderr; NULL takes it back. */
void log_set_sink(void (*sink)(enum log_level level, const char *line, void *context),
                  void *context);

/* Logs if level is at or above the process's level. Keeps errno. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_event(enum log_event event, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with a context: a line of text begins with its listener and peer. */
void log_about(const struct log_context *about, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void log_about_v(const struct log_context *about, enum log_level level, const char *format,
                 va_list arguments) __attribute__((format(printf, 3, 0)));

/*
 * For events that a client can cause at will: lets the first of a minute pass,
 * and says how many were held back before it. Zero it to begin. now: milliseconds.
 */
struct log_limit {
    uint64_t open_at;
    unsigned long held_back;
};
bool log_limit_pass(struct log_limit *limit, uint64_t now, unsigned long *held_back);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
