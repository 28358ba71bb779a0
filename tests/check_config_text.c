#include "config_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static struct report report;
static struct config_text scanned;

static bool scan(const char *text, size_t length)
{
    return config_text_scan(&scanned, "test.conf", text, length, &report);
}

static void clear(void)
{
    config_text_clear(&scanned);
    report_clear(&report);
}

static const char *token_text(size_t index)
{
    static char text[64];
    const struct config_token *token = &scanned.tokens[index];

    ck_assert_uint_lt(index, scanned.count);
    snprintf(text, sizeof(text), "%.*s", (int)token->length, scanned.bytes + token->offset);
    return text;
}

START_TEST(tokens_know_their_lines)
{
    static const char text[] = "# one \" { '\n"
                               "## two\r\n"
                               "\tlog_level = info # \"{\n"
                               "\n"
                               "listener \"a # no comment\" # comment\n"
                               "{#\n"
                               "listen={\"x\",# first\n"
                               "# {\n"
                               "\"\\\"\\\\\\$\"#\n"
                               "} }";
    static const struct {
        enum config_token_kind kind;
        const char *text;
        unsigned line;
    } expected[] = {
        {TOKEN_WORD, "log_level", 3},
        {TOKEN_EQUALS, "=", 3},
        {TOKEN_WORD, "info", 3},
        {TOKEN_WORD, "listener", 5},
        {TOKEN_STRING, "\"a # no comment\"", 5},
        {TOKEN_OPEN, "{", 6},
        {TOKEN_WORD, "listen", 7},
        {TOKEN_EQUALS, "=", 7},
        {TOKEN_OPEN, "{", 7},
        {TOKEN_STRING, "\"x\"", 7},
        {TOKEN_COMMA, ",", 7},
        {TOKEN_STRING, "\"\\\"\\\\\\$\"", 9},
        {TOKEN_CLOSE, "}", 10},
        {TOKEN_CLOSE, "}", 10},
    };

    ck_assert(scan(text, strlen(text)));
    ck_assert_uint_eq(scanned.count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < scanned.count; i++) {
        ck_assert_int_eq(scanned.tokens[i].kind, expected[i].kind);
        ck_assert_str_eq(token_text(i), expected[i].text);
        ck_assert_uint_eq(scanned.tokens[i].line, expected[i].line);
    }
    clear();
}
END_TEST

START_TEST(statements_know_their_place)
{
    /*                          0 1 2 3        4   5 6 7 8 9   10  11 12   13 14 */
    static const char text[] = "a = 1 listener \"x\" { b = { \"p\", q } echo { } }";
    uint32_t statement = config_text_first(&scanned, CONFIG_TOP);

    ck_assert(scan(text, strlen(text)));
    ck_assert_uint_eq(statement, 0);
    ck_assert(!config_text_is_section(&scanned, statement));
    ck_assert_uint_eq(scanned.tokens[statement].parent, CONFIG_TOP);

    uint32_t listener = config_text_next(&scanned, statement);
    ck_assert(config_text_is(&scanned, listener, "listener"));
    ck_assert(!config_text_is(&scanned, listener, "listen"));
    ck_assert(!config_text_is(&scanned, listener, "listeners"));
    ck_assert(config_text_is_section(&scanned, listener));
    ck_assert_ptr_eq(config_text_title(&scanned, listener), &scanned.tokens[4]);
    ck_assert(config_text_at_end(&scanned, CONFIG_TOP, config_text_next(&scanned, listener)));

    statement = config_text_first(&scanned, listener);
    ck_assert_str_eq(token_text(statement), "b");
    ck_assert_uint_eq(scanned.tokens[statement].parent, listener);
    ck_assert_uint_eq(scanned.tokens[11].statement, statement);
    statement = config_text_next(&scanned, statement);
    ck_assert_str_eq(token_text(statement), "echo");
    ck_assert_ptr_null(config_text_title(&scanned, statement));
    ck_assert(config_text_at_end(&scanned, statement, config_text_first(&scanned, statement)));
    ck_assert(config_text_at_end(&scanned, listener, config_text_next(&scanned, statement)));
    clear();
}
END_TEST

