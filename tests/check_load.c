/* check_load: the pure parts of the load generator: replies, requests, percentiles. */
#include "../bench/load.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

_Noreturn void die(const char *format, ...)
{
    ck_abort_msg("%s", format);
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

/* --- replies ------------------------------------------------------------------------ */

static const struct {
    const char *dialect;
    const char *stream;
    const char *readings; /* c: complete, m: miss */
    const char *body;     /* the last one's beginning */
    uint64_t job;
} streams[] = {
    {"resp", ":1\r\n+OK\r\n:22\r\n", "ccc", "", 0},
    {"resp", "$5\r\nhello\r\n$-1\r\n$0\r\n\r\n$3\r\n\r\n:\r\n", "cmcc", "\r\n:\r\n", 0},
    {"resp", "*2\r\n$1\r\nq\r\n$20\r\nabcdefghijklmnopqrst\r\n", "c", "abcdefghijklmnop", 0},
    {"resp", "*-1\r\n*1\r\n:1\r\n", "mc", "", 0},
    {"beanstalk", "INSERTED 1\r\nINSERTED 17\r\n", "cc", "", 0},
    {"beanstalk", "RESERVED 9 4\r\na\r\nb\r\nDELETED\r\nRESERVED 10 1\r\nz\r\n", "cc", "z\r\n", 10},
};

/* All readings of the stream when it comes in pieces of that size. */
static void read_in_pieces(size_t index, size_t piece, struct reader *reader, char *readings)
{
    const struct dialect *dialect = dialect_find(streams[index].dialect);
    const char *end = streams[index].stream + strlen(streams[index].stream);
    for (const char *from = streams[index].stream; from < end; from += piece) {
        size_t length = (size_t)(end - from) < piece ? (size_t)(end - from) : piece;
        const char *data = from;
        while (length > 0) {
            enum reading reading = reader_read(reader, dialect, &data, &length);
            if (reading != READING_MORE)
                *readings++ = reading == READING_MISS ? 'm' : 'c';
        }
    }
    *readings = '\0';
}

START_TEST(replies_in_pieces)
{
    size_t index = (size_t)_i;
    for (size_t piece = 1; piece <= strlen(streams[index].stream); piece++) {
        struct reader reader = {0};
        char readings[16];
        read_in_pieces(index, piece, &reader, readings);
        ck_assert_str_eq(readings, streams[index].readings);
        ck_assert_mem_eq(reader.body, streams[index].body, strlen(streams[index].body));
        ck_assert_uint_eq(reader.job, streams[index].job);
    }
}
END_TEST

/* --- requests ------------------------------------------------------------------------- */

START_TEST(queues_in_turn)
{
    struct options options = {.dialect = dialect_find("resp"), .depth = 3, .size = 2, .queues = 2};
    static const char both[] = "*3\r\n$5\r\nRPUSH\r\n$9\r\nq0000000%d\r\n$2\r\nxx\r\n"
                               "*2\r\n$4\r\nLPOP\r\n$9\r\nq0000000%d\r\n";
    struct request request;
    request_init(&request, &options, WORD_BOTH);
    ck_assert_uint_eq(request.replies, 2);
    request_name(&request, 3);
    for (int i = 0; i < 3; i++) {
        char expected[REQUEST_OVERHEAD];
        int length = snprintf(expected, sizeof expected, both, i % 2, i % 2);
        ck_assert_uint_eq(request.length, (size_t)length);
        ck_assert_mem_eq(request.block + (size_t)i * request.length, expected, request.length);
    }
    request_name(&request, 1);
    ck_assert_ptr_nonnull(strstr(request.block, "q00000001"));
    free(request.block);
}
END_TEST

/* --- percentiles ------------------------------------------------------------------------ */

START_TEST(percentiles_are_kept_to_3_percent)
{
    static struct latency latency;
    ck_assert_uint_eq(latency_percentile(&latency, 0.5), 0);
    for (uint64_t i = 1; i <= 1000; i++)
        latency_add(&latency, i * 1000);
    ck_assert_double_eq_tol((double)latency_percentile(&latency, 0.5), 500e3, 15e3);
    ck_assert_double_eq_tol((double)latency_percentile(&latency, 0.99), 990e3, 30e3);
    ck_assert_double_eq_tol((double)latency_percentile(&latency, 1), 1e6, 30e3);
}
END_TEST

START_TEST(every_value_has_a_slot)
{
    for (unsigned shift = 0; shift < 64; shift++) {
        static const int64_t around[] = {-1, 0, 1};
        for (size_t i = 0; i < 3; i++) {
            uint64_t value = (UINT64_C(1) << shift) + (uint64_t)around[i];
            struct latency latency = {0};
            latency_add(&latency, value);
            double found = (double)latency_percentile(&latency, 1);
            ck_assert_double_eq_tol(found, (double)value, 1 + (double)value * 0.03);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("load");
    TCase *load = tcase_create("load");
    tcase_add_loop_test(load, replies_in_pieces, 0, (int)(sizeof streams / sizeof streams[0]));
    tcase_add_test(load, queues_in_turn);
    tcase_add_test(load, percentiles_are_kept_to_3_percent);
    tcase_add_test(load, every_value_has_a_slot);
    suite_add_tcase(suite, load);
    return unit_main(suite);
}
