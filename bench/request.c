/* request: the dialects, and requests written in them once and sent many times. */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "q00000000"
#define NAME_DIGITS (sizeof NAME - 2)

static size_t write_item(char *out, size_t size)
{
    memset(out, 'x', size);
    return size;
}

/* --- echo ------------------------------------------------------------------------- */

static size_t echo_write(char *out, enum word word, size_t size)
{
    if (word != WORD_ECHO)
        die("echo is no dialect of queues");
    return write_item(out, size);
}

/* --- the Redis protocol ------------------------------------------------------------- */

static size_t resp_write(char *out, enum word word, size_t size)
{
    size_t length = 0;
    if (word == WORD_PUSH || word == WORD_BOTH) {
        length += (size_t)sprintf(out, "*3\r\n$5\r\nRPUSH\r\n$%zu\r\n%s\r\n$%zu\r\n", strlen(NAME),
                                  NAME, size);
        length += write_item(out + length, size);
        length += (size_t)sprintf(out + length, "\r\n");
    }
    if (word == WORD_POP || word == WORD_BOTH)
        length +=
            (size_t)sprintf(out + length, "*2\r\n$4\r\nLPOP\r\n$%zu\r\n%s\r\n", strlen(NAME), NAME);
    if (word == WORD_WAIT)
        length += (size_t)sprintf(out, "*3\r\n$5\r\nBLPOP\r\n$%zu\r\n%s\r\n$1\r\n0\r\n",
                                  strlen(NAME), NAME);
    return length;
}

static enum reading resp_line(struct reader *reader)
{
    long count = strtol(reader->line + 1, NULL, 10);
    switch (reader->line[0]) {
    case '+':
    case ':':
        return READING_COMPLETE;
    case '$':
        if (count < 0)
            return READING_MISS;
        reader->skip = (size_t)count + strlen("\r\n");
        return READING_MORE;
    case '*':
        if (count <= 0)
            return READING_MISS;
        reader->elements = (uint32_t)count;
        return READING_MORE;
    default:
        die("the server answers %s", reader->line);
    }
}

/* --- beanstalkd's protocol ------------------------------------------------------------ */

static size_t beanstalk_write(char *out, enum word word, size_t size)
{
    if (word == WORD_BOTH)
        die("beanstalk has no reply that can be foreseen to a push and pop in one");
    if (word != WORD_PUSH)
        return (size_t)sprintf(out, "reserve\r\n");
    size_t length = (size_t)sprintf(out, "put 0 0 60 %zu\r\n", size);
    length += write_item(out + length, size);
    return length + (size_t)sprintf(out + length, "\r\n");
}

/* The two commands go out together, which is as fast as it can be. */
static size_t beanstalk_write_next(char *out, size_t size, const struct reader *reader)
{
    return (size_t)snprintf(out, size, "delete %" PRIu64 "\r\nreserve\r\n", reader->job);
}

static enum reading beanstalk_line(struct reader *reader)
{
    size_t size;
    if (sscanf(reader->line, "RESERVED %" SCNu64 " %zu", &reader->job, &size) == 2) {
        reader->skip = size + strlen("\r\n");
        return READING_MORE;
    }
    if (strncmp(reader->line, "DELETED", 7) == 0)
        return READING_MORE; /* the answer was the item */
    if (strncmp(reader->line, "INSERTED", 8) != 0)
        die("the server answers %s", reader->line);
    return READING_COMPLETE;
}

static const struct dialect dialects[] = {
    {
        .name = "echo",
        .greeting = "?",
        .welcome = "?",
        .write = echo_write,
    },
    {
        .name = "resp",
        .greeting = "PING\r\n",
        .welcome = "+PONG\r\n",
        .write = resp_write,
        .line = resp_line,
    },
    {
        .name = "beanstalk",
        .greeting = "use default\r\n",
        .welcome = "USING default\r\n",
        .write = beanstalk_write,
        .write_next = beanstalk_write_next,
        .line = beanstalk_line,
    },
};

const struct dialect *dialect_find(const char *name)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
        if (strcmp(name, dialects[i].name) == 0)
            return &dialects[i];
    return NULL;
}

/* --- requests ------------------------------------------------------------------------- */

static void find_names(struct request *request)
{
    char *from = request->block;
    for (size_t i = 0; i < sizeof request->name_at / sizeof *request->name_at; i++) {
        size_t left = request->length - (size_t)(from - request->block);
        char *name = memmem(from, left, NAME, strlen(NAME));
        if (name == NULL)
            return;
        request->name_at[i] = (size_t)(name - request->block) + 1;
        from = name + strlen(NAME);
    }
}

void request_init(struct request *request, const struct options *options, enum word word)
{
    size_t item = word == WORD_POP || word == WORD_WAIT ? 0 : options->size;
    *request = (struct request){
        .block = allocate(options->depth, item + REQUEST_OVERHEAD),
        .copies = options->depth,
        .replies = word == WORD_BOTH ? 2 : 1,
        .queues = options->queues,
    };
    request->length = options->dialect->write(request->block, word, options->size);
    for (uint32_t i = 1; i < request->copies; i++)
        memcpy(request->block + i * request->length, request->block, request->length);
    find_names(request);
}

static void write_digits(char *digits, uint32_t number)
{
    for (size_t i = NAME_DIGITS; i-- > 0; number /= 10)
        digits[i] = (char)('0' + number % 10);
}

void request_name(struct request *request, uint32_t count)
{
    if (request->queues == 1 || request->name_at[0] == 0)
        return;
    for (uint32_t i = 0; i < count; i++) {
        char *one = request->block + i * request->length;
        for (size_t k = 0; k < 2 && request->name_at[k] > 0; k++)
            write_digits(one + request->name_at[k], request->queue);
        request->queue = (request->queue + 1) % request->queues;
    }
}
