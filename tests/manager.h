/* manager: a service manager's side of sd_notify(3), for programs that test ours. */
#ifndef CISTERN_TESTS_MANAGER_H
#define CISTERN_TESTS_MANAGER_H

#include <check.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char manager_directory[] = "/tmp/cistern-XXXXXX";
static struct sockaddr_un manager_address;
static int manager = -1;

/* Above what is passed to a process (passing.h). */
#define MANAGER_FD 200

/* Listens on a path, or with '@' in the abstract name space. */
static inline void manager_listen_on(const char *name)
{
    size_t length = strlen(name);
    manager_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    ck_assert_uint_lt(length, sizeof manager_address.sun_path);
    memcpy(manager_address.sun_path, name, length);
    if (name[0] == '@')
        manager_address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    manager = fcntl(fd, F_DUPFD_CLOEXEC, MANAGER_FD);
    ck_assert_int_ge(manager, MANAGER_FD);
    close(fd);
    ck_assert_int_eq(bind(manager, (const struct sockaddr *)&manager_address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
                     0);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static inline void manager_begin(void)
{
    char path[sizeof manager_directory + 10];
    ck_assert_ptr_nonnull(mkdtemp(manager_directory));
    snprintf(path, sizeof path, "%s/notify", manager_directory);
    manager_listen_on(path);
}

static inline void manager_end(void)
{
    if (manager_address.sun_path[0] != '\0')
        unlink(manager_address.sun_path);
    rmdir(manager_directory);
    close(manager);
}

/* The next message, "" if none has come; the descriptor that came with it, or -1. */
static inline const char *manager_receive(int *fd)
{
    static char text[2048];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof *fd)];
    struct iovec part = {.iov_base = text, .iov_len = sizeof text - 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t length = recvmsg(manager, &message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *header = length < 0 ? NULL : CMSG_FIRSTHDR(&message);
    *fd = -1;
    if (header != NULL && header->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(header), sizeof *fd);
    text[length < 0 ? 0 : length] = '\0';
    return text;
}

/* The next message, which brings no descriptor. */
static inline const char *manager_message(void)
{
    int fd;
    const char *text = manager_receive(&fd);
    ck_assert_int_eq(fd, -1);
    return text;
}

#endif
