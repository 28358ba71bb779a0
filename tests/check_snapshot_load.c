/* What is loaded: into other bounds, from a clock that has stepped back, and when it is damaged. */
#include <stdlib.h>
#include <string.h>

#include "house.h"
#include "queue/snapshot.h"
#include "scarcity.h"
#include "unit.h"

static struct queue_parameters few; /* space_words.h: max_queues = 3, max_items = 10 */

static void setup(void)
{
    few_queues(&few);
}

static void teardown(void)
{
    parameters_clear(queue_parameter_rows, &few);
}

/* --- other bounds: the same rules as at a reload --------------------------------------------- */

static const struct queue_counters *counters_in(const struct house *house, const char *name)
{
    return &space_find(house->space, word(name))->queue.counters;
}

START_TEST(fewer_items)
{
    struct house house;
    open_house(&house, &few);
    push(house.space, "a", "1 2 3 4 5");
    push(house.space, "b", "1 2");
    few.max_items = 3;
    move_house(&house, &few);
    ck_assert_str_eq(words_in(&house, "a"), "3 4 5");
    ck_assert_uint_eq(counters_in(&house, "a")->evicted_resize, 2);
    ck_assert_uint_eq(counters_in(&house, "a")->high_items, 5);
    ck_assert_str_eq(words_in(&house, "b"), "1 2");
    ck_assert_uint_eq(house.service->restored, 7);
    close_house(&house);
}
END_TEST

START_TEST(fewer_items_that_all_stay)
{
    struct house house;
    open_house(&house, &few);
    push(house.space, "a", "1 2 3 4 5");
    few.max_items = 3;
    few.max_item_bytes = few.max_bytes = 1;
    few.overflow = OVERFLOW_REJECT;
    move_house(&house, &few);
    struct queue *queue = &claim(house.space, "a")->queue;
    ck_assert_str_eq(words_of(queue), "1 2 3 4 5");
    ck_assert(queue_over_bound(queue));
    ck_assert_int_ne(push_words(queue, "6"), PUSH_DONE);
    close_house(&house);
}
END_TEST

/* More than is trimmed in one go: the rest goes when it is next used, or by and by. */
START_TEST(far_fewer_items)
{
    struct house house;
    few.max_items = 100000;
    open_house(&house, &few);
    for (size_t i = 0; i < 50000; i++)
        push(house.space, "a", "x");
    push(house.space, "a", "y");
    few.max_items = 2;
    move_house(&house, &few);
    ck_assert(house.service->trims);
    while (house.service->trims)
        service_housekeep(house.service);
    ck_assert_str_eq(words_in(&house, "a"), "x y");
    ck_assert_uint_eq(counters_in(&house, "a")->evicted_resize, 49999);
    close_house(&house);
}
END_TEST

START_TEST(fewer_queues)
{
    struct house house;
    open_house(&house, &few);
    push(house.space, "a", "1");
    push(house.space, "b", "2");
    push(house.space, "c", "3");
    few.max_queues = 1;
    few.auto_create = false;
    set_match(&few, "c", "max_items", "2");
    set_match(&few, "d", "max_items", "2");
    move_house(&house, &few);
    ck_assert_str_eq(words_in(&house, "a"), "1");
    ck_assert_str_eq(words_in(&house, "b"), "2");
    ck_assert_uint_eq(claim(house.space, "a")->queue.bound->max_items, 10);
    ck_assert_uint_eq(claim(house.space, "c")->queue.bound->max_items, 2);
    ck_assert_int_eq(refusal_of(house.space, "d"), SPACE_FULL);
    ck_assert_int_eq(refusal_of(house.space, "e"), SPACE_UNDECLARED);
    close_house(&house);
}
END_TEST

START_TEST(less_memory)
{
    struct house house;
    few.overflow = OVERFLOW_REJECT;
    open_house(&house, &few);
    push(house.space, "a", "1 2 3 4 5");
    few.max_total_bytes = 64;
    move_house(&house, &few);
    struct queue *queue = &claim(house.space, "a")->queue;
    ck_assert_str_eq(words_of(queue), "1 2 3 4 5");
    ck_assert_int_eq(push_words(queue, "6"), PUSH_BUDGET);
    close_house(&house);
}
END_TEST

START_TEST(too_old)
{
    struct house house;
    open_house(&house, &few);
    push(house.space, "a", "1 2 3"); /* at 0 ms */
    ck_assert_int_eq(push_words_at(&claim(house.space, "a")->queue, DEQUE_TAIL, "4", clock_now()),
                     PUSH_DONE);
    few.max_age = clock_now() - 1;
    move_house(&house, &few);
    ck_assert_str_eq(words_in(&house, "a"), "4");
    ck_assert_uint_eq(counters_in(&house, "a")->expired, 3);
    close_house(&house);
}
END_TEST

/* --- queues of the connections' own ---------------------------------------------------------- */

START_TEST(private_queues_are_not_kept)
{
    struct house house;
    uint64_t items;
    few.scope = SCOPE_CONNECTION;
    open_house(&house, &few);
    ck_assert_int_eq(save_house(&house, &items), -1);
    close_house(&house);
}
END_TEST

