/* csv: tables as CSV files (RFC 4180). The reader splits the text of the file in place. */
#include "paced/base.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_FILE = 1 << 30 };
#define LARGEST_FIGURE 1e100 /* limit that keeps the difference of two values, the length of an axis, finite */

/* ---- writing ------------------------------------------------------------------------------------------------- */

void paced_csv_write_text(FILE *out, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *c = text; *c; ++c) {
        if (*c == '"') fputc('"', out);
        fputc(*c, out);
    }
    fputc('"', out);
}

void paced_csv_write_reals(FILE *out, const double *values, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        fputc(',', out);
        if (!isnan(values[i])) fprintf(out, "%.9g", values[i]);
    }
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

/* Splits off the next row, without its line end; line breaks within quotes do not end a row. *text is NULL after the
 * last row, and NULL is returned then. Adds the lines of the row to *lines. */
static char *take_row(char **text, uint32_t *lines) {
    char *row = *text, *c = row;
    if (!row || !*row) return *text = NULL;
    for (bool quoted = false; *c && (quoted || *c != '\n'); ++c) {
        quoted ^= *c == '"';
        *lines += *c == '\n';
    }
    ++*lines;
    *text = *c ? c + 1 : NULL;
    if (c > row && c[-1] == '\r') --c;
    *c = '\0';
    return row;
}

/* Splits off the next field of a row, unquoted. *row is NULL after the last field, and NULL is returned then. */
static char *take_field(char **row) {
    char *field = *row, *in = field, *out = field;
    if (!field) return NULL;
    for (bool quoted = false; *in && (quoted || *in != ','); ++in) {
        bool doubled = quoted && in[0] == '"' && in[1] == '"';
        if (doubled)
            ++in;
        else if (*in == '"')
            quoted = !quoted;
        if (doubled || *in != '"') *out++ = *in;
    }
    *row = *in ? in + 1 : NULL;
    *out = '\0';
    return field;
}

static size_t find_column(const struct paced_csv *t, const char *column) {
    size_t c = 0;
    while (c < t->columns && strcmp(t->names[c], column) != 0) ++c;
    return c;
}

enum paced_err paced_csv_error(const struct paced_csv *t, size_t row, const char *fmt, ...) {
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    int line = row == PACED_CSV_HEADER ? 1 : (int)(row < t->rows ? t->lines[row] : t->end);
    return paced_error_at_line(PACED_INVALID, t->path, line, "%s; %s", text, t->remedy);
}

static enum paced_err refuse_header(const struct paced_csv *t, const char *column) {
    return paced_csv_error(t, PACED_CSV_HEADER, "the header lacks the column '%s'", column);
}

static enum paced_err take_header(struct paced_csv *t, char *row, const char *required) {
    for (const char *name; (name = take_field(&row));) {
        t->names = paced_grow(t->names, t->columns + 1, sizeof *t->names);
        t->names[t->columns++] = name;
    }
    for (char *name; (name = paced_list_next(&required)); free(name)) {
        if (find_column(t, name) < t->columns) continue;
        enum paced_err err = refuse_header(t, name);
        free(name);
        return err;
    }
    return PACED_OK;
}

/* Splits a row. Missing cells are empty and further cells are dropped, unless the reader is strict. */
static enum paced_err take_cells(struct paced_csv *t, char *row, bool strict) {
    const char **cells = t->cells + t->rows++ * t->columns;
    char *rest = *row || t->columns == 1 ? row : NULL;
    for (size_t c = 0; c < t->columns; ++c) {
        const char *cell = take_field(&rest);
        if (!cell && strict) return paced_csv_error(t, t->rows - 1, "the row ends before the column '%s'", t->names[c]);
        cells[c] = cell ? cell : "";
    }
    if (rest && strict) return paced_csv_error(t, t->rows - 1, "the row goes on after its last column: '%s'", rest);
    return PACED_OK;
}

static enum paced_err read_table(struct paced_csv *t, const char *required, bool strict) {
    size_t capacity = 0;
    uint32_t lines = 0;
    PACED_TRY(paced_file_read_text(t->path, LARGEST_FILE, &t->data));
    char *rest = t->data, *row = take_row(&rest, &lines);
    t->end = 1;
    PACED_TRY(take_header(t, row, required));
    for (t->end = lines + 1; (row = take_row(&rest, &lines)); t->end = lines + 1) {
        if (t->rows == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            t->cells = paced_grow(t->cells, capacity * t->columns, sizeof *t->cells);
            t->lines = paced_grow(t->lines, capacity, sizeof *t->lines);
        }
        t->lines[t->rows] = t->end;
        PACED_TRY(take_cells(t, row, strict));
    }
    return PACED_OK;
}

enum paced_err paced_csv_read(struct paced_csv *t, const char *path, const char *required, const char *remedy) {
    *t = (struct paced_csv){.path = path, .remedy = remedy};
    enum paced_err err = read_table(t, required, true);
    if (err) paced_csv_finish(t);
    return err;
}

enum paced_err paced_csv_read_any(struct paced_csv *t, const char *path) {
    *t = (struct paced_csv){.path = path};
    enum paced_err err = paced_path_exists(path) ? read_table(t, "", false) : PACED_OK;
    t->path = NULL; /* only errors of a strict reader name it */
    return err;
}

void paced_csv_finish(struct paced_csv *t) {
    free(t->cells);
    free(t->lines);
    free(t->names);
    free(t->data);
    *t = (struct paced_csv){0};
}

/* ---- cells --------------------------------------------------------------------------------------------------- */

bool paced_csv_has(const struct paced_csv *t, const char *column) {
    return find_column(t, column) < t->columns;
}

const char *paced_csv_text(const struct paced_csv *t, size_t row, const char *column) {
    size_t c = find_column(t, column);
    return c < t->columns ? t->cells[row * t->columns + c] : "";
}

double paced_csv_real(const struct paced_csv *t, size_t row, const char *column) {
    double value;
    return paced_parse_real(paced_csv_text(t, row, column), &value) && fabs(value) < LARGEST_FIGURE ? value : NAN;
}

bool paced_csv_is(const struct paced_csv *t, size_t row, const char *column, const char *text) {
    return strcmp(paced_csv_text(t, row, column), text) == 0;
}

enum paced_err paced_csv_refuse(const struct paced_csv *t, size_t row, const char *column, const char *meaning) {
    return paced_csv_error(t, row, "column %s: '%s' is not %s", column, paced_csv_text(t, row, column), meaning);
}

enum paced_err paced_csv_take_real(const struct paced_csv *t, size_t row, const char *column, double *value) {
    if (!paced_csv_has(t, column)) return refuse_header(t, column);
    const char *text = paced_csv_text(t, row, column);
    *value = strcmp(text, "inf") == 0 ? INFINITY : strcmp(text, "-inf") == 0 ? -INFINITY : NAN;
    if (!*text || !isnan(*value) || paced_parse_real(text, value)) return PACED_OK;
    return paced_csv_refuse(t, row, column, "a number");
}

enum paced_err paced_csv_take_count(const struct paced_csv *t, size_t row, const char *column, int64_t min, int64_t max,
                                    int64_t *value) {
    if (paced_parse_int(paced_csv_text(t, row, column), value) && *value >= min && *value <= max) return PACED_OK;
    char meaning[64];
    snprintf(meaning, sizeof meaning, "a whole number from %lld", (long long)min);
    return paced_csv_refuse(t, row, column, meaning);
}
