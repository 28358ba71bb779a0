#include "systemd.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* How long the manager may take to come to a barrier, ms. */
#define BARRIER_PATIENCE 5000

/* A path, or a name in the abstract name space, spelled with '@'. */
static socklen_t notify_address(struct sockaddr_un *address)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (path == NULL || (path[0] != '/' && path[0] != '@'))
        return 0;
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path)
        return 0;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, length);
    if (path[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

/* fd: -1 for none. A manager that does not read must not stop the daemon. */
static bool send_message(int fd, const char *text, size_t length)
{
    static const struct timeval patience = {.tv_sec = 1};
    struct sockaddr_un address;
    struct iovec part = {.iov_base = (void *)(uintptr_t)text, .iov_len = length};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {0};
    struct msghdr message = {
        .msg_name = &address,
        .msg_namelen = notify_address(&address),
        .msg_iov = &part,
        .msg_iovlen = 1,
    };
    if (message.msg_namelen == 0)
        return false;
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sender < 0)
        return false;
    setsockopt(sender, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    bool sent = sendmsg(sender, &message, MSG_NOSIGNAL) >= 0;
    close(sender);
    return sent;
}

__attribute__((format(printf, 2, 0))) static bool notify(int fd, const char *format,
                                                         va_list arguments)
{
    char text[1024];
    vsnprintf(text, sizeof text, format, arguments);
    return send_message(fd, text, strlen(text));
}

void systemd_notify(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    notify(-1, format, arguments);
    va_end(arguments);
}

bool systemd_notify_fd(int fd, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool sent = notify(fd, format, arguments);
    va_end(arguments);
    return sent;
}

void systemd_notify_reloading(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    systemd_notify("RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reloading",
                   (unsigned long long)now.tv_sec * 1000000 +
                       (unsigned long long)now.tv_nsec / 1000);
}

void systemd_barrier(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    bool sent = systemd_notify_fd(ends[1], "BARRIER=1");
    close(ends[1]);
    struct pollfd manager = {.fd = ends[0], .events = POLLIN};
    if (sent)
        poll(&manager, 1, BARRIER_PATIENCE);
    close(ends[0]);
}
