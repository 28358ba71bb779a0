#include "log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "log_record.h"

static struct {
    atomic_int level;
    atomic_int format;
    atomic_bool debug;
    /* Below: not touched while there is more than one thread. */
    bool journal; /* stderr is journald's */
    const char *journal_path;
    int journal_fd;
    void (*sink)(enum log_level level, const char *line, void *context);
    void *context;
} state = {.level = LOG_LEVEL_INFO, .journal_fd = -1};

/* --- settings ---------------------------------------------------------------------- */

/* systemd.exec(5): JOURNAL_STREAM holds device and inode of the journal's stream. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

static void on_libevent_message(int severity, const char *message)
{
    static const enum log_level levels[] = {
        [EVENT_LOG_DEBUG] = LOG_LEVEL_DEBUG,
        [EVENT_LOG_MSG] = LOG_LEVEL_INFO,
        [EVENT_LOG_WARN] = LOG_LEVEL_WARNING,
        [EVENT_LOG_ERR] = LOG_LEVEL_ERROR,
    };
    bool known = severity >= EVENT_LOG_DEBUG && severity <= EVENT_LOG_ERR;
    log_line(known ? levels[severity] : LOG_LEVEL_WARNING, "libevent: %s", message);
}

void log_init(const char *journal)
{
    state.journal = stderr_is_journal();
    state.journal_path = journal == NULL ? LOG_JOURNAL_SOCKET : journal;
    if (state.journal && state.journal_fd < 0)
        state.journal_fd = log_journal_open();
    event_set_log_callback(on_libevent_message);
}

void log_set_format(enum log_format format)
{
    atomic_store_explicit(&state.format, (int)format, memory_order_relaxed);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&state.level, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load_explicit(&state.level, memory_order_relaxed);
}

void log_set_debug(bool debug)
{
    atomic_store_explicit(&state.debug, debug, memory_order_relaxed);
}

bool log_get_debug(void)
{
    return atomic_load_explicit(&state.debug, memory_order_relaxed);
}

void log_set_sink(void (*sink)(enum log_level level, const char *line, void *context),
                  void *context)
{
    state.sink = sink;
    state.context = context;
}

/* --- lines ------------------------------------------------------------------------- */

/* One line stays one line, whatever a client put into it. */
static void sanitize(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == '\x7f')
            *text = '?';
    }
}

/* One write, so that lines of several threads do not mix; a full pipe loses it. */
static void write_line(const char *line, size_t length)
{
    if (write(STDERR_FILENO, line, length) < 0) {
    }
}

static void deliver(const struct log_record *record)
{
    char form[sizeof "<7>" + LOG_FORM_SIZE];
    size_t prefix = state.journal ? (size_t)sprintf(form, "<%d>", (int)record->level) : 0;
    char *body = form + prefix;
    int format = atomic_load_explicit(&state.format, memory_order_relaxed);
    if (state.sink != NULL)
        state.sink(record->level, record->line, state.context);
    else if (format == LOG_FORMAT_JSON)
        write_line(form, prefix + log_json_write(record, body));
    else if (!state.journal)
        write_line(form, log_text_write(record, body));
    else if (format == LOG_FORMAT_TEXT || !log_journal_send(state.journal_fd, state.journal_path,
                                                            body, log_journal_write(record, body)))
        write_line(form, prefix + (size_t)sprintf(body, "%s\n", record->line));
}

/* "LISTENER: PEER: ", as far as there are any. Returns its length. */
static size_t write_subject(const struct log_context *about, char line[LOG_LINE_SIZE])
{
    const char *parts[] = {about->listener, about->peer};
    size_t used = 0;
    for (size_t i = 0; i < 2 && used < LOG_LINE_SIZE / 2; i++) {
        if (parts[i] != NULL)
            used += (size_t)snprintf(line + used, LOG_LINE_SIZE / 4, "%.200s: ", parts[i]);
    }
    return used;
}

void log_about_v(const struct log_context *about, enum log_level level, const char *format,
                 va_list arguments)
{
    enum log_level threshold = about->threshold == 0 ? log_get_level() : about->threshold;
    if (level > threshold && !log_get_debug())
        return;
    int saved = errno;
    char line[LOG_LINE_SIZE];
    size_t subject = write_subject(about, line);
    int length = vsnprintf(line + subject, sizeof line - subject, format, arguments);
    if (length >= (int)(sizeof line - subject))
        memcpy(line + sizeof line - sizeof "...", "...", sizeof "...");
    sanitize(line);
    struct log_record record = {
        .level = level, .about = about, .line = line, .message = line + subject};
    clock_gettime(CLOCK_REALTIME, &record.time);
    deliver(&record);
    errno = saved;
}

void log_about(const struct log_context *about, enum log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_about_v(about, level, format, arguments);
    va_end(arguments);
}

void log_event(enum log_event event, enum log_level level, const char *format, ...)
{
    const struct log_context about = {.event = event};
    va_list arguments;
    va_start(arguments, format);
    log_about_v(&about, level, format, arguments);
    va_end(arguments);
}

void log_line(enum log_level level, const char *format, ...)
{
    const struct log_context about = {0};
    va_list arguments;
    va_start(arguments, format);
    log_about_v(&about, level, format, arguments);
    va_end(arguments);
}

bool log_limit_pass(struct log_limit *limit, uint64_t now, unsigned long *held_back)
{
    if (now < limit->open_at) {
        limit->held_back++;
        return false;
    }
    *held_back = limit->held_back;
    *limit = (struct log_limit){.open_at = now + 60000};
    return true;
}
