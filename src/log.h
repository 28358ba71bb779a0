/*
 * log: one line an event, on stderr.
 *
 * Under systemd (stderr is the journal, see sd_journal_stream_fd(3) and
 * JOURNAL_STREAM in systemd.exec(5)) a line begins with its priority as `<N>`
 * (sd-daemon(3)); elsewhere with a timestamp. Control bytes become '?', so
 * that no client can forge a line. libevent's own messages come the same way.
 *
 * The sink and the level are the process's, as stderr is: libevent's log
 * callback has no room for a context, so they are static inside log.c. Any thread
 * may log, ask and set the level; form and sink are set while there is one.
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

/* The longest line; what is longer ends in "...". */
#define LOG_LINE_SIZE 1024

/* Chooses the form by what stderr is. Before it, lines come with a timestamp. */
void log_init(void);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* For tests: every line goes to sink instead of stderr; NULL takes it back. */
void log_set_sink(void (*sink)(enum log_level level, const char *line, void *context),
                  void *context);

/* Logs if level is at or above the process's level. Keeps errno. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with a threshold of its own: a listener's. */
void log_line_at(enum log_level threshold, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

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
