/* The ring by which sockets go to a worker, and the wake-up. */
#include "mailbox.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>

#include "must.h"
#include "unit.h"
#include "wakeup.h"

#define ITEMS 300000

struct pair {
    struct mailbox mailbox;
    struct wakeup wakeup;
};

static struct pair *pair;

static void begin(void)
{
    pair = calloc(1, sizeof *pair);
    ck_assert_ptr_nonnull(pair);
    ck_assert(wakeup_init(&pair->wakeup));
}

static void end(void)
{
    wakeup_close(&pair->wakeup);
    free(pair);
}

static bool is_awake(int timeout)
{
    struct pollfd state = {.fd = pair->wakeup.fd, .events = POLLIN};
    return poll(&state, 1, timeout) == 1;
}

START_TEST(what_is_posted_first_is_taken_first)
{
    struct handover item;
    ck_assert(!mailbox_take(&pair->mailbox, &item));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < (int)MAILBOX_SIZE; i++) {
            ck_assert(!mailbox_is_full(&pair->mailbox));
            mailbox_post(&pair->mailbox, &(struct handover){.fd = i});
        }
        ck_assert(mailbox_is_full(&pair->mailbox));
        for (int i = 0; i < (int)MAILBOX_SIZE; i++) {
            ck_assert(!mailbox_is_empty(&pair->mailbox));
            ck_assert(mailbox_take(&pair->mailbox, &item));
            ck_assert_int_eq(item.fd, i);
            ck_assert(!mailbox_is_full(&pair->mailbox));
        }
        ck_assert(mailbox_is_empty(&pair->mailbox));
    }
}
END_TEST

/* Half a ring beyond the largest count. */
START_TEST(counts_wrap)
{
    struct handover item;
    atomic_init(&pair->mailbox.posted, UINT_MAX - MAILBOX_SIZE / 2);
    atomic_init(&pair->mailbox.taken, UINT_MAX - MAILBOX_SIZE / 2);
    for (int i = 0; i < (int)MAILBOX_SIZE; i++) {
        ck_assert(!mailbox_is_full(&pair->mailbox));
        mailbox_post(&pair->mailbox, &(struct handover){.fd = i});
    }
    ck_assert(mailbox_is_full(&pair->mailbox));
    for (int i = 0; mailbox_take(&pair->mailbox, &item); i++)
        ck_assert_int_eq(item.fd, i);
    ck_assert(mailbox_is_empty(&pair->mailbox));
}
END_TEST

START_TEST(one_wake_up_for_many_sendings)
{
    ck_assert(!is_awake(0));
    wakeup_send(&pair->wakeup);
    wakeup_send(&pair->wakeup);
    ck_assert(is_awake(0));
    wakeup_clear(&pair->wakeup);
    ck_assert(!is_awake(0));
    wakeup_send(&pair->wakeup);
    ck_assert(is_awake(0));
}
END_TEST

/* Posts all, in bursts with a wake-up each. */
static void *post(void *context)
{
    (void)context;
    for (int i = 0; i < ITEMS; i++) {
        while (mailbox_is_full(&pair->mailbox))
            ;
        mailbox_post(&pair->mailbox,
                     &(struct handover){.fd = i, .peer.inet.sin_port = (in_port_t)i});
        if (i % 7 == 0 || i == ITEMS - 1 || mailbox_is_full(&pair->mailbox))
            wakeup_send(&pair->wakeup);
    }
    return NULL;
}

/* Looks only when it was woken, as a loop does: a lost wake-up would stop it. */
START_TEST(nothing_is_lost_between_threads)
{
    pthread_t thread;
    struct handover item;
    int next = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, post, NULL), 0);
    while (next < ITEMS) {
        MUST(is_awake(60000));
        wakeup_clear(&pair->wakeup);
        while (mailbox_take(&pair->mailbox, &item)) {
            MUST(item.fd == next && item.peer.inet.sin_port == (in_port_t)next);
            next++;
        }
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(mailbox_is_empty(&pair->mailbox));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mailbox");
    TCase *tcase = tcase_create("mailbox");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, what_is_posted_first_is_taken_first);
    tcase_add_test(tcase, counts_wrap);
    tcase_add_test(tcase, one_wake_up_for_many_sendings);
    tcase_add_test(tcase, nothing_is_lost_between_threads);
    return unit_main(suite);
}
