/* parts: between parser.c and line.c, not for others. */
#ifndef CISTERN_RESP_PARTS_H
#define CISTERN_RESP_PARTS_H

#include "resp.h"

/* Room for so many; false when memory is out. */
bool resp_words_reserve(struct resp_words *words, size_t capacity);

static inline bool resp_words_add(struct resp_words *words, const char *data, size_t length)
{
    if (words->count == words->capacity && !resp_words_reserve(words, words->capacity * 2 + 8))
        return false;
    words->items[words->count++] = (struct resp_argument){data, length};
    return true;
}

/*
 * Adds the words between text and end, `most` of them, quotes and escapes undone:
 * RESP_REQUEST; RESP_EMPTY if there are none; RESP_NO_MEMORY; RESP_ERROR with the reason.
 */
enum resp_status resp_split_line(const char *text, const char *end, size_t most,
                                 struct resp_words *words, const char **reason);

#endif
