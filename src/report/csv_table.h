/* A CSV file in memory, with cells addressed by row and column name. Private to the report module.
 *
 * Cells keep the text of the file, so that a report can show every digit of a value. */
#ifndef PACED_REPORT_CSV_TABLE_H
#define PACED_REPORT_CSV_TABLE_H

#include "paced/base.h"

/* Table of a CSV file; a missing file is read as {0}. */
struct csv_table {
    char *data;
    const char **names, **cells; /* [columns] and [rows][columns], pointers into data */
    size_t columns, rows;        /* rows: without the header */
};

/* Reads a file. Missing cells of a row are empty; cells beyond the columns of the header are dropped. */
enum paced_err csv_table_read(struct csv_table *table, const char *path);
void csv_table_finish(struct csv_table *table);

bool csv_table_has(const struct csv_table *table, const char *column);
/* Text of a cell, row < rows; "" if there is no such column. */
const char *csv_table_text(const struct csv_table *table, size_t row, const char *column);
/* Number in a cell; NaN if it is not a number or its magnitude is 1e100 or more. */
double csv_table_real(const struct csv_table *table, size_t row, const char *column);
bool csv_table_is(const struct csv_table *table, size_t row, const char *column, const char *text);

#endif
