/*
 * transaction: the requests between MULTI and EXEC, which are executed together.
 *
 * They are kept in one buffer, bounded by max_request_bytes: what is too much
 * for one request is too much for a transaction.
 */
#ifndef CISTERN_QUEUE_TRANSACTION_H
#define CISTERN_QUEUE_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "../resp/resp.h"
#include "client.h"

struct transaction;

/* NULL when memory is out. */
struct transaction *transaction_new(size_t limit);
void transaction_free(struct transaction *transaction);

/* Keeps a copy of the request. False when it is over the limit, or memory is out. */
bool transaction_add(struct transaction *transaction, const struct resp_words *words);

/* An error has been answered: EXEC will refuse. */
void transaction_spoil(struct transaction *transaction);
bool transaction_is_spoiled(const struct transaction *transaction);

size_t transaction_count(const struct transaction *transaction);
/* Calls execute for each request, in order, with words that last for the call. */
void transaction_run(const struct transaction *transaction, struct client *client,
                     void (*execute)(struct client *client, const struct resp_words *words));

#endif
