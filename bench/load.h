/*
 * load: drives a server of echo or of queues, and measures it. One process, one thread, epoll.
 *
 *   load       options, and the choice of what is run
 *   loop       connections that keep requests in flight: echo, push, pop, both; or at a fixed rate
 *   handover   items from producers to consumers that wait for them
 *   churn      connect, echo, close
 *   idle       connections that are only there
 *
 *   request    what is sent, in the words of a dialect (echo, resp, beanstalk)
 *   reader     replies, told apart in the stream that they come in
 *   measure    warm-up, the steady part, its figures; percentiles from latency
 *   net        sockets
 *
 * What goes wrong ends the process with status 1 and a line that says what: see die().
 * Times are nanoseconds.
 */
#ifndef LOAD_H
#define LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct dialect;

struct options {
    const struct dialect *dialect;
    struct sockaddr_in target;
    uint32_t connections;
    uint32_t depth;    /* requests in flight on each connection */
    bool batch;        /* ask for the next ones only when all of them are answered */
    uint32_t size;     /* bytes of a message or an item */
    uint32_t queues;   /* used in turn */
    uint32_t sources;  /* connect from 127.0.0.1 to 127.0.0.sources, in turn */
    uint64_t rate;     /* messages a second; 0: the next as soon as one is answered */
    uint64_t messages; /* measure exactly so many, without warm-up; 0: for a time */
    uint64_t warm_up;
    uint64_t duration;
    pid_t server; /* whose processor time is measured; 0: nobody's */
};

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Zeroed, to be freed by free(). */
void *allocate(size_t count, size_t size);

/* --- net ------------------------------------------------------------------------ */

/* A connected socket, from the source address that is index's. Blocking. */
int net_connect(const struct options *options, uint32_t index);

/* The same, after a first word each way, so that the server has surely accepted. Non-blocking. */
int net_connect_and_greet(const struct options *options, uint32_t index);

void net_watch(int epoll, int fd, uint32_t events, void *context);

/* How much the socket took. */
size_t net_send(int fd, const char *data, size_t length);

/* Returns 0 if there is nothing now; the end of the stream is a failure. */
size_t net_receive(int fd, char *buffer, size_t size);

/* --- latency -------------------------------------------------------------------- */

#define LATENCY_SLOTS 1920 /* 60 powers of two in 32 steps: a value is kept to 3 % */

struct latency {
    uint64_t counts[LATENCY_SLOTS];
    uint64_t total;
};

void latency_add(struct latency *latency, uint64_t ns);

/* What the share (0 to 1) of all values does not exceed; 0 if there are none. */
uint64_t latency_percentile(const struct latency *latency, double share);

/* --- measure -------------------------------------------------------------------- */

struct measure {
    const struct options *options;
    bool steady;
    uint64_t now;   /* as of the last turn */
    uint64_t begin; /* of the warm-up, then of the steady part */
    uint64_t messages;
    uint64_t bytes;
    uint64_t misses; /* pops of nothing */
    struct latency latency;
    uint64_t server_cpu; /* when the steady part began, as own_cpu */
    uint64_t own_cpu;
};

void measure_start(struct measure *measure, const struct options *options);

/* To be called once a turn. Returns false when it is over. */
bool measure_goes_on(struct measure *measure);

/* A message was answered that had been due at since. */
void measure_message(struct measure *measure, uint64_t since, size_t bytes);

/* One line of JSON on standard output. */
void measure_print(struct measure *measure);

/* --- reader --------------------------------------------------------------------- */

enum reading {
    READING_MORE,     /* of the same reply is to come */
    READING_COMPLETE, /* that was a reply */
    READING_MISS,     /* that was one too: there was nothing to pop */
};

struct reader {
    char line[64];
    size_t line_length;
    size_t skip;       /* bytes of a body, and its CR LF, that are still to come */
    uint32_t elements; /* of an array, that are still to come */
    uint64_t job;      /* beanstalk's number of what was reserved last */
    char body[16];     /* how the last body begins */
    size_t body_length;
};

/* Reads on to the end of the next reply, or of the data; what is left is in *data, *length. */
enum reading reader_read(struct reader *reader, const struct dialect *dialect, const char **data,
                         size_t *length);

/* --- request -------------------------------------------------------------------- */

enum word {
    WORD_ECHO,
    WORD_PUSH,
    WORD_POP,
    WORD_WAIT, /* pop, as soon as there is something */
    WORD_BOTH, /* push and pop, as one request with two replies */
};

#define REQUEST_OVERHEAD 256 /* a request has no more bytes beside its items */

/* What the item is followed by, in every dialect of queues. */
#define ITEM_TAIL 2

struct dialect {
    const char *name;
    const char *greeting;
    const char *welcome; /* the reply to the greeting */
    /* What a line means; it may set the reader's skip, elements and job. NULL: replies have
     * neither lines nor bodies, but the size of the message. */
    enum reading (*line)(struct reader *reader);
    /* Writes a request with an item of so many x; returns its length. */
    size_t (*write)(char *out, enum word word, size_t size);
    /* What a consumer asks after its reader got an item; NULL: the same again. */
    size_t (*write_next)(char *out, size_t size, const struct reader *reader);
};

/* NULL if there is none of that name. */
const struct dialect *dialect_find(const char *name);

/* options->depth times the same request. The block is to be freed by free(). */
struct request {
    char *block;
    size_t length; /* of one */
    uint32_t copies;
    uint32_t replies;  /* to one */
    size_t name_at[2]; /* of the digits of a queue's name in one; 0: no name there */
    uint32_t queue;    /* whose turn it is */
    uint32_t queues;
};

void request_init(struct request *request, const struct options *options, enum word word);

/* Names, in the first count requests of the block, the queues whose turn it is. */
void request_name(struct request *request, uint32_t count);

/* --- what is run ------------------------------------------------------------------ */

/* At most so much is received at once. */
#define RECEIVE_SIZE ((size_t)256 * 1024)

void run_loop(const struct options *options, enum word word);
void run_handover(const struct options *options);
void run_churn(const struct options *options);
void run_idle(const struct options *options);

#endif
