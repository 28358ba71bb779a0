/* The RESP parser. What Redis answers was taken from redis-server 7.0.15. */
#include "resp_feed.h"
#include "scarcity.h"

static const struct resp_limits roomy = {.max_request = 1 << 20, .max_arguments = 1000};

/* Feeds it whole, in two parts cut at every place, and byte by byte. */
static void check_stream(const struct resp_limits *limits, const char *data, size_t length,
                         const char *expected)
{
    static struct feed feed;
    for (size_t cut = 0; cut < length; cut++) {
        feed_reset(&feed, limits);
        feed_bytes(&feed, data, cut);
        feed_bytes(&feed, data + cut, length - cut);
        ck_assert_msg(strcmp(feed.out.text, expected) == 0, "%s, cut at %zu: %s, not %s", data, cut,
                      feed.out.text, expected);
    }
    feed_reset(&feed, limits);
    for (size_t i = 0; i < length; i++)
        feed_bytes(&feed, data + i, 1);
    ck_assert_str_eq(feed.out.text, expected);
    feed_reset(&feed, limits);
}

/* --- what requests mean --------------------------------------------------------------- */

#define CASE(input, expected)                                                                      \
    {                                                                                              \
        input, sizeof(input) - 1, expected                                                         \
    }
#define BAD_COUNT "Protocol error: invalid multibulk length"
#define BAD_BULK "Protocol error: invalid bulk length"
#define BAD_QUOTES "Protocol error: unbalanced quotes in request"
#define EXPECTED(got) "Protocol error: expected '$', got '" got "'"
#define NO_CRLF "Protocol error: bulk string not followed by CRLF"
#define PING "*1\r\n$4\r\nPING\r\n"

