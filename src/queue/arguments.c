/* What arguments of commands mean: see command.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../rarely.h"
#include "command.h"
#include "wait.h"

bool command_integer(struct client *client, struct resp_argument argument, int64_t *value)
{
    if (resp_parse_integer(argument, value))
        return true;
    client_error(client, "ERR value is not an integer or out of range");
    return false;
}

/* The number, or NAN. As precise as Redis' own. */
static long double parse_number(struct resp_argument argument)
{
    char text[64], *end;
    if (argument.length == 0 || argument.length >= sizeof text ||
        memchr(argument.data, '\0', argument.length) != NULL)
        return NAN;
    memcpy(text, argument.data, argument.length);
    text[argument.length] = '\0';
    if (strchr(" \t\n\v\f\r", text[0]) != NULL)
        return NAN;
    errno = 0;
    long double value = strtold(text, &end);
    bool underflow = errno == ERANGE && value == 0;
    return *end == '\0' && !underflow ? value : NAN;
}

bool command_seconds(struct client *client, struct resp_argument argument, const char *what,
                     uint64_t *milliseconds)
{
    int64_t whole;
    bool is_plain = resp_parse_integer(argument, &whole) && whole >= 0;
    if (is_plain && whole <= INT64_MAX / 1000) { /* as nearly all are, and far quicker */
        *milliseconds = (uint64_t)whole * 1000;
        return true;
    }
    long double seconds = parse_number(argument);
    if (!isfinite(seconds) || seconds > INT64_MAX / 1000) {
        client_error(client, "ERR %s is not a float or out of range", what);
        return false;
    }
    if (seconds < 0) {
        client_error(client, "ERR %s is negative", what);
        return false;
    }
    *milliseconds = (uint64_t)ceill(seconds * 1000);
    return true;
}

bool command_end(struct client *client, struct resp_argument argument, enum deque_end *end)
{
    bool left = resp_is(argument, "left");
    if (!left && !resp_is(argument, "right")) {
        client_error(client, "ERR syntax error");
        return false;
    }
    *end = left ? DEQUE_HEAD : DEQUE_TAIL;
    return true;
}

struct named_queue *command_queue(struct client *client, struct resp_argument name)
{
    struct named_queue *queue = space_find(client->space, name);
    if (queue == NULL)
        return NULL;
    if (queue_expire(&queue->queue, client->service->now))
        space_changed(client->space, queue);
    return queue_count(&queue->queue) > 0 ? queue : NULL;
}

static RARELY struct named_queue *claim_new(struct client *client, struct resp_argument name)
{
    enum space_refusal refusal;
    struct named_queue *queue = space_claim(client->space, name, &refusal);
    if (queue == NULL)
        answer_refusal(client, refusal, name);
    return queue;
}

struct named_queue *command_claim(struct client *client, struct resp_argument name)
{
    struct named_queue *queue = space_find(client->space, name);
    return queue != NULL ? queue : claim_new(client, name);
}
