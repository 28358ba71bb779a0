#include "config.h"

#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config_build.h"
#include "config_file.h"
#include "config_text.h"

/* --- the rows -------------------------------------------------------------- */

#define DAY UINT64_C(86400000) /* ms */
/* More connections than one process serves: a larger number is a slip. */
#define CONNECTIONS_MAX 1000000

/* In the order of enum log_level. */
#define LEVELS "error", "warning", "notice", "info", "debug"
static const char *const global_levels[] = {LEVELS, NULL};
static const char *const listener_levels[] = {"inherit", LEVELS, NULL};

/* In the order of enum log_format. */
static const char *const log_formats[] = {"auto", "text", "json", NULL};

const struct parameter config_global_rows[] = {
    {
        .name = "log_level",
        .type = PARAMETER_CHOICE,
        .offset = offsetof(struct global_options, log_level),
        .initial = "info",
        .choices = global_levels,
        .reload = RELOAD_LIVE,
        .help = "the least urgent messages that are logged",
    },
    {
        .name = "drain_timeout",
        .type = PARAMETER_DURATION,
        .flags = PARAMETER_NONE | PARAMETER_FOREVER,
        .offset = offsetof(struct global_options, drain_timeout),
        .initial = "30s",
        .minimum = 1,
        .maximum = 365 * DAY,
        .reload = RELOAD_LIVE,
        .help = "how long connections may take to finish when the daemon stops; none closes them "
                "at once, forever waits for the last",
    },
    {
        .name = "max_connections",
        .type = PARAMETER_COUNT,
        .offset = offsetof(struct global_options, max_connections),
        .initial = "10000",
        .minimum = 1,
        .maximum = CONNECTIONS_MAX,
        .reload = RELOAD_LIVE,
        .help = "the most connections at one time, of all listeners together",
    },
    {
        .name = "max_memory",
        .type = PARAMETER_SIZE,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct global_options, max_memory),
        .initial = "none",
        .minimum = 1024,
        .maximum = UINT64_C(1) << 40,
        .reload = RELOAD_LIVE,
        .help = "the most bytes of items that all listeners hold together",
    },
    {
        .name = "log_format",
        .type = PARAMETER_CHOICE,
        .offset = offsetof(struct global_options, log_format),
        .initial = "auto",
        .choices = log_formats,
        .reload = RELOAD_LIVE,
        .help = "how messages are written: as text, as JSON, or as it suits who reads them",
    },
    {
        .name = "user",
        .type = PARAMETER_USER,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct global_options, user),
        .initial = "none",
        .reload = RELOAD_NEVER,
        .help = "the user that the daemon becomes once it listens",
    },
    {
        .name = "group",
        .type = PARAMETER_GROUP,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct global_options, group),
        .initial = "none",
        .reload = RELOAD_NEVER,
        .help = "the group that it has then, if not the user's own",
        .name = "max_buffered",
        .type = PARAMETER_SIZE,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct global_options, max_buffered),
        .initial = "none",
        .minimum = 64 * 1024,
        .maximum = UINT64_C(1) << 40,
        .reload = RELOAD_LIVE,
        .help = "the most bytes of input and output that wait in all connections together; above "
                "it those that hold any are not read from, and the largest are closed",
    },
    {
        .name = "workers",
        .type = PARAMETER_COUNT,
        .flags = PARAMETER_AUTO,
        .offset = offsetof(struct global_options, workers),
        .initial = "1",
        .minimum = 1,
        .maximum = CONFIG_WORKERS_MAX,
        .reload = RELOAD_NEVER,
        .help = "the threads that serve connections; auto is one for each processor that the "
                "daemon may use",
    },
    {0},
};