static const struct {
    const char *input;
    size_t length;
    const char *expected;
} streams[] = {
    CASE(PING, "<4:PING>;"),
    CASE("*3\r\n$5\r\nRPUSH\r\n$1\r\nq\r\n$0\r\n\r\n", "<5:RPUSH><1:q><0:>;"),
    CASE("*1\r\n$4\r\n\r\n*1\r\n", "<4:\r\n*1>;"),
    CASE(PING PING "PING\r\n" PING "*0\r\n" PING "*1\r\n",
         "<4:PING>;<4:PING>;<4:PING>;<4:PING>;-;<4:PING>;"),
    CASE("*0\r\nPING\r\n", "-;<4:PING>;"),
    CASE("*-1\r\n*-5\r\nPING\r\n", "-;-;<4:PING>;"),
    CASE("*\r\n", BAD_COUNT),
    CASE("*+1\r\n", BAD_COUNT),
    CASE("*01\r\n", BAD_COUNT),
    CASE("*00\r\n", BAD_COUNT),
    CASE("*-0\r\n", BAD_COUNT),
    CASE("* 1\r\n", BAD_COUNT),
    CASE("*1x\r\n", BAD_COUNT),
    CASE("*:\r\n", BAD_COUNT),
    CASE("*\n", BAD_COUNT),
    CASE("*1\n$4\r\nPING\r\n", BAD_COUNT),
    CASE("*1\r\r\n", BAD_COUNT),
    CASE("*1\rx\n", BAD_COUNT),    /* Redis takes it */
    CASE("*1\0\r\n", BAD_COUNT),   /* Redis waits for ever */
    CASE("*1\r$4\r\n", BAD_COUNT), /* Redis looks at the next byte but one */
    CASE("*2147483648\r\n", BAD_COUNT),
    CASE("*4294967297\r\n", BAD_COUNT),
    CASE("*9223372036854775807\r\n", BAD_COUNT),
    CASE("*9223372036854775808\r\n", BAD_COUNT),
    CASE("*18446744073709551617\r\n", BAD_COUNT),
    CASE("*1\r\n$\r\n", BAD_BULK),
    CASE("*1\r\n$-1\r\n", BAD_BULK),
    CASE("*1\r\n$-0\r\n", BAD_BULK),
    CASE("*1\r\n$00\r\n", BAD_BULK),
    CASE("*1\r\n$04\r\n", BAD_BULK),
    CASE("*1\r\n$+4\r\n", BAD_BULK),
    CASE("*1\r\n$ 4\r\n", BAD_BULK),
    CASE("*1\r\n$4\n", BAD_BULK),
    CASE("*1\r\n$4\0\r\n", BAD_BULK),
    CASE("*1\r\n$536870913\r\n", BAD_BULK),
    CASE("*1\r\n$4294967300\r\n", BAD_BULK),
    CASE("*1\r\n$9223372036854775808\r\n", BAD_BULK),
    CASE("*1\r\n$18446744073709551620\r\n", BAD_BULK),
    CASE("*1\r\nx4\r\n", EXPECTED("x")),
    CASE("*1\r\n*1\r\n", EXPECTED("*")),
    CASE("*1\r\n'\r\n", EXPECTED("'")),
    CASE("*1\r\n\r\n", EXPECTED(" ")),
    CASE("*1\r\n\n", EXPECTED(" ")),
    CASE("*1\r\n\0\r\n", EXPECTED(" ")),
    CASE("*1\r\n\xff\r\n", EXPECTED(" ")),
    CASE("*1\r\n$4\r\nPINGxx", NO_CRLF), /* Redis takes it */
    CASE("*1\r\n$4\r\nPING\rx", NO_CRLF),
    CASE("*1\r\n$4\r\nPING\n\n", NO_CRLF),
    CASE("*1\r\n$4\r\nPING", ""),

    CASE("\r\n\n   \r\n\t\v\f\r\r\nPING\n", "-;-;-;-;<4:PING>;"),
    CASE("  PING  a\tb\rc  \r\n", "<4:PING><1:a><1:b><1:c>;"),
    CASE("a\vb \f c\n", "<3:a\vb><1:c>;"),
    CASE("a *1\r\n", "<1:a><2:*1>;"),
    CASE("\xff\\n\r\n", "<3:\xff\\n>;"),
    CASE("\"PING\" \"a b\" '' \"\"\r\n", "<4:PING><3:a b><0:><0:>;"),
    CASE("a\"b\"\tc'd' e\n", "<2:ab><2:cd><1:e>;"),
    CASE("'a\\'b\\n\\\\ ' \"'\" '\"'\n", "<8:a'b\\n\\\\ ><1:'><1:\">;"),
    CASE("\"a\\x41\\X41\\x4g\\n\\r\\t\\b\\a\\q\\\"\\\\\"\n", "<16:aAX41x4g\n\r\t\b\aq\"\\>;"),
    CASE("\"\\xfF\\xAb\" \"\\x4\" \"\\x\"\n", "<2:\xff\xab><2:x4><1:x>;"),
    CASE("\"a\"b\r\n", BAD_QUOTES),
    CASE("a'b'c\r\n", BAD_QUOTES),
    CASE("\"a\"\"b\"\r\n", BAD_QUOTES),
    CASE("'abc\r\n", BAD_QUOTES),
    CASE("\"abc\r\n", BAD_QUOTES),
    CASE("\"\r\n", BAD_QUOTES),
    CASE("'\n", BAD_QUOTES),
    CASE("a \"b\\\r\n", BAD_QUOTES),
    CASE("\"a\\\"\n", BAD_QUOTES),
    CASE("'a\\'\n", BAD_QUOTES),
    CASE("ok\r\n'\r\nok\r\n", "<2:ok>;" BAD_QUOTES),
};

START_TEST(stream)
{
    check_stream(&roomy, streams[_i].input, streams[_i].length, streams[_i].expected);
}
END_TEST

START_TEST(nul_is_a_byte_as_any_other)
{
    static const char input[] = "a\0b \"\0\"\r\n*1\r\n$2\r\n\0\0\r\n";
    static const char expected[] = "<3:a\0b><1:\0>;<2:\0\0>;";
    static struct feed feed;
    feed_reset(&feed, &roomy);
    feed_bytes(&feed, input, sizeof(input) - 1);
    ck_assert_uint_eq(feed.out.length, sizeof(expected) - 1);
    ck_assert_mem_eq(feed.out.text, expected, sizeof(expected));
    feed_reset(&feed, &roomy);
}
END_TEST

/* --- limits ------------------------------------------------------------------------------ */

