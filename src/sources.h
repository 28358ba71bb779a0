/*
 * sources: where a listener's connections come from: how many each source has,
 * and how fast it opens them.
 *
 * A source is an address, or what shares its first bits: one host of IPv4, one
 * network of IPv6, where a customer has a whole /64. Peers on unix sockets have
 * none. What is remembered is bounded: of sources without a connection no more
 * than SOURCES_KEPT, the longest silent are forgotten first, and begin anew with
 * a full burst.
 *
 * All on the thread that accepts, but source_leave().
 */
#ifndef CISTERN_SOURCES_H
#define CISTERN_SOURCES_H

#include <stddef.h>
#include <stdint.h>

#include "peer.h"

/* The most sources without a connection that are remembered, each some 150 bytes. */
#define SOURCES_KEPT 65536U

struct sources_limits {
    uint64_t max_connections; /* of one source at one time; 0: no limit */
    uint64_t rate;            /* new connections of one source in an hour; 0: no limit */
    uint64_t burst;           /* so many at once, above the rate; at least 1 */
    unsigned prefix_ipv4;     /* leading bits that make a source: 1 to 32 */
    unsigned prefix_ipv6;     /* 1 to 128 */
};

enum sources_verdict {
    SOURCES_ADMITTED,
    SOURCES_FULL, /* has max_connections */
    SOURCES_FAST, /* opens them faster than rate and burst allow */
    SOURCES_NO_MEMORY,
};

struct source; /* one of them */
struct sources;

/* NULL when memory, or randomness for the hash's key, is not to be had. */
struct sources *sources_new(void);
/* Only when no connection of theirs is left. */
void sources_free(struct sources *sources);

/* After a change of the prefixes, connections made before it are not counted. */
void sources_set_limits(struct sources *sources, const struct sources_limits *limits);

/*
 * Asks for one more connection from peer. Admitted: it is counted until
 * source_leave(); *source may be NULL, where there is nothing to count. now: ms.
 */
enum sources_verdict sources_admit(struct sources *sources, const union peer_address *peer,
                                   uint64_t now, struct source **source);

/* The connection has gone. On any thread; NULL is allowed. */
void source_leave(struct source *source);

/* How many are remembered now. */
size_t sources_count(const struct sources *sources);

#endif