static const char *const good[] = {
    "",
    "\n\n",
    "# only a comment",
    "# only a comment, with bytes \xff\x01\n",
    "a=1",
    "a = { }",
    "a = { 1 }",
    "a = { 1, }",
    "a = \"\"",
    "a = \"h\xc3\xa9 * : / ' + ( ) ; #\"",
    "a = \"\\${NO_SUCH_VARIABLE}\"",
    "a = \"$ $x $\"",
    "a = \"${CISTERN_TEST}${CISTERN_TEST}\"",
    "a { b { c { d { e { f { g { h { x = 1 } } } } } } } }",
    "a { } b { } c { } d { } e { } f { } g { } h { } i { } j { }",
};

START_TEST(takes)
{
    setenv("CISTERN_TEST", "", 1);
    ck_assert_msg(scan(good[_i], strlen(good[_i])), "%s: %s", good[_i], report.lines[0]);
    ck_assert_uint_eq(report.count, 0);
    clear();
}
END_TEST

/* One error each, word for word where it matters. */
static const struct {
    const char *text;
    const char *error;
} bad[] = {
    /* What libconfuse skips, or takes for something else. */
    {"a = *:7", "test.conf:1: a: '*' is not allowed outside double quotes; "
                "put the value in double quotes"},
    {"\n# c\n\na = x+b", "test.conf:4: a: '+' is not"},
    {"a += 1", "test.conf:1: a: '+' is not"},
    {"include(\"/etc/passwd\")", "test.conf:1: '(' is not"},
    {"a = 'b'", "test.conf:1: a: ''' is not"},
    {"// c\n", "test.conf:1: '/' is not allowed outside double quotes; put the value in double "
               "quotes, and begin a comment with #"},
    {"/* c */", "test.conf:1: '/' is not"},
    {"a = 127.0.0.1:7007", "test.conf:1: a: ':' is not"},
    {"a = unix:/x", "test.conf:1: a: ':' is not"},
    {"a = 1;", "test.conf:1: a: ';' is not"},
    {"a = ${HOME}", "test.conf:1: a: '$' is not"},
    {"a = 1 ;", "test.conf:1: ';' is not"},
    {"a = h\xc3\xa9", "test.conf:1: a: the byte 0xc3 is not allowed outside double quotes"},
    {"\xef\xbb\xbf"
     "a = 1",
     "test.conf:1: the byte 0xef is not"},
    {"a = 1\v", "test.conf:1: a: the byte 0x0b is not"},
    /* Quotes. */
    {"a = \"x\n", "test.conf:1: a: a double quote that is not closed on its line"},
    {"a = \"x", "test.conf:1: a: a double quote that is not closed"},
    {"a = \"x\\\"", "test.conf:1: a: a double quote that is not closed"},
    {"a = { \"x,\n\"y\" }", "test.conf:1: a: a double quote that is not closed"},
    {"a = x\"", "test.conf:1: a double quote that is not closed"},
    {"# \"\na {\n b = \"x\\\n\"\n}", "test.conf:3: a: b: a stray backslash"},
    {"a = \"\\n\"", "test.conf:1: a: a stray backslash; allowed: \\\", \\\\, \\$"},
    {"a = \"\\0\"", "test.conf:1: a: a stray backslash"},
    {"a = \"\\", "test.conf:1: a: a stray backslash"},
    {"a = \"x\ty\"", "test.conf:1: a: a control character (0x09) in double quotes"},
    {"\na = \"${NO_SUCH_VARIABLE}\"",
     "test.conf:2: a: ${NO_SUCH_VARIABLE} is not set in the environment"},
    {"a = \"${NO_SUCH_VARIABLE:-x}\"", "test.conf:1: a: \"${\" does not begin a variable"},
    {"a = \"${}\"", "test.conf:1: a: \"${\" does not begin a variable"},
    {"a = \"${HOME\"", "test.conf:1: a: \"${\" does not begin a variable"},
    {"a = \"${HOME", "test.conf:1: a: \"${\" does not begin a variable"},
    /* Braces. */
    {"a {\n", "test.conf:1: a: the section opened on line 1 is never closed"},
    {"# c\n# c\na \"x\" {\n b {\n }\n",
     "test.conf:3: a \"x\": the section opened on line 3 is never closed"},
    {"a {\n\nb {\n", "test.conf:3: a: b: the section opened on line 3 is never closed"},
    {"a { # }\n", "test.conf:1: a: the section opened"},
    {"a { b = \"}\"\n", "test.conf:1: a: the section opened"},
    {"a { }\n}\n", "test.conf:2: found }; expected: a section that is open"},
    {"a { b { c { d { e { f { g { h { i { } } } } } } } } }",
     "a: b: c: d: e: f: g: h: i: more than 8 sections in one another"},
    /* Statements. */
    {"a", "test.conf:1: a: the file ends; expected: = behind an option, or { of a section"},
    {"a\n=\n\n", "test.conf:2: a: the file ends; expected: a value behind ="},
    {"a = {\n1,\n", "test.conf:2: a: the file ends; expected: a value, or }"},
    {"a 1", "test.conf:1: a: found 1; expected: = behind an option"},
    {"a = = 1", "test.conf:1: a: found =; expected: a value behind ="},
    {"a = , 1", "test.conf:1: a: found ,; expected: a value behind ="},
    {"b { a = }", "test.conf:1: b: a: found }; expected: a value behind ="},
    {"a = { 1 2 }", "test.conf:1: a: found 2; expected: , or }"},
    {"a = { , }", "test.conf:1: a: found ,; expected: a value"},
    {"a = { 1,, }", "test.conf:1: a: found ,; expected: a value"},
    {"a = { { 1 } }", "test.conf:1: a: found {; expected: a value"},
    {"a = 1, b = 2", "test.conf:1: found ,; expected: the name of an option or a section"},
    {"\"a\" = 1", "test.conf:1: found \"a\"; expected: the name of an option or a section, "
                  "without quotes"},
    {"\"a|b\" = 1", "test.conf:1: found \"a|b\"; expected: the name"},
    {"= 1", "test.conf:1: found =; expected: the name"},
    {"{ }", "test.conf:1: found {; expected: the name"},
    {"a \"x\" = 1", "test.conf:1: a \"x\": found =; expected: {"},
    {"a \"x\" \"y\" { }", "test.conf:1: a \"x\": found \"y\"; expected: {"},
};

