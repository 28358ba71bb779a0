/*
 * resp: the requests and replies of the Redis serialization protocol.
 *
 * Requests: the RESP2 array of bulk strings, and inline commands (a line of
 * words, so that a person with nc can talk to it). Replies: RESP2 or RESP3.
 * https://redis.io/docs/latest/develop/reference/protocol-spec/
 *
 * Pure: bytes in, values out. The parser is strict (digits only, CRLF where
 * CRLF belongs), incremental (of a request that comes in pieces it looks at the
 * headers in the first of them twice, and at no other byte), and checks every number against its
 * limit before it calculates with it. What a header announces is never
 * allocated in advance.
 */
#ifndef CISTERN_RESP_H
#define CISTERN_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As Redis has them. */
#define RESP_BULK_MAX (512U * 1024 * 1024) /* bytes of one argument */
#define RESP_INLINE_MAX (64U * 1024)       /* bytes of an inline request, or of a header line */

/* An argument: bytes inside the input (or inside the words' scratch, for an inline request). */
struct resp_argument {
    const char *data;
    size_t length;
};

/*
 * The arguments of the request that was parsed last. One serves all the
 * parsers of a thread. Zero it to begin; it grows as arguments really arrive.
 */
struct resp_words {
    size_t count;
    size_t capacity;
    struct resp_argument *items; /* owned */
    char *scratch;               /* owned; unescaped text of an inline request */
};
void resp_words_free(struct resp_words *words);

struct resp_limits {
    size_t max_request;   /* bytes of a whole request; a larger one is skipped */
    size_t max_arguments; /* of one request; more is a protocol error */
};

/* How far the current request has been read: small, one per connection. Zero it to begin. */
struct resp_parser {
    size_t scanned;    /* bytes of the request known to be good; 0 between requests */
    size_t searched;   /* bytes behind them of a line whose end has not come */
    size_t arguments;  /* still to come */
    size_t bulk;       /* length of the argument being read, if in_bulk */
    bool in_multibulk; /* the header of the array was read */
    bool in_bulk;      /* the header of an argument was read */
    bool skipping;     /* over max_request: bytes are consumed and thrown away */
};

enum resp_status {
    RESP_INCOMPLETE, /* more bytes are needed; skipping may have consumed some */
    RESP_REQUEST,    /* words holds a request; *consumed bytes are done with */
    RESP_EMPTY,      /* an empty line or array: nothing to do, nothing to answer */
    RESP_TOO_BIG,    /* a request over max_request has been thrown away whole */
    RESP_ERROR,      /* protocol error: answer error_text, then close */
    RESP_NO_MEMORY,  /* nothing is consumed or lost: the same bytes may be offered again */
};

/*
 * Reads one request from data, which begins where the last *consumed ended.
 * After RESP_INCOMPLETE offer the same bytes (less *consumed; no more than
 * max_request are left) with more behind them. Words stay valid until the input
 * goes or the next call with them.
 * On RESP_ERROR error_text holds the reason, worded as Redis words it:
 * "Protocol error: invalid bulk length".
 */
#define RESP_ERROR_SIZE 64
enum resp_status resp_parse(struct resp_parser *parser, const struct resp_limits *limits,
                            const char *data, size_t length, size_t *consumed,
                            struct resp_words *words, char error_text[RESP_ERROR_SIZE]);

/* --- replies --------------------------------------------------------------- */

/* Where replies go, and in which version of the protocol. */
struct resp_writer {
    int version; /* 2 or 3 */
    void (*write)(void *context, const void *data, size_t length);
    /*
     * A place for so many bytes behind what was written, which are put there
     * before the next call; NULL: write() them. Left out, there is none.
     */
    char *(*append)(void *context, size_t length);
    void *context;
};

void resp_simple(struct resp_writer *writer, const char *text);
/* Text without the leading '-'; CR, LF and other control bytes in it become spaces. */
void resp_error(struct resp_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * !n, of any bytes, in RESP3 only: "CODE text". Clients of today may not know
 * it, so only for those that have said that they do.
 */
void resp_blob_error(struct resp_writer *writer, const char *code, const char *text);
void resp_integer(struct resp_writer *writer, int64_t value);
void resp_boolean(struct resp_writer *writer, bool value); /* #t and #f, or :1 and :0 */
void resp_bulk(struct resp_writer *writer, const void *data, size_t length);
void resp_bulk_text(struct resp_writer *writer, const char *text);
void resp_null(struct resp_writer *writer);       /* $-1 or _ */
void resp_null_array(struct resp_writer *writer); /* *-1 or _ */
void resp_array(struct resp_writer *writer, size_t count);
void resp_map(struct resp_writer *writer, size_t pairs); /* %n, or *2n in RESP2 */
void resp_set(struct resp_writer *writer, size_t count); /* ~n, or *n in RESP2 */
/* =n with "txt:" in RESP3, a bulk string in RESP2. */
void resp_verbatim(struct resp_writer *writer, const char *text, size_t length);

/* --- numbers in arguments ---------------------------------------------------- */

/* A decimal integer as Redis' string2ll takes it: no spaces, no plus, no leading zeros. */
bool resp_parse_integer(struct resp_argument argument, int64_t *value);

/* Case-insensitive comparison of an argument with a word. */
bool resp_is(struct resp_argument argument, const char *word);

#endif
