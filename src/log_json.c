/*
 * log_json: one object a line (RFC 8259), with the time in UTC (RFC 3339).
 *
 *   {"time":"2026-11-22T16:10:27.201Z","level":"notice","event":"listening",
 *    "listener":"jobs","generation":1,"message":"queue on 127.0.0.1:7379"}
 */
#include "log_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* U+FFFD, for bytes that are no UTF-8. */
#define REPLACEMENT "\xef\xbf\xbd"

/* The length of the well-formed sequence at text (RFC 3629), or 0. */
static size_t utf8_length(const unsigned char *text)
{
    static const struct {
        unsigned char first, last, second_first, second_last;
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t form = 0, length = 1;
    while (form < sizeof forms / sizeof forms[0] &&
           (text[0] < forms[form].first || text[0] > forms[form].last))
        form++;
    if (form == sizeof forms / sizeof forms[0])
        return 0;
    if (forms[form].length == 1)
        return 1;
    if (text[1] < forms[form].second_first || text[1] > forms[form].second_last)
        return 0;
    for (length = 2; length < forms[form].length; length++) {
        if (text[length] < 0x80 || text[length] > 0xbf)
            return 0;
    }
    return length;
}

/* A string in quotes; it has no control bytes. Returns its length. */
static size_t write_string(char *out, const char *text)
{
    char *begin = out;
    *out++ = '"';
    while (*text != '\0') {
        size_t length = utf8_length((const unsigned char *)text);
        if (*text == '"' || *text == '\\')
            *out++ = '\\';
        memcpy(out, length == 0 ? REPLACEMENT : text, length == 0 ? 3 : length);
        out += length == 0 ? 3 : length;
        text += length == 0 ? 1 : length;
    }
    *out++ = '"';
    return (size_t)(out - begin);
}

static size_t write_member(char *out, const char *name, const char *text)
{
    if (text == NULL)
        return 0;
    size_t length = (size_t)sprintf(out, ",\"%s\":", name);
    return length + write_string(out + length, text);
}

static size_t write_number(char *out, const char *name, uint64_t value)
{
    return value == 0 ? 0 : (size_t)sprintf(out, ",\"%s\":%" PRIu64, name, value);
}

size_t log_json_write(const struct log_record *record, char buffer[LOG_FORM_SIZE])
{
    const struct log_context *about = record->about;
    struct tm utc;
    gmtime_r(&record->time.tv_sec, &utc);
    char *out = buffer;
    out += strftime(out, 64, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &utc);
    out += sprintf(out, ".%03ldZ\"", record->time.tv_nsec / 1000000);
    out += write_member(out, "level", log_level_name(record->level));
    out += write_member(out, "event", log_event_name(about->event));
    out += write_member(out, "listener", about->listener);
    out += write_member(out, "peer", about->peer);
    out += write_number(out, "connection", about->connection);
    out += write_number(out, "generation", about->generation);
    for (const struct log_number *number = about->numbers; number != NULL && number->name != NULL;
         number++)
        out += sprintf(out, ",\"%s\":%" PRIu64, number->name, number->value);
    out += write_member(out, "message", record->message);
    out += sprintf(out, "}\n");
    return (size_t)(out - buffer);
}
