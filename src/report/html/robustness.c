/* robustness: robustness_summary.csv as a table, and as curves of each metric against severity, one per corruption. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/figure.h"
#include "src/report/html.h"
#include "src/report/html/cells.h"
#include "src/report/html/sections.h"

enum { SEVERITIES = 5 };

#define MEAN "mean"

/* Weights of one run: one line in each chart, three columns of the table. */
struct condition {
    const struct report_run *run;
    const char *weights;
    char *label;
};

struct conditions {
    struct condition *list;
    size_t count;
    const char **corruptions; /* [corruption_count], distinct, in the order of the files; "mean" of a file is last */
    size_t corruption_count;
};

/* ---- conditions ---------------------------------------------------------------------------------------------- */

static bool has_condition(const struct conditions *c, const struct report_run *run, const char *weights) {
    for (size_t i = 0; i < c->count; ++i)
        if (c->list[i].run == run && strcmp(c->list[i].weights, weights) == 0) return true;
    return false;
}

static void add_corruption(struct conditions *c, const char *corruption) {
    for (size_t i = 0; i < c->corruption_count; ++i)
        if (strcmp(c->corruptions[i], corruption) == 0) return;
    c->corruptions = paced_grow(c->corruptions, c->corruption_count + 1, sizeof *c->corruptions);
    c->corruptions[c->corruption_count++] = corruption;
}

static void find_conditions(struct conditions *c, const struct report *report) {
    size_t runs = 0;
    for (size_t i = 0; i < report->count; ++i) runs += report->runs[i].robustness.rows > 0;
    for (size_t i = 0; i < report->count; ++i) {
        const struct report_run *run = &report->runs[i];
        for (size_t row = 0; row < run->robustness.rows; ++row) {
            const char *weights = paced_csv_text(&run->robustness, row, "weights");
            if (!paced_csv_is(&run->robustness, row, "corruption", MEAN))
                add_corruption(c, paced_csv_text(&run->robustness, row, "corruption"));
            if (has_condition(c, run, weights)) continue;
            c->list = paced_grow(c->list, c->count + 1, sizeof *c->list);
            char *label = runs > 1 ? paced_format("%s: %s", run->label, weights) : paced_strdup(weights);
            c->list[c->count++] = (struct condition){run, weights, label};
        }
    }
    add_corruption(c, MEAN);
}

static void finish_conditions(struct conditions *c) {
    for (size_t i = 0; i < c->count; ++i) free(c->list[i].label);
    free(c->list);
    free(c->corruptions);
}

/* Row of a metric under a corruption, or -1. */
static long find_row(const struct condition *c, const char *corruption, const char *metric) {
    const struct paced_csv *t = &c->run->robustness;
    for (size_t row = 0; row < t->rows; ++row)
        if (paced_csv_is(t, row, "weights", c->weights) && paced_csv_is(t, row, "corruption", corruption) &&
            paced_csv_is(t, row, "metric", metric))
            return (long)row;
    return -1;
}

/* ---- curves -------------------------------------------------------------------------------------------------- */

/* Series of a metric against severity, with the clean images at 0; missing severities have no point.
 * x, y: [1 + SEVERITIES]. */
static struct series take_series(const struct condition *c, const char *corruption, const char *metric, double *x,
                                 double *y) {
    const struct paced_csv *t = &c->run->robustness;
    long row = find_row(c, corruption, metric);
    size_t count = 0;
    for (int severity = 0; row >= 0 && severity <= SEVERITIES; ++severity) {
        char column[32] = "clean";
        if (severity > 0) snprintf(column, sizeof column, "severity_%d", severity);
        y[count] = paced_csv_real(t, (size_t)row, column);
        if (isnan(y[count])) continue;
        x[count++] = severity;
    }
    return (struct series){.name = c->label, .x = x, .y = y, .count = count};
}

/* Sets the same y axis for all charts, so that they are comparable. */
static void share_axis(struct chart *charts, size_t count) {
    struct range range = range_empty();
    for (size_t i = 0; i < count; ++i)
        for (size_t s = 0; s < charts[i].series_count; ++s)
            for (size_t p = 0; p < charts[i].series[s].count; ++p) range_add(&range, charts[i].series[s].y[p]);
    const struct axis axis = axis_tenths(range);
    for (size_t i = 0; i < count; ++i) {
        charts[i].y_min = axis.min;
        charts[i].y_max = axis.max;
    }
}

