/* loop: connections that keep requests in flight, or send them at a fixed rate. */
#include "load.h"

#include <stdlib.h>
#include <sys/epoll.h>

#define TURN_EVENTS 256
/* With a rate: so many may be without an answer on one connection. */
#define RATE_WAITING_MAX 4096

struct connection {
    int fd;
    bool writable_watched;
    uint32_t in_flight; /* requests, and the replies that have come to the first of them: */
    uint32_t replies;
    size_t unsent;   /* bytes of requests, which end where the block's */
    size_t phase;    /* where in the block the first of them is */
    size_t received; /* echo: of a message that has not come as a whole */
    uint32_t first;  /* in due */
    uint64_t *due;   /* a ring: since when each request in flight was to be answered */
    struct reader reader;
};

struct loop {
    const struct options *options;
    int epoll;
    struct connection *connections;
    uint32_t due_size; /* of each ring */
    struct request request;
    size_t (*write_next)(char *, size_t, const struct reader *); /* NULL: the same again */
    uint64_t asked;
    uint64_t next_due; /* with a rate */
    char *buffer;
    struct measure measure;
};

/* --- asking ------------------------------------------------------------------------- */

static void send_unsent(struct loop *loop, struct connection *connection)
{
    const struct request *request = &loop->request;
    size_t block = request->length * request->copies;
    while (connection->unsent > 0) {
        size_t piece = block - connection->phase;
        if (piece > connection->unsent)
            piece = connection->unsent;
        size_t sent = net_send(connection->fd, request->block + connection->phase, piece);
        connection->unsent -= sent;
        connection->phase = (connection->phase + sent) % block;
        if (sent < piece)
            break;
    }
    bool watch = connection->unsent > 0;
    if (watch != connection->writable_watched)
        net_watch(loop->epoll, connection->fd, watch ? EPOLLIN | EPOLLOUT : EPOLLIN, connection);
    connection->writable_watched = watch;
}

/* How many of count may still be asked for. */
static uint32_t allowed(const struct loop *loop, uint32_t count)
{
    uint64_t messages = loop->options->messages;
    if (messages == 0 || messages - loop->asked >= count)
        return count;
    return (uint32_t)(messages - loop->asked);
}

static void ask(struct loop *loop, struct connection *connection, uint32_t count, uint64_t due)
{
    count = allowed(loop, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t last = (connection->first + connection->in_flight++) % loop->due_size;
        connection->due[last] = due;
    }
    loop->asked += count;
    if (connection->unsent == 0) {
        connection->phase = 0;
        request_name(&loop->request, count);
    }
    connection->unsent += count * loop->request.length;
    send_unsent(loop, connection);
}

/* What a consumer of beanstalk's says depends on what it got. */
static void ask_next(struct loop *loop, struct connection *connection)
{
    char next[REQUEST_OVERHEAD];
    size_t length = loop->write_next(next, sizeof next, &connection->reader);
    if (allowed(loop, 1) == 0)
        return;
    loop->asked++;
    connection->due[connection->first] = loop->measure.now;
    connection->in_flight = 1;
    if (net_send(connection->fd, next, length) < length)
        die("a socket is full after %zu bytes", length);
}

/* --- answers ------------------------------------------------------------------------ */

static void answered(struct loop *loop, struct connection *connection)
{
    if (++connection->replies < loop->request.replies)
        return;
    if (connection->in_flight == 0)
        die("the server answers what it was not asked");
    connection->replies = 0;
    connection->in_flight--;
    measure_message(&loop->measure, connection->due[connection->first], loop->options->size);
    connection->first = (connection->first + 1) % loop->due_size;
}

static void take_echo(struct loop *loop, struct connection *connection, size_t length)
{
    connection->received += length;
    for (; connection->received >= loop->options->size; connection->received -= loop->options->size)
        answered(loop, connection);
}

static void take_replies(struct loop *loop, struct connection *connection, size_t length)
{
    const char *data = loop->buffer;
    while (length > 0) {
        enum reading reading =
            reader_read(&connection->reader, loop->options->dialect, &data, &length);
        if (reading == READING_MORE)
            return;
        if (reading == READING_MISS)
            loop->measure.misses++;
        answered(loop, connection);
    }
}

static void on_readable(struct loop *loop, struct connection *connection)
{
    const struct options *options = loop->options;
    uint32_t before = connection->in_flight;
    size_t length = net_receive(connection->fd, loop->buffer, RECEIVE_SIZE);
    if (options->dialect->line == NULL)
        take_echo(loop, connection, length);
    else
        take_replies(loop, connection, length);

    uint32_t count = before - connection->in_flight;
    if (options->rate > 0 || count == 0 || (options->batch && connection->in_flight > 0))
        return;
    if (loop->write_next != NULL)
        ask_next(loop, connection);
    else
        ask(loop, connection, options->batch ? options->depth : count, loop->measure.now);
}

/* --- the loop ------------------------------------------------------------------------- */

static void open_connections(struct loop *loop)
{
    const struct options *options = loop->options;
    loop->due_size = options->rate > 0 ? RATE_WAITING_MAX : options->depth;
    loop->connections = allocate(options->connections, sizeof *loop->connections);
    for (uint32_t i = 0; i < options->connections; i++) {
        struct connection *connection = &loop->connections[i];
        connection->due = allocate(loop->due_size, sizeof *connection->due);
        connection->fd = net_connect_and_greet(options, i);
        net_watch(loop->epoll, connection->fd, EPOLLIN, connection);
    }
}

/* Asks, each connection in turn, for all that is due by now. */
static void ask_by_rate(struct loop *loop)
{
    uint64_t interval = UINT64_C(1000000000) / loop->options->rate;
    for (; loop->next_due <= loop->measure.now; loop->next_due += interval) {
        struct connection *connection =
            &loop->connections[loop->asked % loop->options->connections];
        if (connection->in_flight == loop->due_size)
            die("the server does not keep up with the rate");
        ask(loop, connection, 1, loop->next_due);
    }
}

/* At a rate it never sleeps: waking up would be part of each latency. */
static void turn(struct loop *loop)
{
    struct epoll_event events[TURN_EVENTS];
    int count = epoll_wait(loop->epoll, events, TURN_EVENTS, loop->options->rate > 0 ? 0 : 100);
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        if ((events[i].events & EPOLLOUT) != 0)
            send_unsent(loop, connection);
        if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
            on_readable(loop, connection);
    }
}

static void free_loop(struct loop *loop)
{
    for (uint32_t i = 0; i < loop->options->connections; i++)
        free(loop->connections[i].due);
    free(loop->connections);
    free(loop->request.block);
    free(loop->buffer);
}

void run_loop(const struct options *options, enum word word)
{
    struct loop loop = {
        .options = options,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .write_next = word == WORD_POP ? options->dialect->write_next : NULL,
        .buffer = allocate(1, RECEIVE_SIZE),
    };
    if (loop.write_next != NULL && options->depth > 1)
        die("only a depth of 1 is possible here");
    request_init(&loop.request, options, word);
    open_connections(&loop);
    measure_start(&loop.measure, options);
    loop.next_due = loop.measure.now;
    for (uint32_t i = 0; i < options->connections && options->rate == 0; i++)
        ask(&loop, &loop.connections[i], options->depth, loop.measure.now);
    while (measure_goes_on(&loop.measure)) {
        if (options->rate > 0)
            ask_by_rate(&loop);
        turn(&loop);
    }
    measure_print(&loop.measure);
    free_loop(&loop);
}