const struct parameter config_listener_rows[] = {
    {
        .name = "listen",
        .type = PARAMETER_ADDRESSES,
        .flags = PARAMETER_REQUIRED,
        .offset = offsetof(struct listener_options, listen),
        .reload = RELOAD_REBIND,
        .help = "the addresses to listen on",
    },
    {
        .name = "backlog",
        .type = PARAMETER_COUNT,
        .offset = offsetof(struct listener_options, backlog),
        .initial = "4096",
        .minimum = 1,
        .maximum = 65535,
        .reload = RELOAD_REBIND,
        .help = "how many connections the kernel keeps waiting to be accepted, for each address; "
                "the system may allow fewer",
    },
    {
        .name = "max_connections",
        .type = PARAMETER_COUNT,
        .offset = offsetof(struct listener_options, max_connections),
        .initial = "10000",
        .minimum = 1,
        .maximum = CONNECTIONS_MAX,
        .reload = RELOAD_LIVE,
        .help = "the most connections at one time",
    },
    {
        .name = "max_connections_per_source",
        .type = PARAMETER_COUNT,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct listener_options, max_connections_per_source),
        .initial = "none",
        .minimum = 1,
        .maximum = CONNECTIONS_MAX,
        .reload = RELOAD_LIVE,
        .help = "the most connections of one source at one time",
    },
    {
        .name = "connect_rate",
        .type = PARAMETER_RATE,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct listener_options, connect_rate),
        .initial = "none",
        .minimum = 1,
        .maximum = UINT64_C(3600) * 1000000,
        .reload = RELOAD_LIVE,
        .help = "how many new connections of one source are taken in a time",
    },
    {
        .name = "connect_burst",
        .type = PARAMETER_COUNT,
        .offset = offsetof(struct listener_options, connect_burst),
        .initial = "10",
        .minimum = 1,
        .maximum = 1000000,
        .reload = RELOAD_LIVE,
        .help = "how many connections a source may open at once before connect_rate holds",
    },
    {
        .name = "source_prefix_ipv4",
        .type = PARAMETER_COUNT,
        .offset = offsetof(struct listener_options, source_prefix_ipv4),
        .initial = "32",
        .minimum = 1,
        .maximum = 32,
        .reload = RELOAD_LIVE,
        .help = "the leading bits of an IPv4 address that make a source",
    },
    {
        .name = "source_prefix_ipv6",
        .type = PARAMETER_COUNT,
        .offset = offsetof(struct listener_options, source_prefix_ipv6),
        .initial = "64",
        .minimum = 1,
        .maximum = 128,
        .reload = RELOAD_LIVE,
        .help = "the leading bits of an IPv6 address that make a source",
    },
    {
        .name = "idle_timeout",
        .type = PARAMETER_DURATION,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct listener_options, idle_timeout),
        .initial = "none",
        .minimum = 1,
        .maximum = 365 * DAY,
        .reload = RELOAD_CONNECTIONS,
        .help = "a connection on which nothing moves for so long is closed",
    },
    {
        .name = "request_timeout",
        .type = PARAMETER_DURATION,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct listener_options, request_timeout),
        .initial = "none",
        .minimum = 1,
        .maximum = 365 * DAY,
        .reload = RELOAD_CONNECTIONS,
        .help = "how long a request that has begun may take to come in whole",
    },
    {
        .name = "write_timeout",
        .type = PARAMETER_DURATION,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct listener_options, write_timeout),
        .initial = "none",
        .minimum = 1,
        .maximum = 365 * DAY,
        .reload = RELOAD_CONNECTIONS,
        .help = "a connection whose peer takes nothing of what waits for it for so long is closed",
    },
    {
        .name = "read_rate",
        .type = PARAMETER_BYTE_RATE,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct listener_options, read_rate),
        .initial = "none",
        .minimum = 1024,
        .maximum = UINT64_C(1) << 40,
        .reload = RELOAD_CONNECTIONS,
        .help = "how fast one connection is read from",
    },
    {
        .name = "write_rate",
        .type = PARAMETER_BYTE_RATE,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct listener_options, write_rate),
        .initial = "none",
        .minimum = 1024,
        .maximum = UINT64_C(1) << 40,
        .reload = RELOAD_CONNECTIONS,
        .help = "how fast one connection is written to",
    },
    {
        .name = "keepalive",
        .type = PARAMETER_BOOLEAN,
        .offset = offsetof(struct listener_options, keepalive),
        .initial = "yes",
        .reload = RELOAD_CONNECTIONS,
        .help = "whether TCP looks after silent connections, to notice peers that vanished",
    },
    {
        .name = "nodelay",
        .type = PARAMETER_BOOLEAN,
        .offset = offsetof(struct listener_options, nodelay),
        .initial = "yes",
        .reload = RELOAD_CONNECTIONS,
        .help = "whether TCP sends small packets at once instead of gathering them",
    },
    {
        .name = "log_level",
        .type = PARAMETER_CHOICE,
        .offset = offsetof(struct listener_options, log_level),
        .initial = "inherit",
        .choices = listener_levels,
        .reload = RELOAD_LIVE,
        .help = "the least urgent messages of this listener that are logged",
    },
    {
        .name = "access_log",
        .type = PARAMETER_BOOLEAN,
        .offset = offsetof(struct listener_options, access_log),
        .initial = "no",
        .reload = RELOAD_LIVE,
        .help = "whether the end of each connection is logged, whatever the log_level",
    },
    {
        .name = "access_log_rate",
        .type = PARAMETER_COUNT,
        .offset = offsetof(struct listener_options, access_log_rate),
        .initial = "100",
        .minimum = 1,
        .maximum = 1000000,
        .reload = RELOAD_LIVE,
        .help = "the most lines of access_log in a second; what is left out is counted",
    },
    {
        .name = "socket_mode",
        .type = PARAMETER_MODE,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct listener_options, socket_mode),
        .initial = "none",
        .reload = RELOAD_REBIND,
        .help = "the permissions of unix sockets; none leaves them to the umask",
    },
    {
        .name = "socket_owner",
        .type = PARAMETER_USER,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct listener_options, socket_owner),
        .initial = "none",
        .reload = RELOAD_REBIND,
        .help = "the user that unix sockets belong to",
    },
    {
        .name = "socket_group",
        .type = PARAMETER_GROUP,
        .flags = PARAMETER_NONE,
        .offset = offsetof(struct listener_options, socket_group),
        .initial = "none",
        .reload = RELOAD_REBIND,
        .help = "the group that unix sockets belong to",
    },
    {0},
};

