/* What listeners hold, from one process to the next through a store of descriptors. */
#include <stdio.h>

#include "carryover.h"
#include "house.h"
#include "unit.h"

/* --- a store, as systemd's is ---------------------------------------------------------------- */

#define PLACES 8

static struct {
    struct place {
        char name[64]; /* "": free */
        int fd;
        bool old; /* was there at the start */
    } places[PLACES];
    bool full;
} kept;

static bool push_fd(void *context, const char *name, int fd)
{
    (void)context;
    struct place *place = kept.places;
    while (place < kept.places + PLACES && place->name[0] != '\0')
        place++;
    if (kept.full || place == kept.places + PLACES)
        return false;
    snprintf(place->name, sizeof place->name, "%s", name);
    place->fd = dup(fd);
    place->old = false;
    return true;
}

static struct place *find_place(const char *name, bool old)
{
    for (size_t i = 0; i < PLACES; i++) {
        if (kept.places[i].old == old && strcmp(kept.places[i].name, name) == 0)
            return &kept.places[i];
    }
    return NULL;
}

static int find_fd(void *context, const char *name)
{
    (void)context;
    const struct place *place = find_place(name, true);
    return place != NULL ? place->fd : -1;
}

static const char *name_at(void *context, size_t index)
{
    (void)context;
    for (size_t i = 0; i < PLACES; i++) {
        if (kept.places[i].name[0] != '\0' && kept.places[i].old && index-- == 0)
            return kept.places[i].name;
    }
    return NULL;
}

static void remove_fds(void *context, const char *name)
{
    (void)context;
    for (size_t i = 0; i < PLACES; i++) {
        if (strcmp(kept.places[i].name, name) == 0) {
            close(kept.places[i].fd);
            kept.places[i] = (struct place){0};
        }
    }
}

static struct descriptor_store store = {
    .push = push_fd, .find = find_fd, .name = name_at, .remove = remove_fds};

static size_t kept_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < PLACES; i++)
        count += kept.places[i].name[0] != '\0';
    return count;
}

/* --- what the log says * --------------------------------------------------------------------- */

static char heard[4096];

static void hear(enum log_level level, const char *line, void *context)
{
    (void)context;
    size_t used = strlen(heard);
    snprintf(heard + used, sizeof heard - used, "%d %s\n", (int)level, line);
}

static void expect(const char *lines)
{
    ck_assert_str_eq(heard, lines);
    heard[0] = '\0';
}

/* --- processes * ----------------------------------------------------------------------------- */

static struct queue_parameters few;

static void setup(void)
{
    few_queues(&few);
    log_set_sink(hear, NULL);
}

static void teardown(void)
{
    for (size_t i = 0; i < PLACES; i++) {
        if (kept.places[i].name[0] != '\0')
            close(kept.places[i].fd);
    }
    parameters_clear(queue_parameter_rows, &few);
}

static void begin_process(struct house *house)
{
    for (size_t i = 0; i < PLACES; i++)
        kept.places[i].old = kept.places[i].name[0] != '\0';
    open_house(house, &few);
    house->space->limits->budget.outer = NULL;
    store.wanted = store.marked = false;
    carryover_restore(&store, house->factory);
    look(house);
    carryover_begin(&store);
    house->space->limits->budget.outer = factory_budget(house->factory);
}

/* In good order. */
static void end_process(struct house *house)
{
    carryover_save(&store, house->factory);
    carryover_end(&store);
    leave_house(house);
}

#define KEPT(count) "5 jobs: " count " items are kept for the next start\n"
#define BACK(count) "5 jobs: " count " items are back that were there before the restart\n"

START_TEST(restart)
{
    struct house house;
    begin_process(&house);
    expect("");
    push(house.space, "a", "1 2 3");
    end_process(&house);
    expect(KEPT("3"));
    ck_assert_uint_eq(kept_count(), 1);
    begin_process(&house);
    expect(BACK("3"));
    ck_assert_str_eq(words_in(&house, "a"), "1 2 3");
    ck_assert_int_eq(find_fd(NULL, "queue.jobs"), -1);
    pop(house.space, "a");
    check_house(&house);
    end_process(&house);
    begin_process(&house);
    expect(KEPT("2") BACK("2"));
    ck_assert_str_eq(words_in(&house, "a"), "2 3");
    close_house(&house);
}
END_TEST

#define LOST                                                                                       \
    "4 jobs: begins empty: the daemon has been killed or has crashed, or was told to stop at "     \
    "once\n"

START_TEST(crash)
{
    struct house house;
    begin_process(&house);
    push(house.space, "a", "1 2 3");
    close_house(&house);
    begin_process(&house);
    expect(LOST);
    ck_assert_ptr_null(house.space->by_name);
    close_house(&house);
    begin_process(&house);
    expect(LOST);
    ck_assert_uint_eq(kept_count(), 1);
    end_process(&house);
    ck_assert_uint_eq(kept_count(), 1);
    begin_process(&house);
    expect(KEPT("0") BACK("0"));
    close_house(&house);
}
END_TEST

