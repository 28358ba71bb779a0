/* The requests between MULTI and EXEC: kept whole, in order, and bounded. */
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "queue/transaction.h"
#include "random.h"
#include "scarcity.h"
#include "unit.h"

enum { WORDS = 8, REQUESTS = 500 };

static char bytes[4096];

/* What was added, and how far transaction_run() has come through it. */
static struct {
    struct resp_argument items[REQUESTS][WORDS];
    size_t counts[REQUESTS];
    size_t added;
    size_t executed;
} expected;

static void execute(struct client *client, const struct resp_words *words)
{
    MUST(client == NULL);
    MUST(expected.executed < expected.added);
    MUST(words->count == expected.counts[expected.executed]);
    for (size_t i = 0; i < words->count; i++) {
        const struct resp_argument *should = &expected.items[expected.executed][i];
        MUST(words->items[i].length == should->length);
        MUST(memcmp(words->items[i].data, should->data, should->length) == 0);
    }
    expected.executed++;
}

static void run(const struct transaction *transaction)
{
    MUST(transaction_count(transaction) == expected.added);
    expected.executed = 0;
    transaction_run(transaction, NULL, execute);
    MUST(expected.executed == expected.added);
}

/* From a copy that goes at once, as the input does. */
static bool add_request(struct transaction *transaction)
{
    struct resp_argument *items = expected.items[expected.added], copies[WORDS];
    char *blocks[WORDS];
    size_t count = 1 + below(WORDS);
    for (size_t i = 0; i < count; i++) {
        items[i].length = below(4) == 0 ? 0 : below(300);
        items[i].data = bytes + below(sizeof bytes - items[i].length);
        blocks[i] = malloc(items[i].length + 1);
        MUST(blocks[i] != NULL);
        memcpy(blocks[i], items[i].data, items[i].length);
        copies[i] = (struct resp_argument){blocks[i], items[i].length};
    }
    const struct resp_words words = {.count = count, .items = copies};
    bool added = transaction_add(transaction, &words);
    for (size_t i = 0; i < count; i++)
        free(blocks[i]);
    if (added)
        expected.counts[expected.added++] = count;
    return added;
}

static struct transaction *begin(size_t limit)
{
    expected.added = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    struct transaction *transaction = transaction_new(limit);
    ck_assert_ptr_nonnull(transaction);
    return transaction;
}

START_TEST(keeps_requests)
{
    random_begin(_i);
    struct transaction *transaction = begin(10 * 1000 * 1000);
    run(transaction);
    while (expected.added < REQUESTS) {
        MUST(add_request(transaction));
        if (expected.added % 50 == 0)
            run(transaction);
    }
    run(transaction);
    transaction_free(transaction);
}
END_TEST

/* What is refused changes nothing; something smaller may still have room. */
START_TEST(is_bounded)
{
    struct resp_argument item = {bytes, 100};
    const struct resp_words words = {.count = 1, .items = &item};
    random_begin(_i);
    for (size_t limit = 0; limit < 3000; limit += 1 + below(100)) {
        struct transaction *transaction = begin(limit);
        while (transaction_add(transaction, &words)) {
            expected.items[expected.added][0] = item;
            expected.counts[expected.added++] = 1;
        }
        ck_assert_uint_le(expected.added * item.length, limit);
        ck_assert_uint_gt((expected.added + 1) * (item.length + 2 * sizeof(size_t)), limit);
        run(transaction);
        transaction_free(transaction);
    }
}
END_TEST

START_TEST(spoiled)
{
    struct transaction *transaction = begin(1000);
    ck_assert(!transaction_is_spoiled(transaction));
    transaction_spoil(transaction);
    ck_assert(transaction_is_spoiled(transaction));
    ck_assert_uint_eq(transaction_count(transaction), 0);
    transaction_free(transaction);
    transaction_free(NULL);
}
END_TEST

START_TEST(memory_runs_out)
{
    struct resp_argument item = {bytes, 100};
    const struct resp_words words = {.count = 1, .items = &item};
    allocations_left = 0;
    struct transaction *transaction = transaction_new(10000);
    allocations_left = -1;
    ck_assert_ptr_null(transaction);
    transaction = begin(10000);
    allocations_left = 2;
    while (transaction_add(transaction, &words)) {
        expected.items[expected.added][0] = item;
        expected.counts[expected.added++] = 1;
    }
    allocations_left = -1;
    ck_assert_uint_ge(expected.added, 2);
    run(transaction);
    transaction_free(transaction);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transaction");
    TCase *transaction = tcase_create("transaction");
    tcase_add_loop_test(transaction, keeps_requests, 0, 2);
    tcase_add_test(transaction, is_bounded);
    tcase_add_test(transaction, spoiled);
    tcase_add_test(transaction, memory_runs_out);
    suite_add_tcase(suite, transaction);
    return unit_main(suite);
}