START_TEST(refuses)
{
    unsetenv("NO_SUCH_VARIABLE");
    ck_assert_msg(!scan(bad[_i].text, strlen(bad[_i].text)), "%s", bad[_i].text);
    ck_assert_uint_eq(report.count, 1);
    ck_assert_msg(strstr(report.lines[0], bad[_i].error) != NULL, "%s: %s", bad[_i].text,
                  report.lines[0]);
    clear();
}
END_TEST

START_TEST(nul_bytes_are_refused_everywhere)
{
    static const char text[] = "# comment\na = \"x\"\n";

    for (size_t i = 0; i < strlen(text); i++) {
        char copy[sizeof(text)];
        memcpy(copy, text, sizeof(text));
        copy[i] = '\0';
        ck_assert(!scan(copy, strlen(text)));
        /* The line's own end counts to the line. */
        ck_assert_str_eq(report.lines[0],
                         i < 10 ? "test.conf:1: a NUL byte" : "test.conf:2: a NUL byte");
        clear();
    }
}
END_TEST

/* A buffer of exactly the length, so that a sanitizer sees one byte too far. */
START_TEST(every_prefix_ends_well)
{
    static const char text[] = "# c\na = { \"x\\\"${HOME}\" , y } # c\nb \"t\" { c = 1 }\n";

    setenv("HOME", "/", 0);
    for (size_t length = 0; length <= strlen(text); length++) {
        char *copy = malloc(length + 1);
        memmove(copy, text, length);
        bool whole = scan(copy, length);
        ck_assert_uint_eq(report.count, whole ? 0 : 1);
        clear();
        free(copy);
    }
}
END_TEST

