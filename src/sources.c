#include "sources.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

/* Without memory a source is not added, and the caller hears of it. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define HOUR_US UINT64_C(3600000000)
/* Sources looked at, whether they can be forgotten, when a new one comes and all places are taken. */
#define FORGET_STEPS 8

struct source {
    struct in6_addr prefix;     /* IPv4 mapped into IPv6, the other bits zero */
    _Atomic size_t connections; /* counted up by the thread that accepts */
    uint64_t ready_at;          /* us; when a full burst is allowed again */
    TAILQ_ENTRY(source) order;
    UT_hash_handle hh;
};

struct sources {
    struct sources_limits limits;
    struct source *by_prefix;   /* uthash */
    TAILQ_HEAD(, source) order; /* by their last connection, the oldest first */
    uint64_t key;               /* of the hash, so that nobody can choose addresses that collide */
};

struct sources *sources_new(void)
{
    struct sources *sources = calloc(1, sizeof *sources);
    if (sources == NULL)
        return NULL;
    TAILQ_INIT(&sources->order);
    if (getrandom(&sources->key, sizeof sources->key, 0) != (ssize_t)sizeof sources->key) {
        free(sources);
        return NULL;
    }
    return sources;
}

static void forget(struct sources *sources, struct source *source)
{
    HASH_DEL(sources->by_prefix, source);
    TAILQ_REMOVE(&sources->order, source, order);
    free(source);
}

void sources_free(struct sources *sources)
{
    if (sources == NULL)
        return;
    struct source *source;
    while ((source = TAILQ_FIRST(&sources->order)) != NULL)
        forget(sources, source);
    free(sources);
}

void sources_set_limits(struct sources *sources, const struct sources_limits *limits)
{
    sources->limits = *limits;
}

size_t sources_count(const struct sources *sources)
{
    return HASH_COUNT(sources->by_prefix);
}

/* --- prefixes ------------------------------------------------------------------------- */

static void mask(struct in6_addr *address, unsigned bits)
{
    for (unsigned i = 0; i < sizeof address->s6_addr; i++) {
        unsigned here = bits > 8 * i ? bits - 8 * i : 0;
        if (here < 8)
            address->s6_addr[i] &= (uint8_t)(0xff00U >> here);
    }
}

/* False: such a peer has no source. */
static bool prefix_of(const struct sources_limits *limits, const union peer_address *peer,
                      struct in6_addr *prefix)
{
    static const unsigned mapped = 96; /* bits before the IPv4 address: RFC 4291, 2.5.5.2 */
    if (peer->any.sa_family == AF_INET) {
        *prefix = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
        memcpy(&prefix->s6_addr[mapped / 8], &peer->inet.sin_addr, sizeof peer->inet.sin_addr);
    } else if (peer->any.sa_family == AF_INET6) {
        *prefix = peer->inet6.sin6_addr;
    } else {
        return false;
    }
    mask(prefix, IN6_IS_ADDR_V4MAPPED(prefix) ? mapped + limits->prefix_ipv4 : limits->prefix_ipv6);
    return true;
}

/* --- the table ------------------------------------------------------------------------ */

/* In the order of their last connection; those that have one get another turn. */
static void make_room(struct sources *sources)
{
    for (int i = 0; i < FORGET_STEPS && sources_count(sources) >= SOURCES_KEPT; i++) {
        struct source *oldest = TAILQ_FIRST(&sources->order);
        if (atomic_load_explicit(&oldest->connections, memory_order_acquire) == 0) {
            forget(sources, oldest);
        } else {
            TAILQ_REMOVE(&sources->order, oldest, order);
            TAILQ_INSERT_TAIL(&sources->order, oldest, order);
        }
    }
}

static struct source *find_or_add(struct sources *sources, const struct in6_addr *prefix)
{
    struct source *source;
    unsigned hash = (unsigned)XXH3_64bits_withSeed(prefix, sizeof *prefix, sources->key);
    HASH_FIND_BYHASHVALUE(hh, sources->by_prefix, prefix, sizeof *prefix, hash, source);
    if (source != NULL) {
        TAILQ_REMOVE(&sources->order, source, order);
        TAILQ_INSERT_TAIL(&sources->order, source, order);
        return source;
    }
    make_room(sources);
    source = calloc(1, sizeof *source);
    if (source == NULL)
        return NULL;
    source->prefix = *prefix;
    HASH_ADD_BYHASHVALUE(hh, sources->by_prefix, prefix, sizeof *prefix, hash, source);
    if (source->hh.tbl == NULL) {
        free(source);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&sources->order, source, order);
    return source;
}

/*
 * A token bucket kept as one time (the generic cell rate algorithm, ITU-T I.371):
 * each connection moves it on by the time that it costs; it may be ahead of now
 * by what the burst costs.
 */
static bool is_too_fast(const struct sources_limits *limits, struct source *source, uint64_t now)
{
    if (limits->rate == 0)
        return false;
    uint64_t cost = HOUR_US / limits->rate;
    uint64_t from = source->ready_at > now * 1000 ? source->ready_at : now * 1000;
    if (from + cost - now * 1000 > limits->burst * cost)
        return true;
    source->ready_at = from + cost;
    return false;
}

enum sources_verdict sources_admit(struct sources *sources, const union peer_address *peer,
                                   uint64_t now, struct source **source)
{
    const struct sources_limits *limits = &sources->limits;
    struct in6_addr prefix;
    *source = NULL;
    if ((limits->max_connections == 0 && limits->rate == 0) ||
        !prefix_of(limits, peer, &prefix))
        return SOURCES_ADMITTED;
    struct source *found = find_or_add(sources, &prefix);
    if (found == NULL)
        return SOURCES_NO_MEMORY;
    size_t connections = atomic_load_explicit(&found->connections, memory_order_relaxed);
    if (limits->max_connections > 0 && connections >= limits->max_connections)
        return SOURCES_FULL;
    if (is_too_fast(limits, found, now))
        return SOURCES_FAST;
    atomic_fetch_add_explicit(&found->connections, 1, memory_order_relaxed);
    *source = found;
    return SOURCES_ADMITTED;
}

void source_leave(struct source *source)
{
    if (source != NULL)
        atomic_fetch_sub_explicit(&source->connections, 1, memory_order_release);
}
