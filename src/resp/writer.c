/* Replies, and the numbers and words of arguments: see resp.h. */
#include "resp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static void put(struct resp_writer *writer, const void *data, size_t length)
{
    writer->write(writer->context, data, length);
}

static void put_text(struct resp_writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

/* Where so many bytes of a reply are put together: in place, if that can be, or else at `own`. */
static char *begin(struct resp_writer *writer, size_t length, char *own)
{
    char *at = writer->append != NULL ? writer->append(writer->context, length) : NULL;
    return at != NULL ? at : own;
}

static void end(struct resp_writer *writer, const char *at, size_t length, const char *own)
{
    if (at == own)
        put(writer, own, length);
}

/* A line of a type byte and a number: sign, 20 digits, CRLF. */
#define NUMBER_SIZE 24U

struct number {
    char type;
    bool negative;
    uint64_t magnitude;
    unsigned digits;
};

static inline struct number number_of(char type, bool negative, uint64_t magnitude)
{
    struct number number = {type, negative, magnitude, 1};
    for (uint64_t most = 9; magnitude > most && number.digits < 20; most = most * 10 + 9)
        number.digits++;
    return number;
}

static inline size_t number_size(const struct number *number)
{
    return 1 + number->negative + number->digits + 2;
}

/* Writes the line, and returns its end. By hand: printf costs more than all the rest. */
static inline char *print_number(char *at, const struct number *number)
{
    uint64_t rest = number->magnitude;
    *at++ = number->type;
    if (number->negative)
        *at++ = '-';
    for (unsigned i = number->digits; i > 0; i--, rest /= 10)
        at[i - 1] = (char)('0' + rest % 10);
    return mempcpy(at + number->digits, "\r\n", 2);
}

static void put_number(struct resp_writer *writer, char type, bool negative, uint64_t magnitude)
{
    char own[NUMBER_SIZE];
    const struct number number = number_of(type, negative, magnitude);
    char *at = begin(writer, number_size(&number), own);
    print_number(at, &number);
    end(writer, at, number_size(&number), own);
}

void resp_simple(struct resp_writer *writer, const char *text)
{
    put(writer, "+", 1);
    put_text(writer, text);
    put(writer, "\r\n", 2);
}

void resp_error(struct resp_writer *writer, const char *format, ...)
{
    char text[512]; /* a longer one is cut */
    va_list arguments;
    va_start(arguments, format);
    int printed = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);

    size_t length = printed < 0 ? 0 : (size_t)printed;
    if (length >= sizeof(text))
        length = sizeof(text) - 1;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = ' ';
    put(writer, "-", 1);
    put(writer, text, length);
    put(writer, "\r\n", 2);
}

void resp_integer(struct resp_writer *writer, int64_t value)
{
    bool negative = value < 0;
    put_number(writer, ':', negative, negative ? 0 - (uint64_t)value : (uint64_t)value);
}

void resp_blob_error(struct resp_writer *writer, const char *code, const char *text)
{
    put_number(writer, '!', false, strlen(code) + 1 + strlen(text));
    put_text(writer, code);
    put(writer, " ", 1);
    put_text(writer, text);
    put(writer, "\r\n", 2);
}

void resp_boolean(struct resp_writer *writer, bool value)
{
    if (writer->version == 3)
        put_text(writer, value ? "#t\r\n" : "#f\r\n");
    else
        resp_integer(writer, value);
}

/* A longer one is not put together: a copy more costs more than two calls more. */
#define BULK_GATHERED 4096U

void resp_bulk(struct resp_writer *writer, const void *data, size_t length)
{
    const struct number number = number_of('$', false, length);
    size_t size = number_size(&number) + length + 2;
    char *at = NULL;
    if (length <= BULK_GATHERED && writer->append != NULL)
        at = writer->append(writer->context, size);
    if (at == NULL) {
        put_number(writer, '$', false, length);
        put(writer, data, length);
        put(writer, "\r\n", 2);
        return;
    }
    at = print_number(at, &number);
    if (length > 0) /* else data may be NULL */
        at = mempcpy(at, data, length);
    memcpy(at, "\r\n", 2);
}

void resp_bulk_text(struct resp_writer *writer, const char *text)
{
    resp_bulk(writer, text, strlen(text));
}

void resp_null(struct resp_writer *writer)
{
    put_text(writer, writer->version == 3 ? "_\r\n" : "$-1\r\n");
}

void resp_null_array(struct resp_writer *writer)
{
    put_text(writer, writer->version == 3 ? "_\r\n" : "*-1\r\n");
}

void resp_array(struct resp_writer *writer, size_t count)
{
    put_number(writer, '*', false, count);
}

void resp_map(struct resp_writer *writer, size_t pairs)
{
    if (writer->version == 3)
        put_number(writer, '%', false, pairs);
    else
        put_number(writer, '*', false, pairs * 2);
}

void resp_set(struct resp_writer *writer, size_t count)
{
    put_number(writer, writer->version == 3 ? '~' : '*', false, count);
}

void resp_verbatim(struct resp_writer *writer, const char *text, size_t length)
{
    if (writer->version != 3) {
        resp_bulk(writer, text, length);
        return;
    }
    put_number(writer, '=', false, length + 4);
    put(writer, "txt:", 4);
    put(writer, text, length);
    put(writer, "\r\n", 2);
}

/* --- numbers in arguments ----------------------------------------------------- */

bool resp_parse_integer(struct resp_argument argument, int64_t *value)
{
    const char *digits = argument.data;
    size_t length = argument.length;
    bool negative = length > 0 && *digits == '-';
    if (negative) {
        digits++;
        length--;
    }
    if (length == 0 || length > 19) /* of 19 digits none overflows 64 bits unsigned */
        return false;
    if (*digits == '0') {
        *value = 0;
        return length == 1 && !negative;
    }
    uint64_t magnitude = 0;
    for (size_t i = 0; i < length; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return false;
        magnitude = magnitude * 10 + (uint64_t)(digits[i] - '0');
    }
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    /* The detour by one keeps INT64_MIN from overflowing on its way. */
    *value = negative ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
    return true;
}

bool resp_is(struct resp_argument argument, const char *word)
{
    return strlen(word) == argument.length &&
           strncasecmp(argument.data, word, argument.length) == 0;
}
