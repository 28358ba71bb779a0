/* echo on bare epoll: the limit. A connection has no memory until a socket is full. */
#include "listen.h"

#include <errno.h>
#include <string.h>

#define BUFFER_SIZE ((size_t)256 * 1024)
#define DESCRIPTORS 65536

struct backlog {
    char *data; /* NULL: none, and then the socket is read */
    size_t length;
};

static struct backlog backlogs[DESCRIPTORS];
static char buffer[BUFFER_SIZE];

static void wait_for(int epoll, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

static void close_client(int fd)
{
    free(backlogs[fd].data);
    backlogs[fd] = (struct backlog){0};
    close(fd);
}

/* Returns how much is left, or -1. */
static ssize_t send_some(int fd, const char *data, size_t length)
{
    ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN ? (ssize_t)length : -1;
    return (ssize_t)length - sent;
}

static void on_readable(int epoll, int fd)
{
    ssize_t length = recv(fd, buffer, sizeof buffer, 0);
    if (length < 0 && errno == EAGAIN)
        return;
    ssize_t left = length > 0 ? send_some(fd, buffer, (size_t)length) : -1;
    if (left > 0) {
        struct backlog *backlog = &backlogs[fd];
        backlog->length = (size_t)left;
        backlog->data = malloc(backlog->length);
        if (backlog->data != NULL) {
            memcpy(backlog->data, buffer + length - left, backlog->length);
            wait_for(epoll, fd, EPOLLOUT);
            return;
        }
    }
    if (left != 0)
        close_client(fd);
}

static void on_writable(int epoll, int fd)
{
    struct backlog *backlog = &backlogs[fd];
    ssize_t left = send_some(fd, backlog->data, backlog->length);
    if (left < 0) {
        close_client(fd);
    } else if (left > 0) {
        memmove(backlog->data, backlog->data + backlog->length - (size_t)left, (size_t)left);
        backlog->length = (size_t)left;
    } else {
        free(backlog->data);
        backlog->data = NULL;
        wait_for(epoll, fd, EPOLLIN);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 64;
    int listener = listen_on(argv[1], argv[2]);
    int epoll = epoll_create1(0);
    watch(epoll, listener);
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                accept_clients(epoll, listener);
            else if (backlogs[fd].data != NULL)
                on_writable(epoll, fd);
            else
                on_readable(epoll, fd);
        }
    }
}
