/* calibration: reliability.csv as a curve and as a table. */
#include <stdlib.h>

#include "src/report/figure.h"
#include "src/report/html.h"
#include "src/report/html/sections.h"

static double diagonal[] = {0, 1};

/* Reliability curve; bins without pixels have no point. */
static struct series take_series(const struct report_run *run) {
    const struct paced_csv *t = &run->reliability;
    double *x = paced_alloc(t->rows + 1, sizeof *x), *y = paced_alloc(t->rows + 1, sizeof *y);
    size_t count = 0;
    for (size_t row = 0; row < t->rows; ++row) {
        double confidence = paced_csv_real(t, row, "confidence");
        if (!(confidence >= 0 && confidence <= 1)) continue;
        x[count] = confidence;
        y[count++] = paced_csv_real(t, row, "accuracy");
    }
    return (struct series){.name = run->label, .x = x, .y = y, .count = count};
}

static void add_table(struct paced_text *out, const struct report *report) {
    static const char *const columns[] = {"bin", "confidence", "accuracy", "count"};
    paced_text_add(out, "<details><summary>Table of the bins</summary>\n");
    html_table_begin(out, "bins", "Pixels in 15 equal bins of the maximum probability.");
    paced_text_add(out, "<thead><tr><th scope=\"col\">run</th>");
    for (size_t c = 0; c < PACED_COUNT(columns); ++c)
        html_element(out, "th", " scope=\"col\" class=\"number\"", columns[c]);
    paced_text_add(out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < report->count; ++i)
        for (size_t row = 0; row < report->runs[i].reliability.rows; ++row) {
            paced_text_add(out, "<tr>");
            html_element(out, "th", " scope=\"row\"", report->runs[i].label);
            for (size_t c = 0; c < PACED_COUNT(columns); ++c) {
                const char *cell = paced_csv_text(&report->runs[i].reliability, row, columns[c]);
                bool real = c == 1 || c == 2;
                paced_text_add(out, "<td class=\"number\">");
                if (real)
                    html_number(out, cell);
                else
                    html_text(out, cell);
                paced_text_add(out, "</td>");
            }
            paced_text_add(out, "</tr>\n");
        }
    html_table_end(out);
    paced_text_add(out, "</details>\n");
}

enum paced_err section_calibration(struct paced_text *out, const struct report *report) {
    struct series *series = paced_alloc(report->count + 1, sizeof *series);
    size_t count = 0;
    for (size_t i = 0; i < report->count; ++i)
        if (report->runs[i].reliability.rows > 0) series[count++] = take_series(&report->runs[i]);
    series[count] = (struct series){.name = "perfectly calibrated", .x = diagonal, .y = diagonal, .count = 2};
    struct chart chart = {.title = "Reliability",
                          .x_name = "confidence",
                          .x_unit = "maximum probability",
                          .y_name = "accuracy",
                          .y_unit = "fraction of pixels",
                          .y_min = 0,
                          .y_max = 1,
                          .series = series,
                          .series_count = count + 1};
    const struct figure figure = {"reliability",
                                  "Accuracy of the most probable class against its probability. Below the diagonal the "
                                  "network is overconfident.",
                                  &chart, count > 0};
    enum paced_err err = figure_add(out, &figure, report->dir);
    if (count > 0) add_table(out, report);
    for (size_t i = 0; i < count; ++i) {
        free(series[i].x);
        free(series[i].y);
    }
    free(series);
    return err;
}
