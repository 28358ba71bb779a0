#include "glob.h"

/*
 * Whether the set that begins behind '[' at `at` has the byte; *end is behind
 * its ']'. A set that is not closed ends with the pattern.
 */
static bool set_has(const char *pattern, size_t length, size_t at, unsigned char byte, size_t *end)
{
    bool negated = at < length && pattern[at] == '^';
    bool found = false;
    if (negated)
        at++;
    while (at < length && pattern[at] != ']') {
        bool escaped = pattern[at] == '\\' && at + 1 < length;
        if (escaped)
            at++;
        unsigned char low = (unsigned char)pattern[at], high = low;
        if (!escaped && at + 2 < length && pattern[at + 1] == '-') {
            high = (unsigned char)pattern[at + 2];
            at += 2;
        }
        if (low > high) {
            unsigned char swapped = low;
            low = high;
            high = swapped;
        }
        found = found || (byte >= low && byte <= high);
        at++;
    }
    *end = at < length ? at + 1 : length;
    return found != negated;
}

/* Matches the one element at `at`, no star, against a byte; *end is behind the element. */
static bool element_matches(const char *pattern, size_t length, size_t at, unsigned char byte,
                            size_t *end)
{
    *end = at + 1;
    switch (pattern[at]) {
    case '?':
        return true;
    case '[':
        return set_has(pattern, length, at + 1, byte, end);
    case '\\':
        if (at + 1 < length) {
            at++;
            *end = at + 1;
        }
        break;
    default:
        break;
    }
    return (unsigned char)pattern[at] == byte;
}

/* Only the last star is ever gone back to: an earlier one could not do better. */
bool glob_match(const char *pattern, size_t pattern_length, const char *name, size_t name_length)
{
    size_t at = 0, in = 0, behind_star = 0, retry = 0;
    bool starred = false;
    while (in < name_length) {
        size_t end;
        if (at < pattern_length && pattern[at] == '*') {
            starred = true;
            behind_star = ++at;
            retry = in;
        } else if (at < pattern_length &&
                   element_matches(pattern, pattern_length, at, (unsigned char)name[in], &end)) {
            at = end;
            in++;
        } else if (starred) {
            at = behind_star;
            in = ++retry;
        } else {
            return false;
        }
    }
    while (at < pattern_length && pattern[at] == '*')
        at++;
    return at == pattern_length;
}
