/*
 * log_record: an event on its way from log.c into one of its forms.
 *
 * Each form is written into the caller's buffer, which holds the longest there
 * can be, and returns its length.
 */
#ifndef CISTERN_LOG_RECORD_H
#define CISTERN_LOG_RECORD_H

#include <stddef.h>
#include <time.h>

#include "log.h"

struct log_record {
    enum log_level level;
    const struct log_context *about; /* never NULL */
    const char *line;                /* with listener and peer in front; no control bytes */
    const char *message;             /* without: the end of line */
    struct timespec time;            /* CLOCK_REALTIME */
};

/* Room for any form of a line: in JSON a byte may take three, and there are names and numbers. */
#define LOG_FORM_SIZE (3 * LOG_LINE_SIZE + 2048)

const char *log_level_name(enum log_level level);
/* NULL for LOG_EVENT_NONE. */
const char *log_event_name(enum log_event event);
/* 128 bits in lower-case hexadecimal, for MESSAGE_ID (systemd.journal-fields(7)). */
const char *log_event_id(enum log_event event);

size_t log_text_write(const struct log_record *record, char buffer[LOG_FORM_SIZE]);
size_t log_json_write(const struct log_record *record, char buffer[LOG_FORM_SIZE]);
size_t log_journal_write(const struct log_record *record, char buffer[LOG_FORM_SIZE]);

/* A socket to send to journals by, or -1. */
int log_journal_open(void);
/* False when nobody took it. */
bool log_journal_send(int fd, const char *path, const char *entry, size_t length);

#endif
