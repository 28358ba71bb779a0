/* net: the few calls on sockets, none of which may fail. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static void bind_source(int fd, uint32_t index)
{
    int one = 1;
    struct sockaddr_in source = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK + index),
    };
    /* The port is chosen by connect(), which can share it among targets. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)&source, sizeof source) != 0)
        die("bind: %m");
}

int net_connect(const struct options *options, uint32_t index)
{
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket: %m");
    bind_source(fd, index % options->sources);
    const struct sockaddr_in *target = &options->target;
    if (connect(fd, (const struct sockaddr *)target, sizeof *target) != 0)
        die("connect: %m");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int net_connect_and_greet(const struct options *options, uint32_t index)
{
    int fd = net_connect(options, index);
    char reply[32];
    const char *greeting = options->dialect->greeting;
    const char *welcome = options->dialect->welcome;
    size_t length = strlen(welcome);
    if (send(fd, greeting, strlen(greeting), MSG_NOSIGNAL) != (ssize_t)strlen(greeting) ||
        recv(fd, reply, length, MSG_WAITALL) != (ssize_t)length)
        die("the server does not answer: %m");
    if (memcmp(reply, welcome, length) != 0)
        die("the server answers a greeting with %.*s", (int)length, reply);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        die("fcntl: %m");
    return fd;
}

void net_watch(int epoll, int fd, uint32_t events, void *context)
{
    struct epoll_event event = {.events = events, .data.ptr = context};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0 &&
        (errno != EEXIST || epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) != 0))
        die("epoll_ctl: %m");
}

size_t net_send(int fd, const char *data, size_t length)
{
    ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        die("send: %m");
    return sent < 0 ? 0 : (size_t)sent;
}

size_t net_receive(int fd, char *buffer, size_t size)
{
    ssize_t received = recv(fd, buffer, size, 0);
    if (received == 0)
        die("the server has closed a connection");
    if (received < 0 && errno != EAGAIN)
        die("recv: %m");
    return received < 0 ? 0 : (size_t)received;
}
