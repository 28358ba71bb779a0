#include "parameter.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Words longer than this are no misspellings of ours. */
#define WORD_MAX_LENGTH 40U

const char *text_quote(const char *text, size_t length, char buffer[TEXT_QUOTED_SIZE])
{
    const size_t room = TEXT_QUOTED_SIZE - sizeof("\"...\"");
    size_t shown = length < room ? length : room;
    char *out = buffer;

    *out++ = '"';
    for (size_t i = 0; i < shown; i++)
        *out++ = iscntrl((unsigned char)text[i]) ? '?' : text[i];
    snprintf(out, sizeof("...\""), "%s\"", shown < length ? "..." : "");
    return buffer;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

static bool same_letter(char one, char other)
{
    return tolower((unsigned char)one) == tolower((unsigned char)other);
}

/*
 * How many letters to insert, drop, replace, or swap with their neighbour, to
 * make one of the other, whatever their case (optimal string alignment). Both
 * at most WORD_MAX_LENGTH long.
 */
static size_t edit_distance(const char *one, const char *other)
{
    size_t rows[3][WORD_MAX_LENGTH + 1]; /* the last three of the matrix, in turns */
    size_t length = strlen(other);

    for (size_t j = 0; j <= length; j++)
        rows[0][j] = j;
    for (size_t i = 1; one[i - 1] != '\0'; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t replaced = above[j - 1] + (same_letter(one[i - 1], other[j - 1]) ? 0 : 1);
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, replaced);
            if (i > 1 && j > 1 && same_letter(one[i - 1], other[j - 2]) &&
                same_letter(one[i - 2], other[j - 1]) && rows[(i - 2) % 3][j - 2] + 1 < row[j])
                row[j] = rows[(i - 2) % 3][j - 2] + 1;
        }
    }
    return rows[strlen(one) % 3][length];
}

void suggestion_init(struct suggestion *suggestion, const char *word)
{
    size_t length = strlen(word);

    suggestion->word = word;
    suggestion->best = NULL;
    /* A candidate has to be nearer than this: a third of the letters may be wrong. */
    suggestion->distance = length > WORD_MAX_LENGTH ? 0 : (length + 2) / 3 + 1;
}

void suggestion_offer(struct suggestion *suggestion, const char *candidate)
{
    size_t length = strlen(suggestion->word);

    if (suggestion->distance == 0 || length == 0 || strlen(candidate) > WORD_MAX_LENGTH)
        return;
    size_t distance = edit_distance(suggestion->word, candidate);
    /* An abbreviation is a near miss too: warn for warning. */
    if (length >= 3 && distance > 1 && strncasecmp(suggestion->word, candidate, length) == 0)
        distance = 1;
    if (distance < suggestion->distance) {
        suggestion->distance = distance;
        suggestion->best = candidate;
    }
}
