/* Requests: see resp.h. */
#include "parts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "../rarely.h"

/*
 * One call of resp_parse. Its steps return RESP_REQUEST when they are done and
 * the next may follow; every other status is the one of the call.
 */
struct call {
    struct resp_parser *parser;
    const struct resp_limits *limits;
    const char *data; /* the request begins here; while skipping, its rest */
    size_t length;
    struct resp_words *words;
    char *error_text;
};

static enum resp_status fail(const struct call *call, const char *reason)
{
    snprintf(call->error_text, RESP_ERROR_SIZE, "Protocol error: %s", reason);
    return RESP_ERROR;
}

/* --- lines ------------------------------------------------------------------ */

/*
 * Finds the end of the line that begins behind the scanned bytes: *line is its
 * length, LF included. max_request bounds the line too, so that what is left of the
 * input after RESP_INCOMPLETE never exceeds it.
 */
static enum resp_status find_line(const struct call *call, size_t *line, const char *too_big)
{
    struct resp_parser *parser = call->parser;
    const char *start = call->data + parser->scanned;
    size_t rest = call->length - parser->scanned;
    size_t most = RESP_INLINE_MAX + 1;
    if (most > call->limits->max_request)
        most = call->limits->max_request;

    size_t end = rest < most ? rest : most;
    size_t at = parser->searched;
    const char *found = at < end ? memchr(start + at, '\n', end - at) : NULL;
    if (found != NULL) {
        *line = (size_t)(found - start) + 1;
        parser->searched = 0;
        return RESP_REQUEST;
    }
    parser->searched = rest;
    return rest < most ? RESP_INCOMPLETE : fail(call, too_big);
}

/*
 * Reads the number between the type byte and the CRLF of a header line. Redis
 * looks for the CR alone and takes any byte behind it, and waits for ever for a
 * line that has a NUL in it; here both are errors.
 */
static bool header_number(const char *start, size_t line, int64_t *number)
{
    if (line < 3 || start[line - 2] != '\r')
        return false;
    return resp_parse_integer((struct resp_argument){start + 1, line - 3}, number);
}

/* --- multibulk, whole -------------------------------------------------------- */

static inline unsigned digit_value(char c)
{
    return (unsigned char)(c - '0'); /* above 9: it is no digit */
}

/*
 * Reads a header line of one to nine digits, without a needless zero. Returns
 * its end; NULL for all other lines, and for a line that has not come whole.
 */
static inline const char *plain_header(const char *at, const char *end, char type, size_t *number)
{
    if (end - at < 4 || *at != type || digit_value(at[1]) > 9)
        return NULL;
    size_t value = digit_value(at[1]);
    for (at += 2; *at != '\r'; at++) {
        if (digit_value(*at) > 9 || end - at < 3 || value == 0 || value > 99999999)
            return NULL;
        value = value * 10 + digit_value(*at);
    }
    *number = value;
    return at[1] == '\n' ? at + 2 : NULL;
}

/*
 * The short cut for nearly all requests, in one pass: all of it has come, and
 * every number is plain. False for all others, of which the steps below tell
 * what they are; nothing has changed then but the words.
 */
static bool parse_whole(const struct resp_limits *limits, const char *data, size_t size,
                        size_t *consumed, struct resp_words *words)
{
    const char *end = data + (size < limits->max_request ? size : limits->max_request);
    size_t count, length;
    const char *at = plain_header(data, end, '*', &count);
    words->count = 0;
    if (at == NULL || count == 0 || count > limits->max_arguments)
        return false;
    while (count-- > 0) {
        at = plain_header(at, end, '$', &length);
        if (at == NULL || length > RESP_BULK_MAX || (size_t)(end - at) < length + 2 ||
            memcmp(at + length, "\r\n", 2) != 0 || !resp_words_add(words, at, length))
            return false;
        at += length + 2;
    }
    *consumed = (size_t)(at - data);
    return true;
}

/* --- multibulk, step by step -------------------------------------------------- */

static enum resp_status read_count(const struct call *call, size_t *consumed)
{
    struct resp_parser *parser = call->parser;
    int64_t count;
    size_t line;
    enum resp_status status = find_line(call, &line, "too big mbulk count string");
    if (status != RESP_REQUEST)
        return status;
    if (!header_number(call->data, line, &count))
        return fail(call, "invalid multibulk length");
    if (count <= 0) { /* as in Redis, a null array is an empty one */
        *consumed = line;
        return RESP_EMPTY;
    }
    /* Redis has a fixed limit (2^31 - 1) here, with the same words. */
    if ((uint64_t)count > call->limits->max_arguments)
        return fail(call, "invalid multibulk length");
    parser->arguments = (size_t)count;
    parser->in_multibulk = true;
    parser->scanned = line;
    return RESP_REQUEST;
}

static enum resp_status unexpected(const struct call *call, char got)
{
    char reason[] = "expected '$', got ' '";
    if (isprint((unsigned char)got))
        reason[sizeof(reason) - 3] = got;
    return fail(call, reason);
}

