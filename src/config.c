#include "config.h"

#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config_build.h"
#include "config_file.h"
#include "config_text.h"

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
