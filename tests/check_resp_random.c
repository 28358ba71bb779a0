/*
 * The RESP parser against a naive one: streams of well-formed, damaged and
 * meaningless requests, in random pieces and under random limits.
 */
#include <ctype.h>
#include "random.h"
#include "resp_feed.h"

enum { STREAMS = 20000, STREAM_MAX = 4096 };

/* --- the naive parser: the whole stream at once, a copy of everything, one limit after another --
 */

struct naive {
    const struct resp_limits *limits;
    const char *text;
    size_t length;
    struct transcript request;
    struct transcript out;
};

static bool naive_fail(struct naive *naive, const char *reason)
{
    note_text(&naive->out, "Protocol error: ");
    note_text(&naive->out, reason);
    return false;
}

/* The length of the line at `at`, with its LF; 0 when it is incomplete or, after a note, too long.
 */
static size_t naive_line(struct naive *naive, size_t at, const char *too_big)
{
    size_t most = naive->limits->max_request;
    if (most > RESP_INLINE_MAX)
        most = RESP_INLINE_MAX + 1;
    for (size_t i = 0; i < most; i++) {
        if (at + i == naive->length)
            return 0;
        if (naive->text[at + i] == '\n')
            return i + 1;
    }
    naive_fail(naive, too_big);
    return 0;
}

/* The number of a header line, by way of the C library: it must print as it was read. */
static bool naive_number(const char *line, size_t length, long long *number)
{
    char text[32] = "";
    char again[32];
    if (length > 30)
        return false;
    memcpy(text, line, length);
    *number = strtoll(text + 1, NULL, 10);
    int size = snprintf(again, sizeof(again), "%c%lld\r\n", line[0], *number);
    return (size_t)size == length && memcmp(text, again, length) == 0;
}

static bool naive_multibulk(struct naive *naive)
{
    size_t at = naive_line(naive, 0, "too big mbulk count string");
    if (at == 0)
        return false;
    long long count;
    if (!naive_number(naive->text, at, &count) ||
        (count > 0 && (unsigned long long)count > naive->limits->max_arguments))
        return naive_fail(naive, "invalid multibulk length");
    for (long long i = 0; i < count; i++) {
        size_t line = naive_line(naive, at, "too big bulk count string");
        if (line == 0)
            return false;
        char got = naive->text[at];
        if (got != '$') {
            char reason[] = "expected '$', got '?'";
            reason[19] = got > 31 && got < 127 ? got : ' ';
            return naive_fail(naive, reason);
        }
        long long length;
        if (!naive_number(naive->text + at, line, &length) || length < 0 || length > RESP_BULK_MAX)
            return naive_fail(naive, "invalid bulk length");
        at += line;
        if (naive->length < at + (size_t)length + 2)
            return false;
        note_word(&naive->request, naive->text + at, (size_t)length);
        at += (size_t)length + 2;
        if (memcmp(naive->text + at - 2, "\r\n", 2) != 0)
            return naive_fail(naive, "bulk string not followed by CRLF");
    }
    if (count > 0 && at > naive->limits->max_request)
        note_text(&naive->out, "big;");
    else {
        note_text(&naive->out, count > 0 ? naive->request.text : "-");
        note_text(&naive->out, ";");
    }
    naive->text += at;
    naive->length -= at;
    return true;
}

static int naive_hex(char c)
{
    const char *digits = "00112233445566778899aAbBcCdDeEfF";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    return found == NULL ? -1 : (int)(found - digits) / 2;
}

/* The escape at text, the backslash, in double quotes: its byte, and its length. */
static char naive_escape(const char *text, size_t *length)
{
    *length = 2;
    switch (text[1]) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'b':
        return '\b';
    case 'a':
        return '\a';
    }
    if (text[1] == 'x' && naive_hex(text[2]) >= 0 && naive_hex(text[3]) >= 0) {
        *length = 4;
        return (char)(naive_hex(text[2]) * 16 + naive_hex(text[3]));
    }
    return text[1];
}

