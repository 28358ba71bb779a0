/* Kept input: against a plain array, and how much memory it takes. */
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "must.h"
#include "random.h"
#include "unit.h"

#define LIMIT 10000U

struct model {
    struct input input;
    char bytes[LIMIT];
    size_t length;
};

static void check(const struct model *model)
{
    MUST(input_length(&model->input) == model->length);
    if (model->length > 0)
        MUST(memcmp(input_data(&model->input), model->bytes, model->length) == 0);
    else
        MUST(model->input.data == NULL && model->input.capacity == 0);
}

static void fill(char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)random();
}

static void append(struct model *model, size_t length)
{
    fill(model->bytes + model->length, length);
    MUST(input_append(&model->input, model->bytes + model->length, length, LIMIT));
    model->length += length;
}

/* As the connection does: makes some room, and receives some into it. */
static void receive(struct model *model, size_t wanted)
{
    size_t room;
    MUST(input_reserve(&model->input, wanted, LIMIT));
    char *space = input_space(&model->input, &room);
    MUST(room >= wanted);
    size_t length = below((room < LIMIT - model->length ? room : LIMIT - model->length) + 1);
    fill(space, length);
    memcpy(model->bytes + model->length, space, length);
    input_added(&model->input, length);
    model->length += length;
}

static void consume(struct model *model, size_t length)
{
    input_consume(&model->input, length);
    model->length -= length;
    memmove(model->bytes, model->bytes + length, model->length);
}

START_TEST(agrees_with_an_array)
{
    static struct model model;
    random_begin(_i);
    for (int step = 0; step < 5000; step++) {
        size_t room = LIMIT - model.length, before = model.input.capacity;
        size_t most = below(4) == 0 ? room : room < 100 ? room : 100;
        if (below(2) == 0)
            consume(&model, below(3) == 0 ? model.length : below(model.length + 1));
        else if (model.length > 0 && below(2) == 0)
            receive(&model, below(most + 1));
        else if (most > 0)
            append(&model, 1 + below(most));
        check(&model);
        MUST(model.input.capacity <= LIMIT);
        MUST(model.input.capacity <= 2 * before + most);
    }
    input_free(&model.input);
    ck_assert_ptr_null(model.input.data);
    ck_assert_uint_eq(input_length(&model.input), 0);
}
END_TEST

/* A byte at a time is copied a few times, and not each time. */
START_TEST(grows_by_doubling)
{
    struct input input = {0};
    size_t changes = 0;
    for (size_t i = 0; i < 1024 * 1024; i++) {
        size_t before = input.capacity;
        MUST(input_append(&input, "x", 1, 1024 * 1024));
        MUST(input.capacity >= before);
        changes += input.capacity != before;
    }
    ck_assert_uint_le(changes, 21);
    ck_assert_uint_eq(input.capacity, 1024 * 1024);
    input_free(&input);
}
END_TEST

/* A queue of bytes that never empties goes round in the room it has. */
START_TEST(reuses_what_was_consumed)
{
    struct input input = {0};
    size_t changes = 0;
    ck_assert(input_append(&input, "0123456789", 10, LIMIT));
    for (size_t i = 0; i < 10000; i++) {
        const char *before = input.data;
        MUST(input_append(&input, "0123456789", 10, LIMIT));
        changes += input.data != before;
        input_consume(&input, 10);
        MUST(memcmp(input_data(&input), "0123456789", 10) == 0);
        MUST(input.capacity <= 40);
    }
    ck_assert_uint_le(changes, 2);
    input_free(&input);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("input");
    TCase *input = tcase_create("input");
    tcase_set_timeout(input, 30);
    tcase_add_loop_test(input, agrees_with_an_array, 0, 4);
    tcase_add_test(input, grows_by_doubling);
    tcase_add_test(input, reuses_what_was_consumed);
    suite_add_tcase(suite, input);
    return unit_main(suite);
}
