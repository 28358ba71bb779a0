/* The envelope around what a factory holds: what is written is read, and nothing else is. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "contents.h"
#include "factory.h"
#include "scarcity.h"
#include "sealed.h"
#include "unit.h"

/* --- a module that writes down what it is told to -------------------------------------------- */

#define MUCH (3U * 1024 * 1024 + 17)
static struct {
    const char *body; /* written piece by piece */
    size_t length;
    size_t piece;
    uint64_t items;
    bool refuses;
    size_t loads;
} told;
static char much[MUCH];

static uint64_t save(struct factory *factory, struct contents_writer *writer)
{
    (void)factory;
    for (size_t at = 0; at < told.length; at += told.piece) {
        size_t left = told.length - at;
        contents_put(writer, told.body + at, left < told.piece ? left : told.piece);
    }
    return told.items;
}

static bool load(struct factory *factory, struct contents_reader *reader, char *why, size_t size)
{
    (void)factory;
    const char *data;
    told.loads++;
    MUST(!contents_get(reader, told.length + 1, &data));
    MUST(contents_get(reader, told.length, &data));
    MUST(contents_at_end(reader));
    MUST(memcmp(data, told.body, told.length) == 0);
    snprintf(why, size, "not today");
    return !told.refuses;
}

static const struct protocol keeper = {
    .name = "keeper", .summary = "keeps", .factory_save = save, .factory_load = load};
static const struct protocol other = {
    .name = "other", .summary = "keeps", .factory_save = save, .factory_load = load};
static const struct protocol plain = {.name = "plain", .summary = "keeps nothing"};

static struct factory *make(const struct protocol *protocol)
{
    char why[PARAMETER_WHY_SIZE];
    struct factory *factory = factory_new(protocol, "jobs", NULL, why, sizeof why);
    MUST(factory != NULL);
    return factory;
}

static void tell(const char *body, size_t length, size_t piece, uint64_t items)
{
    told.body = body;
    told.length = length;
    told.piece = piece;
    told.items = items;
}

static int saved(void)
{
    char why[PARAMETER_WHY_SIZE];
    struct factory *factory = make(&keeper);
    uint64_t items;
    int fd;
    if (!contents_save(factory, &fd, &items, why, sizeof why))
        ck_abort_msg("%s", why);
    ck_assert_uint_eq(items, told.items);
    factory_put(factory);
    return fd;
}

/* Why it is refused, until the next call; NULL if it is not. */
static const char *refusal_by(const struct protocol *protocol, int fd)
{
    static char why[PARAMETER_WHY_SIZE];
    struct factory *factory = make(protocol);
    uint64_t items;
    bool loaded = contents_load(factory, fd, &items, why, sizeof why);
    factory_put(factory);
    return loaded ? NULL : why;
}

/* --- numbers --------------------------------------------------------------------------------- */

#define BIT(n) (UINT64_C(1) << (n))
static const uint64_t numbers[] = {0,          1,         0x7f,        0x80,
                                   0x3fff,     0x4000,    BIT(28) - 1, BIT(28),
                                   UINT32_MAX, INT64_MAX, BIT(63),     UINT64_MAX};
static const size_t lengths[] = {1, 1, 1, 2, 2, 3, 4, 5, 5, 9, 10, 10};
#define NUMBERS (sizeof numbers / sizeof numbers[0])

static uint64_t save_number(struct factory *factory, struct contents_writer *writer)
{
    (void)factory;
    contents_put_number(writer, numbers[told.items]);
    return 0;
}

static const struct protocol counter = {
    .name = "counter", .summary = "counts", .factory_save = save_number, .factory_load = load};

START_TEST(a_number)
{
    char why[PARAMETER_WHY_SIZE];
    uint64_t items, number = 7;
    size_t length;
    int fd;
    struct factory *factory = make(&counter);
    told.items = (uint64_t)_i;
    ck_assert(contents_save(factory, &fd, &items, why, sizeof why));
    factory_put(factory);
    unsigned char *bytes = bytes_of(fd, &length), *body = bytes + CONTENTS_ENVELOPE_SIZE;
    ck_assert_uint_eq(length - CONTENTS_ENVELOPE_SIZE, lengths[_i]);
    for (size_t i = 0; i < lengths[_i]; i++) {
        struct contents_reader cut = {body, body + i};
        ck_assert(!contents_get_number(&cut, &number));
        ck_assert_ptr_eq(cut.at, body);
    }
    struct contents_reader reader = {body, bytes + length};
    ck_assert(contents_get_number(&reader, &number));
    ck_assert(contents_at_end(&reader));
    ck_assert_uint_eq(number, numbers[_i]);
    free(bytes);
    close(fd);
}
END_TEST

