/* queue_words: a queue of words, to be filled from a line of text and compared with one. */
#ifndef CISTERN_TESTS_QUEUE_WORDS_H
#define CISTERN_TESTS_QUEUE_WORDS_H

#include <stdio.h>
#include <string.h>

#include "must.h"
#include "queue/queue.h"

/* All bounds are far away. */
#define WIDE_BOUND .max_items = 1000, .max_bytes = 1000000, .max_item_bytes = 1000000

/* The words of a text, each an item of one batch. */
static inline enum push_result push_words_at(struct queue *queue, enum deque_end end,
                                             const char *text, uint64_t now)
{
    struct resp_argument items[32];
    size_t count = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        MUST(count < sizeof items / sizeof items[0]);
        items[count++] = (struct resp_argument){text, length};
        text += length + strspn(text + length, " ");
    }
    const struct batch batch = {items, count};
    return queue_push(queue, queue->bound->overflow, end, &batch, now);
}

static inline enum push_result push_words(struct queue *queue, const char *text)
{
    return push_words_at(queue, DEQUE_TAIL, text, 0);
}

/* The items from head to tail, as one text; valid until the next call. */
static inline const char *words_of(const struct queue *queue)
{
    static char text[1024];
    struct deque deque = queue->items;
    struct deque_cursor cursor;
    struct deque_item item;
    size_t used = 0;
    text[0] = '\0';
    for (deque_seek(&deque, 0, &cursor); deque_at(&cursor, &item); deque_next(&cursor)) {
        MUST(used + item.length + 2 <= sizeof text);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", used > 0 ? " " : "",
                                 (int)item.length, item.data);
    }
    return text;
}

/* Every item that came in is in one counter, and what is held is charged. */
static inline void check_conservation(const struct queue *queue)
{
    const struct queue_counters *counters = &queue->counters;
    MUST(counters->pushed == counters->popped + counters->evicted + counters->evicted_resize +
                                 counters->expired + counters->removed + queue_count(queue) +
                                 queue->leased_items);
    MUST(queue_bytes(queue) == deque_charge(&queue->items) + queue->leased_bytes);
    MUST(queue->returned.count <= queue_count(queue));
}

#endif
