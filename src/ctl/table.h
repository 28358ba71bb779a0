/* table: cells of text in columns, as wide as they need to be. */
#ifndef CISTERN_CTL_TABLE_H
#define CISTERN_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "value.h"

#define TABLE_COLUMNS_MAX 64U

/* Zero it to begin, then add the heads of its columns and cell after cell. */
struct table {
    size_t columns;
    const char *heads[TABLE_COLUMNS_MAX];
    bool right[TABLE_COLUMNS_MAX]; /* aligned there: numbers */
    size_t count;                  /* of cells */
    size_t capacity;
    char **cells;   /* owned */
    bool no_memory; /* a cell is missing */
};

/* The head is borrowed. */
void table_column(struct table *table, const char *head, bool right);
/* Takes the text over; NULL for memory that was out. */
void table_cell(struct table *table, char *text);
/* Prints the heads and the rows. */
void table_print(const struct table *table, FILE *out);
void table_clear(struct table *table);

/* Rows of the daemon, with these columns, names with blanks between; NULL: with all. */
bool table_print_rows(const struct value *rows, const char *columns, FILE *out);
/* Names and values of the daemon. */
bool table_print_map(const struct value *map, FILE *out);

#endif
