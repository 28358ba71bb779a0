/* Connections of each source: their number, their rate, and what is remembered. */
#include <arpa/inet.h>
#include <stdio.h>

#include "must.h"
#include "scarcity.h"
#include "sources.h"
#include "unit.h"

static const struct sources_limits generous = {
    .max_connections = 2, .burst = 1, .prefix_ipv4 = 32, .prefix_ipv6 = 64};

static union peer_address peer_of(const char *text)
{
    union peer_address peer = {.any.sa_family = AF_UNIX};
    if (inet_pton(AF_INET, text, &peer.inet.sin_addr) == 1)
        peer.any.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &peer.inet6.sin6_addr) == 1)
        peer.any.sa_family = AF_INET6;
    return peer;
}

static struct sources *table;
static struct source *last;

static enum sources_verdict admit(const char *text, uint64_t now)
{
    union peer_address peer = peer_of(text);
    return sources_admit(table, &peer, now, &last);
}

static void begin(void)
{
    allocations_left = -1;
    table = sources_new();
    ck_assert_ptr_nonnull(table);
    sources_set_limits(table, &generous);
}

static void end(void)
{
    sources_free(table);
}

START_TEST(counts_each_source_by_itself)
{
    ck_assert_int_eq(admit("127.0.0.1", 0), SOURCES_ADMITTED);
    struct source *first = last;
    ck_assert_int_eq(admit("127.0.0.1", 0), SOURCES_ADMITTED);
    ck_assert_ptr_eq(last, first);
    ck_assert_int_eq(admit("127.0.0.1", 0), SOURCES_FULL);
    ck_assert_ptr_null(last);
    ck_assert_int_eq(admit("127.0.0.2", 0), SOURCES_ADMITTED);
    source_leave(first);
    ck_assert_int_eq(admit("127.0.0.1", 0), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("127.0.0.1", 0), SOURCES_FULL);
}
END_TEST

START_TEST(takes_a_network_of_ipv6_for_one_source)
{
    ck_assert_int_eq(admit("2001:db8:1:2::1", 0), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("2001:db8:1:2:ffff::2", 0), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("2001:db8:1:2:3::3", 0), SOURCES_FULL);
    ck_assert_int_eq(admit("2001:db8:1:3::1", 0), SOURCES_ADMITTED);
}
END_TEST

START_TEST(takes_mapped_addresses_for_ipv4)
{
    ck_assert_int_eq(admit("10.0.0.1", 0), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("::ffff:10.0.0.1", 0), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("10.0.0.1", 0), SOURCES_FULL);
    ck_assert_int_eq(admit("::ffff:10.0.0.2", 0), SOURCES_ADMITTED);
}
END_TEST

START_TEST(has_other_prefixes_as_they_are_set)
{
    struct sources_limits limits = generous;
    limits.prefix_ipv4 = 20;
    limits.prefix_ipv6 = 47;
    sources_set_limits(table, &limits);
    ck_assert_int_eq(admit("10.1.16.1", 0), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("10.1.31.255", 0), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("10.1.20.0", 0), SOURCES_FULL);
    ck_assert_int_eq(admit("10.1.32.0", 0), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("2001:db8:0::1", 0), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("2001:db8:1::1", 0), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("2001:db8:1::2", 0), SOURCES_FULL);
    ck_assert_int_eq(admit("2001:db8:2::1", 0), SOURCES_ADMITTED);
}
END_TEST

START_TEST(asks_nothing_of_unix_sockets_and_without_limits)
{
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(admit("unix", 0), SOURCES_ADMITTED);
    sources_set_limits(table, &(struct sources_limits){.prefix_ipv4 = 32, .prefix_ipv6 = 64});
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(admit("127.0.0.1", 0), SOURCES_ADMITTED);
    ck_assert_ptr_null(last);
    ck_assert_uint_eq(sources_count(table), 0);
}
END_TEST

/* 2 a second, 3 at once. */
START_TEST(allows_a_burst_and_then_the_rate)
{
    const struct sources_limits limits = {
        .rate = 2 * 3600, .burst = 3, .prefix_ipv4 = 32, .prefix_ipv6 = 64};
    sources_set_limits(table, &limits);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(admit("127.0.0.1", 1000), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("127.0.0.1", 1000), SOURCES_FAST);
    ck_assert_int_eq(admit("127.0.0.2", 1000), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("127.0.0.1", 1499), SOURCES_FAST);
    ck_assert_int_eq(admit("127.0.0.1", 1500), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("127.0.0.1", 1500), SOURCES_FAST);
    /* What was refused has cost nothing; silence gives back the burst and no more. */
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(admit("127.0.0.1", 60000), SOURCES_ADMITTED);
    ck_assert_int_eq(admit("127.0.0.1", 60000), SOURCES_FAST);
}
END_TEST

START_TEST(admits_exactly_the_rate_over_time)
{
    const struct sources_limits limits = {
        .rate = 100 * 60, .burst = 10, .prefix_ipv4 = 32, .prefix_ipv6 = 64};
    sources_set_limits(table, &limits);
    unsigned admitted = 0;
    for (uint64_t now = 0; now < 600000; now += 7)
        admitted += admit("127.0.0.1", now) == SOURCES_ADMITTED;
    ck_assert_uint_ge(admitted, 10 + 100 * 10 - 1);
    ck_assert_uint_le(admitted, 10 + 100 * 10);
}
END_TEST

START_TEST(forgets_the_longest_silent)
{
    ck_assert_int_eq(admit("192.0.2.1", 0), SOURCES_ADMITTED);
    struct source *stays = last;
    for (unsigned i = 0; i < 3 * SOURCES_KEPT; i++) {
        char text[INET_ADDRSTRLEN];
        snprintf(text, sizeof text, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        MUST(admit(text, 0) == SOURCES_ADMITTED);
        source_leave(last);
        MUST(sources_count(table) <= SOURCES_KEPT);
    }
    /* Never one that has a connection. */
    ck_assert_int_eq(admit("192.0.2.1", 0), SOURCES_ADMITTED);
    ck_assert_ptr_eq(last, stays);
    ck_assert_int_eq(admit("192.0.2.1", 0), SOURCES_FULL);
}
END_TEST

static enum sources_verdict admit_scarcely(int allocations)
{
    allocations_left = allocations;
    enum sources_verdict verdict = admit("127.0.0.1", 0);
    allocations_left = -1;
    return verdict;
}

/* The source, and of the first one the hash table and its buckets. */
START_TEST(says_when_memory_is_out)
{
    for (int allowed = 0; allowed < 3; allowed++) {
        ck_assert_int_eq(admit_scarcely(allowed), SOURCES_NO_MEMORY);
        ck_assert_uint_eq(sources_count(table), 0);
    }
    ck_assert_int_eq(admit_scarcely(3), SOURCES_ADMITTED);
    ck_assert_uint_eq(sources_count(table), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sources");
    TCase *tests = tcase_create("sources");
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, counts_each_source_by_itself);
    tcase_add_test(tests, takes_a_network_of_ipv6_for_one_source);
    tcase_add_test(tests, takes_mapped_addresses_for_ipv4);
    tcase_add_test(tests, has_other_prefixes_as_they_are_set);
    tcase_add_test(tests, asks_nothing_of_unix_sockets_and_without_limits);
    tcase_add_test(tests, allows_a_burst_and_then_the_rate);
    tcase_add_test(tests, admits_exactly_the_rate_over_time);
    tcase_add_test(tests, forgets_the_longest_silent);
    tcase_add_test(tests, says_when_memory_is_out);
    suite_add_tcase(suite, tests);
    return unit_main(suite);
}