/* A state machine over the line; its LF stands in for the end of the text. */
static bool naive_inline(struct naive *naive)
{
    size_t line = naive_line(naive, 0, "too big inline request");
    if (line == 0)
        return false;
    enum { SPACE, WORD, QUOTED, CLOSED } state = SPACE;
    char word[STREAM_MAX];
    size_t length = 0;
    size_t words = 0;
    char quote = 0;
    for (const char *p = naive->text; p < naive->text + line; p++) {
        bool space = *p == ' ' || *p == '\t' || *p == '\r' || *p == '\n';
        if (state == SPACE && (space || *p == '\v' || *p == '\f'))
            continue;
        if (state == QUOTED) {
            if (*p == '\n')
                return naive_fail(naive, "unbalanced quotes in request");
            size_t skip = 1;
            char c = *p;
            if (c == '\\' && p[1] != '\n' && quote == '"')
                c = naive_escape(p, &skip);
            else if (c == '\\' && p[1] == '\'')
                c = p[skip++];
            else if (c == quote)
                state = CLOSED;
            if (state == QUOTED)
                word[length++] = c;
            p += skip - 1;
            continue;
        }
        if (state == CLOSED && !space && *p != '\v' && *p != '\f')
            return naive_fail(naive, "unbalanced quotes in request");
        if (state == CLOSED || space) {
            if (words++ == naive->limits->max_arguments)
                return naive_fail(naive, "too big inline request");
            note_word(&naive->request, word, length);
            length = 0;
            state = SPACE;
        } else if (*p == '"' || *p == '\'') {
            quote = *p;
            state = QUOTED;
        } else {
            word[length++] = *p;
            state = WORD;
        }
    }
    note(&naive->out, naive->request.text, naive->request.length);
    note_text(&naive->out, words > 0 ? ";" : "-;");
    naive->text += line;
    naive->length -= line;
    return true;
}

static void naive_parse(struct naive *naive)
{
    bool more = true;
    naive->out.length = 0;
    while (more && naive->length > 0) {
        naive->request.length = 0;
        more = naive->text[0] == '*' ? naive_multibulk(naive) : naive_inline(naive);
    }
}

/* --- streams ---------------------------------------------------------------------------- */

static size_t add_request(char *out)
{
    size_t count = below(6);
    size_t length = (size_t)sprintf(out, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        size_t size = below(8) == 0 ? below(120) : below(12);
        length += (size_t)sprintf(out + length, "$%zu\r\n", size);
        for (size_t j = 0; j < size; j++)
            out[length++] = "\r\n$*1a\xff\x01"[below(8)];
        length += (size_t)sprintf(out + length, "\r\n");
    }
    return length;
}

static size_t add_tokens(char *out)
{
    static const char *const tokens[] = {
        "*",    "$",    "-1",  "0",    "1",    "2",      "3",           "10",      "\r\n",
        "\r\n", "\n",   "\r",  " ",    "\t",   "\v",     "\f",          "a",       "x",
        "PING", "\"",   "\"",  "'",    "'",    "\\",     "\\n",         "\\x",     "\\x4f",
        "\\xE", "\\\"", "\\'", "\xff", "\x01", "*1\r\n", "$1\r\na\r\n", "\"a b\"", "'c'",
    };
    size_t length = 0;
    for (size_t count = below(20); count > 0; count--)
        length +=
            (size_t)sprintf(out + length, "%s", tokens[below(sizeof(tokens) / sizeof(*tokens))]);
    if (below(2) == 0)
        length += (size_t)sprintf(out + length, "\n");
    return length;
}

static size_t make_stream(char *out)
{
    size_t length = 0;
    while (length < STREAM_MAX - 1000 && below(12) > 0)
        length += below(3) > 0 ? add_request(out + length) : add_tokens(out + length);
    if (length > 0 && below(3) == 0)
        out[below(length)] = (char)('\n' + below(60)); /* some damage; never a NUL */
    return length;
}

START_TEST(agrees_with_a_naive_parser)
{
    static struct feed feed;
    static struct naive naive;
    static char stream[STREAM_MAX];
    random_begin(_i);
    for (int round = 0; round < STREAMS; round++) {
        size_t length = make_stream(stream);
        struct resp_limits limits = {
            .max_request = below(2) == 0 ? 4096 : 5 + below(200),
            .max_arguments = below(2) == 0 ? 1000 : 1 + below(5),
        };
        naive.limits = &limits;
        naive.text = stream;
        naive.length = length;
        naive_parse(&naive);

        feed_reset(&feed, &limits);
        size_t most = 1 + below(200);
        for (size_t at = 0, piece; at < length; at += piece) {
            piece = 1 + below(most);
            if (piece > length - at)
                piece = length - at;
            feed_bytes(&feed, stream + at, piece);
        }
        ck_assert_msg(feed.out.length == naive.out.length &&
                          memcmp(feed.out.text, naive.out.text, feed.out.length) == 0,
                      "round %d: %.*s\n--> %s\nnot %s", round, (int)length, stream, feed.out.text,
                      naive.out.text);
    }
    feed_reset(&feed, &(struct resp_limits){0});
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resp-random");
    TCase *random_streams = tcase_create("random");
    tcase_set_timeout(random_streams, 60);
    tcase_add_loop_test(random_streams, agrees_with_a_naive_parser, 0, 2);
    suite_add_tcase(suite, random_streams);
    return unit_main(suite);
}
