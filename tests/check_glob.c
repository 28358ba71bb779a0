/* Patterns of names: as Redis documents them, and never slow. */
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "resp/glob.h"
#include "random.h"
#include "unit.h"

/* In blocks of their own size, so that a byte read too many is noticed. */
static bool matches(const char *pattern, size_t pattern_length, const char *name,
                    size_t name_length)
{
    char *copies[] = {malloc(pattern_length + (pattern_length == 0)),
                      malloc(name_length + (name_length == 0))};
    MUST(copies[0] != NULL && copies[1] != NULL);
    memcpy(copies[0], pattern, pattern_length);
    memcpy(copies[1], name, name_length);
    bool result = glob_match(copies[0], pattern_length, copies[1], name_length);
    free(copies[0]);
    free(copies[1]);
    return result;
}

/* --- cases -------------------------------------------------------------------------------------
 */

static const struct glob_case {
    const char *pattern;
    const char *yes[6]; /* names that match */
    const char *no[6];
} cases[] = {
    {"", {""}, {"a"}},
    {"a", {"a"}, {"", "A", "b", "aa"}},
    {"*", {"", "a", "a*b", "/a/.b"}, {NULL}},
    {"**", {"", "a"}, {NULL}},
    {"?", {"a", "?", "/"}, {"", "aa"}},
    {"*?", {"a", "ab"}, {""}},
    {"h?llo", {"hello", "hallo", "hxllo"}, {"hllo", "heello"}},
    {"h*llo", {"hllo", "heeeello"}, {"hell", "hlloo", "ahllo"}},
    {"h[ae]llo", {"hello", "hallo"}, {"hillo", "hllo"}},
    {"h[^e]llo", {"hallo", "hbllo", "h^llo"}, {"hello", "hllo"}},
    {"h[a-b]llo", {"hallo", "hbllo"}, {"hcllo", "h-llo"}},
    {"[b-a]", {"a", "b"}, {"c", "-"}},
    {"[^a-c]", {"d", "-"}, {"a", "b", "c", ""}},
    {"[a-cx-z0]", {"b", "y", "0"}, {"d", "-", "1"}},
    {"[!a]", {"!", "a"}, {"b"}},
    {"[a^]", {"a", "^"}, {"b"}},
    {"[]a", {NULL}, {"", "a", "]a", "]"}},
    {"[^]a", {"xa", "]a"}, {"a", "x"}},
    {"[-a]", {"-", "a"}, {"b"}},
    {"[\\]a]", {"]", "a"}, {"\\", "b"}},
    {"[\\^a]", {"^", "a"}, {"\\", "b"}},
    {"[a\\-c]", {"a", "-", "c"}, {"b", "\\"}},
    {"[\\a-c]", {"a", "-", "c"}, {"b", "\\"}}, /* an escaped byte begins no range */
    {"[abc", {"a", "b", "c"}, {"[", "d", "[abc"}},
    {"[", {NULL}, {"", "[", "a"}},
    {"a\\*b", {"a*b"}, {"axb", "a\\*b", "ab"}},
    {"\\?", {"?"}, {"a", "\\?"}},
    {"\\[a]", {"[a]"}, {"a"}},
    {"\\a", {"a"}, {"\\a"}},
    {"\\\\", {"\\"}, {"\\\\"}},
    {"a\\", {"a\\"}, {"a", "ab"}}, /* nothing follows: it stands for itself */
    {"*a*b*", {"ab", "xaxbx", "aab"}, {"ba", "a", "b", "x"}},
    {"*abc", {"abc", "ababc", "abcabc"}, {"abcab", "ab", "abcx"}},
    {"audit:*", {"audit:", "audit:1"}, {"audit", "audit1", "Audit:1"}},
    {"*[0-9]?", {"a1b", "12"}, {"1", "ab", "1ab"}},
    {"\xc3?", {"\xc3\xa4"}, {"\xc3", "a"}},
    {"[\x80-\xff]", {"\x80", "\xc3", "\xff"}, {"\x7f", "a"}},
};

