/*
 * stats: what became of a listener's connections, counted since it was made.
 *
 * Plain numbers of the thread that counts them; stats_add() brings those of
 * several threads together.
 */
#ifndef CISTERN_STATS_H
#define CISTERN_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "figure.h"
#include "protocol.h"

/* Why a connection was not taken. */
enum refusal {
    REFUSAL_LISTENER_FULL, /* max_connections of the listener */
    REFUSAL_DAEMON_FULL,   /* max_connections of the daemon */
    REFUSAL_SOURCE_FULL,   /* max_connections_per_source */
    REFUSAL_SOURCE_FAST,   /* connect_rate */
    REFUSAL_NO_MEMORY,
    REFUSAL_MODULE, /* connection_made() said no */
    REFUSALS,
};

/* For the log: what is reached, or what was wrong. */
const char *refusal_text(enum refusal refusal);

struct listener_stats {
    uint64_t accepted; /* connections that were taken */
    uint64_t peak;     /* the most at one time, which is no sum */
    uint64_t refused[REFUSALS];
    uint64_t accept_failures; /* times that descriptors or memory were out, and accepting waited */
    uint64_t lost[LOST_REASONS];
    uint64_t bytes_received; /* of connections that are gone */
    uint64_t bytes_sent;
};

void stats_add(struct listener_stats *sum, const struct listener_stats *other);

uint64_t stats_refused(const struct listener_stats *stats);
uint64_t stats_lost(const struct listener_stats *stats);

/* One figure for each counter that has a reason in its name. */
#define STATS_REASONS (REFUSALS + LOST_REASONS)
void stats_reasons(const struct listener_stats *stats, struct figure figures[STATS_REASONS]);

#endif
