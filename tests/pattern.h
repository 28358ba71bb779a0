/* pattern: bytes that long streams are cut from; a shifted, lost or doubled piece shows. */
#ifndef CISTERN_TESTS_PATTERN_H
#define CISTERN_TESTS_PATTERN_H

#include <string.h>

#include "must.h"
#include "stage.h"

#define PATTERN_SIZE ((size_t)4 * 1024 * 1024)

static char pattern[PATTERN_SIZE];

static inline void pattern_fill(void)
{
    for (size_t i = 0; i < PATTERN_SIZE; i++)
        pattern[i] = (char)(i * 7 + i / 251 + i / 65521);
}

/* The peer has received so many bytes from the beginning of the pattern, and nothing else. */
static inline void pattern_expect(const struct peer *peer, size_t length)
{
    MUST(peer_received(peer) == length);
    MUST(memcmp(peer_data(peer), pattern, length) == 0);
}

#endif
