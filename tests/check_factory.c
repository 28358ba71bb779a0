/* Factories: started once, stopped once, counted, and what one takes over from another. */
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "factory.h"
#include "unit.h"

struct block {
    uint64_t size;
    struct address_list peers;
};

static const struct parameter rows[] = {
    {.name = "size",
     .type = PARAMETER_SIZE,
     .offset = offsetof(struct block, size),
     .initial = "1KiB",
     .minimum = 1,
     .maximum = 65536,
     .help = "a size"},
    {.name = "peers",
     .type = PARAMETER_ADDRESSES,
     .flags = PARAMETER_REQUIRED,
     .offset = offsetof(struct block, peers),
     .help = "what the block owns"},
    {0},
};

static struct {
    int started, stopped;
    bool fails;
    struct factory *adopter, *adopted;
} told;

static bool start(struct factory *factory, char *why, size_t size)
{
    const struct block *block = factory_parameters(factory);
    const char *shared = factory_shared(factory);
    told.started++;
    for (size_t i = 0; i < 100; i++)
        ck_assert_int_eq(shared[i], 0);
    ck_assert_uint_eq(block->peers.count, 1);
    ck_assert_str_eq(factory_name(factory), "jobs");
    snprintf(why, size, "not today");
    return !told.fails;
}

static void stop(struct factory *factory)
{
    ck_assert_uint_eq(((const struct block *)factory_parameters(factory))->peers.count, 1);
    told.stopped++;
}

static void adopt(struct factory *factory, struct factory *old)
{
    told.adopter = factory;
    told.adopted = old;
}

static const struct protocol protocol = {
    .name = "fake",
    .summary = "counts",
    .parameters = rows,
    .parameters_size = sizeof(struct block),
    .shared_size = 100,
    .factory_start = start,
    .factory_stop = stop,
    .factory_adopt = adopt,
};

static const struct protocol plain = {.name = "plain", .summary = "has nothing"};

static void make_block(struct block *block, const char *size)
{
    char why[PARAMETER_WHY_SIZE];
    *block = (struct block){0};
    ck_assert(parameters_init(rows, block));
    ck_assert(parameter_parse(&rows[0], size, block, why, sizeof why));
    ck_assert(parameter_parse(&rows[1], "127.0.0.1:7", block, why, sizeof why));
}

static struct factory *make(const char *size)
{
    struct block block;
    char why[PARAMETER_WHY_SIZE], name[] = "jobs";
    make_block(&block, size);
    struct factory *factory = factory_new(&protocol, name, &block, why, sizeof why);
    memset(name, 'x', sizeof name - 1);
    parameters_clear(rows, &block); /* the factory has its own */
    return factory;
}

START_TEST(starts_and_stops_once)
{
    struct factory *factory = make("2KiB");
    ck_assert_ptr_nonnull(factory);
    ck_assert_int_eq(told.started, 1);
    ck_assert_str_eq(factory_name(factory), "jobs");
    ck_assert_ptr_eq(factory_protocol(factory), &protocol);
    ck_assert_uint_eq(((const struct block *)factory_parameters(factory))->size, 2048);
    ck_assert_uint_eq((uintptr_t)factory_shared(factory) % _Alignof(max_align_t), 0);
    ck_assert_ptr_eq(factory_get(factory), factory);
    ck_assert_ptr_eq(factory_get(factory), factory);
    factory_put(factory);
    factory_put(factory);
    ck_assert_int_eq(told.stopped, 0);
    factory_put(factory);
    ck_assert_int_eq(told.started, 1);
    ck_assert_int_eq(told.stopped, 1);
    factory_put(NULL);
}
END_TEST

START_TEST(start_may_fail)
{
    struct block block;
    char why[PARAMETER_WHY_SIZE] = "";
    told.fails = true;
    make_block(&block, "1KiB");
    ck_assert_ptr_null(factory_new(&protocol, "jobs", &block, why, sizeof why));
    ck_assert_str_eq(why, "not today");
    ck_assert_int_eq(told.started, 1);
    ck_assert_int_eq(told.stopped, 0);
    parameters_clear(rows, &block);
}
END_TEST

START_TEST(without_anything)
{
    char why[PARAMETER_WHY_SIZE];
    struct factory *factory = factory_new(&plain, "plain", NULL, why, sizeof why);
    struct factory *newer = factory_new(&plain, "plain", NULL, why, sizeof why);
    ck_assert(factory != NULL && newer != NULL);
    ck_assert_ptr_null(factory_parameters(factory));
    ck_assert(factory_matches(factory, &plain, NULL));
    factory_adopt(newer, factory);
    factory_put(newer);
    factory_put(factory);
}
END_TEST

START_TEST(adopts_its_own_kind)
{
    char why[PARAMETER_WHY_SIZE];
    struct factory *old = make("1KiB"), *new = make("2KiB");
    struct factory *stranger = factory_new(&plain, "plain", NULL, why, sizeof why);
    ck_assert(old != NULL && new != NULL &&stranger != NULL);
    factory_adopt(new, stranger);
    factory_adopt(stranger, old);
    ck_assert_ptr_null(told.adopter);
    factory_adopt(new, old);
    ck_assert_ptr_eq(told.adopter, new);
    ck_assert_ptr_eq(told.adopted, old);
    factory_put(old);
    factory_put(new);
    factory_put(stranger);
    ck_assert_int_eq(told.stopped, 2);
}
END_TEST

START_TEST(matches_what_it_was_made_from)
{
    struct block block;
    struct factory *factory = make("2KiB");
    ck_assert_ptr_nonnull(factory);
    make_block(&block, "2KiB");
    ck_assert(factory_matches(factory, &protocol, &block));
    ck_assert(!factory_matches(factory, &plain, NULL));
    block.size++;
    ck_assert(!factory_matches(factory, &protocol, &block));
    parameters_clear(rows, &block);
    factory_put(factory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("factory");
    TCase *factory = tcase_create("factory");
    tcase_add_test(factory, starts_and_stops_once);
    tcase_add_test(factory, start_may_fail);
    tcase_add_test(factory, without_anything);
    tcase_add_test(factory, adopts_its_own_kind);
    tcase_add_test(factory, matches_what_it_was_made_from);
    suite_add_tcase(suite, factory);
    return unit_main(suite);
}
