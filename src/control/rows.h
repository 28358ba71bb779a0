/*
 * rows: the reply of a command that lists things: no more than so many of them,
 * those with the largest value of one column if they are to be sorted.
 */
#ifndef CISTERN_CONTROL_ROWS_H
#define CISTERN_CONTROL_ROWS_H

#include "control.h"

/* Rows of a reply: if the request does not say, and at most. */
#define ROWS_DEFAULT 1000U
#define ROWS_MAX 10000U

struct row;
struct kept_text;

struct rows {
    size_t limit;
    struct resp_argument sort; /* the column; data NULL: in the order in which they come */
    bool unsortable;           /* a row has no such column, or no number in it */
    bool no_memory;
    size_t count;
    size_t capacity;
    struct row **items; /* while sorting, a heap: the smallest first */
    struct kept_text *texts;
};

/* As the options `limit` and `sort` of the request say. False, and answered, if they are wrong. */
bool rows_begin(struct rows *rows, struct call *call);
/* A row; its texts stay valid until the end. */
void rows_add(struct rows *rows, const struct figure *figures, size_t count);
/* A text that is kept until the end; NULL when memory is out. */
const char *rows_keep(struct rows *rows, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Answers, and frees all. */
void rows_end(struct rows *rows, struct call *call);

#endif
