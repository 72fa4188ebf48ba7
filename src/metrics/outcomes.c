/* outcomes: results of the networks of a sweep, read from the files of their tests.
 *
 * Values are read back from files, so an interrupted and resumed sweep gives the same tables. A mean over runs averages
 * the set means of the runs; the standard deviation is that of a sample (n - 1). */
#include "paced/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows ---------------------------------------------------------------------------------------------------- */

static bool same_labels(const struct paced_outcome *row, const char *const *labels, size_t count) {
    for (size_t i = 0; i < count; ++i)
        if (strcmp(row->labels[i], labels[i]) != 0) return false;
    return true;
}

static struct paced_outcome *row_of(struct paced_outcomes *outcomes, const char *const *labels) {
    for (size_t i = 0; i < outcomes->count; ++i)
        if (same_labels(&outcomes->rows[i], labels, outcomes->label_count)) return &outcomes->rows[i];
    outcomes->rows = paced_grow(outcomes->rows, outcomes->count + 1, sizeof *outcomes->rows);
    struct paced_outcome *row = &outcomes->rows[outcomes->count++];
    *row = (struct paced_outcome){.runs = 1, .images = {NAN, NAN}};
    row->labels = paced_alloc(outcomes->label_count + 1, sizeof *row->labels);
    for (size_t i = 0; i < outcomes->label_count; ++i) row->labels[i] = paced_strdup(labels[i]);
    for (int part = 0; part < PACED_OUTCOME_PARTS; ++part)
        for (int m = 0; m < PACED_METRICS; ++m) row->figures[part][m] = (struct paced_figure){NAN, NAN, NAN, NAN};
    return row;
}

void paced_outcomes_init(struct paced_outcomes *outcomes, const char *const *names, size_t label_count) {
    *outcomes = (struct paced_outcomes){.label_count = label_count};
    outcomes->names = paced_alloc(label_count + 1, sizeof *outcomes->names);
    for (size_t i = 0; i < label_count; ++i) outcomes->names[i] = names[i];
}

static void finish_row(struct paced_outcome *row, size_t label_count) {
    for (size_t k = 0; k < label_count; ++k) free(row->labels[k]);
    free(row->labels);
}

