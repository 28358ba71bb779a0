/* Endpoints of sockets that are there already: passed by a unit, or stored by ourselves. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "activation.h"
#include "endpoint.h"
#include "log.h"
#include "manager.h"
#include "passing.h"
#include "unit.h"

static char directory[] = "/tmp/cistern-XXXXXX";
static char path[sizeof directory + 10];
static char text[sizeof path + 10]; /* of the endpoint there */
static int error;
static char why[256];

static void ignore_line(enum log_level level, const char *line, void *context)
{
    (void)level;
    (void)line;
    (void)context;
}

static void setup(void)
{
    manager_begin();
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/x.sock", directory);
    snprintf(text, sizeof text, "unix:%s", path);
    log_set_sink(ignore_line, NULL);
    setenv("FDSTORE", "64", 1);
}

static void teardown(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(directory), 0);
    manager_end();
}

static struct endpoint *open_with(struct activation *activation, const char *where)
{
    const struct endpoint_options how = {
        .backlog = 8, .access = ENDPOINT_ACCESS_DEFAULT, .activation = activation};
    struct address address;
    EXPECT(address_parse(&address, where, why, sizeof why));
    return endpoint_open(&address, &how, &error, why, sizeof why);
}

/* --- passed --------------------------------------------------------------------------- */

static void opens_passed(void)
{
    struct activation *activation = activation_new();
    struct endpoint *endpoint = open_with(activation, "systemd:a");
    EXPECT(endpoint != NULL && endpoint->socket_count == 2);
    EXPECT(strcmp(endpoint->text, "systemd:a") == 0);
    for (size_t i = 0; i < 2; i++) {
        int fd = endpoint->sockets[i].fd;
        EXPECT((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    }
    endpoint_store(endpoint); /* systemd has them anyway */
    EXPECT(!endpoint->stored);
    endpoint_close(endpoint);
    EXPECT(access(path, F_OK) == 0); /* the unit's file */
    endpoint = open_with(activation, "systemd:a");
    EXPECT(endpoint != NULL && endpoint->socket_count == 2);
    endpoint_close(endpoint);
    EXPECT(open_with(activation, "systemd:b") == NULL && error == ENOENT);
    EXPECT(open_with(NULL, "systemd:a") == NULL && error == ENOENT);
    activation_free(activation);
}

START_TEST(passed_sockets)
{
    char name[64];
    snprintf(name, sizeof name, "@cistern-check-%ld", (long)getpid());
    const int fds[] = {passing_socket(path, false), passing_socket(name, false)};
    pass(fds, 2, "a:a", opens_passed);
    ck_assert_str_eq(manager_message(), "");
}
END_TEST

static void refuses_passed(void)
{
    struct activation *activation = activation_new();
    EXPECT(open_with(activation, "systemd:a") == NULL && error == ENOTSOCK);
    EXPECT(strstr(why, "no listening stream socket") != NULL);
    activation_free(activation);
}

/* A socket that does not listen, a datagram socket, a pipe, a listening one of another family. */
START_TEST(passed_descriptors_of_other_kinds)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    const int fds[] = {passing_socket(path, true), manager, ends[0]};
    pass(&fds[_i], 1, "a", refuses_passed);
}
END_TEST

/* --- stored --------------------------------------------------------------------------- */

static char stored_name[256];

/* Opens an address, has it stored, and gives what the manager then has. */
static int store(const char *where)
{
    int fd;
    struct endpoint *endpoint = open_with(NULL, where);
    ck_assert_msg(endpoint != NULL, "%s", why);
    endpoint_store(endpoint);
    ck_assert(endpoint->stored);
    const char *message = manager_receive(&fd);
    ck_assert_int_eq(sscanf(message, "FDSTORE=1\nFDNAME=%255[^\n]\nFDPOLL=0", stored_name), 1);
    ck_assert_int_ge(fd, 0);
    endpoint_store(endpoint); /* once is enough */
    ck_assert_str_eq(manager_message(), "");
    endpoint_close(endpoint);
    return fd;
}

static ino_t stored_inode;
static const char *stored_text;

static void takes_over(void)
{
    struct stat status;
    struct activation *activation = activation_new();
    struct endpoint *endpoint = open_with(activation, stored_text);
    EXPECT(endpoint != NULL && fstat(endpoint->sockets[0].fd, &status) == 0);
    EXPECT(status.st_ino == stored_inode);
    endpoint_store(endpoint);
    endpoint_unstore(endpoint);
    endpoint_close(endpoint);
    activation_free(activation);
}

/* Takes it over in the next process, and lets it go for good. */
static void check_over_restart(const char *where)
{
    char expected[300];
    struct stat status;
    int fd = store(where), again;
    ck_assert_int_eq(fstat(fd, &status), 0);
    stored_inode = status.st_ino;
    stored_text = where;
    pass(&fd, 1, stored_name, takes_over);
    snprintf(expected, sizeof expected, "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", stored_name);
    ck_assert_str_eq(manager_receive(&again), expected);
    snprintf(expected, sizeof expected, "FDSTOREREMOVE=1\nFDNAME=%s", stored_name);
    ck_assert_str_eq(manager_message(), expected);
    ck_assert_str_eq(manager_message(), "");
    close(fd);
    close(again);
}

START_TEST(stored_unix_socket)
{
    check_over_restart(text);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(stored_tcp_socket)
{
    char where[ADDRESS_TEXT_SIZE];
    struct endpoint *endpoint = open_with(NULL, "127.0.0.1:0");
    snprintf(where, sizeof where, "%s", endpoint->text);
    endpoint_store(endpoint); /* nobody asks for port 0 again */
    ck_assert(!endpoint->stored);
    endpoint_close(endpoint);
    check_over_restart(where);
}
END_TEST

static void binds_anew(void)
{
    struct stat status;
    struct activation *activation = activation_new();
    struct endpoint *endpoint = open_with(activation, text);
    EXPECT(endpoint != NULL && fstat(endpoint->sockets[0].fd, &status) == 0);
    EXPECT(status.st_ino != stored_inode);
    EXPECT(stat(path, &status) == 0 && S_ISSOCK(status.st_mode));
    endpoint_close(endpoint);
    activation_free(activation);
}

/* A stored socket is of no use when its file has gone. */
START_TEST(stored_unix_socket_without_its_file)
{
    struct stat status;
    int fd = store(text);
    ck_assert_int_eq(fstat(fd, &status), 0);
    stored_inode = status.st_ino;
    ck_assert_int_eq(unlink(path), 0);
    pass(&fd, 1, stored_name, binds_anew);
    close(fd);
}
END_TEST

START_TEST(file_of_a_stored_socket_stays)
{
    int fd = store(text);
    ck_assert_int_eq(access(path, F_OK), 0);
    close(fd);
}
END_TEST

/* --- who may connect -------------------------------------------------------------------- */

START_TEST(modes)
{
    struct address address;
    struct stat status;
    struct endpoint_options how = {.backlog = 8, .access = ENDPOINT_ACCESS_DEFAULT};
    umask(0027);
    ck_assert(address_parse(&address, text, why, sizeof why));
    struct endpoint *endpoint = endpoint_open(&address, &how, &error, why, sizeof why);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0750);
    how.access.mode = 0666;
    endpoint_adjust(endpoint, &how);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0666);
    endpoint_close(endpoint);
    how.access.mode = 0620;
    endpoint = endpoint_open(&address, &how, &error, why, sizeof why);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0620);
    endpoint_close(endpoint);
}
END_TEST

