/* client: a connection to the daemon's control socket. */
#ifndef CISTERN_CTL_CLIENT_H
#define CISTERN_CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "value.h"

/* How long an answer is waited for: seconds. A reload may have to look up names. */
#define CLIENT_PATIENCE 60

struct client {
    FILE *in;
    FILE *out;
};

/*
 * Returns EX_OK, or with the reason in why EX_UNAVAILABLE (nobody is there) or
 * EX_NOPERM. Call client_close() in any case.
 */
#define CLIENT_WHY_SIZE 512
int client_open(struct client *client, const char *path, char why[CLIENT_WHY_SIZE]);
void client_close(struct client *client);

/*
 * Asks, and waits for the answer, which the caller clears in any case. An error
 * is an answer. False if there is none, with the reason in why.
 */
bool client_ask(struct client *client, const char *const *words, size_t count, struct value *answer,
                char why[CLIENT_WHY_SIZE]);

#endif
