/* outcomes: results of the networks of a sweep, read from the files of their tests.
 *
 * Values are read back from files, so an interrupted and resumed sweep gives the same tables. A mean over runs averages
 * the set means of the runs; the standard deviation is that of a sample (n - 1). */
#include "src/report/outcomes.h"

#include "src/report/csv.h"
#include "src/report/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_FILE = 1 << 24 };

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

/* Parses a number; an empty field, not applicable, gives NaN. */
static bool take_real(char **row, double *value) {
    const char *field = paced_csv_take_field(row);
    *value = NAN;
    return field && (!*field || paced_parse_real(field, value));
}

static int find_metric(const char *name) {
    int m = 0;
    while (m < PACED_METRICS && strcmp(paced_metric_name((enum paced_metric)m), name) != 0) ++m;
    return m;
}

/* Parses "SET,CLASS,IMAGES,METRIC,MEAN,LOW,HIGH" and skips rows of a single class. False if malformed. */
static bool take_interval(char *line, struct paced_outcome *row) {
    const char *set = paced_csv_take_field(&line), *class_name = paced_csv_take_field(&line);
    double images;
    if (!class_name || !take_real(&line, &images)) return false;
    const char *name = paced_csv_take_field(&line);
    int metric = name ? find_metric(name) : PACED_METRICS;
    struct paced_figure figure = {.stddev = NAN};
    if (metric == PACED_METRICS || !take_real(&line, &figure.mean) || !take_real(&line, &figure.low) ||
        !take_real(&line, &figure.high))
        return false;
    if (strcmp(class_name, "mean") != 0) return true;
    enum paced_outcome_part part = strcmp(set, "all") == 0 ? PACED_ON_ALL : PACED_ON_NON_EMPTY;
    row->images[part] = images;
    row->figures[part][metric] = figure;
    return true;
}

/* Parses "WEIGHTS,CORRUPTION,METRIC,CLEAN,severities...,MEAN,DROP" and keeps only the mean over the corruptions. False
 * if malformed. */
static bool take_robustness(char *line, struct paced_outcomes *outcomes, const char *const *labels) {
    const char *weights = paced_csv_take_field(&line), *corruption = paced_csv_take_field(&line);
    const char *name = paced_csv_take_field(&line);
    int metric = name ? find_metric(name) : PACED_METRICS;
    double mean = NAN, drop = NAN;
    if (metric == PACED_METRICS || !line) return false;
    while (line) {
        mean = drop;
        if (!take_real(&line, &drop)) return false;
    }
    if (strcmp(corruption, "mean") != 0) return true;
    const char **own = paced_alloc(outcomes->label_count, sizeof *own);
    memcpy(own, labels, outcomes->label_count * sizeof *own);
    own[0] = weights;
    struct paced_outcome *row = row_of(outcomes, own);
    free(own);
    row->figures[PACED_CORRUPTED][metric].mean = mean;
    row->figures[PACED_DROP][metric].mean = drop;
    return true;
}

/* Reads the file, checks that its first line begins with `header`, and parses the others with one of the above. */
static enum paced_err take_lines(struct paced_outcomes *outcomes, const char *const *labels, const char *path,
                                 const char *header, bool is_test) {
    char *text;
    PACED_TRY(paced_file_read_text(path, LARGEST_FILE, &text));
    char *rest = text, *line = paced_csv_take_row(&rest);
    bool valid = line && strncmp(line, header, strlen(header)) == 0;
    int number = 1;
    struct paced_outcome *row = is_test && valid ? row_of(outcomes, labels) : NULL;
    while (valid && (line = paced_csv_take_row(&rest))) {
        ++number;
        valid = row ? take_interval(line, row) : take_robustness(line, outcomes, labels);
    }
    free(text);
    if (valid) return PACED_OK;
    return paced_error_at_line(PACED_INVALID, path, number, "is not a line of the table %s...; run the test again",
                               header);
}

enum paced_err paced_outcomes_add_test(struct paced_outcomes *outcomes, const char *const *labels, const char *path) {
    return take_lines(outcomes, labels, path, "set,class,images,metric,mean,low,high", true);
}

enum paced_err paced_outcomes_add_robustness(struct paced_outcomes *outcomes, const char *const *labels,
                                             const char *path) {
    return take_lines(outcomes, labels, path, "weights,corruption,metric,clean", false);
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

/* Labels except one; the array is owned by the caller, the texts are borrowed. */
static const char **without(const char *const *labels, size_t count, size_t label) {
    const char **rest = paced_alloc(count, sizeof *rest);
    for (size_t i = 0, k = 0; i < count; ++i)
        if (i != label) rest[k++] = labels[i];
    return rest;
}

/* Mean and standard deviation of means[count], ignoring NaN. */
static struct paced_figure average(const double *means, size_t count) {
    double sum = 0, squares = 0;
    size_t n = 0;
    for (size_t i = 0; i < count; ++i)
        if (!isnan(means[i])) sum += means[i], n++;
    double mean = n > 0 ? sum / (double)n : NAN;
    for (size_t i = 0; i < count; ++i)
        if (!isnan(means[i])) squares += (means[i] - mean) * (means[i] - mean);
    return (struct paced_figure){mean, NAN, NAN, n > 1 ? sqrt(squares / (double)(n - 1)) : NAN};
}

static void average_rows(struct paced_outcome *row, const struct paced_outcome *const *members, size_t count) {
    double *means = paced_alloc(count, sizeof *means);
    row->runs = count;
    for (int part = 0; part < PACED_OUTCOME_PARTS; ++part)
        for (int m = 0; m < PACED_METRICS; ++m) {
            for (size_t i = 0; i < count; ++i) means[i] = members[i]->figures[part][m].mean;
            row->figures[part][m] = average(means, count);
        }
    free(means);
}

struct paced_outcomes paced_outcomes_average(const struct paced_outcomes *outcomes, size_t label) {
    struct paced_outcomes averages;
    const char **names = without(outcomes->names, outcomes->label_count, label);
    paced_outcomes_init(&averages, names, outcomes->label_count - 1);
    averages.averaged = outcomes->names[label];
    free(names);
    const struct paced_outcome **members = paced_alloc(outcomes->count, sizeof *members);
    for (size_t i = 0; i < outcomes->count; ++i) {
        const char **labels = without((const char *const *)outcomes->rows[i].labels, outcomes->label_count, label);
        size_t before = averages.count, count = 0;
        struct paced_outcome *row = row_of(&averages, labels);
        for (size_t k = i; averages.count > before && k < outcomes->count; ++k) {
            const char **others = without((const char *const *)outcomes->rows[k].labels, outcomes->label_count, label);
            if (same_labels(row, others, averages.label_count)) members[count++] = &outcomes->rows[k];
            free(others);
        }
        if (count > 0) average_rows(row, members, count);
        free(labels);
    }
    free(members);
    return averages;
}

const char *outcomes_prefix(enum paced_outcome_part part) {
    static const char *const prefixes[PACED_OUTCOME_PARTS] = {"", "non_empty_", "corrupted_", "drop_"};
    return prefixes[part];
}

bool outcomes_measured(const struct paced_outcomes *outcomes, enum paced_outcome_part part, enum paced_metric metric) {
    for (size_t i = 0; i < outcomes->count; ++i)
        if (!isnan(outcomes->rows[i].figures[part][metric].mean)) return true;
    return false;
}