START_TEST(shared_queues_do_not_become_private)
{
    struct house house;
    uint64_t items;
    open_house(&house, &few);
    push(house.space, "a", "1 2 3");
    int fd = save_house(&house, &items);
    leave_house(&house);
    few.scope = SCOPE_CONNECTION;
    open_house(&house, &few);
    ck_assert_str_eq(load_house(&house, fd), "its connections now have queues of their own");
    close_house(&house);
    close(fd);
}
END_TEST

/* --- the form -------------------------------------------------------------------------------- */

/* Saved at 100 ms: "x" is of 90 ms, "yz" of 95 ms and has been delivered twice. */
#define HEAD "\x01\x64\x07" NO_COUNTERS "\x01"
#define NO_COUNTERS "\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define QUEUE "\x01q\x03\x01\0\0\0\0\0\0\0\0\0\x03\x32\x02"
#define ITEMS "\x01\x15\x00x" LAST
#define LAST "\x02\x0a\x02yz"
static const char small[] = HEAD QUEUE ITEMS;
#define SMALL (sizeof small - 1)

static bool load_bytes(struct house *house, const char *bytes, size_t length, const char **why)
{
    static char text[PARAMETER_WHY_SIZE];
    const unsigned char *begin = (const unsigned char *)bytes;
    struct contents_reader reader = {begin, begin + length};
    bool loaded = snapshot_load(house->service, &reader, text, sizeof text);
    *why = text;
    look(house);
    return loaded;
}

START_TEST(form_as_documented)
{
    struct house house;
    struct deque_item first, last;
    const char *why;
    uint64_t items;
    size_t length;
    open_house(&house, &few);
    ck_assert(load_bytes(&house, small, SMALL, &why));
    ck_assert_str_eq(words_in(&house, "q"), "x yz");
    struct queue *queue = &claim(house.space, "q")->queue;
    ck_assert(queue_peek(queue, DEQUE_HEAD, &first) && queue_peek(queue, DEQUE_TAIL, &last));
    ck_assert_uint_eq(first.pushed_at, 90);
    ck_assert_uint_eq(first.deliveries, 0);
    ck_assert_uint_eq(last.pushed_at, 95);
    ck_assert_uint_eq(last.deliveries, 2);
    ck_assert_uint_eq(house.service->leases.last_id, 7);
    ck_assert_uint_eq(counters_in(&house, "q")->high_bytes, 50);
    check_house(&house);
    int fd = save_house(&house, &items);
    ck_assert_uint_eq(items, 2);
    unsigned char *saved = bytes_of(fd, &length);
    const char *end = (char *)saved + length;
    ck_assert_mem_eq(end - (sizeof LAST - 1), LAST, sizeof LAST - 1);
    free(saved);
    close(fd);
    leave_house(&house);
}
END_TEST

/* Ages are kept, as far as they can be. */
START_TEST(clock_that_has_stepped_back)
{
    static const char later[] = "\x01\x80\x80\x80\x80\x80\x80\x80\x01\x07" NO_COUNTERS
                                "\x01" QUEUE ITEMS; /* saved at 2^49 ms */
    struct house house;
    struct deque_item item;
    const char *why;
    open_house(&house, &few);
    uint64_t before = clock_now();
    ck_assert(load_bytes(&house, later, sizeof later - 1, &why));
    uint64_t after = clock_now();
    ck_assert(queue_peek(&claim(house.space, "q")->queue, DEQUE_HEAD, &item));
    ck_assert_uint_ge(item.pushed_at, before - 10);
    ck_assert_uint_le(item.pushed_at, after - 10);
    close_house(&house);
}
END_TEST

/* --- damage * -------------------------------------------------------------------------------- */

/* Nothing of it has come in. */
static void check_empty(const struct house *house)
{
    MUST(house->space->by_name == NULL);
    MUST(house->worker->memory.used == 0);
    MUST(house->service->leases.last_id == 0);
    MUST(house->service->restored == 0);
}

static void check_refused(const char *bytes, size_t length, const char *reason)
{
    struct house house;
    const char *why;
    open_house(&house, &few);
    ck_assert(!load_bytes(&house, bytes, length, &why));
    ck_assert_str_eq(why, reason);
    check_empty(&house);
    close_house(&house);
}

START_TEST(every_other_length)
{
    char longer[SMALL + 1] = {0};
    for (size_t i = 0; i < SMALL; i++) {
        char *exact = malloc(i + 1); /* for the sanitizer to see what is behind */
        MUST(exact != NULL);
        memcpy(exact, small, i);
        check_refused(exact, i, "it is damaged");
        free(exact);
    }
    memcpy(longer, small, SMALL);
    check_refused(longer, sizeof longer, "it is damaged");
}
END_TEST

