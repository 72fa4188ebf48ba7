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

enum field { IMAGES, MEAN, LOW, HIGH, STDDEV, FIELDS };

struct column {
    enum paced_outcome_part part;
    enum paced_metric metric;
    enum field field;
};

enum { MAX_COLUMNS = PACED_OUTCOME_PARTS * PACED_METRICS * FIELDS };

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
    static const char *const ends[FIELDS] = {[MEAN] = "", [LOW] = "_low", [HIGH] = "_high", [STDDEV] = "_sd"};
    const char *prefix = outcomes_prefix(column.part);
    if (column.field == IMAGES)
        fprintf(out, ",%simages", prefix);
    else
        fprintf(out, ",%s%s%s", prefix, paced_metric_table[column.metric].name, ends[column.field]);
}

static double value_of(const struct paced_outcome *row, struct column column) {
    const struct paced_figure *figure = &row->figures[column.part][column.metric];
    switch (column.field) {
    case IMAGES:
        return row->images[column.part];
    case LOW:
        return figure->low;
    case HIGH:
        return figure->high;
    case STDDEV:
        return figure->stddev;
    case MEAN:
    case FIELDS:
        break;
    }
    return figure->mean;
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

/* Cell text: "0.1234", followed by the standard deviation or, in the first column, the interval. Caller frees. */
static char *figure_cell(const struct paced_outcomes *outcomes, const struct paced_outcome *row, size_t column) {
    const struct paced_figure *f = &row->figures[shown[column].part][shown[column].metric];
    if (isnan(f->mean)) return paced_strdup("-");
    if (outcomes->averaged && isnan(f->stddev)) return paced_format("%.4f          ", f->mean);
    if (outcomes->averaged) return paced_format("%.4f +- %.4f", f->mean, f->stddev);
    if (column == 0 && !isnan(f->low)) return paced_format("%.4f (%.4f to %.4f)", f->mean, f->low, f->high);
    return paced_format("%.4f", f->mean);
}

/* Fills cells[1 + count] with the title and the cells of a column; the caller frees each. */
static void fill_column(const struct paced_outcomes *outcomes, size_t column, char **cells) {
    cells[0] = paced_strdup(shown[column].title);
    for (size_t i = 0; i < outcomes->count; ++i) cells[1 + i] = figure_cell(outcomes, &outcomes->rows[i], column);
}

static void fill_label(const struct paced_outcomes *outcomes, size_t label, char **cells) {
    cells[0] = paced_strdup(outcomes->names[label]);
    for (size_t i = 0; i < outcomes->count; ++i) {
        const char *text = outcomes->rows[i].labels[label];
        cells[1 + i] = paced_strdup(*text ? text : "-");
    }
}

static char *count_cell(const struct paced_outcomes *outcomes, const struct paced_outcome *row) {
    if (outcomes->averaged) return paced_format("%zu", row->runs);
    return isnan(row->images[0]) ? paced_strdup("-") : paced_format("%.0f", row->images[0]);
}

static void fill_counts(const struct paced_outcomes *outcomes, char **cells) {
    cells[0] = paced_strdup(outcomes->averaged ? "runs" : "images");
    for (size_t i = 0; i < outcomes->count; ++i) cells[1 + i] = count_cell(outcomes, &outcomes->rows[i]);
}

/* Appends the column to the lines, padded to its widest cell, and frees its cells. Labels are left-aligned, numbers
 * right-aligned. */
static void add_column(struct paced_text *lines, char **cells, size_t count, bool is_label, bool is_first) {
    int width = 0;
    for (size_t i = 0; i < count; ++i)
        if ((int)strlen(cells[i]) > width) width = (int)strlen(cells[i]);
    for (size_t i = 0; i < count; ++i) {
        paced_text_add(&lines[i], "%s%*s", is_first ? "" : "  ", is_label ? -width : width, cells[i]);
        free(cells[i]);
    }
}

void paced_outcomes_print(const struct paced_outcomes *outcomes, FILE *out) {
    size_t count = 1 + outcomes->count;
    struct paced_text *lines = paced_alloc(count, sizeof *lines);
    char **cells = paced_alloc(count, sizeof *cells);
    for (size_t k = 0; k < outcomes->label_count; ++k) {
        fill_label(outcomes, k, cells);
        add_column(lines, cells, count, true, k == 0);
    }
    fill_counts(outcomes, cells);
    add_column(lines, cells, count, false, outcomes->label_count == 0);
    for (size_t c = 0; c < PACED_COUNT(shown); ++c) {
        if (!outcomes_measured(outcomes, shown[c].part, shown[c].metric)) continue;
        fill_column(outcomes, c, cells);
        add_column(lines, cells, count, false, false);
    }
    for (size_t i = 0; i < count; ++i) {
        fprintf(out, "%s\n", lines[i].data);
        free(lines[i].data);
    }
    free(cells);
    free(lines);
}
