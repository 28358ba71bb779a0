/*
 * resp_feed: a stream of requests, fed to the parser in pieces.
 */
#ifndef CISTERN_TESTS_RESP_FEED_H
#define CISTERN_TESTS_RESP_FEED_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "resp/resp.h"
#include "must.h"
#include "unit.h"

/*
 * What a parser made of a stream, as text: "<3:SET><1:a>;" for a request, "-;"
 * for an empty one, "big;" for one too big, the error's text for an error,
 * which ends the stream.
 */
struct transcript {
    char text[128 * 1024];
    size_t length;
};

static inline void note(struct transcript *out, const void *data, size_t length)
{
    MUST(length < sizeof(out->text) - out->length);
    memcpy(out->text + out->length, data, length);
    out->length += length;
    out->text[out->length] = '\0';
}

static inline void note_text(struct transcript *out, const char *text)
{
    note(out, text, strlen(text));
}

static inline void note_word(struct transcript *out, const char *data, size_t length)
{
    char head[32];
    snprintf(head, sizeof(head), "<%zu:", length);
    note_text(out, head);
    note(out, data, length);
    note_text(out, ">");
}

/* A connection's side of the parser: it keeps what is not consumed, as the daemon does. */
struct feed {
    struct resp_parser parser;
    struct resp_limits limits;
    struct resp_words words;
    char *rest; /* of exactly its size, so that a sanitizer sees a byte too far */
    size_t length;
    bool failed;
    struct transcript out;
};

/* One call; true when there may be more. */
static inline bool feed_step(struct feed *feed)
{
    static const struct resp_parser none;
    char error[RESP_ERROR_SIZE];
    size_t consumed = SIZE_MAX;
    enum resp_status status = resp_parse(&feed->parser, &feed->limits, feed->rest, feed->length,
                                         &consumed, &feed->words, error);
    MUST(status != RESP_NO_MEMORY);
    MUST(consumed <= feed->length);
    if (status == RESP_REQUEST) {
        for (size_t i = 0; i < feed->words.count; i++)
            note_word(&feed->out, feed->words.items[i].data, feed->words.items[i].length);
        note_text(&feed->out, ";");
    } else if (status == RESP_EMPTY) {
        note_text(&feed->out, "-;");
    } else if (status == RESP_TOO_BIG) {
        note_text(&feed->out, "big;");
    } else if (status == RESP_ERROR) {
        note_text(&feed->out, error);
        feed->failed = true;
        return false;
    }
    feed->length -= consumed;
    memmove(feed->rest, feed->rest + consumed, feed->length);
    if (status == RESP_INCOMPLETE) {
        MUST(consumed == 0 || feed->parser.skipping);
        MUST(feed->length <= feed->limits.max_request);
        return false;
    }
    MUST(consumed > 0);
    MUST(memcmp(&feed->parser, &none, sizeof(none)) == 0);
    return true;
}

static inline void feed_bytes(struct feed *feed, const char *data, size_t length)
{
    if (feed->failed)
        return;
    char *grown = malloc(feed->length + length + (feed->length + length == 0));
    MUST(grown != NULL);
    if (feed->length > 0)
        memcpy(grown, feed->rest, feed->length);
    memcpy(grown + feed->length, data, length);
    free(feed->rest);
    feed->rest = grown;
    feed->length += length;
    while (feed_step(feed))
        ;
}

static inline void feed_reset(struct feed *feed, const struct resp_limits *limits)
{
    free(feed->rest);
    resp_words_free(&feed->words);
    memset(&feed->parser, 0, sizeof(feed->parser)); /* padding too: compared as bytes */
    feed->limits = *limits;
    feed->rest = NULL;
    feed->length = 0;
    feed->failed = false;
    feed->out.length = 0;
    feed->out.text[0] = '\0';
}

#endif
