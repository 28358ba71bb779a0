/* reader: lines and bodies. What a line means is the dialect's. */
#include "load.h"

#include <string.h>

/* Bytes of a body; returns how many. */
static size_t read_body(struct reader *reader, const char *data, size_t length)
{
    size_t taken = length < reader->skip ? length : reader->skip;
    size_t room = sizeof reader->body - reader->body_length;
    size_t kept = taken < room ? taken : room;
    memcpy(reader->body + reader->body_length, data, kept);
    reader->body_length += kept;
    reader->skip -= taken;
    return taken;
}

/* Bytes of a line with its LF; returns how many. A line is cut to what there is room for. */
static size_t read_line(struct reader *reader, const char *data, size_t length)
{
    const char *end = memchr(data, '\n', length);
    size_t taken = end == NULL ? length : (size_t)(end - data) + 1;
    size_t room = sizeof reader->line - 1 - reader->line_length;
    size_t kept = taken < room ? taken : room;
    memcpy(reader->line + reader->line_length, data, kept);
    reader->line_length += kept;
    reader->line[reader->line_length] = '\0';
    return taken;
}

/* A body, or a line without one, is there: is it the reply? */
static enum reading end_part(struct reader *reader, enum reading reading)
{
    if (reader->elements > 0)
        reader->elements--;
    return reader->elements > 0 ? READING_MORE : reading;
}

static enum reading end_line(struct reader *reader, const struct dialect *dialect)
{
    enum reading reading = dialect->line(reader);
    reader->line_length = 0;
    reader->body_length = 0;
    return reading == READING_MORE ? reading : end_part(reader, reading);
}

enum reading reader_read(struct reader *reader, const struct dialect *dialect, const char **data,
                         size_t *length)
{
    enum reading reading = READING_MORE;
    while (*length > 0 && reading == READING_MORE) {
        size_t taken;
        if (reader->skip > 0) {
            taken = read_body(reader, *data, *length);
            if (reader->skip == 0)
                reading = end_part(reader, READING_COMPLETE);
        } else {
            taken = read_line(reader, *data, *length);
            if ((*data)[taken - 1] == '\n')
                reading = end_line(reader, dialect);
        }
        *data += taken;
        *length -= taken;
    }
    return reading;
}