/* What becomes of prefix, count times the byte, and suffix, under the limits. */
static const char *outcome(const struct resp_limits *limits, const char *prefix, char byte,
                           size_t count, const char *suffix)
{
    static struct feed feed;
    feed_reset(&feed, limits);
    char *text = malloc(count + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, byte, count);
    feed_bytes(&feed, prefix, strlen(prefix));
    feed_bytes(&feed, text, count);
    feed_bytes(&feed, suffix, strlen(suffix));
    free(text);
    free(feed.rest);
    feed.rest = NULL;
    if (feed.out.length > 80)
        strcpy(feed.out.text, "long");
    return feed.out.text;
}

START_TEST(length_of_lines)
{
    static const size_t max = RESP_INLINE_MAX;
    static const char too_big[] = "Protocol error: too big inline request";
    ck_assert_str_eq(outcome(&roomy, "", ' ', max - 1, "\n"), "-;");
    ck_assert_str_eq(outcome(&roomy, "", ' ', max, "\n"), "-;");
    ck_assert_str_eq(outcome(&roomy, "", ' ', max, ""), "");
    ck_assert_str_eq(outcome(&roomy, "", ' ', max + 1, ""), too_big);
    ck_assert_str_eq(outcome(&roomy, "", ' ', max + 1, "\n"), too_big);
    ck_assert_str_eq(outcome(&roomy, "\"", ' ', max - 2, "\"\n"), "long"); /* fills the scratch */

    ck_assert_str_eq(outcome(&roomy, "*", '1', max - 1, ""), "");
    ck_assert_str_eq(outcome(&roomy, "*", '1', max - 2, "\r\n"), BAD_COUNT);
    ck_assert_str_eq(outcome(&roomy, "*", '1', max, ""),
                     "Protocol error: too big mbulk count string");
    ck_assert_str_eq(outcome(&roomy, "*1\r\n$", '1', max - 1, ""), "");
    ck_assert_str_eq(outcome(&roomy, "*1\r\n$", '1', max - 2, "\r\n"), BAD_BULK);
    ck_assert_str_eq(outcome(&roomy, "*1\r\n$", '1', max, ""),
                     "Protocol error: too big bulk count string");
}
END_TEST

START_TEST(number_of_arguments)
{
    static const struct resp_limits three = {.max_request = 1000, .max_arguments = 3};
    static const char too_many[] = "a b c d\n";
    check_stream(&three, "*2\r\n$1\r\na\r\n$1\r\nb\r\n", 18, "<1:a><1:b>;");
    check_stream(&three, "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n", 25, "<1:a><1:b><1:c>;");
    check_stream(&three, "*4\r\n", 4, BAD_COUNT);
    check_stream(&three, "a b c\n", 6, "<1:a><1:b><1:c>;");
    check_stream(&three, too_many, 8, "Protocol error: too big inline request");
}
END_TEST

START_TEST(length_of_an_argument)
{
    static const struct resp_limits limits = {.max_request = SIZE_MAX, .max_arguments = SIZE_MAX};
    ck_assert_str_eq(outcome(&limits, "*1\r\n$536870911\r\n", 'x', 10, ""), "");
    ck_assert_str_eq(outcome(&limits, "*1\r\n$536870912\r\n", 'x', 10, ""), "");
    ck_assert_str_eq(outcome(&limits, "*1\r\n$536870913\r\n", 'x', 10, ""), BAD_BULK);
    ck_assert_str_eq(outcome(&limits, "*9223372036854775807\r\n", 'x', 0, ""), "");
    ck_assert_str_eq(outcome(&limits, "*9223372036854775808\r\n", 'x', 0, ""), BAD_COUNT);
}
END_TEST

/* A request of two arguments and `length` bytes in all, then PING. */
static void check_size(size_t length, size_t max_request, const char *expected)
{
    char text[128];
    struct resp_limits limits = {.max_request = max_request, .max_arguments = 10};
    size_t second = length - 21; /* from 10 to 99 */
    int size = snprintf(text, sizeof(text), "*2\r\n$4\r\nECHO\r\n$%zu\r\n%0*d\r\n" PING, second,
                        (int)second, 0);
    ck_assert_uint_eq((size_t)size, length + strlen(PING));
    check_stream(&limits, text, (size_t)size, expected);
}