/* A listener that a reload brings is new, and has lost nothing. */
START_TEST(listener_added_after_a_crash)
{
    struct house house;
    begin_process(&house);
    close_house(&house);
    begin_process(&house);
    expect(LOST);
    carryover_restore(&store, house.factory);
    expect("");
    close_house(&house);
}
END_TEST

/* What nobody takes stays, over any number of restarts, until its listener is there again. */
START_TEST(listener_that_is_gone_for_a_while)
{
    struct house house;
    begin_process(&house);
    push(house.space, "a", "1 2 3");
    end_process(&house);
    snprintf(find_place("queue.jobs", false)->name, 64, "queue.work");
    expect(KEPT("3"));
    for (int i = 0; i < 2; i++) {
        begin_process(&house);
        ck_assert_ptr_nonnull(strstr(heard, "4 queue.work: no listener has taken these 3 items of "
                                            "the protocol queue: they stay in the store"));
        end_process(&house);
        heard[0] = '\0';
    }
    remove_fds(NULL, "queue.jobs");
    snprintf(find_place("queue.work", true)->name, 64, "queue.jobs");
    begin_process(&house);
    expect(BACK("3"));
    ck_assert_str_eq(words_in(&house, "a"), "1 2 3");
    close_house(&house);
}
END_TEST

#define REFUSED "3 jobs: begins empty: what was there before the restart cannot be taken in: "
#define UNCLAIMED                                                                                  \
    "4 queue.jobs: no listener has taken these 3 items of the protocol queue: they stay in the "   \
    "store of descriptors\n"

START_TEST(other_scope_and_back)
{
    struct house house;
    begin_process(&house);
    push(house.space, "a", "1 2 3");
    end_process(&house);
    few.scope = SCOPE_CONNECTION;
    heard[0] = '\0';
    begin_process(&house);
    expect(REFUSED "its connections now have queues of their own\n" UNCLAIMED);
    end_process(&house);
    few.scope = SCOPE_LISTENER;
    begin_process(&house);
    expect(BACK("3"));
    close_house(&house);
}
END_TEST

START_TEST(damaged)
{
    struct house house;
    int fd = sealed("x", 1);
    push_fd(NULL, "queue.jobs", fd);
    close(fd);
    begin_process(&house);
    expect(REFUSED "it is not what a cisternd has written\n"
                   "4 queue.jobs: this descriptor in the store is not a cisternd's\n");
    push(house.space, "a", "1");
    end_process(&house);
    begin_process(&house);
    expect(KEPT("1") BACK("1"));
    close_house(&house);
}
END_TEST

START_TEST(store_that_is_full)
{
    struct house house;
    kept.full = true;
    begin_process(&house);
    expect("4 the store of descriptors cannot be marked: after a crash nothing will be said about "
           "items that are lost\n");
    push(house.space, "a", "1 2");
    end_process(&house);
    expect("3 jobs: 2 items are lost: the store does not take them\n");
}
END_TEST

/* Other names in the store are not its business, and nor are other protocols. */
START_TEST(others)
{
    char why[PARAMETER_WHY_SIZE];
    struct house house;
    struct factory *discard;
    int fd = sealed("x", 1);
    push_fd(NULL, "listener.tcp", fd);
    close(fd);
    begin_process(&house);
    end_process(&house);
    ck_assert_uint_eq(kept_count(), 2);
    discard = factory_new(protocol_find("discard"), "jobs", NULL, why, sizeof why);
    ck_assert_ptr_nonnull(discard);
    heard[0] = '\0';
    carryover_restore(&store, discard);
    carryover_save(&store, discard);
    carryover_save(NULL, discard);
    expect("");
    ck_assert_uint_eq(kept_count(), 2);
    factory_put(discard);
}
END_TEST

START_TEST(without_a_store)
{
    struct house house;
    open_house(&house, &few);
    push(house.space, "a", "1 2");
    carryover_restore(NULL, house.factory);
    carryover_begin(NULL);
    carryover_save(NULL, house.factory);
    carryover_end(NULL);
    expect("");
    ck_assert_str_eq(words_in(&house, "a"), "1 2");
    close_house(&house);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("carryover");
    TCase *tcase = tcase_create("carryover");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, restart);
    tcase_add_test(tcase, crash);
    tcase_add_test(tcase, listener_added_after_a_crash);
    tcase_add_test(tcase, listener_that_is_gone_for_a_while);
    tcase_add_test(tcase, other_scope_and_back);
    tcase_add_test(tcase, damaged);
    tcase_add_test(tcase, store_that_is_full);
    tcase_add_test(tcase, others);
    tcase_add_test(tcase, without_a_store);
    suite_add_tcase(suite, tcase);
    return unit_main(suite);
}
