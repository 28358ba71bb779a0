/* Listening sockets: what is bound, what is told of it, and which files are left alone. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "endpoint.h"
#include "unit.h"

#define BACKLOG 16

static char why[256];
static int error;
static struct endpoint_options how = {.backlog = BACKLOG, .access = ENDPOINT_ACCESS_DEFAULT};

static struct endpoint *open_text(const char *text)
{
    struct address address;
    ck_assert_msg(address_parse(&address, text, why, sizeof why), "%s", why);
    return endpoint_open(&address, &how, &error, why, sizeof why);
}

static struct endpoint *must_open(const char *text)
{
    struct endpoint *endpoint = open_text(text);
    ck_assert_msg(endpoint != NULL, "%s: %s", text, why);
    ck_assert_uint_gt(endpoint->socket_count, 0);
    return endpoint;
}

static void must_fail(const char *text, int expected)
{
    ck_assert_ptr_null(open_text(text));
    ck_assert_int_eq(error, expected);
    ck_assert_str_ne(why, "");
}

/* The port that a client is told. */
static unsigned told_port(const struct endpoint *endpoint)
{
    const char *colon = strrchr(endpoint->text, ':');
    ck_assert_ptr_nonnull(colon);
    return (unsigned)strtoul(colon + 1, NULL, 10);
}

/* The port of a socket, and its family. */
static unsigned bound_port(int fd, int *family)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    const void *any = &address;
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *family = address.ss_family;
    return ntohs(*family == AF_INET ? ((const struct sockaddr_in *)any)->sin_port
                                    : ((const struct sockaddr_in6 *)any)->sin6_port);
}

static bool can_connect_to_port(unsigned port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    bool can = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return can;
}

