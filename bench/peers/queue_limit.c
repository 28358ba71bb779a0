/*
 * The limit for a queue on bare epoll: parses nothing, keeps nothing, and sends a constant reply
 * for so many bytes of requests.
 *
 *   queue_limit HOST PORT REQUEST-SIZE REPLY
 */
#include "listen.h"

#include <string.h>

#define BUFFER_SIZE ((size_t)64 * 1024)
#define DESCRIPTORS 65536

static size_t partial[DESCRIPTORS]; /* bytes of a request that are there */
static char buffer[BUFFER_SIZE];
static char *replies; /* as many as a buffer of requests can be worth */

static void on_readable(int fd, size_t request, size_t reply)
{
    static const char ping[] = "PING\r\n";
    ssize_t length = recv(fd, buffer, sizeof buffer, 0);
    if (length <= 0) {
        partial[fd] = 0;
        close(fd);
        return;
    }
    if (length == sizeof ping - 1 && memcmp(buffer, ping, sizeof ping - 1) == 0) {
        send(fd, "+PONG\r\n", 7, MSG_NOSIGNAL);
        return;
    }
    partial[fd] += (size_t)length;
    size_t count = partial[fd] / request;
    partial[fd] %= request;
    if (count > 0)
        send(fd, replies, count * reply, MSG_NOSIGNAL);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 64;
    size_t request = (size_t)atoi(argv[3]);
    size_t reply = strlen(argv[4]);
    size_t most = BUFFER_SIZE / request + 1;
    replies = malloc(most * reply);
    if (replies == NULL)
        return 1;
    for (size_t i = 0; i < most; i++)
        memcpy(replies + i * reply, argv[4], reply);

    int listener = listen_on(argv[1], argv[2]);
    int epoll = epoll_create1(0);
    watch(epoll, listener);
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                accept_clients(epoll, listener);
            else
                on_readable(events[i].data.fd, request, reply);
        }
    }
}
