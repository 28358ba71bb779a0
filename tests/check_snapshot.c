/* The queues of a listener over a restart: everything that can be seen of them is as it was. */
#include <stdlib.h>
#include <string.h>

#include "house.h"
#include "random.h"
#include "unit.h"

/* --- notes of what is visible ---------------------------------------------------------------- */

enum { NAMES = 12, ITEMS = 64, LONG = 70000 };

struct note {
    struct resp_argument name; /* data: a copy */
    struct queue_counters counters;
    size_t count;
    struct deque_item items[ITEMS]; /* data: copies */
};

/* Of all queues; and the places of the idle ones among them, the longest idle first. */
struct notes {
    size_t count;
    struct note queues[NAMES];
    size_t idle_count;
    size_t idle[NAMES];
    struct queue_counters forgotten;
    uint64_t last_lease;
};

static const char *copy_of(const char *data, size_t length)
{
    char *copy = malloc(length + 1);
    MUST(copy != NULL);
    return memcpy(copy, data, length);
}

static void note_queue(struct note *note, const struct named_queue *queue)
{
    struct deque deque = queue->queue.items;
    struct deque_cursor cursor;
    struct deque_item item;
    note->name =
        (struct resp_argument){copy_of(queue->name, queue->name_length), queue->name_length};
    note->counters = queue->queue.counters;
    note->count = 0;
    MUST(queue->is_seen == (queue_count(&queue->queue) > 0));
    for (deque_seek(&deque, 0, &cursor); deque_at(&cursor, &item); deque_next(&cursor)) {
        MUST(note->count < ITEMS);
        item.data = copy_of(item.data, item.length);
        note->items[note->count++] = item;
    }
}

static size_t place_of(const struct notes *notes, const char *name, size_t length)
{
    size_t place = 0;
    while (place < notes->count && (notes->queues[place].name.length != length ||
                                    memcmp(notes->queues[place].name.data, name, length) != 0))
        place++;
    MUST(place < notes->count);
    return place;
}

/* In the order of `others`, or without them as they come. */
static void take_notes(struct notes *notes, const struct house *house, const struct notes *others)
{
    struct named_queue *queue;
    notes->forgotten = house->space->forgotten;
    notes->last_lease = house->service->leases.last_id;
    notes->idle_count = 0;
    notes->count = HASH_COUNT(house->space->by_name);
    size_t next = 0;
    for (queue = house->space->by_name; queue != NULL; queue = queue->hh.next) {
        size_t place = others == NULL ? next++ : place_of(others, queue->name, queue->name_length);
        MUST(place < NAMES);
        note_queue(&notes->queues[place], queue);
    }
    TAILQ_FOREACH(queue, &house->space->idle, idle)
    notes->idle[notes->idle_count++] = place_of(notes, queue->name, queue->name_length);
}

/* Times may be rounded up once more, by less than a 60th part of their span. */
static void compare_items(const struct note *before, const struct note *after)
{
    uint64_t oldest = UINT64_MAX, newest = 0;
    for (size_t i = 0; i < before->count; i++) {
        uint64_t time = before->items[i].pushed_at;
        oldest = time < oldest ? time : oldest;
        newest = time > newest ? time : newest;
    }
    MUST(before->count == after->count);
    for (size_t i = 0; i < before->count; i++) {
        const struct deque_item *was = &before->items[i], *is = &after->items[i];
        MUST(was->length == is->length && was->deliveries == is->deliveries);
        MUST(memcmp(was->data, is->data, was->length) == 0);
        MUST(is->pushed_at >= was->pushed_at && is->pushed_at <= newest);
        MUST(is->pushed_at - was->pushed_at <= (newest - oldest) / 60);
    }
}

static void compare_notes(const struct notes *before, const struct notes *after)
{
    ck_assert_uint_eq(before->count, after->count);
    for (size_t i = 0; i < before->count; i++) {
        ck_assert_mem_eq(&before->queues[i].counters, &after->queues[i].counters,
                         sizeof(struct queue_counters));
        compare_items(&before->queues[i], &after->queues[i]);
    }
    ck_assert_uint_eq(before->idle_count, after->idle_count);
    ck_assert_mem_eq(before->idle, after->idle, before->idle_count * sizeof before->idle[0]);
    ck_assert_mem_eq(&before->forgotten, &after->forgotten, sizeof after->forgotten);
    ck_assert_uint_eq(before->last_lease, after->last_lease);
}

static void clear_notes(struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        struct note *note = &notes->queues[i];
        free((void *)(uintptr_t)note->name.data);
        for (size_t j = 0; j < note->count; j++)
            free((void *)(uintptr_t)note->items[j].data);
    }
}

/* --- whatever there was * -------------------------------------------------------------------- */

static char long_name[QUEUE_NAME_MAX];
static char bytes[LONG];

static struct resp_argument name_of(size_t index)
{
    static const char *const names[] = {"a", "b", "reject", "newest", "block", "aged", ""};
    static const struct resp_argument odd[] = {
        {"\0", 1}, {"n\0ul", 4}, {"\xff\r\n\x80", 4}, {long_name, 1024}, {long_name, 1023}};
    return index < 7 ? word(names[index]) : odd[index - 7];
}

