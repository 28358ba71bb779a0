#include "worker.h"

#include <stdlib.h>
#include <time.h>

#include "connection.h"

static void on_turn_end(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct worker *worker = context;
    struct connection_list attention = TAILQ_HEAD_INITIALIZER(attention);
    TAILQ_CONCAT(&attention, &worker->attention, attention);
    worker->attending = true;
    struct connection *connection;
    while ((connection = TAILQ_FIRST(&attention)) != NULL) {
        TAILQ_REMOVE(&attention, connection, attention);
        connection->attending = false;
        connection_attend(connection);
    }
    worker->attending = false;
    if (!TAILQ_EMPTY(&worker->attention))
        event_add(worker->turn_end, &(struct timeval){0});
}

struct worker *worker_new(void)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return NULL;
    TAILQ_INIT(&worker->attention);
    worker->memory.limit = UINT64_MAX;
    worker->connection_id_step = 1;
    worker->input = malloc(WORKER_BUFFER_SIZE);
    worker->output = malloc(WORKER_BUFFER_SIZE);
    worker->base = event_base_new();
    if (worker->base != NULL)
        worker->turn_end = event_new(worker->base, -1, 0, on_turn_end, worker);
    if (worker->input == NULL || worker->output == NULL || worker->turn_end == NULL) {
        worker_free(worker);
        return NULL;
    }
    return worker;
}

void worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    if (worker->turn_end != NULL)
        event_free(worker->turn_end);
    if (worker->base != NULL)
        event_base_free(worker->base);
    free(worker->input);
    free(worker->output);
    free(worker);
}

void worker_attend(struct worker *worker, struct connection *connection)
{
    if (connection->attending)
        return;
    connection->attending = true;
    TAILQ_INSERT_TAIL(&worker->attention, connection, attention);
    /* An event made active again from its own callback would keep the loop from polling. */
    if (!worker->attending)
        event_active(worker->turn_end, EV_TIMEOUT, 0);
}

/* How far the clock of libevent's timers, which is cheap, is behind the true one. */
static int64_t clock_lag_us(void)
{
    struct timespec coarse, now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &coarse);
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - coarse.tv_sec) * 1000000 + (now.tv_nsec - coarse.tv_nsec) / 1000 + 1;
}

struct timeval worker_interval(uint64_t milliseconds)
{
    struct timeval after = {.tv_sec = (time_t)(milliseconds / 1000)};
    if (milliseconds > 0)
        after.tv_usec = (suseconds_t)(milliseconds % 1000) * 1000 + clock_lag_us();
    after.tv_sec += after.tv_usec / 1000000;
    after.tv_usec %= 1000000;
    return after;
}

uint64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
