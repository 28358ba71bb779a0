#include "transaction.h"

#include <stdlib.h>
#include <string.h>

struct transaction {
    size_t limit;
    size_t count; /* requests */
    bool spoiled;
    char *bytes; /* each: number of words, then length and bytes of each word */
    size_t length;
    size_t capacity;
};

struct transaction *transaction_new(size_t limit)
{
    struct transaction *transaction = calloc(1, sizeof *transaction);
    if (transaction != NULL)
        transaction->limit = limit;
    return transaction;
}

void transaction_free(struct transaction *transaction)
{
    if (transaction != NULL)
        free(transaction->bytes);
    free(transaction);
}

static bool reserve(struct transaction *transaction, size_t size)
{
    if (size > transaction->limit - transaction->length)
        return false;
    size_t needed = transaction->length + size;
    if (needed <= transaction->capacity)
        return true;
    size_t capacity = transaction->capacity * 2 > needed ? transaction->capacity * 2 : needed;
    if (capacity > transaction->limit)
        capacity = transaction->limit;
    char *bytes = realloc(transaction->bytes, capacity);
    if (bytes == NULL)
        return false;
    transaction->bytes = bytes;
    transaction->capacity = capacity;
    return true;
}

bool transaction_add(struct transaction *transaction, const struct resp_words *words)
{
    size_t size = sizeof words->count;
    for (size_t i = 0; i < words->count; i++)
        size += sizeof words->items[i].length + words->items[i].length;
    if (!reserve(transaction, size))
        return false;
    char *end = transaction->bytes + transaction->length;
    end = mempcpy(end, &words->count, sizeof words->count);
    for (size_t i = 0; i < words->count; i++) {
        end = mempcpy(end, &words->items[i].length, sizeof words->items[i].length);
        end = mempcpy(end, words->items[i].data, words->items[i].length);
    }
    transaction->length += size;
    transaction->count++;
    return true;
}

void transaction_spoil(struct transaction *transaction)
{
    transaction->spoiled = true;
}

bool transaction_is_spoiled(const struct transaction *transaction)
{
    return transaction->spoiled;
}

size_t transaction_count(const struct transaction *transaction)
{
    return transaction->count;
}

void transaction_run(const struct transaction *transaction, struct client *client,
                     void (*execute)(struct client *client, const struct resp_words *words))
{
    const char *at = transaction->bytes;
    struct resp_words words = {0};
    for (size_t i = 0; i < transaction->count; i++) {
        memcpy(&words.count, at, sizeof words.count);
        at += sizeof words.count;
        struct resp_argument *items = calloc(words.count, sizeof *items);
        for (size_t j = 0; j < words.count; j++) {
            size_t length;
            memcpy(&length, at, sizeof length);
            at += sizeof length;
            if (items != NULL)
                items[j] = (struct resp_argument){.data = at, .length = length};
            at += length;
        }
        words.items = items;
        if (items != NULL)
            execute(client, &words);
        else
            client_error(client, "OOM out of memory");
        free(items);
    }
}
