/*
 * snapshot: the queues of a listener as bytes, for the daemon that is started next.
 *
 *     snapshot = version saved_at last_lease forgotten queue_count queue...
 *     queue    = name_length name counters item_count item...
 *     item     = length time deliveries bytes
 *
 * All but names and bytes are numbers of contents.h. saved_at is the time in ms
 * of the clock that pushed_at is of, which goes on over a restart of the daemon;
 * an item's time is the difference to the one before, the first one's to
 * saved_at, doubled, and if it is below 0 then less 1 without the sign.
 * Forgotten are the counters of queues that made room; counters are those of
 * queue.h, in their order. Queues that are idle come first, the longest idle
 * first of all; items come from the head.
 *
 * So a small item takes three bytes more than it has, as in a chunk.
 */
#ifndef CISTERN_SNAPSHOT_H
#define CISTERN_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../contents.h"

struct service;

/*
 * Writes down the queues of a service without clients, and thus without leases,
 * and frees the items on the way, so that they are not held twice. Returns how
 * many there were.
 */
uint64_t snapshot_save(struct service *service, struct contents_writer *writer);

/*
 * Gives what was written to a service whose queues nobody has used: all of it,
 * whatever its bounds, or (false, reason in why) nothing. What its bounds have
 * no room for is left to service_housekeep().
 */
bool snapshot_load(struct service *service, struct contents_reader *reader, char *why, size_t size);

#endif