START_TEST(numbers_that_are_none)
{
    static const unsigned char too_long[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00",
                               too_large[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
    uint64_t number;
    struct contents_reader reader = {too_long, too_long + 11};
    ck_assert(!contents_get_number(&reader, &number));
    reader = (struct contents_reader){too_large, too_large + 10};
    ck_assert(!contents_get_number(&reader, &number));
}
END_TEST

/* --- what is kept * -------------------------------------------------------------------------- */

static const size_t pieces[] = {1, 7, 4096, 256 * 1024, 256 * 1024 + 1, MUCH};
#define PIECES (sizeof pieces / sizeof pieces[0])

START_TEST(what_is_saved_is_loaded)
{
    for (size_t i = 0; i < MUCH; i++)
        much[i] = (char)(i * 7 + i / 251);
    tell(much, MUCH, pieces[_i], 5);
    int fd = saved();
    struct contents_label label;
    ck_assert(contents_look(fd, &label));
    ck_assert_str_eq(label.module, "keeper");
    ck_assert_uint_eq(label.items, 5);
    ck_assert_ptr_null(refusal_by(&keeper, fd));
    ck_assert_ptr_null(refusal_by(&keeper, fd));
    ck_assert_uint_eq(told.loads, 2);
    close(fd);
}
END_TEST

START_TEST(it_can_never_change)
{
    tell("body", 4, 4, 1);
    int fd = saved();
    ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
    ck_assert_int_eq(ftruncate(fd, 1), -1);
    ck_assert_int_eq(ftruncate(fd, 1000), -1);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fd);
}
END_TEST

START_TEST(nothing_is_not_kept)
{
    tell("", 0, 1, 0);
    ck_assert_int_eq(saved(), -1);
    struct factory *factory = make(&plain);
    ck_assert(!contents_possible(factory));
    factory_put(factory);
    factory = make(&keeper);
    ck_assert(contents_possible(factory));
    factory_put(factory);
}
END_TEST

/* --- what is refused * ----------------------------------------------------------------------- */

START_TEST(module_may_refuse)
{
    tell("body", 4, 4, 1);
    told.refuses = true;
    int fd = saved();
    ck_assert_str_eq(refusal_by(&keeper, fd), "not today");
    ck_assert_str_eq(refusal_by(&other, fd), "it is of the protocol keeper");
    ck_assert_uint_eq(told.loads, 1);
    close(fd);
}
END_TEST

/* However it was changed, the module never sees it. */
static void check_refused(int fd)
{
    MUST(refusal_by(&keeper, fd) != NULL);
    MUST(told.loads == 0);
    close(fd);
}

START_TEST(every_changed_byte_is_noticed)
{
    tell("a body of some bytes", 20, 20, 3);
    size_t length;
    int fd = saved();
    unsigned char *bytes = bytes_of(fd, &length);
    for (size_t i = 0; i < length * 8; i++) {
        bytes[i / 8] ^= (unsigned char)(1U << i % 8);
        check_refused(sealed(bytes, length));
        bytes[i / 8] ^= (unsigned char)(1U << i % 8);
    }
    free(bytes);
    close(fd);
}
END_TEST

START_TEST(every_other_length_is_noticed)
{
    tell("a body of some bytes", 20, 20, 3);
    size_t length;
    int fd = saved();
    unsigned char *bytes = bytes_of(fd, &length);
    for (size_t i = 0; i < length; i++)
        check_refused(sealed(bytes, i));
    free(bytes);
    close(fd);
}
END_TEST

static void check_reason(const unsigned char *bytes, size_t length, const char *reason)
{
    int fd = sealed(bytes, length);
    ck_assert_str_eq(refusal_by(&keeper, fd), reason);
    close(fd);
}

START_TEST(reasons)
{
    tell("body", 4, 4, 3);
    size_t length;
    int fd = saved();
    unsigned char *bytes = bytes_of(fd, &length);
    check_reason(bytes, length - 1, "it has 3 bytes where 4 were written");
    bytes = realloc(bytes, length + 1);
    MUST(bytes != NULL);
    bytes[length] = 0;
    check_reason(bytes, length + 1, "it has 5 bytes where 4 were written");
    bytes[length - 1] = 'Y';
    check_reason(bytes, length, "its checksum is wrong");
    bytes[8] = 2;
    check_reason(bytes, length, "it was written by another version, in form 2");
    free(bytes);
    close(fd);
}
END_TEST

/* What somebody else could still change, or is no memory at all. */
START_TEST(without_seals)
{
    static const int seals[] = {0, F_SEAL_SHRINK | F_SEAL_GROW, F_SEAL_WRITE | F_SEAL_GROW,
                                F_SEAL_WRITE | F_SEAL_SHRINK};
    struct contents_label label;
    tell("body", 4, 4, 3);
    size_t length;
    int fd = saved(), ends[2];
    unsigned char *bytes = bytes_of(fd, &length);
    close(fd);
    for (size_t i = 0; i < 4; i++) {
        fd = sealed_by(seals[i], bytes, length);
        ck_assert(!contents_look(fd, &label));
        ck_assert_str_eq(refusal_by(&keeper, fd), "it is not what a cisternd has written");
        close(fd);
    }
    ck_assert_int_eq(pipe(ends), 0);
    check_refused(ends[0]);
    check_refused(ends[1]);
    check_refused(open("/dev/zero", O_RDONLY | O_CLOEXEC));
    ck_assert_ptr_nonnull(refusal_by(&keeper, -1));
    free(bytes);
}
END_TEST

/* --- want * ---------------------------------------------------------------------------------- */

START_TEST(without_memory)
{
    char why[PARAMETER_WHY_SIZE];
    struct factory *factory = make(&keeper);
    uint64_t items;
    int fd = -1, most = 0;
    bool done = false;
    tell("body", 4, 4, 1);
    while (!done) {
        allocations_left = most++;
        done = contents_save(factory, &fd, &items, why, sizeof why);
        allocations_left = -1;
        ck_assert_int_eq(fd >= 0, done);
    }
    ck_assert_int_gt(most, 1);
    ck_assert_ptr_null(refusal_by(&keeper, fd));
    close(fd);
    factory_put(factory);
}
END_TEST

START_TEST(without_descriptors)
{
    char why[PARAMETER_WHY_SIZE] = "";
    struct factory *factory = make(&keeper);
    struct rlimit limit, none;
    uint64_t items;
    int fd;
    tell(much, MUCH, 1000, 9);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool done = contents_save(factory, &fd, &items, why, sizeof why);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert(!done);
    ck_assert_int_eq(fd, -1);
    ck_assert_uint_eq(items, 9);
    ck_assert_str_eq(why, strerror(EMFILE));
    factory_put(factory);
}
END_TEST

/* A limit on files stands in for a file system that is full. */
START_TEST(without_room)
{
    char why[PARAMETER_WHY_SIZE] = "";
    struct factory *factory = make(&keeper);
    struct rlimit limit, little;
    uint64_t items;
    int fd;
    tell(much, MUCH, pieces[_i], 9);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    little = limit;
    little.rlim_cur = MUCH - 1;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    bool done = contents_save(factory, &fd, &items, why, sizeof why);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert(!done);
    ck_assert_int_eq(fd, -1);
    ck_assert_uint_eq(items, 9);
    ck_assert_str_eq(why, strerror(EFBIG));
    factory_put(factory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("contents");
    TCase *body = tcase_create("body");
    tcase_add_loop_test(body, a_number, 0, NUMBERS);
    tcase_add_test(body, numbers_that_are_none);
    suite_add_tcase(suite, body);
    TCase *kept = tcase_create("kept");
    tcase_add_loop_test(kept, what_is_saved_is_loaded, 0, PIECES);
    tcase_add_test(kept, it_can_never_change);
    tcase_add_test(kept, nothing_is_not_kept);
    suite_add_tcase(suite, kept);
    TCase *refused = tcase_create("refused");
    tcase_add_test(refused, module_may_refuse);
    tcase_add_test(refused, every_changed_byte_is_noticed);
    tcase_add_test(refused, every_other_length_is_noticed);
    tcase_add_test(refused, reasons);
    tcase_add_test(refused, without_seals);
    suite_add_tcase(suite, refused);
    TCase *want = tcase_create("want");
    tcase_add_test(want, without_memory);
    tcase_add_test(want, without_descriptors);
    tcase_add_loop_test(want, without_room, 0, PIECES);
    suite_add_tcase(suite, want);
    return unit_main(suite);
}
