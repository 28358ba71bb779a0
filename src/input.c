#include "input.h"

#include <stdlib.h>
#include <string.h>

/* What has grown large goes elsewhere without being copied: so realloc(), where it can be. */
static bool resize(struct input *input, size_t capacity)
{
    size_t length = input_length(input);
    char *data = input->start == 0 ? realloc(input->data, capacity) : malloc(capacity);
    if (data == NULL)
        return false;
    if (input->start > 0) {
        memcpy(data, input_data(input), length);
        free(input->data);
    }
    *input = (struct input){.data = data, .end = length, .capacity = capacity};
    return true;
}

bool input_reserve(struct input *input, size_t wanted, size_t limit)
{
    size_t length = input_length(input);
    if (input->capacity - input->end >= wanted)
        return true;
    if (input->start >= length && input->capacity - length >= wanted) {
        memmove(input->data, input_data(input), length);
        input->start = 0;
        input->end = length;
        return true;
    }
    size_t capacity = length > limit / 2 ? limit : length * 2;
    if (capacity < length + wanted)
        capacity = length + wanted;
    return resize(input, capacity);
}

char *input_space(struct input *input, size_t *room)
{
    *room = input->capacity - input->end;
    return input->data + input->end;
}

void input_added(struct input *input, size_t length)
{
    input->end += length;
}

bool input_append(struct input *input, const void *data, size_t length, size_t limit)
{
    if (!input_reserve(input, length, limit))
        return false;
    memcpy(input->data + input->end, data, length);
    input->end += length;
    return true;
}

void input_consume(struct input *input, size_t length)
{
    input->start += length;
    if (input->start == input->end)
        input_free(input);
}

void input_free(struct input *input)
{
    free(input->data);
    *input = (struct input){0};
}
