/* churn: short connections, each for one message. */
#include "load.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TURN_EVENTS 256

struct visit {
    int fd;
    size_t received;
    uint64_t begin;
};

struct churn {
    const struct options *options;
    int epoll;
    uint32_t visits; /* so far, for the source address */
    struct request request;
    char *buffer;
    struct measure measure;
};

/* On loopback connect() does not wait: the kernel accepts, as long as the backlog has room. */
static void begin_visit(struct churn *churn, struct visit *visit)
{
    const struct options *options = churn->options;
    if (options->messages > 0 && churn->visits == options->messages)
        return;
    visit->begin = churn->measure.now;
    visit->received = 0;
    visit->fd = net_connect(options, churn->visits++);
    net_watch(churn->epoll, visit->fd, EPOLLIN, visit);
    if (net_send(visit->fd, churn->request.block, churn->request.length) < churn->request.length)
        die("a new socket is full");
}

static void on_readable(struct churn *churn, struct visit *visit)
{
    visit->received += net_receive(visit->fd, churn->buffer, RECEIVE_SIZE);
    if (visit->received < churn->request.length)
        return;
    close(visit->fd);
    measure_message(&churn->measure, visit->begin, churn->options->size);
    begin_visit(churn, visit);
}

void run_churn(const struct options *options)
{
    struct churn churn = {
        .options = options,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .buffer = allocate(1, RECEIVE_SIZE),
    };
    struct visit *visits = allocate(options->connections, sizeof *visits);
    request_init(&churn.request, options, WORD_ECHO);
    measure_start(&churn.measure, options);
    for (uint32_t i = 0; i < options->connections; i++)
        begin_visit(&churn, &visits[i]);
    while (measure_goes_on(&churn.measure)) {
        struct epoll_event events[TURN_EVENTS];
        int count = epoll_wait(churn.epoll, events, TURN_EVENTS, 100);
        for (int i = 0; i < count; i++)
            on_readable(&churn, events[i].data.ptr);
    }
    measure_print(&churn.measure);
    free(churn.request.block);
    free(churn.buffer);
    free(visits);
}
