/*
 * access_log: a line at the end of each connection of a listener that wants it,
 * but not more in a second than it allows, since journald drops bursts. How many
 * were left out is said with the next line that passes.
 */
#ifndef CISTERN_ACCESS_LOG_H
#define CISTERN_ACCESS_LOG_H

#include <stdbool.h>
#include <stdint.h>

struct connection;

/* Of one listener. Zeroed, it is off. */
struct access_log {
    bool on;
    uint64_t rate;   /* lines a second */
    uint64_t second; /* of clock_now(), that passed counts in */
    uint64_t passed;
    uint64_t held_back; /* since the last line that passed */
};

/* Whether there is room for one more at this time (milliseconds); counts it either way. */
bool access_log_pass(struct access_log *log, uint64_t now);

/* The connection is about to be freed. */
void access_log_write(struct access_log *log, const struct connection *connection);

#endif
