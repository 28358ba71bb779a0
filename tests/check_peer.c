/* Peers as text, against inet_ntop(3) and printf(3). */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "must.h"
#include "peer.h"
#include "random.h"
#include "unit.h"

static const char *ipv4(uint32_t host, uint16_t port)
{
    static char text[PEER_TEXT_SIZE];
    const union peer_address peer = {
        .inet = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host), .sin_port = htons(port)}};
    return peer_format(&peer, text);
}

static const char *ipv6(const char *host, uint16_t port)
{
    static char text[PEER_TEXT_SIZE];
    union peer_address peer = {.inet6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
    MUST(inet_pton(AF_INET6, host, &peer.inet6.sin6_addr) == 1);
    return peer_format(&peer, text);
}

START_TEST(edges)
{
    char text[PEER_TEXT_SIZE];
    const union peer_address local = {.any.sa_family = AF_UNIX};
    ck_assert_str_eq(peer_format(&local, text), "unix");
    ck_assert_str_eq(text, "unix");
    ck_assert_str_eq(ipv4(0, 0), "0.0.0.0:0");
    ck_assert_str_eq(ipv4(0x7f000001, 7), "127.0.0.1:7");
    ck_assert_str_eq(ipv4(0x0a090a63, 10), "10.9.10.99:10");
    ck_assert_str_eq(ipv4(0xffffffff, 65535), "255.255.255.255:65535");
    ck_assert_str_eq(ipv6("::1", 40112), "[::1]:40112");
    ck_assert_str_eq(ipv6("::ffff:192.0.2.1", 80), "[::ffff:192.0.2.1]:80");
    ck_assert_str_eq(ipv6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
                     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}
END_TEST

START_TEST(agrees_with_the_library)
{
    random_begin(_i);
    for (int i = 0; i < 10000; i++) {
        char host[INET_ADDRSTRLEN], expected[PEER_TEXT_SIZE];
        const struct in_addr binary = {.s_addr = (in_addr_t)random() << 1};
        uint16_t port = (uint16_t)random();
        inet_ntop(AF_INET, &binary, host, sizeof host);
        snprintf(expected, sizeof expected, "%s:%u", host, port);
        MUST(strcmp(ipv4(ntohl(binary.s_addr), port), expected) == 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("peer");
    TCase *text = tcase_create("text");
    tcase_add_test(text, edges);
    tcase_add_loop_test(text, agrees_with_the_library, 0, 2);
    suite_add_tcase(suite, text);
    return unit_main(suite);
}
