#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    uint64_t key;
    size_t count;
    struct figure figures[];
};

struct kept_text {
    struct kept_text *next;
    char text[];
};

bool rows_begin(struct rows *rows, struct call *call)
{
    struct resp_argument limit = control_option(call->request, "limit");
    uint64_t number = ROWS_DEFAULT;
    *rows = (struct rows){.sort = control_option(call->request, "sort")};
    if (limit.data != NULL && !control_number(call, "limit", limit, ROWS_MAX, &number))
        return false;
    rows->limit = (size_t)number;
    return true;
}

/* The value of the column to sort by. False if there is none. */
static bool find_key(const struct rows *rows, const struct figure *figures, size_t count,
                     uint64_t *key)
{
    for (size_t i = 0; i < count; i++) {
        if (!resp_is(rows->sort, figures[i].name))
            continue;
        *key = figures[i].kind == FIGURE_NONE ? 0 : figures[i].number;
        return figures[i].kind != FIGURE_TEXT;
    }
    return false;
}

/* --- the heap --------------------------------------------------------------------------- */

static void swap(struct row **one, struct row **other)
{
    struct row *row = *one;
    *one = *other;
    *other = row;
}

static void sift_up(struct rows *rows, size_t at)
{
    for (; at > 0 && rows->items[at]->key < rows->items[(at - 1) / 2]->key; at = (at - 1) / 2)
        swap(&rows->items[at], &rows->items[(at - 1) / 2]);
}

static void sift_down(struct rows *rows)
{
    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < rows->count; child++) {
            if (rows->items[child]->key < rows->items[least]->key)
                least = child;
        }
        if (least == at)
            return;
        swap(&rows->items[at], &rows->items[least]);
        at = least;
    }
}

/* --- adding ------------------------------------------------------------------------------- */

static bool reserve(struct rows *rows)
{
    if (rows->count < rows->capacity)
        return true;
    size_t capacity = rows->capacity * 2 + 16;
    struct row **items = reallocarray(rows->items, capacity, sizeof(struct row *));
    if (items == NULL)
        return false;
    rows->items = items;
    rows->capacity = capacity;
    return true;
}

static struct row *row_new(uint64_t key, const struct figure *figures, size_t count)
{
    struct row *row = malloc(sizeof *row + count * sizeof *figures);
    if (row == NULL)
        return NULL;
    row->key = key;
    row->count = count;
    memcpy(row->figures, figures, count * sizeof *figures);
    return row;
}

void rows_add(struct rows *rows, const struct figure *figures, size_t count)
{
    uint64_t key = 0;
    bool sorts = rows->sort.data != NULL;
    bool full = rows->count == rows->limit;
    if (sorts && !find_key(rows, figures, count, &key)) {
        rows->unsortable = true;
        return;
    }
    if (full && (!sorts || key <= rows->items[0]->key))
        return;
    struct row *row = reserve(rows) ? row_new(key, figures, count) : NULL;
    if (row == NULL) {
        rows->no_memory = true;
    } else if (full) {
        free(rows->items[0]);
        rows->items[0] = row;
        sift_down(rows);
    } else {
        rows->items[rows->count++] = row;
        if (sorts)
            sift_up(rows, rows->count - 1);
    }
}

const char *rows_keep(struct rows *rows, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    struct kept_text *kept = length < 0 ? NULL : malloc(sizeof *kept + (size_t)length + 1);
    if (kept == NULL) {
        rows->no_memory = true;
        return NULL;
    }
    va_start(arguments, format);
    vsnprintf(kept->text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    kept->next = rows->texts;
    rows->texts = kept;
    return kept->text;
}

/* --- the reply --------------------------------------------------------------------------- */

static int largest_first(const void *one, const void *other)
{
    uint64_t a = (*(struct row *const *)one)->key, b = (*(struct row *const *)other)->key;
    return (a < b) - (a > b);
}

static void clear(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        free(rows->items[i]);
    free(rows->items);
    while (rows->texts != NULL) {
        struct kept_text *next = rows->texts->next;
        free(rows->texts);
        rows->texts = next;
    }
}

void rows_end(struct rows *rows, struct call *call)
{
    if (rows->unsortable) {
        control_error(call, "ERR", "sort: there is no such column, or no number in it");
    } else if (rows->no_memory) {
        control_error(call, "OOM", "out of memory");
    } else {
        if (rows->sort.data != NULL && rows->count > 0)
            qsort(rows->items, rows->count, sizeof(struct row *), largest_first);
        resp_array(call->reply, rows->count);
        for (size_t i = 0; i < rows->count; i++)
            control_map(call, rows->items[i]->figures, rows->items[i]->count);
    }
    clear(rows);
}
