/* training: log.csv as curves. A chart shows training and validation of a single run, or compares several runs. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/html/figure.h"
#include "src/report/html/sections.h"

/* Charts, one per column of log.csv. */
static const struct {
    const char *column, *name, *unit;
    bool of_training; /* only the training rows are plotted */
} curves[] = {
    {"ce", "cross entropy", "nats per pixel", false},
    {"loss", "objective", "nats per pixel", false},
    {"kld", "KLD", "scaled nats per pixel", false},
    {"dice", "dice", "0 to 1", false},
    {"iou", "iou", "0 to 1", false},
    {"precision", "precision", "0 to 1", false},
    {"recall", "recall", "0 to 1", false},
    {"f1", "f1", "0 to 1", false},
    {"lr", "learning rate", "per step", true},
    {"mu", "mu", "uncertainty, 0 to 1", true},
    {"admitted", "admitted", "fraction of training pixels", true},
};

enum { CURVES = PACED_COUNT(curves) };

/* Line of a figure: the rows of one phase of a log. */
struct line {
    const struct paced_csv *log;
    const char *phase, *name;
};

static struct paced_series take_series(const struct line *line, const char *column, bool of_training) {
    const struct paced_csv *log = line->log;
    double *x = paced_alloc(log->rows + 1, sizeof *x), *y = paced_alloc(log->rows + 1, sizeof *y);
    size_t count = 0;
    bool any = false, applies = !of_training || strcmp(line->phase, "train") == 0;
    for (size_t row = 0; applies && row < log->rows; ++row) {
        double epoch = paced_csv_real(log, row, "epoch");
        if (!paced_csv_is(log, row, "phase", line->phase) || !(epoch >= 1 && epoch <= INT_MAX)) continue;
        x[count] = epoch;
        y[count] = paced_csv_real(log, row, column);
        any |= !isnan(y[count++]);
    }
    return (struct paced_series){.name = line->name, .x = x, .y = y, .count = any ? count : 0};
}

static void finish_series(struct paced_series *series) {
    free((void *)(uintptr_t)series->x);
    free((void *)(uintptr_t)series->y);
}

static enum paced_err add_figure(struct paced_text *out, const struct report *report, const char *id,
                                 const char *caption, const struct line *lines, size_t count) {
    struct paced_series *series = paced_alloc(CURVES * count, sizeof *series);
    struct chart charts[CURVES];
    for (size_t c = 0; c < CURVES; ++c) {
        charts[c] = (struct chart){.x_name = "epoch",
                                   .x_unit = "passes over the set",
                                   .y_name = curves[c].name,
                                   .y_unit = curves[c].unit,
                                   .whole_x = true,
                                   .series = series + c * count,
                                   .series_count = count};
        for (size_t i = 0; i < count; ++i)
            charts[c].series[i] = take_series(&lines[i], curves[c].column, curves[c].of_training);
    }
    const struct figure figure = {id, caption, charts, CURVES};
    enum paced_err err = figure_add(out, &figure, report->dir);
    for (size_t i = 0; i < CURVES * count; ++i) finish_series(&series[i]);
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
