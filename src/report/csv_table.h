/* A CSV file in memory, whose cells are found by row and by the name of their column. Private to the report room.
 *
 * Cells stay the text that stands in the file: what is shown of a figure can be held against it to the last digit. */
#ifndef PACED_REPORT_CSV_TABLE_H
#define PACED_REPORT_CSV_TABLE_H

#include "paced/base.h"

/* Starts as {0}, which is also what a file that is not there is read as. */
struct csv_table {
    char *data;
    const char **names, **cells; /* [columns], within data; [rows][columns] */
    size_t columns, rows;        /* the header is no row */
};

/* Cells that a row lacks are empty; what goes beyond the header's columns is dropped. */
enum paced_err csv_table_read(struct csv_table *table, const char *path);
void csv_table_finish(struct csv_table *table);

bool csv_table_has(const struct csv_table *table, const char *column);
/* The cell of a row below rows; "" where there is no such column. */
const char *csv_table_text(const struct csv_table *table, size_t row, const char *column);
/* ... as a number; NaN where it is none, not finite, or absurdly large. */
double csv_table_real(const struct csv_table *table, size_t row, const char *column);
bool csv_table_is(const struct csv_table *table, size_t row, const char *column, const char *text);

#endif