static bool host_has_ipv6(void)
{
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                         .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

/* --- TCP --------------------------------------------------------------------------------- */

START_TEST(port_0)
{
    struct endpoint *endpoint = must_open("127.0.0.1:0");
    unsigned port = told_port(endpoint);
    char text[ADDRESS_TEXT_SIZE];
    int family, fd = endpoint->sockets[0].fd;
    ck_assert_uint_eq(endpoint->socket_count, 1);
    ck_assert_ptr_eq(endpoint->sockets[0].endpoint, endpoint);
    ck_assert_uint_gt(port, 0);
    ck_assert_uint_eq(bound_port(fd, &family), port);
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    ck_assert_str_eq(endpoint->text, text);
    ck_assert_uint_eq(endpoint->address.port, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert(can_connect_to_port(port));
    how.backlog = 100;
    endpoint_adjust(endpoint, &how);
    ck_assert(can_connect_to_port(port));
    endpoint_close(endpoint);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(port_in_use)
{
    struct endpoint *endpoint = must_open("127.0.0.1:0");
    char text[ADDRESS_TEXT_SIZE];
    strcpy(text, endpoint->text);
    must_fail(text, EADDRINUSE);
    snprintf(text, sizeof text, "*:%u", told_port(endpoint));
    must_fail(text, EADDRINUSE);
    endpoint_close(endpoint);
}
END_TEST

START_TEST(ipv6)
{
    if (!host_has_ipv6()) {
        ck_assert_ptr_null(open_text("[::1]:0"));
        return;
    }
    struct endpoint *endpoint = must_open("[::1]:0");
    ck_assert(strncmp(endpoint->text, "[::1]:", 6) == 0);
    ck_assert_uint_gt(told_port(endpoint), 0);
    endpoint_close(endpoint);
    endpoint = must_open("[::]:0");
    int only = 0;
    socklen_t size = sizeof only;
    getsockopt(endpoint->sockets[0].fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size);
    ck_assert_int_eq(only, 1);
    endpoint_close(endpoint);
}
END_TEST

/* Both families, and the one port that is told. */
static void expect_one_port(const struct endpoint *endpoint)
{
    int family;
    for (size_t i = 0; i < endpoint->socket_count; i++)
        ck_assert_uint_eq(bound_port(endpoint->sockets[i].fd, &family), told_port(endpoint));
    ck_assert(can_connect_to_port(told_port(endpoint)));
}

/* A wildcard with a port that was free a moment ago; others may be quicker. */
static struct endpoint *open_wildcard(char *text, size_t size)
{
    struct endpoint *endpoint = NULL;
    for (int tries = 0; tries < 100 && endpoint == NULL; tries++) {
        struct endpoint *before = must_open("127.0.0.1:0");
        snprintf(text, size, "*:%u", told_port(before));
        endpoint_close(before);
        endpoint = open_text(text);
    }
    ck_assert_msg(endpoint != NULL, "%s", why);
    return endpoint;
}

START_TEST(wildcard)
{
    char text[ADDRESS_TEXT_SIZE];
    struct endpoint *endpoint = open_wildcard(text, sizeof text);
    ck_assert_str_eq(endpoint->text, text);
    ck_assert_uint_ge(endpoint->socket_count, host_has_ipv6() ? 2 : 1);
    expect_one_port(endpoint);
    endpoint_close(endpoint);
}
END_TEST

START_TEST(wildcard_port_0)
{
    struct endpoint *endpoint = must_open("*:0");
    expect_one_port(endpoint);
    endpoint_close(endpoint);
}
END_TEST

START_TEST(name)
{
    struct endpoint *endpoint = must_open("localhost:0");
    ck_assert(strncmp(endpoint->text, "localhost:", 10) == 0);
    expect_one_port(endpoint);
    endpoint_close(endpoint);
}
END_TEST

/* An address of a documentation network (RFC 5737) is none of ours. */
START_TEST(foreign_address)
{
    must_fail("192.0.2.1:0", EADDRNOTAVAIL);
}
END_TEST

/* --- unix ---------------------------------------------------------------------------------------
 */

static char directory[] = "/tmp/cistern-XXXXXX";
static char path[sizeof directory + 10];
static char unix_text[sizeof path + 5];

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/socket", directory);
    snprintf(unix_text, sizeof unix_text, "unix:%s", path);
}

static void teardown(void)
{
    unlink(path);
    rmdir(directory);
}

static bool file_exists(void)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* A connection to the path, or -1 with errno. */
static int connect_to_path(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(fd, 0);
    strcpy(address.sun_path, path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool can_connect_to_path(void)
{
    int fd = connect_to_path();
    return fd >= 0 && close(fd) == 0;
}

START_TEST(unix_socket)
{
    struct endpoint *endpoint = must_open(unix_text);
    ck_assert_str_eq(endpoint->text, unix_text);
    ck_assert_uint_eq(endpoint->socket_count, 1);
    ck_assert(can_connect_to_path());
    endpoint_close(endpoint);
    ck_assert(!file_exists());
}
END_TEST

/* As a crash leaves it: the file is there, and nobody listens. */
START_TEST(stale_socket_is_replaced)
{
    struct endpoint *endpoint = must_open(unix_text);
    close(endpoint->sockets[0].fd);
    endpoint->socket_count = 0;
    endpoint->inode = 0; /* so that the file stays */
    endpoint_close(endpoint);
    ck_assert(file_exists());
    endpoint = must_open(unix_text);
    ck_assert(can_connect_to_path());
    endpoint_close(endpoint);
}
END_TEST

START_TEST(socket_in_use_is_kept)
{
    struct endpoint *endpoint = must_open(unix_text);
    must_fail(unix_text, EADDRINUSE);
    ck_assert(can_connect_to_path());
    endpoint_close(endpoint);
}
END_TEST

/* Nor is one replaced that is so busy that nobody can connect. */
START_TEST(busy_socket_is_kept)
{
    struct endpoint *endpoint = must_open(unix_text);
    int clients[BACKLOG + 1];
    for (size_t i = 0; i <= BACKLOG; i++) {
        clients[i] = connect_to_path();
        ck_assert_int_ge(clients[i], 0);
    }
    ck_assert(!can_connect_to_path());
    must_fail(unix_text, EADDRINUSE);
    ck_assert(file_exists());
    for (size_t i = 0; i <= BACKLOG; i++)
        close(clients[i]);
    endpoint_close(endpoint);
}
END_TEST

/* A file, a link to nothing, a directory: whatever stands there is somebody's. */
START_TEST(foreign_file_is_kept)
{
    struct stat before, after;
    if (_i == 0)
        close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    else if (_i == 1)
        ck_assert_int_eq(symlink("/nowhere/at/all", path), 0);
    else
        ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(lstat(path, &before), 0);
    must_fail(unix_text, EADDRINUSE);
    ck_assert_int_eq(lstat(path, &after), 0);
    ck_assert(before.st_ino == after.st_ino);
    rmdir(path);
}
END_TEST

/* Somebody has put his own socket there meanwhile: it is not ours to remove. */
START_TEST(successor_is_kept)
{
    struct endpoint *endpoint = must_open(unix_text);
    ck_assert_int_eq(unlink(path), 0);
    struct endpoint *successor = must_open(unix_text);
    endpoint_close(endpoint);
    ck_assert(can_connect_to_path());
    endpoint_close(successor);
    ck_assert(!file_exists());
}
END_TEST

START_TEST(no_such_directory)
{
    must_fail("unix:/nowhere/at/all/socket", ENOENT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("endpoint");
    TCase *tcp = tcase_create("tcp");
    tcase_set_timeout(tcp, 30);
    tcase_add_test(tcp, port_0);
    tcase_add_test(tcp, port_in_use);
    tcase_add_test(tcp, ipv6);
    tcase_add_test(tcp, wildcard);
    tcase_add_test(tcp, wildcard_port_0);
    tcase_add_test(tcp, name);
    tcase_add_test(tcp, foreign_address);
    suite_add_tcase(suite, tcp);
    TCase *local = tcase_create("unix");
    tcase_add_checked_fixture(local, setup, teardown);
    tcase_add_test(local, unix_socket);
    tcase_add_test(local, stale_socket_is_replaced);
    tcase_add_test(local, socket_in_use_is_kept);
    tcase_add_test(local, busy_socket_is_kept);
    tcase_add_loop_test(local, foreign_file_is_kept, 0, 3);
    tcase_add_test(local, successor_is_kept);
    tcase_add_test(local, no_such_directory);
    suite_add_tcase(suite, local);
    return unit_main(suite);
}