/* Root may give it away; nobody else may, and then nothing listens and no file is left. */
START_TEST(owners)
{
    struct address address;
    struct stat status;
    struct endpoint_options how = {.backlog = 8,
                                   .access = {.mode = 0600, .owner = 4711, .group = 4712}};
    ck_assert(address_parse(&address, text, why, sizeof why));
    struct endpoint *endpoint = endpoint_open(&address, &how, &error, why, sizeof why);
    if (geteuid() != 0) {
        ck_assert_ptr_null(endpoint);
        ck_assert_int_eq(error, EPERM);
        ck_assert_int_ne(access(path, F_OK), 0);
        return;
    }
    ck_assert_msg(endpoint != NULL, "%s", why);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_uid, 4711);
    ck_assert_uint_eq(status.st_gid, 4712);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    endpoint_close(endpoint);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("endpoint_kept");
    TCase *tcase = tcase_create("endpoint_kept");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, passed_sockets);
    tcase_add_loop_test(tcase, passed_descriptors_of_other_kinds, 0, 3);
    tcase_add_test(tcase, stored_unix_socket);
    tcase_add_test(tcase, stored_tcp_socket);
    tcase_add_test(tcase, stored_unix_socket_without_its_file);
    tcase_add_test(tcase, file_of_a_stored_socket_stays);
    tcase_add_test(tcase, modes);
    tcase_add_test(tcase, owners);
    return unit_main(suite);
}