static enum resp_status read_bulk_header(const struct call *call)
{
    struct resp_parser *parser = call->parser;
    int64_t length;
    size_t line;
    enum resp_status status = find_line(call, &line, "too big bulk count string");
    if (status != RESP_REQUEST)
        return status;
    const char *start = call->data + parser->scanned;
    if (*start != '$')
        return unexpected(call, *start);
    if (!header_number(start, line, &length))
        return fail(call, "invalid bulk length");
    if (length < 0 || length > RESP_BULK_MAX)
        return fail(call, "invalid bulk length");
    parser->bulk = (size_t)length;
    parser->in_bulk = true;
    parser->scanned += line;
    size_t most = call->limits->max_request;
    if (parser->scanned > most || most - parser->scanned < parser->bulk + 2)
        parser->skipping = true;
    return RESP_REQUEST;
}

/* Reads an argument's bytes and the CRLF behind them, which Redis does not look at. */
static enum resp_status read_bulk(const struct call *call)
{
    struct resp_parser *parser = call->parser;
    size_t rest = call->length - parser->scanned;
    if (parser->skipping) {
        size_t skip = rest < parser->bulk ? rest : parser->bulk;
        parser->scanned += skip;
        parser->bulk -= skip;
        rest -= skip;
    }
    if (rest < 2 || rest - 2 < parser->bulk)
        return RESP_INCOMPLETE;

    const char *start = call->data + parser->scanned;
    size_t length = parser->bulk;
    if (start[length] != '\r' || start[length + 1] != '\n')
        return fail(call, "bulk string not followed by CRLF");
    parser->scanned += length + 2;
    parser->arguments--;
    parser->in_bulk = false;
    return RESP_REQUEST;
}

/* The number of a header line that was found good before; moves behind the line. */
static size_t reread_number(const char **text)
{
    size_t number = 0;
    for ((*text)++; **text != '\r'; (*text)++)
        number = number * 10 + (size_t)(**text - '0');
    *text += 2;
    return number;
}

/* Collects the words of a request that is complete now. */
static bool collect_words(const struct call *call)
{
    const char *text = call->data;
    size_t count = reread_number(&text);
    if (!resp_words_reserve(call->words, count))
        return false;
    call->words->count = count;
    for (size_t i = 0; i < count; i++) {
        size_t length = reread_number(&text);
        call->words->items[i] = (struct resp_argument){text, length};
        text += length + 2;
    }
    return true;
}

static enum resp_status read_arguments(const struct call *call)
{
    struct resp_parser *parser = call->parser;
    while (parser->arguments > 0) {
        enum resp_status status = parser->in_bulk ? read_bulk(call) : read_bulk_header(call);
        if (status != RESP_REQUEST)
            return status;
    }
    return RESP_REQUEST;
}

static enum resp_status parse_multibulk(const struct call *call, size_t *consumed)
{
    struct resp_parser *parser = call->parser;
    enum resp_status status = RESP_REQUEST;
    if (!parser->in_multibulk)
        status = read_count(call, consumed);
    if (status == RESP_REQUEST)
        status = read_arguments(call);
    if (status == RESP_INCOMPLETE) {
        if (call->length > call->limits->max_request)
            parser->skipping = true;
        if (parser->skipping) {
            *consumed = parser->scanned;
            parser->scanned = 0;
        }
    }
    if (status != RESP_REQUEST)
        return status;

    if (parser->skipping)
        status = RESP_TOO_BIG;
    else if (!collect_words(call))
        return RESP_NO_MEMORY;
    *consumed = parser->scanned;
    *parser = (struct resp_parser){0};
    return status;
}

/* --- inline ----------------------------------------------------------------- */

static enum resp_status parse_inline(const struct call *call, size_t *consumed)
{
    size_t line;
    enum resp_status status = find_line(call, &line, "too big inline request");
    if (status != RESP_REQUEST)
        return status;
    const char *end = call->data + line - 1; /* the CR is white space; a lone LF will do */
    const char *reason;
    status = resp_split_line(call->data, end, call->limits->max_arguments, call->words, &reason);
    if (status == RESP_ERROR)
        return fail(call, reason);
    if (status == RESP_REQUEST || status == RESP_EMPTY)
        *consumed = line;
    return status;
}

/* ---------------------------------------------------------------------------- */

/* All that is not a whole multibulk request of plain numbers, or not yet. */
static RARELY enum resp_status parse_steps(struct resp_parser *parser,
                                           const struct resp_limits *limits, const char *data,
                                           size_t length, size_t *consumed,
                                           struct resp_words *words,
                                           char error_text[RESP_ERROR_SIZE])
{
    struct call call = {parser, limits, data, length, words, error_text};
    *consumed = 0;
    words->count = 0;
    if (length == 0)
        return RESP_INCOMPLETE;
    if (parser->in_multibulk || data[0] == '*')
        return parse_multibulk(&call, consumed);
    return parse_inline(&call, consumed);
}

enum resp_status resp_parse(struct resp_parser *parser, const struct resp_limits *limits,
                            const char *data, size_t length, size_t *consumed,
                            struct resp_words *words, char error_text[RESP_ERROR_SIZE])
{
    if (parser->in_multibulk || length == 0 || !parse_whole(limits, data, length, consumed, words))
        return parse_steps(parser, limits, data, length, consumed, words, error_text);
    parser->searched = 0;
    return RESP_REQUEST;
}