void paced_outcomes_finish(struct paced_outcomes *outcomes) {
    if (!outcomes) return;
    for (size_t i = 0; i < outcomes->count; ++i) finish_row(&outcomes->rows[i], outcomes->label_count);
    free(outcomes->rows);
    free(outcomes->names);
    *outcomes = (struct paced_outcomes){0};
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

static enum paced_err take_metric(const struct paced_csv *csv, size_t row, int *metric) {
    for (*metric = 0; *metric < PACED_METRICS; ++*metric)
        if (paced_csv_is(csv, row, "metric", paced_metric_table[*metric].name)) return PACED_OK;
    return paced_csv_refuse(csv, row, "metric", "a metric");
}

/* Takes the rows of intervals.csv, except those of a single class. */
static enum paced_err take_intervals(const struct paced_csv *csv, struct paced_outcome *row) {
    for (size_t i = 0; i < csv->rows; ++i) {
        int metric;
        double images;
        struct paced_figure figure = {.stddev = NAN};
        PACED_TRY(take_metric(csv, i, &metric));
        PACED_TRY(paced_csv_take_real(csv, i, "images", &images));
        PACED_TRY(paced_csv_take_real(csv, i, "mean", &figure.mean));
        PACED_TRY(paced_csv_take_real(csv, i, "low", &figure.low));
        PACED_TRY(paced_csv_take_real(csv, i, "high", &figure.high));
        if (!paced_csv_is(csv, i, "class", "mean")) continue;
        enum paced_outcome_part part = paced_csv_is(csv, i, "set", "all") ? PACED_ON_ALL : PACED_ON_NON_EMPTY;
        row->images[part] = images;
        row->figures[part][metric] = figure;
    }
    return PACED_OK;
}

enum paced_err paced_outcomes_add_test(struct paced_outcomes *outcomes, const char *const *labels, const char *path) {
    struct paced_csv csv;
    PACED_TRY(paced_csv_read(&csv, path, "set,class,images,metric,mean,low,high", "run the test again"));
    enum paced_err err = take_intervals(&csv, row_of(outcomes, labels));
    paced_csv_finish(&csv);
    return err;
}

/* Takes the mean over the corruptions from a row of robustness_summary.csv. own[label_count]: the weights, which this
 * sets, and the other labels. */
static enum paced_err take_robustness(const struct paced_csv *csv, size_t i, struct paced_outcomes *outcomes,
                                      const char **own) {
    int metric;
    double mean, drop;
    PACED_TRY(take_metric(csv, i, &metric));
    PACED_TRY(paced_csv_take_real(csv, i, "mean", &mean));
    PACED_TRY(paced_csv_take_real(csv, i, "drop", &drop));
    if (!paced_csv_is(csv, i, "corruption", "mean")) return PACED_OK;
    own[0] = paced_csv_text(csv, i, "weights");
    struct paced_outcome *row = row_of(outcomes, own);
    row->figures[PACED_CORRUPTED][metric].mean = mean;
    row->figures[PACED_DROP][metric].mean = drop;
    return PACED_OK;
}

enum paced_err paced_outcomes_add_robustness(struct paced_outcomes *outcomes, const char *const *labels,
                                             const char *path) {
    struct paced_csv csv;
    PACED_TRY(paced_csv_read(&csv, path, "weights,corruption,metric,mean,drop", "run `paced robustness` again"));
    const char **own = paced_alloc(outcomes->label_count, sizeof *own);
    memcpy(own, labels, outcomes->label_count * sizeof *own);
    enum paced_err err = PACED_OK;
    for (size_t i = 0; !err && i < csv.rows; ++i) err = take_robustness(&csv, i, outcomes, own);
    free(own);
    paced_csv_finish(&csv);
    return err;
}

/* ---- one network in several rows ------------------------------------------------------------------------------ */

static void add_figures(struct paced_outcome *row, const struct paced_outcome *more) {
    for (int part = 0; part < PACED_OUTCOME_PARTS; ++part)
        for (int m = 0; m < PACED_METRICS; ++m)
            if (isnan(row->figures[part][m].mean)) row->figures[part][m] = more->figures[part][m];
    for (size_t i = 0; i < PACED_COUNT(row->images); ++i)
        if (isnan(row->images[i])) row->images[i] = more->images[i];
}

static void empty_labels(struct paced_outcomes *outcomes, const char *name, const bool *kept) {
    for (size_t i = 0; i < outcomes->count; ++i) {
        char **labels = outcomes->rows[i].labels;
        if (strcmp(labels[0], name) != 0) continue;
        for (size_t k = 1; k < outcomes->label_count; ++k)
            if (!kept[k]) *labels[k] = '\0';
    }
}

void paced_outcomes_join(struct paced_outcomes *outcomes, const char *name, const bool *kept) {
    size_t count = outcomes->count, label_count = outcomes->label_count;
    empty_labels(outcomes, name, kept);
    outcomes->count = 0;
    for (size_t i = 0; i < count; ++i) {
        struct paced_outcome row = outcomes->rows[i];
        size_t same = 0;
        while (same < outcomes->count &&
               !same_labels(&outcomes->rows[same], (const char *const *)row.labels, label_count))
            ++same;
        if (same == outcomes->count) {
            outcomes->rows[outcomes->count++] = row;
        } else {
            add_figures(&outcomes->rows[same], &row);
            finish_row(&row, label_count);
        }
    }
}

/* ---- averages ------------------------------------------------------------------------------------------------ */

/* Mean and standard deviation over the rows in which the figure is measured. */
static struct paced_figure average(const struct paced_outcome *const *rows, size_t count, int part, int metric) {
    double sum = 0, squares = 0;
    size_t n = 0;
    for (size_t i = 0; i < count; ++i) {
        double value = rows[i]->figures[part][metric].mean;
        if (isnan(value)) continue;
        sum += value;
        ++n;
    }
    double mean = n > 0 ? sum / (double)n : NAN;
    for (size_t i = 0; i < count; ++i) {
        double difference = rows[i]->figures[part][metric].mean - mean;
        if (!isnan(difference)) squares += difference * difference;
    }
    return (struct paced_figure){mean, NAN, NAN, n > 1 ? sqrt(squares / (double)(n - 1)) : NAN};
}

/* Moves the label to the end. */
static void move_last(const char **labels, size_t count, size_t label) {
    const char *moved = labels[label];
    memmove(labels + label, labels + label + 1, (count - label - 1) * sizeof *labels);
    labels[count - 1] = moved;
}

struct paced_outcomes paced_outcomes_average(const struct paced_outcomes *outcomes, size_t label) {
    struct paced_outcomes averages;
    size_t labels = outcomes->label_count, *group = paced_alloc(outcomes->count + 1, sizeof *group);
    const struct paced_outcome **members = paced_alloc(outcomes->count + 1, sizeof *members);
    const char **others = paced_alloc(labels, sizeof *others);
    memcpy(others, outcomes->names, labels * sizeof *others);
    move_last(others, labels, label);
    paced_outcomes_init(&averages, others, labels - 1);
    averages.averaged = outcomes->names[label];
    for (size_t i = 0; i < outcomes->count; ++i) { /* each row's group is the index of its average */
        memcpy(others, outcomes->rows[i].labels, labels * sizeof *others);
        move_last(others, labels, label);
        group[i] = (size_t)(row_of(&averages, others) - averages.rows);
    }
    for (size_t a = 0; a < averages.count; ++a) {
        struct paced_outcome *row = &averages.rows[a];
        row->runs = 0;
        for (size_t i = 0; i < outcomes->count; ++i)
            if (group[i] == a) members[row->runs++] = &outcomes->rows[i];
        for (int part = 0; part < PACED_OUTCOME_PARTS; ++part)
            for (int m = 0; m < PACED_METRICS; ++m) row->figures[part][m] = average(members, row->runs, part, m);
    }
    free(others);
    free(members);
    free(group);
    return averages;
}
