/* Answers: see control.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"

/* A newline in the text of a line begins the next. */
static void write_error(struct call *call, const char *code, const char *text)
{
    if (call->client->blob_errors) {
        resp_blob_error(call->reply, code, text);
        return;
    }
    char line[512]; /* resp_error() cuts there */
    size_t used = 0;
    for (; *text != '\0' && used < sizeof line - 2; text++) {
        if (*text != '\n')
            line[used++] = *text;
        else if (text[1] != '\0')
            used += (size_t)snprintf(line + used, sizeof line - used, "; ");
    }
    line[used] = '\0';
    resp_error(call->reply, "%s %s", code, line);
}

void control_error(struct call *call, const char *code, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    write_error(call, code, text);
}

void control_error_report(struct call *call, const char *code, const struct report *report)
{
    char *text = report_text(report);
    write_error(call, code, text != NULL && text[0] != '\0' ? text : "out of memory");
    free(text);
}

void control_ok(struct call *call, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    resp_simple(call->reply, text);
}

static void write_value(struct resp_writer *reply, const struct figure *figure)
{
    switch (figure->kind) {
    case FIGURE_NONE:
        resp_null(reply);
        break;
    case FIGURE_NUMBER:
        resp_integer(reply, figure->number > INT64_MAX ? INT64_MAX : (int64_t)figure->number);
        break;
    case FIGURE_BOOLEAN:
        resp_boolean(reply, figure->number != 0);
        break;
    case FIGURE_TEXT:
        resp_bulk(reply, figure->text, figure->number);
        break;
    }
}

void control_map(struct call *call, const struct figure *figures, size_t count)
{
    resp_map(call->reply, count);
    for (size_t i = 0; i < count; i++) {
        resp_bulk_text(call->reply, figures[i].name);
        write_value(call->reply, &figures[i]);
    }
}
