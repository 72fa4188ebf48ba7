/* results: test results as means with intervals, per class, and as differences per image. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/html.h"
#include "src/report/html/cells.h"
#include "src/report/html/sections.h"

static const char *const sets[] = {"all", "non-empty"};

/* ---- common parts -------------------------------------------------------------------------------------------- */

/* Bit set of the metrics measured by any run; of_class: only metrics per class. */
static uint64_t measured(const struct report *report, bool of_class) {
    uint64_t which = 0;
    for (size_t i = 0; i < report->count; ++i)
        for (int m = 0; m < PACED_METRICS; ++m)
            if (paced_csv_has(&report->runs[i].summary, paced_metric_table[m].name) &&
                !(of_class && paced_metric_table[m].of_image))
                which |= PACED_METRIC_BIT(m);
    return which;
}

/* Begins a header row with run, set and count. */
static void add_set_headers(struct paced_text *out) {
    paced_text_add(out, "<thead><tr><th scope=\"col\">run</th><th scope=\"col\">images</th>"
                        "<th scope=\"col\" class=\"number\">count</th>");
}

/* Ends a header row with the metrics. */
static void add_metric_headers(struct paced_text *out, uint64_t which) {
    for (int m = 0; m < PACED_METRICS; ++m)
        if (which & PACED_METRIC_BIT(m)) cells_add_metric_heading(out, (enum paced_metric)m);
    paced_text_add(out, "</tr></thead><tbody>\n");
}

/* Row of the interval of a mean, or -1. */
static long find_interval(const struct report_run *run, const char *set, const char *class_index, const char *metric) {
    const struct paced_csv *t = &run->intervals;
    for (size_t row = 0; row < t->rows; ++row)
        if (paced_csv_is(t, row, "set", set) && paced_csv_is(t, row, "class", class_index) &&
            paced_csv_is(t, row, "metric", metric))
            return (long)row;
    return -1;
}

/* Adds the means of a row of the summary, each with its interval. */
static void add_means(struct paced_text *out, const struct report_run *run, size_t row, uint64_t which) {
    const char *set = paced_csv_text(&run->summary, row, "set"), *class = paced_csv_text(&run->summary, row, "class");
    for (int m = 0; m < PACED_METRICS; ++m) {
        const char *metric = paced_metric_table[m].name;
        if (!(which & PACED_METRIC_BIT(m))) continue;
        long at = find_interval(run, set, class, metric);
        cells_add_value(out, paced_csv_text(&run->summary, row, metric),
                        at < 0 ? NULL : paced_csv_text(&run->intervals, (size_t)at, "low"),
                        at < 0 ? NULL : paced_csv_text(&run->intervals, (size_t)at, "high"), NULL, NULL);
    }
    paced_text_add(out, "</tr>\n");
}

/* ---- means of all images and of each class ------------------------------------------------------------------- */

/* Name of the class with this number; the number itself if it has no name. */
static const char *class_name(const struct report_run *run, const char *number) {
    int64_t class;
    bool named = run->class_names && paced_parse_int(number, &class) && class >= 0 && class < run->source.data->classes;
    return named && run->class_names[class] ? run->class_names[class] : number;
}

static bool is_of_class(const struct report_run *run, size_t row) {
    return paced_csv_is(&run->summary, row, "set", "all") && !paced_csv_is(&run->summary, row, "class", "mean");
}

/* True if there are several classes; with one class, the means already show it. */
static bool has_classes(const struct report_run *run) {
    size_t count = 0;
    for (size_t row = 0; row < run->summary.rows; ++row) count += is_of_class(run, row);
    return count > 1;
}

/* Adds the rows of the means over the classes, or of each class, and ends the table. */
static void add_rows(struct paced_text *out, const struct report *report, bool of_class, uint64_t which) {
    add_metric_headers(out, which);
    for (size_t i = 0; i < report->count; ++i)
        for (size_t row = 0; row < report->runs[i].summary.rows; ++row) {
            const struct report_run *run = &report->runs[i];
            const char *class = paced_csv_text(&run->summary, row, "class");
            if (of_class ? !is_of_class(run, row) : strcmp(class, "mean") != 0) continue;
            paced_text_add(out, "<tr>");
            html_element(out, "th", " scope=\"row\"", of_class ? class_name(run, class) : run->label);
            if (of_class)
                html_element(out, "td", "", run->label);
            else
                html_element(out, "td", " class=\"set\"", paced_csv_text(&run->summary, row, "set"));
            cells_add_count(out, paced_csv_text(&run->summary, row, "images"));
            add_means(out, run, row, which);
        }
    html_table_end(out);
}

