#include "format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- text of clients ---------------------------------------------------------------------- */

/* The length of the UTF-8 character that begins there (RFC 3629); 0 if none does. */
static size_t character_length(const unsigned char *text, size_t length)
{
    unsigned char first = text[0];
    size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size == 0 || first > 0xf4 || size > length)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    bool overlong = (first == 0xe0 && text[1] < 0xa0) || (first == 0xf0 && text[1] < 0x90);
    bool surrogate = first == 0xed && text[1] > 0x9f;
    return overlong || surrogate || (first == 0xf4 && text[1] > 0x8f) ? 0 : size;
}

/* --- for people ------------------------------------------------------------------------ */

const char *format_bytes(uint64_t bytes, char text[FORMAT_SIZE])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    while (unit < 6 && bytes >> (10 * unit) >= 1024)
        unit++;
    if (unit == 0)
        snprintf(text, FORMAT_SIZE, "%" PRIu64 " B", bytes);
    else
        snprintf(text, FORMAT_SIZE, "%.1f %s", (double)bytes / (double)(UINT64_C(1) << 10 * unit),
                 units[unit]);
    return text;
}

/* The two largest units: 250ms, 12.3s, 3m12s, 2h05m, 4d03h. */
const char *format_duration(uint64_t ms, char text[FORMAT_SIZE])
{
    uint64_t s = ms / 1000;
    if (ms < 1000)
        snprintf(text, FORMAT_SIZE, "%" PRIu64 "ms", ms);
    else if (s < 60)
        snprintf(text, FORMAT_SIZE, "%" PRIu64 ".%" PRIu64 "s", s, ms % 1000 / 100);
    else if (s < 3600)
        snprintf(text, FORMAT_SIZE, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(text, FORMAT_SIZE, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
    else
        snprintf(text, FORMAT_SIZE, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
    return text;
}

static const char *format_time(int64_t seconds, char text[FORMAT_SIZE])
{
    struct tm local;
    time_t when = (time_t)seconds;
    localtime_r(&when, &local);
    strftime(text, FORMAT_SIZE, "%Y-%m-%d %H:%M:%S", &local);
    return text;
}

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

static const char *format_number(const char *name, int64_t number, char text[FORMAT_SIZE])
{
    if (number >= 0 && ends_with(name, "_ms"))
        return format_duration((uint64_t)number, text);
    if (number >= 0 && strstr(name, "bytes") != NULL)
        return format_bytes((uint64_t)number, text);
    if (ends_with(name, "_at"))
        return format_time(number, text);
    snprintf(text, FORMAT_SIZE, "%" PRId64, number);
    return text;
}

/* Whether a terminal would take it as a command: C0, C1, DEL. */
static bool is_control(const unsigned char *text)
{
    return text[0] < ' ' || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0);
}

static char *format_text(const struct value *value)
{
    const unsigned char *text = (const unsigned char *)value->text;
    char *copy = malloc(value->length + 1), *end = copy;
    if (copy == NULL)
        return NULL;
    for (size_t i = 0, size; i < value->length; i += size) {
        size = character_length(text + i, value->length - i);
        bool shows = size > 0 && !is_control(text + i);
        end = mempcpy(end, shows ? (const char *)text + i : "?", shows ? size : 1);
        size = size == 0 ? 1 : size;
    }
    *end = '\0';
    return copy;
}

char *format_value(const char *name, const struct value *value)
{
    char text[FORMAT_SIZE];
    switch (value->kind) {
    case VALUE_NUMBER:
        return strdup(format_number(name, value->number, text));
    case VALUE_BOOLEAN:
        return strdup(value->number != 0 ? "yes" : "no");
    case VALUE_TEXT:
    case VALUE_ERROR:
        return format_text(value);
    case VALUE_NONE:
    case VALUE_LIST:
    case VALUE_MAP:
        break;
    }
    return strdup("-");
}

/* --- for programs ------------------------------------------------------------------------ */

static void json_text(const struct value *value, FILE *out)
{
    const unsigned char *text = (const unsigned char *)value->text;
    putc('"', out);
    for (size_t i = 0; i < value->length;) {
        size_t size = character_length(text + i, value->length - i);
        if (size == 0)
            fputs("\\ufffd", out);
        else if (text[i] < ' ' || text[i] == 0x7f)
            fprintf(out, "\\u%04x", text[i]);
        else if (text[i] == '"' || text[i] == '\\')
            fprintf(out, "\\%c", text[i]);
        else
            fwrite(text + i, 1, size, out);
        i += size == 0 ? 1 : size;
    }
    putc('"', out);
}

static void json_items(const struct value *value, FILE *out)
{
    bool is_map = value->kind == VALUE_MAP;
    putc(is_map ? '{' : '[', out);
    for (size_t i = 0; i < value->count; i++) {
        if (i > 0)
            fputs(is_map && i % 2 == 1 ? ": " : ", ", out);
        format_json(&value->items[i], out);
    }
    putc(is_map ? '}' : ']', out);
}

void format_json(const struct value *value, FILE *out)
{
    switch (value->kind) {
    case VALUE_NONE:
        fputs("null", out);
        break;
    case VALUE_NUMBER:
        fprintf(out, "%" PRId64, value->number);
        break;
    case VALUE_BOOLEAN:
        fputs(value->number != 0 ? "true" : "false", out);
        break;
    case VALUE_TEXT:
    case VALUE_ERROR:
        json_text(value, out);
        break;
    case VALUE_LIST:
    case VALUE_MAP:
        json_items(value, out);
        break;
    }
}
