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

static struct {
    atomic_int level; /* enum log_level; nothing else goes by it, so it is read relaxed */
    bool journal;     /* stderr is journald's: priority prefix, no timestamp */
    void (*sink)(enum log_level level, const char *line, void *context);
    void *context;
} state = {.level = LOG_LEVEL_INFO};

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

void log_init(void)
{
    state.journal = stderr_is_journal();
    event_set_log_callback(on_libevent_message);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&state.level, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load_explicit(&state.level, memory_order_relaxed);
}

void log_set_sink(void (*sink)(enum log_level level, const char *line, void *context),
                  void *context)
{
    state.sink = sink;
    state.context = context;
}

static void write_prefix(char *buffer, size_t size, enum log_level level)
{
    static const char *const names[] = {
        [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_NOTICE] = "notice",
        [LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
    };
    if (state.journal) {
        snprintf(buffer, size, "<%d>", (int)level);
        return;
    }
    struct timespec now;
    struct tm local;
    char date[32], zone[8];
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &local);
    strftime(zone, sizeof zone, "%z", &local);
    snprintf(buffer, size, "%s.%03ld%s %s: ", date, now.tv_nsec / 1000000, zone, names[level]);
}

/* One line stays one line, whatever a client put into it. */
static void sanitize(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == '\x7f')
            *text = '?';
    }
}

__attribute__((format(printf, 2, 0))) static void emit(enum log_level level, const char *format,
                                                       va_list arguments)
{
    int saved = errno;
    char text[LOG_LINE_SIZE];
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length >= (int)sizeof text)
        memcpy(text + sizeof text - sizeof "...", "...", sizeof "...");
    sanitize(text);
    if (state.sink != NULL) {
        state.sink(level, text, state.context);
    } else {
        char line[LOG_LINE_SIZE + 80];
        char prefix[72];
        write_prefix(prefix, sizeof prefix, level);
        int size = snprintf(line, sizeof line, "%s%s\n", prefix, text);
        /* One write, so that lines of several threads do not mix; a full pipe loses it. */
        if (write(STDERR_FILENO, line, (size_t)size) < 0) {
        }
    }
    errno = saved;
}

void log_line(enum log_level level, const char *format, ...)
{
    if (level > log_get_level())
        return;
    va_list arguments;
    va_start(arguments, format);
    emit(level, format, arguments);
    va_end(arguments);
}

void log_line_at(enum log_level threshold, enum log_level level, const char *format, ...)
{
    if (level > threshold)
        return;
    va_list arguments;
    va_start(arguments, format);
    emit(level, format, arguments);
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