/* --- reports --------------------------------------------------------------- */

/* Takes over text, which is NULL when memory is out. */
static void insert_line(struct report *report, unsigned position, char *text)
{
    size_t index = report->count;

    if (text == NULL || report->count == CONFIG_ERRORS_MAX) {
        free(text);
        report->dropped++;
        return;
    }
    for (; index > 0 && report->positions[index - 1] > position; index--) {
        report->lines[index] = report->lines[index - 1];
        report->positions[index] = report->positions[index - 1];
    }
    report->lines[index] = text;
    report->positions[index] = position;
    report->count++;
}

void report_add(struct report *report, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) == -1)
        text = NULL;
    va_end(arguments);
    insert_line(report, UINT_MAX, text);
}

void report_add_at(struct report *report, const char *path, unsigned line, const char *format, ...)
{
    char message[4 * PARAMETER_WHY_SIZE];
    char *text;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    int length = line == 0 ? asprintf(&text, "%s: %s", path, message)
                           : asprintf(&text, "%s:%u: %s", path, line, message);
    insert_line(report, line, length == -1 ? NULL : text);
}

char *report_text(const struct report *report)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < report->count; i++)
        fprintf(out, "%s\n", report->lines[i]);
    if (report->dropped > 0)
        fprintf(out, "and %zu more errors\n", report->dropped);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

void report_clear(struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->lines[i]);
    *report = (struct report){0};
}

/* --- loading --------------------------------------------------------------- */

struct config *config_parse(const char *name, const char *text, size_t length,
                            struct report *report)
{
    size_t errors = report->count + report->dropped;
    struct config_text scanned;
    struct config *config = NULL;

    if (config_text_scan(&scanned, name, text, length, report) && config_file_check(&scanned))
        config = config_build(&scanned);
    config_text_clear(&scanned);
    if (report->count + report->dropped > errors) {
        config_free(config);
        config = NULL;
    }
    return config;
}

struct config *config_load(const char *path, struct report *report)
{
    size_t length;
    char *text = config_file_read(path, &length, report);
    struct config *config = NULL;

    if (text != NULL)
        config = config_parse(path, text, length, report);
    free(text);
    return config;
}

static void clear_section(struct config_section *section)
{
    if (section->block != NULL)
        parameters_clear(section->rows, section->block);
    free(section->block);
    free(section->lines);
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->listener_count; i++) {
        clear_section(&config->listeners[i].generic);
        clear_section(&config->listeners[i].parameters);
        free(config->listeners[i].name);
    }
    free(config->listeners);
    clear_section(&config->generic);
    free(config->path);
    free(config);
}

/* --- asking ---------------------------------------------------------------- */

unsigned config_line_of(const struct config_section *section, const char *key)
{
    for (size_t i = 0; section->rows[i].name != NULL; i++) {
        if (strcmp(section->rows[i].name, key) == 0)
            return section->lines[i];
    }
    return 0;
}

const struct config_listener *config_find_listener(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        if (strcmp(config->listeners[i].name, name) == 0)
            return &config->listeners[i];
    }
    return NULL;
}

/* Where they cannot be counted, as on more than 1,024 of them, there are enough for the maximum. */
static unsigned count_processors(void)
{
    cpu_set_t allowed;

    if (sched_getaffinity(0, sizeof(allowed), &allowed) == -1)
        return CONFIG_WORKERS_MAX;
    return (unsigned)CPU_COUNT(&allowed);
}

unsigned config_workers(const struct config *config)
{
    if (config->options->workers != PARAMETER_IS_AUTO)
        return (unsigned)config->options->workers;
    unsigned processors = count_processors();
    return processors < CONFIG_WORKERS_MAX ? processors : CONFIG_WORKERS_MAX;
}

unsigned config_reserved_descriptors(unsigned workers)
{
    return CONFIG_RESERVED_FDS + (workers - 1) * CONFIG_WORKER_FDS;
}

enum log_level config_log_level(const struct config *config)
{
    return (enum log_level)(LOG_LEVEL_ERROR + config->options->log_level);
}

enum log_level config_listener_log_level(const struct config *config,
                                         const struct config_listener *listener)
{
    if (listener->options->log_level == 0)
        return config_log_level(config);
    return (enum log_level)(LOG_LEVEL_ERROR + listener->options->log_level - 1);
}
