/* RESP replies in both versions, and the numbers and words of arguments. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "resp/resp.h"
#include "unit.h"

static char sent[2048];
static size_t sent_length;

static void collect(void *context, const void *data, size_t length)
{
    ck_assert_ptr_eq(context, sent);
    ck_assert_uint_lt(length, sizeof(sent) - sent_length);
    memcpy(sent + sent_length, data, length);
    sent_length += length;
    sent[sent_length] = '\0';
}

static char *append(void *context, size_t length)
{
    ck_assert_ptr_eq(context, sent);
    ck_assert_uint_lt(length, sizeof(sent) - sent_length);
    char *end = sent + sent_length;
    sent_length += length;
    sent[sent_length] = '\0';
    return end;
}

static char *refuse(void *context, size_t length)
{
    ck_assert_ptr_eq(context, sent);
    ck_assert_uint_gt(length, 0);
    return NULL;
}

/* Places to put replies together at: none, always, never. */
static char *(*const places[])(void *context, size_t length) = {NULL, append, refuse};
#define PLACES (sizeof(places) / sizeof(places[0]))

static struct resp_writer writer_of(int version)
{
    sent_length = 0;
    return (struct resp_writer){.version = version, .write = collect, .context = sent};
}

#define WRITES(version, expected, function, ...)                                                   \
    for (size_t place = 0; place < PLACES; place++) {                                              \
        struct resp_writer writer = writer_of(version);                                            \
        writer.append = places[place];                                                             \
        function(&writer, ##__VA_ARGS__);                                                          \
        ck_assert_uint_eq(sent_length, sizeof(expected) - 1);                                      \
        ck_assert_mem_eq(sent, expected, sizeof(expected));                                        \
    }

START_TEST(same_in_both_versions)
{
    WRITES(_i, "+OK\r\n", resp_simple, "OK");
    WRITES(_i, ":0\r\n", resp_integer, 0);
    WRITES(_i, ":7\r\n", resp_integer, 7);
    WRITES(_i, ":-10\r\n", resp_integer, -10);
    WRITES(_i, ":99\r\n", resp_integer, 99);
    WRITES(_i, ":100\r\n", resp_integer, 100);
    WRITES(_i, ":9223372036854775807\r\n", resp_integer, INT64_MAX);
    WRITES(_i, ":-9223372036854775808\r\n", resp_integer, INT64_MIN);
    WRITES(_i, "$0\r\n\r\n", resp_bulk, "", 0);
    WRITES(_i, "$4\r\na\0\r\n\r\n", resp_bulk, "a\0\r\n", 4);
    WRITES(_i, "$5\r\nabcde\r\n", resp_bulk_text, "abcde");
    WRITES(_i, "*0\r\n", resp_array, 0);
    WRITES(_i, "*18446744073709551615\r\n", resp_array, UINT64_MAX);
}
END_TEST

START_TEST(different_by_version)
{
    WRITES(2, "$-1\r\n", resp_null);
    WRITES(3, "_\r\n", resp_null);
    WRITES(2, "*-1\r\n", resp_null_array);
    WRITES(3, "_\r\n", resp_null_array);
    WRITES(2, "*14\r\n", resp_map, 7);
    WRITES(3, "%7\r\n", resp_map, 7);
    WRITES(2, "*3\r\n", resp_set, 3);
    WRITES(3, "~3\r\n", resp_set, 3);
    WRITES(2, "$5\r\na:b\r\n\r\n", resp_verbatim, "a:b\r\n", 5);
    WRITES(3, "=9\r\ntxt:a:b\r\n\r\n", resp_verbatim, "a:b\r\n", 5);
}
END_TEST

START_TEST(error)
{
    WRITES(_i, "-ERR no 'x' in 3\r\n", resp_error, "ERR no '%s' in %d", "x", 3);
    WRITES(_i, "-ERR a  b  c\xff\r\n", resp_error, "ERR a%sb%c%cc\xff", "\r\n", 0, 0x7f);
    WRITES(_i, "-\r\n", resp_error, "%s", "");
}
END_TEST

START_TEST(long_error_is_cut)
{
    struct resp_writer writer = writer_of(2);
    for (int width = 510; width < 514; width++) {
        sent_length = 0;
        resp_error(&writer, "%*d", width, 5);
        ck_assert_uint_eq(sent_length, 3 + (size_t)(width < 511 ? width : 511));
        ck_assert_str_eq(sent + sent_length - 3, width <= 511 ? "5\r\n" : " \r\n");
    }
}
END_TEST

static struct resp_argument argument(const char *text)
{
    return (struct resp_argument){text, strlen(text)};
}

START_TEST(integers)
{
    static const int64_t good[] = {
        0,         1,         -1,           9, 10, INT32_MAX, UINT32_MAX, INT32_MIN, INT64_MAX - 1,
        INT64_MAX, INT64_MIN, INT64_MIN + 1};
    int64_t value;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char text[24];
        snprintf(text, sizeof(text), "%" PRId64, good[i]);
        ck_assert_msg(resp_parse_integer(argument(text), &value), "%s", text);
        ck_assert_int_eq(value, good[i]);
    }
    static const char *const bad[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "01",
        "00",
        "-0",
        "-01",
        "1a",
        "a1",
        "1.0",
        "0x1",
        "--1",
        "1-",
        "9223372036854775808",
        "-9223372036854775809",
        "9999999999999999999",
        "18446744073709551616",
        "18446744073709551617",
        "10000000000000000000000",
        ":",
        "/",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!resp_parse_integer(argument(bad[i]), &value), "'%s'", bad[i]);
    ck_assert(!resp_parse_integer((struct resp_argument){NULL, 0}, &value));
    ck_assert(!resp_parse_integer((struct resp_argument){"1\0", 2}, &value));
    ck_assert(resp_parse_integer((struct resp_argument){"123", 2}, &value));
    ck_assert_int_eq(value, 12);
}
END_TEST

START_TEST(words)
{
    ck_assert(resp_is(argument("LEFT"), "left"));
    ck_assert(resp_is(argument("left"), "LEFT"));
    ck_assert(resp_is(argument(""), ""));
    ck_assert(!resp_is(argument("LEF"), "LEFT"));
    ck_assert(!resp_is(argument("LEFTY"), "LEFT"));
    ck_assert(!resp_is((struct resp_argument){"LEFT\0", 5}, "LEFT"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resp-writer");
    TCase *replies = tcase_create("replies");
    tcase_add_loop_test(replies, same_in_both_versions, 2, 4);
    tcase_add_test(replies, different_by_version);
    tcase_add_loop_test(replies, error, 2, 4);
    tcase_add_test(replies, long_error_is_cut);
    suite_add_tcase(suite, replies);
    TCase *arguments = tcase_create("arguments");
    tcase_add_test(arguments, integers);
    tcase_add_test(arguments, words);
    suite_add_tcase(suite, arguments);
    return unit_main(suite);
}
