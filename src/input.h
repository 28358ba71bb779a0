/*
 * input: received bytes that a module has not consumed yet, in one piece.
 *
 * It grows with what has really come, never with what was announced, and is
 * given back as soon as it is empty. Pure.
 */
#ifndef CISTERN_INPUT_H
#define CISTERN_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes [start, end) of data. Zeroed, it is empty. */
struct input {
    char *data; /* owned */
    size_t start;
    size_t end;
    size_t capacity;
};

static inline size_t input_length(const struct input *input)
{
    return input->end - input->start;
}

static inline const char *input_data(const struct input *input)
{
    return input->data + input->start;
}

/*
 * Makes room for so many bytes more behind what is there; the capacity at most
 * doubles, and never exceeds limit unless it must. False when memory is out.
 */
bool input_reserve(struct input *input, size_t wanted, size_t limit);
/* The room there is, and where; after writing there, say how much with input_added(). */
char *input_space(struct input *input, size_t *room);
void input_added(struct input *input, size_t length);

bool input_append(struct input *input, const void *data, size_t length, size_t limit);
/* Drops bytes from the front. */
void input_consume(struct input *input, size_t length);
void input_free(struct input *input);

#endif
