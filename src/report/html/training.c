/* training: log.csv as curves. A chart shows training and validation of a single run, or compares several runs. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/figure.h"
#include "src/report/html/sections.h"

/* Measures with a chart: first those of both phases, then those of the training. Returns their number. */
static size_t charted(enum paced_measure measures[PACED_MEASURES]) {
    size_t count = 0;
    for (int of_training = 0; of_training < 2; ++of_training)
        for (int m = 0; m < PACED_MEASURES; ++m)
            if (paced_measure_table[m].title && paced_measure_table[m].of_training == of_training)
                measures[count++] = (enum paced_measure)m;
    return count;
}

/* Line of a figure: the rows of one phase of a log. */
struct line {
    const struct paced_csv *log;
    const char *phase, *name;
};

static struct series take_series(const struct line *line, const struct paced_measure_row *measure) {
    const struct paced_csv *log = line->log;
    double *x = paced_alloc(log->rows + 1, sizeof *x), *y = paced_alloc(log->rows + 1, sizeof *y);
    size_t count = 0;
    bool any = false, applies = !measure->of_training || strcmp(line->phase, "train") == 0;
    for (size_t row = 0; applies && row < log->rows; ++row) {
        double epoch = paced_csv_real(log, row, "epoch");
        if (!paced_csv_is(log, row, "phase", line->phase) || !(epoch >= 1 && epoch <= INT_MAX)) continue;
        x[count] = epoch;
        y[count] = paced_csv_real(log, row, measure->name);
        any |= !isnan(y[count++]);
    }
    return (struct series){.name = line->name, .x = x, .y = y, .count = any ? count : 0};
}

static void finish_series(struct series *series) {
    free(series->x);
    free(series->y);
}

static enum paced_err add_figure(struct paced_text *out, const struct report *report, const char *id,
                                 const char *caption, const struct line *lines, size_t count) {
    enum paced_measure measures[PACED_MEASURES];
    size_t curves = charted(measures);
    struct series *series = paced_alloc(curves * count, sizeof *series);
    struct chart charts[PACED_MEASURES];
    for (size_t c = 0; c < curves; ++c) {
        const struct paced_measure_row *measure = &paced_measure_table[measures[c]];
        charts[c] = (struct chart){.x_name = "epoch",
                                   .x_unit = "passes over the set",
                                   .y_name = measure->title,
                                   .y_unit = measure->unit,
                                   .whole_x = true,
                                   .series = series + c * count,
                                   .series_count = count};
        for (size_t i = 0; i < count; ++i) charts[c].series[i] = take_series(&lines[i], measure);
    }
    const struct figure figure = {id, caption, charts, curves};
    enum paced_err err = figure_add(out, &figure, report->dir);
    for (size_t i = 0; i < curves * count; ++i) finish_series(&series[i]);
    free(series);
    return err;
}

enum paced_err section_training(struct paced_text *out, const struct report *report) {
    struct line *lines = paced_alloc(report->count + 2, sizeof *lines);
    size_t count = 0;
    for (size_t i = 0; i < report->count; ++i)
        if (report->runs[i].log.rows > 0)
            lines[count++] = (struct line){&report->runs[i].log, "val", report->runs[i].label};
    const bool alone = count == 1;
    const char *caption = "Metrics of the validation images after each epoch.";
    if (alone) {
        const struct paced_csv *log = lines[0].log;
        lines[0] = (struct line){log, "train", "training"};
        lines[1] = (struct line){log, "val", "validation"};
        caption = "Means of each epoch. Training metrics are computed in training mode, each batch before its update.";
    }
    enum paced_err err = add_figure(out, report, "curves", caption, lines, alone ? 2 : count);
    for (size_t i = 0; i < count; ++i) lines[i].phase = "train";
    if (!err)
        err = add_figure(out, report, "training_curves",
                         "Metrics of the training images, in training mode, each batch before its update.", lines,
                         alone ? 0 : count);
    free(lines);
    return err;
}