static size_t some_length(void)
{
    static const size_t lengths[] = {0, 1, 253, 254, 255, 256, 4096, LONG};
    return below(3) > 0 ? below(40) : lengths[below(8)];
}

static void do_something(struct house *house, struct named_queue *named, uint64_t now)
{
    struct queue *queue = &named->queue;
    enum deque_end end = (enum deque_end)below(2);
    struct lease *lease = TAILQ_FIRST(&house->client.leases);
    struct resp_argument items[4];
    const struct batch batch = {items, 1 + below(4)};
    switch (below(8)) {
    case 0:
        if (queue_count(queue) > 0)
            queue_pop(queue, end);
        break;
    case 1:
        if (queue_count(queue) > 0)
            MUST(lease_take(&house->service->leases, house->space, named, &house->client, now));
        break;
    case 2:
        if (lease != NULL)
            lease_return(&house->service->leases, house->space, lease);
        break;
    case 3:
        if (lease != NULL)
            lease_acknowledge(&house->service->leases, house->space, lease);
        break;
    case 4:
        if (below(20) == 0)
            queue_clear(queue);
        break;
    default:
        for (size_t i = 0; i < batch.count; i++)
            items[i] = (struct resp_argument){bytes + below(7), some_length() * 99 / 100};
        if (queue_push(queue, queue->bound->overflow, end, &batch, now) != PUSH_DONE)
            queue_refused(queue, batch.count);
    }
    space_changed(house->space, named);
}

static void live(struct house *house, size_t steps)
{
    uint64_t now = clock_now() / 2;
    for (size_t i = 0; i < steps; i++) {
        enum space_refusal refusal;
        struct named_queue *queue = space_claim(house->space, name_of(below(NAMES)), &refusal);
        if (queue != NULL)
            do_something(house, queue, now);
        now += below(clock_now() / 2 / steps);
    }
    leases_return_client(&house->service->leases, house->space, &house->client);
}

static void set_parameters(struct queue_parameters *parameters)
{
    few_queues(parameters);
    parameters->max_queues = 9;
    parameters->max_items = 40;
    set_match(parameters, "reject", "overflow", "reject");
    set_match(parameters, "newest", "overflow", "drop-newest");
    set_match(parameters, "block", "overflow", "block");
}

START_TEST(everything_visible_stays)
{
    static struct notes before, after;
    struct queue_parameters parameters;
    struct house house;
    random_begin(_i);
    for (size_t i = 0; i < LONG; i++)
        bytes[i] = (char)random();
    memset(long_name, 'l', sizeof long_name);
    set_parameters(&parameters);
    open_house(&house, &parameters);
    for (size_t restarts = 0; restarts < 3; restarts++) {
        live(&house, 1 + below(2000));
        take_notes(&before, &house, NULL);
        move_house(&house, &parameters);
        take_notes(&after, &house, &before);
        compare_notes(&before, &after);
        clear_notes(&before);
        clear_notes(&after);
    }
    close_house(&house);
    parameters_clear(queue_parameter_rows, &parameters);
}
END_TEST

/* What a client had taken and not acknowledged stands where it stood. */
START_TEST(leases_come_back_in_order)
{
    struct queue_parameters parameters;
    struct house house;
    static struct notes notes;
    few_queues(&parameters);
    open_house(&house, &parameters);
    push(house.space, "a", "1 2 3 4");
    struct named_queue *queue = claim(house.space, "a");
    struct leases *leases = &house.service->leases;
    for (size_t i = 0; i < 3; i++)
        ck_assert(lease_take(leases, house.space, queue, &house.client, 1) != NULL);
    lease_return(leases, house.space, lease_find(leases, 2, queue));
    leases_return_client(leases, house.space, &house.client);
    move_house(&house, &parameters);
    ck_assert_str_eq(words_in(&house, "a"), "1 2 3 4");
    take_notes(&notes, &house, NULL);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(notes.queues[0].items[i].deliveries, i < 3);
    clear_notes(&notes);
    queue = claim(house.space, "a");
    leases = &house.service->leases;
    /* Or who still names the lease that he had would end another's. */
    ck_assert_uint_eq(lease_take(leases, house.space, queue, &house.client, 1)->id, 4);
    leases_return_client(leases, house.space, &house.client);
    ck_assert_uint_eq(queue->queue.counters.returned, 4);
    close_house(&house);
    parameters_clear(queue_parameter_rows, &parameters);
}
END_TEST

START_TEST(without_queues)
{
    struct queue_parameters parameters;
    struct house house;
    few_queues(&parameters);
    open_house(&house, &parameters);
    move_house(&house, &parameters);
    ck_assert_ptr_null(house.space->by_name);
    push(house.space, "a", "1");
    move_house(&house, &parameters);
    ck_assert_str_eq(words_in(&house, "a"), "1");
    ck_assert_uint_eq(house.service->restored, 1);
    close_house(&house);
    parameters_clear(queue_parameter_rows, &parameters);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *tcase = tcase_create("round trip");
    tcase_add_loop_test(tcase, everything_visible_stays, 0, 40);
    tcase_add_test(tcase, leases_come_back_in_order);
    tcase_add_test(tcase, without_queues);
    suite_add_tcase(suite, tcase);
    return unit_main(suite);
}
