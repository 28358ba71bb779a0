/*
 * handover: producers push to one queue, consumers wait at it. A producer pushes the next item when
 * its last one has come to a consumer: so there are as many items in flight as producers, and no
 * queue builds up, whose length would be all that is measured.
 */
#include "load.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define TURN_EVENTS 256

struct pair;

/* How an item begins. */
struct stamp {
    uint64_t pushed;
    struct pair *producer;
};

struct end {
    int fd;
    struct reader reader;
    struct pair *pair;
};

/* A producer, and a consumer; whose item comes to which consumer is the server's choice. */
struct pair {
    struct end producer;
    struct end consumer;
    bool acknowledged; /* the push was answered */
    bool delivered;    /* the item has come */
};

struct handover {
    const struct options *options;
    int epoll;
    struct request push;
    struct request wait;
    uint64_t pushed;
    char *buffer;
    struct measure measure;
};

static void send_all(const struct end *end, const char *data, size_t length)
{
    if (net_send(end->fd, data, length) < length)
        die("a socket is full after %zu bytes", length);
}

static void push(struct handover *handover, struct pair *pair)
{
    const struct options *options = handover->options;
    struct request *request = &handover->push;
    struct stamp stamp = {.pushed = handover->measure.now, .producer = pair};
    if (options->messages > 0 && handover->pushed == options->messages)
        return;
    handover->pushed++;
    pair->acknowledged = pair->delivered = false;
    memcpy(request->block + request->length - ITEM_TAIL - options->size, &stamp, sizeof stamp);
    send_all(&pair->producer, request->block, request->length);
}

static void push_when_done(struct handover *handover, struct pair *pair)
{
    if (pair->acknowledged && pair->delivered)
        push(handover, pair);
}

static void take_item(struct handover *handover, struct end *consumer)
{
    const struct dialect *dialect = handover->options->dialect;
    char next[REQUEST_OVERHEAD];
    struct stamp stamp;
    if (consumer->reader.body_length < sizeof stamp)
        die("an item has come that was not pushed here");
    memcpy(&stamp, consumer->reader.body, sizeof stamp);
    measure_message(&handover->measure, stamp.pushed, handover->options->size);
    if (dialect->write_next != NULL)
        send_all(consumer, next, dialect->write_next(next, sizeof next, &consumer->reader));
    else
        send_all(consumer, handover->wait.block, handover->wait.length);
    stamp.producer->delivered = true;
    push_when_done(handover, stamp.producer);
}

static void on_readable(struct handover *handover, struct end *end)
{
    const char *data = handover->buffer;
    size_t length = net_receive(end->fd, handover->buffer, RECEIVE_SIZE);
    struct pair *pair = end->pair;
    while (length > 0 &&
           reader_read(&end->reader, handover->options->dialect, &data, &length) != READING_MORE) {
        if (end == &pair->consumer) {
            take_item(handover, end);
        } else {
            pair->acknowledged = true;
            push_when_done(handover, pair);
        }
    }
}

static void open_end(struct handover *handover, struct end *end, struct pair *pair, uint32_t index)
{
    end->pair = pair;
    end->fd = net_connect_and_greet(handover->options, index);
    net_watch(handover->epoll, end->fd, EPOLLIN, end);
}

void run_handover(const struct options *options)
{
    struct handover handover = {
        .options = options,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .buffer = allocate(1, RECEIVE_SIZE),
    };
    struct pair *pairs = allocate(options->connections, sizeof *pairs);
    if (options->size < sizeof(struct stamp))
        die("an item needs %zu bytes here", sizeof(struct stamp));
    request_init(&handover.push, options, WORD_PUSH);
    request_init(&handover.wait, options, WORD_WAIT);
    for (uint32_t i = 0; i < options->connections; i++) {
        open_end(&handover, &pairs[i].producer, &pairs[i], 2 * i);
        open_end(&handover, &pairs[i].consumer, &pairs[i], 2 * i + 1);
        send_all(&pairs[i].consumer, handover.wait.block, handover.wait.length);
    }
    measure_start(&handover.measure, options);
    for (uint32_t i = 0; i < options->connections; i++)
        push(&handover, &pairs[i]);
    while (measure_goes_on(&handover.measure)) {
        struct epoll_event events[TURN_EVENTS];
        int count = epoll_wait(handover.epoll, events, TURN_EVENTS, 100);
        for (int i = 0; i < count; i++)
            on_readable(&handover, events[i].data.ptr);
    }
    measure_print(&handover.measure);
    free(handover.push.block);
    free(handover.wait.block);
    free(handover.buffer);
    free(pairs);
}
