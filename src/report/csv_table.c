/* csv_table: single-pass parser that splits the file in place. */
#include "src/report/csv_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/csv.h"

enum { LARGEST_FILE = 1 << 28 };
#define LARGEST_FIGURE 1e100 /* limit that keeps the difference of two values, the length of an axis, finite */

static void take_header(struct csv_table *t, char *row) {
    for (const char *name; (name = paced_csv_take_field(&row));) {
        t->names = paced_grow(t->names, t->columns + 1, sizeof *t->names);
        t->names[t->columns++] = name;
    }
}

static void take_row(struct csv_table *t, char *row) {
    const char **cells = t->cells + t->rows++ * t->columns;
    for (size_t c = 0; c < t->columns; ++c) {
        const char *cell = paced_csv_take_field(&row);
        cells[c] = cell ? cell : "";
    }
}

enum paced_err csv_table_read(struct csv_table *t, const char *path) {
    size_t capacity = 0;
    *t = (struct csv_table){0};
    if (!paced_path_exists(path)) return PACED_OK;
    PACED_TRY(paced_file_read_text(path, LARGEST_FILE, &t->data));
    char *rest = t->data, *row = paced_csv_take_row(&rest);
    if (row) take_header(t, row);
    while ((row = paced_csv_take_row(&rest))) {
        if (t->rows == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            t->cells = paced_grow(t->cells, capacity * t->columns, sizeof *t->cells);
        }
        take_row(t, row);
    }
    return PACED_OK;
}

void csv_table_finish(struct csv_table *t) {
    free(t->cells);
    free(t->names);
    free(t->data);
    *t = (struct csv_table){0};
}

static size_t find_column(const struct csv_table *t, const char *column) {
    size_t c = 0;
    while (c < t->columns && strcmp(t->names[c], column) != 0) ++c;
    return c;
}

bool csv_table_has(const struct csv_table *t, const char *column) {
    return find_column(t, column) < t->columns;
}

const char *csv_table_text(const struct csv_table *t, size_t row, const char *column) {
    size_t c = find_column(t, column);
    return c < t->columns ? t->cells[row * t->columns + c] : "";
}

double csv_table_real(const struct csv_table *t, size_t row, const char *column) {
    double value;
    return paced_parse_real(csv_table_text(t, row, column), &value) && fabs(value) < LARGEST_FIGURE ? value : NAN;
}

bool csv_table_is(const struct csv_table *t, size_t row, const char *column, const char *text) {
    return strcmp(csv_table_text(t, row, column), text) == 0;
}
