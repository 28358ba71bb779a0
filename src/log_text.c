/* log_text: "2026-11-22T16:10:27.201+0000 notice: jobs: queue on 127.0.0.1:7379" */
#include "log_record.h"

#include <stdio.h>

size_t log_text_write(const struct log_record *record, char buffer[LOG_FORM_SIZE])
{
    struct tm local;
    char date[32], zone[8];
    localtime_r(&record->time.tv_sec, &local);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &local);
    strftime(zone, sizeof zone, "%z", &local);
    return (size_t)snprintf(buffer, LOG_FORM_SIZE, "%s.%03ld%s %s: %s\n", date,
                            record->time.tv_nsec / 1000000, zone, log_level_name(record->level),
                            record->line);
}