START_TEST(documented)
{
    const struct glob_case *c = &cases[_i];
    for (size_t i = 0; i < 6 && c->yes[i] != NULL; i++)
        ck_assert_msg(matches(c->pattern, strlen(c->pattern), c->yes[i], strlen(c->yes[i])),
                      "'%s' does not match '%s'", c->pattern, c->yes[i]);
    for (size_t i = 0; i < 6 && c->no[i] != NULL; i++)
        ck_assert_msg(!matches(c->pattern, strlen(c->pattern), c->no[i], strlen(c->no[i])),
                      "'%s' matches '%s'", c->pattern, c->no[i]);
}
END_TEST

START_TEST(nul_is_a_byte)
{
    ck_assert(matches("a\0b", 3, "a\0b", 3));
    ck_assert(!matches("a\0b", 3, "a\0c", 3));
    ck_assert(!matches("a", 1, "a\0", 2));
    ck_assert(matches("a*", 2, "a\0b", 3));
    ck_assert(matches("a?b", 3, "a\0b", 3));
    ck_assert(matches("[\0]", 3, "\0", 1));
    ck_assert(matches("[\0-a]", 5, "A", 1));
}
END_TEST

/* --- at random, against the plainest recursion
 * ---------------------------------------------------- */

/* Patterns of a, b, c, ?, * and sets of two. */
static bool plainly(const char *pattern, const char *name)
{
    if (*pattern == '\0')
        return *name == '\0';
    if (*pattern == '*')
        return plainly(pattern + 1, name) || (*name != '\0' && plainly(pattern, name + 1));
    if (*name == '\0')
        return false;
    if (*pattern == '[') /* of two bytes, as below */
        return (name[0] == pattern[1] || name[0] == pattern[2]) && plainly(pattern + 4, name + 1);
    if (*pattern != '?' && *pattern != *name)
        return false;
    return plainly(pattern + 1, name + 1);
}

START_TEST(agrees_with_recursion)
{
    static const char *const elements[] = {"a", "b", "c", "?", "*", "*", "[ab]", "[bc]"};
    size_t matched = 0;
    random_begin(_i);
    for (int i = 0; i < 200000; i++) {
        char pattern[64] = "", name[16] = "";
        for (size_t n = below(8); n > 0; n--)
            strcat(pattern, elements[below(8)]);
        for (size_t n = below(9), j = 0; j < n; j++)
            name[j] = (char)('a' + below(3));
        bool result = plainly(pattern, name);
        MUST(matches(pattern, strlen(pattern), name, strlen(name)) == result);
        matched += result;
    }
    ck_assert_uint_gt(matched, 1000);
}
END_TEST

/* Any bytes are a pattern: nothing outside of it is read. */
START_TEST(random_bytes)
{
    static const char alphabet[] = "ab*?[]^-\\";
    random_begin(_i);
    for (int i = 0; i < 200000; i++) {
        char pattern[16], name[16];
        size_t pattern_length = below(sizeof pattern), name_length = below(sizeof name);
        for (size_t j = 0; j < pattern_length; j++)
            pattern[j] = alphabet[below(sizeof alphabet)];
        for (size_t j = 0; j < name_length; j++)
            name[j] = alphabet[below(sizeof alphabet)];
        matches(pattern, pattern_length, name, name_length);
    }
}
END_TEST

/* With a step for each way to divide the name among the stars, these would never end. */
START_TEST(many_stars)
{
    enum { STARS = 500, LENGTH = 2000 };
    static const char *const elements[] = {"*a", "*?", "*[ab]", "*a*"};
    static char pattern[STARS * 8], name[LENGTH];
    const char *element = elements[_i];
    size_t length = 0;
    for (int i = 0; i < STARS; i++, length += strlen(element))
        memcpy(pattern + length, element, strlen(element));
    memset(name, 'a', sizeof name);
    pattern[length] = 'b';
    ck_assert(!matches(pattern, length + 1, name, sizeof name));
    name[LENGTH - 1] = 'b';
    ck_assert(matches(pattern, length + 1, name, sizeof name));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("glob");
    TCase *glob = tcase_create("glob");
    tcase_set_timeout(glob, 60);
    tcase_add_loop_test(glob, documented, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(glob, nul_is_a_byte);
    tcase_add_loop_test(glob, agrees_with_recursion, 0, 2);
    tcase_add_loop_test(glob, random_bytes, 0, 2);
    tcase_add_loop_test(glob, many_stars, 0, 4);
    suite_add_tcase(suite, glob);
    return unit_main(suite);
}
