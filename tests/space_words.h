/* space_words: a space of queues to be named in plain text, and the limits that it has. */
#ifndef CISTERN_TESTS_SPACE_WORDS_H
#define CISTERN_TESTS_SPACE_WORDS_H

#include <stdlib.h>

#include "queue/space.h"
#include "queue_words.h"

static inline struct resp_argument word(const char *text)
{
    return (struct resp_argument){text, strlen(text)};
}

static inline void set_parameter(const struct parameter *rows, void *block, const char *name,
                                 const char *text)
{
    char why[PARAMETER_WHY_SIZE];
    if (!parameter_parse(parameter_find(rows, name), text, block, why, sizeof why))
        ck_abort_msg("%s", why);
}

static inline void set_match(struct queue_parameters *parameters, const char *pattern,
                             const char *name, const char *text)
{
    const struct parameter *row = parameter_find(queue_parameter_rows, "match");
    struct parameter_section *section = parameter_append_section(row, pattern, parameters);
    MUST(section != NULL);
    set_parameter(queue_match_rows, section->block, name, text);
    section->given[parameter_find(queue_match_rows, name) - queue_match_rows] = true;
}

/* The defaults but for max_queues = 3 and max_items = 10; to be cleared. */
static inline void few_queues(struct queue_parameters *parameters)
{
    *parameters = (struct queue_parameters){0};
    MUST(parameters_init(queue_parameter_rows, parameters));
    parameters->max_queues = 3;
    parameters->max_items = 10;
}

static inline struct limits *make_limits(const struct queue_parameters *parameters)
{
    struct limits *limits = limits_new();
    MUST(limits != NULL);
    MUST(limits_set(limits, parameters));
    return limits;
}

/* Its limits are its own. */
static inline struct space *make_space(void)
{
    struct queue_parameters parameters;
    few_queues(&parameters);
    struct limits *limits = make_limits(&parameters);
    struct space *space = space_new(limits, false);
    MUST(space != NULL);
    limits_put(limits);
    parameters_clear(queue_parameter_rows, &parameters);
    return space;
}

static inline struct named_queue *claim(struct space *space, const char *name)
{
    enum space_refusal refusal = SPACE_FULL;
    struct named_queue *queue = space_claim(space, word(name), &refusal);
    MUST(queue != NULL);
    MUST(refusal == SPACE_MADE);
    return queue;
}

static inline enum space_refusal refusal_of(struct space *space, const char *name)
{
    enum space_refusal refusal = SPACE_MADE;
    MUST(space_claim(space, word(name), &refusal) == NULL);
    return refusal;
}

static inline bool exists(struct space *space, const char *name)
{
    return space_find(space, word(name)) != NULL;
}

/* As commands do. */
static inline void push(struct space *space, const char *name, const char *words)
{
    struct named_queue *queue = claim(space, name);
    MUST(push_words(&queue->queue, words) == PUSH_DONE);
    space_changed(space, queue);
}

static inline void pop(struct space *space, const char *name)
{
    struct named_queue *queue = space_find(space, word(name));
    MUST(queue != NULL && queue_count(&queue->queue) > 0);
    queue_pop(&queue->queue, DEQUE_HEAD);
    space_changed(space, queue);
}

#endif
