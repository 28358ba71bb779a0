#include "lease.h"

#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "space.h"

void leases_init(struct leases *leases)
{
    *leases = (struct leases){0};
    TAILQ_INIT(&leases->by_deadline);
}

/* Nearly always at the end: clients ask for leases of one length. */
static void insert_by_deadline(struct leases *leases, struct lease *lease)
{
    struct lease *before = TAILQ_LAST(&leases->by_deadline, lease_list);
    while (before != NULL && before->deadline > lease->deadline)
        before = TAILQ_PREV(before, lease_list, by_deadline);
    if (before != NULL)
        TAILQ_INSERT_AFTER(&leases->by_deadline, before, lease, by_deadline);
    else
        TAILQ_INSERT_HEAD(&leases->by_deadline, lease, by_deadline);
}

struct lease *lease_take(struct leases *leases, struct space *space, struct named_queue *queue,
                         struct client *client, uint64_t deadline)
{
    struct deque_item item;
    if (!queue_peek(&queue->queue, DEQUE_HEAD, &item))
        return NULL;
    struct lease *lease = malloc(sizeof *lease + item.length);
    if (lease == NULL)
        return NULL;
    *lease = (struct lease){.id = leases->last_id + 1,
                            .deadline = deadline,
                            .queue = queue,
                            .client = client,
                            .item = item};
    memcpy(lease->bytes, item.data, item.length);
    lease->item.data = lease->bytes;
    if (lease->item.deliveries < DEQUE_DELIVERIES_MAX)
        lease->item.deliveries++;
    HASH_ADD(hh, leases->by_id, id, sizeof lease->id, lease);
    if (lease->hh.tbl == NULL) { /* HASH_NONFATAL_OOM: it was not added */
        free(lease);
        return NULL;
    }
    leases->last_id++;
    insert_by_deadline(leases, lease);
    TAILQ_INSERT_TAIL(&client->leases, lease, of_client);
    queue_lease(&queue->queue);
    space_changed(space, queue);
    return lease;
}

struct lease *lease_find(const struct leases *leases, uint64_t id, const struct named_queue *queue)
{
    struct lease *lease;
    HASH_FIND(hh, leases->by_id, &id, sizeof id, lease);
    return lease != NULL && lease->queue == queue ? lease : NULL;
}

static void end(struct leases *leases, struct space *space, struct lease *lease)
{
    HASH_DEL(leases->by_id, lease);
    TAILQ_REMOVE(&leases->by_deadline, lease, by_deadline);
    TAILQ_REMOVE(&lease->client->leases, lease, of_client);
    space_changed(space, lease->queue);
    free(lease);
}

void lease_acknowledge(struct leases *leases, struct space *space, struct lease *lease)
{
    queue_acknowledge(&lease->queue->queue, lease->item.length);
    end(leases, space, lease);
}

/* An item for whose return there is no memory is lost, and counted as removed. */
void lease_return(struct leases *leases, struct space *space, struct lease *lease)
{
    struct queue *queue = &lease->queue->queue;
    if (!queue_return(queue, lease->id, &lease->item)) {
        queue_acknowledge(queue, lease->item.length);
        queue->counters.popped--;
        queue->counters.removed++;
    }
    if (queue_over_bound(queue)) /* a reload has lowered it meanwhile */
        service_trim(lease->client->service);
    end(leases, space, lease);
}

/* The newest first, so that the oldest is at the head in the end. */
void leases_return_client(struct leases *leases, struct space *space, struct client *client)
{
    struct lease *lease;
    while ((lease = TAILQ_LAST(&client->leases, lease_list)) != NULL)
        lease_return(leases, space, lease);
}

void leases_expire(struct leases *leases, struct space *space, uint64_t now)
{
    struct lease *lease, *last = NULL;
    TAILQ_FOREACH(lease, &leases->by_deadline, by_deadline)
    {
        if (lease->deadline > now)
            break;
        last = lease;
    }
    while (last != NULL) {
        struct lease *before = TAILQ_PREV(last, lease_list, by_deadline);
        lease_return(leases, space, last);
        last = before;
    }
}

uint64_t leases_next_deadline(const struct leases *leases)
{
    const struct lease *lease = TAILQ_FIRST(&leases->by_deadline);
    return lease != NULL ? lease->deadline : UINT64_MAX;
}