/* Behind a right checksum: refused, or taken in so that everything adds up. */
START_TEST(every_other_byte)
{
    size_t refused = 0, loaded = 0;
    for (size_t i = 0; i < SMALL * 255; i++) {
        struct house house;
        char *bytes = malloc(SMALL);
        const char *why;
        MUST(bytes != NULL);
        memcpy(bytes, small, SMALL);
        bytes[i / 255] = (char)(bytes[i / 255] + 1 + (int)(i % 255));
        open_house(&house, &few);
        if (load_bytes(&house, bytes, SMALL, &why)) {
            MUST(house.service->restored == 2);
            loaded++;
        } else {
            check_empty(&house);
            refused++;
        }
        close_house(&house);
        free(bytes);
    }
    ck_assert_uint_gt(refused, SMALL * 255 / 2);
    ck_assert_uint_gt(loaded, 0); /* the bytes of an item may be any */
}
END_TEST

#define COUNTERS_OF_NONE "\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define MOST "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"

static const struct {
    const char *bytes;
    size_t length;
    const char *reason;
} wrong[] = {
#define WRONG(text, reason)                                                                        \
    {                                                                                              \
        text, sizeof(text) - 1, reason                                                             \
    }
    WRONG("", "it is damaged"),
    WRONG("\x02", "it was written by another version"),
    /* one queue twice; a name that is too long; more queues, items, bytes than there are */
    WRONG("\x01\x64\x07" NO_COUNTERS "\x02\x01q" COUNTERS_OF_NONE "\x01q" COUNTERS_OF_NONE,
          "it is damaged"),
    WRONG(HEAD MOST "q" COUNTERS_OF_NONE, "it is damaged"),
    WRONG("\x01\x64\x07" NO_COUNTERS MOST "\x01q" COUNTERS_OF_NONE, "it is damaged"),
    WRONG(HEAD "\x01q" MOST "\0\0\0\0\0\0\0\0\0\0\0\0" MOST, "it is damaged"),
    WRONG(HEAD QUEUE MOST "\x15\0x", "it is damaged"),
    WRONG(HEAD QUEUE "\x80\x80\x80\x80\x02\x15\0x", "it is damaged"), /* 512 MiB */
    /* a time after the end; deliveries that are none; a lease that was none; counters that lie */
    WRONG(HEAD QUEUE "\x01\x02\0x\x02\0\x02yz", "it is damaged"),
    WRONG(HEAD QUEUE "\x01" MOST "\0x\x02\0\x02yz", "it is damaged"),
    WRONG(HEAD QUEUE "\x01\x15\x80\x02x\x02\0\x02yz", "it is damaged"),
    WRONG("\x01\x64" MOST NO_COUNTERS "\0", "it is damaged"),
    WRONG("\x01\x64\x07\x01\0\0\0\0\0\0\0\0\0\0\0\0\0", "it is damaged"),
};

START_TEST(what_cannot_be)
{
    check_refused(wrong[_i].bytes, wrong[_i].length, wrong[_i].reason);
}
END_TEST

START_TEST(name_too_long)
{
    static const char head[] = "\x01\x64\x07" NO_COUNTERS "\x01\x81\x08"; /* 1025 */
    char bytes[sizeof head - 1 + QUEUE_NAME_MAX + 1 + sizeof COUNTERS_OF_NONE - 1] = {0};
    memcpy(bytes, head, sizeof head - 1);
    check_refused(bytes, sizeof bytes, "it is damaged");
}
END_TEST

START_TEST(without_memory)
{
    struct house house;
    const char *why;
    bool done = false;
    int most = 0;
    open_house(&house, &few);
    while (!done) {
        allocations_left = most++;
        done = load_bytes(&house, small, SMALL, &why);
        allocations_left = -1;
        if (!done) {
            ck_assert_str_eq(why, "out of memory");
            check_empty(&house);
        }
    }
    ck_assert_int_gt(most, 3);
    ck_assert_str_eq(words_in(&house, "q"), "x yz");
    close_house(&house);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot, loaded");
    TCase *bounds = tcase_create("other bounds");
    tcase_add_checked_fixture(bounds, setup, teardown);
    tcase_add_test(bounds, fewer_items);
    tcase_add_test(bounds, fewer_items_that_all_stay);
    tcase_add_test(bounds, far_fewer_items);
    tcase_add_test(bounds, fewer_queues);
    tcase_add_test(bounds, less_memory);
    tcase_add_test(bounds, too_old);
    tcase_add_test(bounds, private_queues_are_not_kept);
    tcase_add_test(bounds, shared_queues_do_not_become_private);
    suite_add_tcase(suite, bounds);
    TCase *form = tcase_create("form");
    tcase_add_checked_fixture(form, setup, teardown);
    tcase_add_test(form, form_as_documented);
    tcase_add_test(form, clock_that_has_stepped_back);
    tcase_add_test(form, every_other_length);
    tcase_add_test(form, every_other_byte);
    tcase_add_loop_test(form, what_cannot_be, 0, sizeof wrong / sizeof wrong[0]);
    tcase_add_test(form, name_too_long);
    tcase_add_test(form, without_memory);
    suite_add_tcase(suite, form);
    return unit_main(suite);
}