START_TEST(length_of_a_request)
{
    char expected[128];
    snprintf(expected, sizeof(expected), "<4:ECHO><19:%019d>;<4:PING>;", 0);
    check_size(40, 41, expected);
    check_size(40, 40, expected);
    for (size_t max = 14; max < 40; max++)
        check_size(40, max, "big;<4:PING>;");

    static const struct resp_limits limits = {.max_request = 8, .max_arguments = 10};
    check_stream(&limits, "1234567\n", 8, "<7:1234567>;");
    check_stream(&limits, "12345678\n", 9, "Protocol error: too big inline request");
    check_stream(&limits, "*1\r\n$9\r\n123456789xx", 19, NO_CRLF); /* errors hold while skipping */
    check_stream(&limits, "*2\r\n$9\r\n123456789\r\n!", 20, "");
    check_stream(&limits, "*2\r\n$9\r\n123456789\r\n!\n", 21, EXPECTED("!"));
}
END_TEST

START_TEST(skipping_holds_no_memory)
{
    static const struct resp_limits limits = {.max_request = 1000, .max_arguments = 100000};
    static struct feed feed;
    static char zeros[4096];
    feed_reset(&feed, &limits);
    feed_bytes(&feed, "*50001\r\n$40960000\r\n", 19);
    for (int i = 0; i < 10000; i++) {
        feed_bytes(&feed, zeros, sizeof(zeros));
        ck_assert_uint_eq(feed.length, 0);
    }
    feed_bytes(&feed, "\r\n", 2);
    for (int i = 0; i < 50000; i++) {
        feed_bytes(&feed, "$3\r\nabc\r", 8); /* feed_step checks what is left */
        ck_assert_str_eq(feed.out.text, "");
        feed_bytes(&feed, "\n", 1);
    }
    ck_assert_str_eq(feed.out.text, "big;");
    ck_assert_uint_le(feed.words.capacity, 8);
    feed_bytes(&feed, PING, strlen(PING));
    ck_assert_str_eq(feed.out.text, "big;<4:PING>;");
    feed_reset(&feed, &limits);
}
END_TEST

START_TEST(no_memory)
{
    static const char *const requests[] = {PING, "PING\n"};
    const char *request = requests[_i];
    size_t length = strlen(request);
    for (size_t cut = 0; cut < length; cut++) {
        struct resp_parser parser = {0};
        struct resp_words words = {0};
        char error[RESP_ERROR_SIZE];
        size_t consumed;
        enum resp_status status =
            resp_parse(&parser, &roomy, request, cut, &consumed, &words, error);
        ck_assert_int_eq(status, RESP_INCOMPLETE);
        resp_words_free(&words);

        int needed = _i == 0 ? 1 : 2; /* items; for an inline request scratch too */
        for (int given = 0; given <= needed; given++) {
            allocations_left = given;
            status = resp_parse(&parser, &roomy, request, length, &consumed, &words, error);
            allocations_left = -1;
            if (given < needed) {
                ck_assert_int_eq(status, RESP_NO_MEMORY);
                ck_assert_uint_eq(consumed, 0);
                resp_words_free(&words);
            }
        }
        ck_assert_int_eq(status, RESP_REQUEST);
        ck_assert_uint_eq(consumed, length);
        ck_assert_uint_eq(words.count, 1);
        ck_assert_mem_eq(words.items[0].data, "PING", 4);
        resp_words_free(&words);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resp");
    TCase *meaning = tcase_create("meaning");
    tcase_add_loop_test(meaning, stream, 0, (int)(sizeof(streams) / sizeof(streams[0])));
    tcase_add_test(meaning, nul_is_a_byte_as_any_other);
    suite_add_tcase(suite, meaning);
    TCase *limits = tcase_create("limits");
    tcase_add_test(limits, length_of_lines);
    tcase_add_test(limits, number_of_arguments);
    tcase_add_test(limits, length_of_an_argument);
    tcase_add_test(limits, length_of_a_request);
    tcase_add_test(limits, skipping_holds_no_memory);
    tcase_add_loop_test(limits, no_memory, 0, 2);
    suite_add_tcase(suite, limits);
    return unit_main(suite);
}
