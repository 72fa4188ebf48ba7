/* outcome_tables: outcomes of a sweep as CSV and for a terminal. */
#include "src/report/outcomes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *outcomes_prefix(enum paced_outcome_part part) {
    static const char *const prefixes[PACED_OUTCOME_PARTS] = {"", "non_empty_", "corrupted_", "drop_"};
    return prefixes[part];
}

bool outcomes_measured(const struct paced_outcomes *outcomes, enum paced_outcome_part part, enum paced_metric metric) {
    for (size_t i = 0; i < outcomes->count; ++i)
        if (!isnan(outcomes->rows[i].figures[part][metric].mean)) return true;
    return false;
}

/* ---- CSV ----------------------------------------------------------------------------------------------------- */

/* A column of numbers: the figures of a metric, or the number of images. */
enum field { MEAN, LOW, HIGH, STDDEV, IMAGES };

struct column {
    enum paced_outcome_part part;
    enum paced_metric metric;
    enum field field;
};

enum { MAX_COLUMNS = PACED_OUTCOME_PARTS * (1 + 3 * PACED_METRICS) };

static size_t list_columns(const struct paced_outcomes *outcomes, struct column columns[MAX_COLUMNS]) {
    size_t count = 0;
    for (enum paced_outcome_part part = 0; part < PACED_OUTCOME_PARTS; ++part) {
        bool interval = !outcomes->averaged && part <= PACED_ON_NON_EMPTY;
        if (interval) columns[count++] = (struct column){part, 0, IMAGES};
        for (enum paced_metric m = 0; m < PACED_METRICS; ++m) {
            if (!outcomes_measured(outcomes, part, m)) continue;
            columns[count++] = (struct column){part, m, MEAN};
            if (interval) columns[count++] = (struct column){part, m, LOW};
            if (interval) columns[count++] = (struct column){part, m, HIGH};
            if (outcomes->averaged) columns[count++] = (struct column){part, m, STDDEV};
        }
    }
    return count;
}

static void write_name(FILE *out, struct column column) {
    static const char *const ends[] = {[MEAN] = "", [LOW] = "_low", [HIGH] = "_high", [STDDEV] = "_sd", [IMAGES] = ""};
    const char *name = column.field == IMAGES ? "images" : paced_metric_table[column.metric].name;
    fprintf(out, ",%s%s%s", outcomes_prefix(column.part), name, ends[column.field]);
}

static double value_of(const struct paced_outcome *row, struct column column) {
    if (column.field == IMAGES) return row->images[column.part];
    const struct paced_figure *f = &row->figures[column.part][column.metric];
    const double values[] = {[MEAN] = f->mean, [LOW] = f->low, [HIGH] = f->high, [STDDEV] = f->stddev};
    return values[column.field];
}

/* Writes the labels, separated by commas. */
static void write_labels(FILE *out, const char *const *labels, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        if (i > 0) fputc(',', out);
        paced_csv_write_text(out, labels[i]);
    }
}

enum paced_err paced_outcomes_write_csv(const struct paced_outcomes *outcomes, const char *path) {
    struct column columns[MAX_COLUMNS];
    size_t count = list_columns(outcomes, columns);
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    write_labels(file.stream, outcomes->names, outcomes->label_count);
    if (outcomes->averaged) fputs(outcomes->label_count ? ",runs" : "runs", file.stream);
    for (size_t c = 0; c < count; ++c) write_name(file.stream, columns[c]);
    fputc('\n', file.stream);
    for (size_t i = 0; i < outcomes->count; ++i) {
        const struct paced_outcome *row = &outcomes->rows[i];
        write_labels(file.stream, (const char *const *)row->labels, outcomes->label_count);
        if (outcomes->averaged) fprintf(file.stream, "%s%zu", outcomes->label_count ? "," : "", row->runs);
        for (size_t c = 0; c < count; ++c)
            paced_csv_write_reals(file.stream, (const double[]){value_of(row, columns[c])}, 1);
        fputc('\n', file.stream);
    }
    return paced_atomic_commit(&file);
}