static enum paced_err add_curves(struct paced_text *out, const struct conditions *c, enum paced_metric metric,
                                 const char *dir) {
    const char *name = paced_metric_table[metric].name;
    size_t lines = c->count * c->corruption_count, points = 1 + SEVERITIES;
    double *values = paced_alloc(2 * lines * points, sizeof *values);
    struct series *series = paced_alloc(lines, sizeof *series);
    struct chart *charts = paced_alloc(c->corruption_count, sizeof *charts);
    for (size_t i = 0; i < c->corruption_count; ++i) {
        charts[i] = (struct chart){.title = c->corruptions[i],
                                   .x_name = "severity",
                                   .x_unit = "level, 0: clean",
                                   .y_name = name,
                                   .y_unit = paced_metric_table[metric].unit,
                                   .whole_x = true,
                                   .series = series + i * c->count,
                                   .series_count = c->count};
        for (size_t k = 0; k < c->count; ++k) {
            double *x = values + 2 * points * (i * c->count + k);
            charts[i].series[k] = take_series(&c->list[k], c->corruptions[i], name, x, x + points);
        }
    }
    share_axis(charts, c->corruption_count);
    char *id = paced_format("robustness_%s", name);
    char *caption = paced_format("Mean %s of the test images against the severity of each corruption. The last chart "
                                 "shows the mean over all corruptions.",
                                 name);
    const struct figure figure = {id, caption, charts, c->corruption_count};
    enum paced_err err = figure_add(out, &figure, dir);
    free(caption);
    free(id);
    free(charts);
    free(series);
    free(values);
    return err;
}

/* ---- the table ----------------------------------------------------------------------------------------------- */

static void add_cell(struct paced_text *out, const struct condition *c, const char *corruption, const char *metric,
                     const char *column) {
    long row = find_row(c, corruption, metric);
    const char *cell = row < 0 ? "" : paced_csv_text(&c->run->robustness, (size_t)row, column);
    cells_add_value(out, cell, NULL, NULL, NULL, NULL);
}

static void add_table(struct paced_text *out, const struct conditions *c, const char *metric) {
    static const char *const columns[] = {"clean", "mean", "drop"};
    char *id = paced_format("robustness-%s-table", metric);
    char *caption = paced_format("%s of the clean images, its mean over the severities, and the drop, (clean - mean) / "
                                 "clean.",
                                 metric);
    html_table_begin(out, id, caption);
    paced_text_add(out, "<thead><tr><th scope=\"col\" rowspan=\"2\">corruption</th>");
    for (size_t k = 0; k < c->count; ++k)
        html_element(out, "th", " scope=\"colgroup\" colspan=\"3\" class=\"group\"", c->list[k].label);
    paced_text_add(out, "</tr><tr>");
    for (size_t k = 0; k < c->count * PACED_COUNT(columns); ++k)
        html_element(out, "th", " scope=\"col\" class=\"number\"", columns[k % PACED_COUNT(columns)]);
    paced_text_add(out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < c->corruption_count; ++i) {
        paced_text_add(out, "<tr>");
        html_element(out, "th", " scope=\"row\"", c->corruptions[i]);
        for (size_t k = 0; k < c->count; ++k)
            for (size_t column = 0; column < PACED_COUNT(columns); ++column)
                add_cell(out, &c->list[k], c->corruptions[i], metric, columns[column]);
        paced_text_add(out, "</tr>\n");
    }
    html_table_end(out);
    free(caption);
    free(id);
}

/* ---- the section --------------------------------------------------------------------------------------------- */

/* Adds the first contact sheet found. */
static enum paced_err add_contact_sheet(struct paced_text *out, const struct report *report) {
    for (size_t i = 0; i < report->count; ++i) {
        char *path = report_run_path(&report->runs[i], "contact_sheet.png");
        bool there = report->runs[i].robustness.rows > 0 && paced_path_exists(path);
        enum paced_err err = PACED_OK;
        if (there) {
            paced_text_add(out, "<details><summary>One image under all corruptions</summary>\n<figure>");
            err = html_picture(out, path, "One image under each corruption (rows) at each severity (columns)");
            paced_text_add(out, "<figcaption>Rows: corruptions. Columns: severities. Line: outline of the mask."
                                "</figcaption></figure></details>\n");
        }
        free(path);
        if (err || there) return err;
    }
    return PACED_OK;
}

enum paced_err section_robustness(struct paced_text *out, const struct report *report) {
    struct conditions c = {0};
    enum paced_err err = PACED_OK;
    find_conditions(&c, report);
    const bool any = c.count > 0;
    for (enum paced_metric m = 0; !err && m < PACED_PIXEL_METRICS; ++m) {
        if (any && m == 1) paced_text_add(out, "<details><summary>Other metrics</summary>\n");
        err = add_curves(out, &c, m, report->dir);
        if (!err && any) add_table(out, &c, paced_metric_table[m].name);
    }
    if (any) paced_text_add(out, "</details>\n");
    if (!err) err = add_contact_sheet(out, report);
    finish_conditions(&c);
    return err;
}