enum paced_err section_results(struct paced_text *out, const struct report *report) {
    uint64_t which = measured(report, false);
    if (!which) return PACED_OK;
    html_table_begin(out, "summary",
                     "Means over the test images, with 95 % intervals (bootstrap over images) where available. "
                     "Non-empty: images whose mask has a foreground.");
    add_set_headers(out);
    add_rows(out, report, false, which);
    return PACED_OK;
}

enum paced_err section_classes(struct paced_text *out, const struct report *report) {
    bool any = false;
    for (size_t i = 0; i < report->count; ++i) any |= has_classes(&report->runs[i]);
    if (!any) return PACED_OK;
    html_table_begin(out, "class-summary",
                     "Means per class over the images in which it has a value (test.absent), with 95 % intervals.");
    paced_text_add(out, "<thead><tr><th scope=\"col\">class</th><th scope=\"col\">run</th>"
                        "<th scope=\"col\" class=\"number\">images</th>");
    add_rows(out, report, true, measured(report, true));
    return PACED_OK;
}

/* ---- differences --------------------------------------------------------------------------------------------- */

static void add_difference(struct paced_text *out, const struct paced_difference *d) {
    const double values[] = {d->mean, d->low, d->high, d->p};
    const bool any = !isnan(d->mean);
    char cells[PACED_COUNT(values)][32] = {""};
    for (size_t i = 0; i < PACED_COUNT(values); ++i)
        if (!isnan(values[i])) snprintf(cells[i], sizeof cells[i], "%.9g", values[i]);
    cells_add_value(out, cells[0], any ? cells[1] : NULL, cells[2], "p = ", any ? cells[3] : NULL);
}

/* Adds one row per set of images. */
static enum paced_err add_differences(struct paced_text *out, const struct report_run *first,
                                      const struct report_run *run, uint64_t which) {
    char *first_path = report_run_path(first, "metrics.csv"), *path = report_run_path(run, "metrics.csv");
    enum paced_err err = PACED_OK;
    uint64_t seed = strtoull(report_run_value(first, "run.seed"), NULL, 10);
    for (size_t set = 0; !err && set < PACED_COUNT(sets); ++set) {
        struct paced_differences differences;
        char images[32];
        err = paced_differences_read(&differences, first_path, path, set == 1, seed);
        if (err) break;
        snprintf(images, sizeof images, "%zu", differences.images);
        paced_text_add(out, "<tr>");
        html_element(out, "th", " scope=\"row\"", run->label);
        html_element(out, "td", " class=\"set\"", sets[set]);
        cells_add_count(out, images);
        for (int m = 0; m < PACED_METRICS; ++m)
            if (which & PACED_METRIC_BIT(m)) add_difference(out, &differences.metrics[m]);
        paced_text_add(out, "</tr>\n");
    }
    free(path);
    free(first_path);
    return err;
}

static void begin_differences(struct paced_text *out, const struct report_run *first, uint64_t which) {
    char *caption = paced_format("Difference of each run from %s: the mean over the images of both tests, "
                                 "its 95 %% interval (bootstrap over images), and p of the Wilcoxon signed-rank test "
                                 "(two-sided, not corrected for multiple comparisons).",
                                 first->label);
    html_table_begin(out, "paired", caption);
    add_set_headers(out);
    add_metric_headers(out, which);
    free(caption);
}

static bool is_tested(const struct report_run *run) {
    char *path = report_run_path(run, "metrics.csv");
    bool there = paced_path_exists(path);
    free(path);
    return there;
}

enum paced_err section_differences(struct paced_text *out, const struct report *report) {
    uint64_t which = measured(report, false);
    const struct report_run *first = NULL;
    enum paced_err err = PACED_OK;
    for (size_t i = 0; !err && i < report->count; ++i) {
        const struct report_run *run = &report->runs[i];
        if (!is_tested(run)) continue;
        if (!first) {
            first = run;
            continue;
        }
        if (out->size == 0) begin_differences(out, first, which);
        err = add_differences(out, first, run, which);
    }
    if (out->size > 0) html_table_end(out);
    return err;
}