/* ---- the terminal -------------------------------------------------------------------------------------------- */

/* Columns of the terminal table; columns without measured values are omitted. */
static const struct {
    const char *title;
    enum paced_outcome_part part;
    enum paced_metric metric;
} shown[] = {
    {"dice", PACED_ON_ALL, PACED_DICE},
    {"iou", PACED_ON_ALL, PACED_IOU},
    {"precision", PACED_ON_ALL, PACED_PRECISION},
    {"recall", PACED_ON_ALL, PACED_RECALL},
    {"f1", PACED_ON_ALL, PACED_F1},
    {"dice (non-empty)", PACED_ON_NON_EMPTY, PACED_DICE},
    {"dice (corrupted)", PACED_CORRUPTED, PACED_DICE},
    {"drop", PACED_DROP, PACED_DICE},
};

static char *figure_cell(const struct paced_outcomes *outcomes, const struct paced_figure *f, bool with_interval) {
    if (isnan(f->mean)) return paced_strdup("-");
    if (outcomes->averaged && isnan(f->stddev)) return paced_format("%.4f          ", f->mean);
    if (outcomes->averaged) return paced_format("%.4f +- %.4f", f->mean, f->stddev);
    if (with_interval && !isnan(f->low)) return paced_format("%.4f (%.4f to %.4f)", f->mean, f->low, f->high);
    return paced_format("%.4f", f->mean);
}

/* Text of a cell, or of the heading (row NULL); the caller frees it. Columns: the labels, the number of runs or images,
 * and those of `shown`, the first of them with its interval. */
static char *cell(const struct paced_outcomes *outcomes, const struct paced_outcome *row, size_t column) {
    if (column < outcomes->label_count) {
        const char *text = row ? row->labels[column] : outcomes->names[column];
        return paced_strdup(*text ? text : "-");
    }
    column -= outcomes->label_count;
    if (column > 0 && !row) return paced_strdup(shown[column - 1].title);
    if (column > 0)
        return figure_cell(outcomes, &row->figures[shown[column - 1].part][shown[column - 1].metric], column == 1);
    if (!row) return paced_strdup(outcomes->averaged ? "runs" : "images");
    if (outcomes->averaged) return paced_format("%zu", row->runs);
    return isnan(row->images[0]) ? paced_strdup("-") : paced_format("%.0f", row->images[0]);
}

/* Appends a column to lines[1 + count], padded to its widest cell. Labels are left-aligned, numbers right-aligned. */
static void add_column(struct paced_text *lines, char **cells, const struct paced_outcomes *outcomes, size_t column) {
    int width = 0;
    for (size_t i = 0; i <= outcomes->count; ++i) {
        cells[i] = cell(outcomes, i > 0 ? &outcomes->rows[i - 1] : NULL, column);
        if ((int)strlen(cells[i]) > width) width = (int)strlen(cells[i]);
    }
    if (column < outcomes->label_count) width = -width;
    for (size_t i = 0; i <= outcomes->count; ++i) {
        paced_text_add(&lines[i], "%s%*s", column == 0 ? "" : "  ", width, cells[i]);
        free(cells[i]);
    }
}

void paced_outcomes_print(const struct paced_outcomes *outcomes, FILE *out) {
    struct paced_text *lines = paced_alloc(1 + outcomes->count, sizeof *lines);
    char **cells = paced_alloc(1 + outcomes->count, sizeof *cells);
    for (size_t k = 0; k <= outcomes->label_count; ++k) add_column(lines, cells, outcomes, k);
    for (size_t c = 0; c < PACED_COUNT(shown); ++c)
        if (outcomes_measured(outcomes, shown[c].part, shown[c].metric))
            add_column(lines, cells, outcomes, outcomes->label_count + 1 + c);
    for (size_t i = 0; i <= outcomes->count; ++i) {
        fprintf(out, "%s\n", lines[i].data);
        free(lines[i].data);
    }
    free(cells);
    free(lines);
}
