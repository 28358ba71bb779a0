/* Commands on the items of a queue, by their place or their value. */
#include <string.h>

#include "command.h"

COMMAND(llen)
{
    const struct named_queue *queue = command_queue(client, words->items[1]);
    resp_integer(&client->reply, queue != NULL ? (int64_t)queue_count(&queue->queue) : 0);
}

/* Redis' indexes: negative ones count from behind. Out of what there is: -1, or count. */
static int64_t from_front(int64_t index, int64_t count)
{
    if (index < 0)
        index = index < -count ? -1 : index + count;
    return index > count ? count : index;
}

COMMAND(lindex)
{
    int64_t index;
    struct deque_cursor cursor;
    struct deque_item item;
    struct named_queue *queue = command_queue(client, words->items[1]);
    if (queue == NULL) { /* Redis does not look at the index then */
        resp_null(&client->reply);
        return;
    }
    if (!command_integer(client, words->items[2], &index))
        return;
    index = from_front(index, (int64_t)queue_count(&queue->queue));
    if (index >= 0 && deque_seek(&queue->queue.items, (size_t)index, &cursor) &&
        deque_at(&cursor, &item))
        resp_bulk(&client->reply, item.data, item.length);
    else
        resp_null(&client->reply);
}

/* The items from start to stop, both included; empty if start > stop. */
struct range {
    int64_t start;
    int64_t stop;
};

static bool parse_range(struct client *client, const struct resp_words *words,
                        struct named_queue **queue, struct range *range)
{
    if (!command_integer(client, words->items[2], &range->start) ||
        !command_integer(client, words->items[3], &range->stop))
        return false;
    *queue = command_queue(client, words->items[1]);
    int64_t count = *queue != NULL ? (int64_t)queue_count(&(*queue)->queue) : 0;
    range->start = from_front(range->start, count);
    range->stop = from_front(range->stop, count);
    if (range->start < 0)
        range->start = 0;
    if (range->stop >= count)
        range->stop = count - 1;
    return true;
}

/* Bytes of the items in a range, as they are charged. */
static uint64_t range_size(struct queue *queue, const struct range *range)
{
    struct deque_cursor cursor;
    struct deque_item item;
    uint64_t size = 0;
    deque_seek(&queue->items, (size_t)range->start, &cursor);
    for (int64_t i = range->start; i <= range->stop && deque_at(&cursor, &item); i++) {
        size += deque_item_charge(item.length);
        deque_next(&cursor);
    }
    return size;
}

COMMAND(lrange)
{
    struct named_queue *queue;
    struct range range;
    if (!parse_range(client, words, &queue, &range))
        return;
    if (range.start > range.stop) {
        resp_array(&client->reply, 0);
        return;
    }
    struct deque_cursor cursor;
    struct deque_item item;
    if (range.start < range.stop && !client_may_reply(client, range_size(&queue->queue, &range)))
        return;
    resp_array(&client->reply, (size_t)(range.stop - range.start + 1));
    deque_seek(&queue->queue.items, (size_t)range.start, &cursor);
    for (int64_t i = range.start; i <= range.stop && deque_at(&cursor, &item); i++) {
        resp_bulk(&client->reply, item.data, item.length);
        deque_next(&cursor);
    }
}

COMMAND(ltrim)
{
    struct named_queue *queue;
    struct range range;
    if (!parse_range(client, words, &queue, &range))
        return;
    if (queue != NULL) {
        size_t count = queue_count(&queue->queue);
        bool empty = range.start > range.stop;
        size_t before = empty ? count : (size_t)range.start;
        size_t behind = empty ? 0 : count - 1 - (size_t)range.stop;
        while (before-- > 0)
            queue_remove(&queue->queue, DEQUE_HEAD);
        while (behind-- > 0)
            queue_remove(&queue->queue, DEQUE_TAIL);
        space_changed(client->space, queue);
    }
    resp_simple(&client->reply, "OK");
}

static bool equals(const struct deque_item *item, struct resp_argument element)
{
    return item->length == element.length && memcmp(item->data, element.data, item->length) == 0;
}

/* Removes up to `most` items that equal the element, from the head on. */
static int64_t remove_from_head(struct queue *queue, struct resp_argument element, uint64_t most)
{
    struct deque_cursor cursor;
    struct deque_item item;
    uint64_t removed = 0;
    deque_seek(&queue->items, 0, &cursor);
    while (removed < most && deque_at(&cursor, &item)) {
        if (equals(&item, element)) {
            queue_remove_at(queue, &cursor);
            removed++;
        } else {
            deque_next(&cursor);
        }
    }
    return (int64_t)removed;
}

/* The same from the tail on. */
static int64_t remove_from_tail(struct queue *queue, struct resp_argument element, uint64_t most)
{
    struct deque_cursor cursor;
    struct deque_item item;
    uint64_t removed = 0;
    size_t index = queue_count(queue);
    while (removed < most && index-- > 0) {
        deque_seek(&queue->items, index, &cursor);
        while (deque_at(&cursor, &item) && !equals(&item, element)) {
            deque_previous(&cursor);
            index--;
        }
        if (!deque_at(&cursor, &item))
            break;
        queue_remove_at(queue, &cursor);
        removed++;
    }
    return (int64_t)removed;
}

COMMAND(lrem)
{
    int64_t count, removed = 0;
    if (!command_integer(client, words->items[2], &count))
        return;
    struct named_queue *queue = command_queue(client, words->items[1]);
    if (queue != NULL) {
        uint64_t most = count == 0 ? UINT64_MAX : count > 0 ? (uint64_t)count : -(uint64_t)count;
        removed = count >= 0 ? remove_from_head(&queue->queue, words->items[3], most)
                             : remove_from_tail(&queue->queue, words->items[3], most);
        space_changed(client->space, queue);
    }
    resp_integer(&client->reply, removed);
}