START_TEST(the_number_of_tokens_is_bounded)
{
    static const char statement[] = "a=1\n";
    size_t fitting = CONFIG_TOKENS_MAX / 3;
    size_t length = (fitting + 1) * strlen(statement);
    char *text = malloc(length);

    for (size_t at = 0; at < length; at++)
        text[at] = statement[at % strlen(statement)];
    ck_assert(scan(text, fitting * strlen(statement)));
    ck_assert_uint_eq(scanned.count, 3 * fitting);
    clear();
    ck_assert(!scan(text, length));
    ck_assert_ptr_nonnull(strstr(report.lines[0], "more than 65536 words and signs"));
    clear();
    free(text);
}
END_TEST

START_TEST(the_number_of_titles_is_bounded)
{
    static const char section[] = "a\"\"{}\n";
    static const char outer[] = "x \"y\" {\n";
    size_t length = strlen(outer) + (CONFIG_TITLES_MAX + 1) * strlen(section) + 1;
    char *text = malloc(length + 1);
    char *end = stpcpy(text, outer);

    for (size_t i = 0; i <= CONFIG_TITLES_MAX; i++)
        end = stpcpy(end, section);
    ck_assert(!scan(text, length - 1));
    ck_assert_str_eq(report.lines[0], "test.conf:1026: x \"y\": a \"\": more than 1024 sections "
                                      "with a title beside one another");
    clear();
    /* One fewer, and the brace of the outer one. */
    stpcpy(end - strlen(section), "}");
    ck_assert(scan(text, strlen(text)));
    clear();
    free(text);
}
END_TEST

START_TEST(statements_are_found_by_name)
{
    /*                          0 1   2 3 4 5 6 7 8   9 10 11    14 15  16 17 */
    static const char text[] = "a \"1\" { b = 1 } a \"2\" { } b = 3 a \"3\" { b = 2 }";

    ck_assert(scan(text, strlen(text)));
    ck_assert_uint_eq(config_text_find(&scanned, CONFIG_TOP, "a", 0), 0);
    ck_assert_uint_eq(config_text_find(&scanned, CONFIG_TOP, "a", 1), 7);
    ck_assert_uint_eq(config_text_find(&scanned, CONFIG_TOP, "a", 2), 14);
    ck_assert_uint_eq(config_text_find(&scanned, CONFIG_TOP, "a", 3), CONFIG_TOP);
    ck_assert_uint_eq(config_text_find(&scanned, CONFIG_TOP, "b", 0), 11);
    ck_assert_uint_eq(config_text_find(&scanned, 14, "b", 0), 17);
    ck_assert_uint_eq(config_text_find(&scanned, 7, "b", 0), CONFIG_TOP);
    scanned.tokens[7].dropped = true;
    ck_assert_uint_eq(config_text_find(&scanned, CONFIG_TOP, "a", 1), 14);
    clear();
}
END_TEST

START_TEST(messages_are_bounded)
{
    static char text[CONFIG_FILE_MAX];
    size_t third = sizeof(text) / 3;

    memset(text, 'a', sizeof(text));
    text[third] = '"';
    text[2 * third] = '"';
    ck_assert(!scan(text, sizeof(text)));
    ck_assert_uint_lt(strlen(report.lines[0]), 1000);
    clear();
}
END_TEST

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

int main(void)
{
    Suite *suite = suite_create("config_text");
    TCase *tcase = tcase_create("config_text");
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, tokens_know_their_lines);
    tcase_add_test(tcase, statements_know_their_place);
    tcase_add_loop_test(tcase, takes, 0, LENGTH(good));
    tcase_add_loop_test(tcase, refuses, 0, LENGTH(bad));
    tcase_add_test(tcase, nul_bytes_are_refused_everywhere);
    tcase_add_test(tcase, every_prefix_ends_well);
    tcase_add_test(tcase, the_number_of_tokens_is_bounded);
    tcase_add_test(tcase, the_number_of_titles_is_bounded);
    tcase_add_test(tcase, statements_are_found_by_name);
    tcase_add_test(tcase, messages_are_bounded);
    return unit_main(suite);
}
