/* overview: table of the runs with network, method and data. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/html.h"
#include "src/report/html/sections.h"

/* ---- cells, one function per column -------------------------------------------------------------------------- */

/* True if this run trained its weights; the configuration of a test does not describe the training. */
static bool was_trained(const struct report_run *run) {
    return run->log.rows > 0;
}

static char *cell_method(const struct report_run *run) {
    if (!was_trained(run)) return paced_strdup("");
    if (!*report_run_value(run, "distill.teacher")) return paced_strdup("iid");
    const char *loss = report_run_value(run, "distill.loss");
    return paced_strdup(*loss ? loss : report_run_value(run, "distill.method"));
}

static char *cell_network(const struct report_run *run) {
    return paced_format("%s, width %s", report_run_value(run, "model.arch"), report_run_value(run, "model.width"));
}

static char *cell_teacher(const struct report_run *run) {
    if (!was_trained(run) || !*report_run_value(run, "distill.teacher")) return paced_strdup("");
    const char *arch = report_run_value(run, "distill.teacher_arch"),
               *width = report_run_value(run, "distill.teacher_width");
    return paced_format("%s, width %s", *arch ? arch : report_run_value(run, "model.arch"),
                        strcmp(width, "0") != 0 ? width : report_run_value(run, "model.width"));
}

static char *cell_data(const struct report_run *run) {
    const char *size = report_run_value(run, "data.size"), *width = strchr(size, 'x');
    int height_length = (int)strcspn(size, "x");
    return paced_format("%s, %.*s x %s", report_run_value(run, "data.dataset"), height_length, size,
                        width ? width + 1 : size);
}

/* Best epoch by train.select, with the value of its criterion. */
static char *cell_best(const struct report_run *run) {
    int select = paced_names_find(paced_select_name, report_run_value(run, "train.select"));
    const struct paced_measure_row *by = &paced_measure_table[paced_select_measure(select < 0 ? 0 : select)];
    double best = NAN;
    size_t at = 0;
    for (size_t row = 0; row < run->log.rows; ++row) {
        double value = paced_csv_real(&run->log, row, by->name);
        if (!paced_csv_is(&run->log, row, "phase", "val") || isnan(value)) continue;
        if (!isnan(best) && !(by->lower_is_better ? value < best : value > best)) continue;
        best = value;
        at = row;
    }
    if (isnan(best)) return paced_strdup("");
    return paced_format("%s of %s (val %s %.4f)", paced_csv_text(&run->log, at, "epoch"),
                        paced_csv_text(&run->log, run->log.rows - 1, "epoch"), by->name, best);
}

/* Tested weights; empty for a training run, whose configuration does not name the weights of a later test. */
static char *cell_weights(const struct report_run *run) {
    return paced_strdup(run->summary.rows > 0 && !was_trained(run) ? report_run_value(run, "test.weights") : "");
}

static char *cell_device(const struct report_run *run) {
    return paced_strdup(run->device);
}

static char *cell_version(const struct report_run *run) {
    return paced_strdup(run->version);
}

static char *cell_directory(const struct report_run *run) {
    return paced_strdup(run->source.dir);
}

static const struct {
    const char *name;
    char *(*text)(const struct report_run *run);
} columns[] = {
    {"network", cell_network}, {"method", cell_method},         {"teacher", cell_teacher},
    {"data", cell_data},       {"best epoch", cell_best},       {"tested weights", cell_weights},
    {"device", cell_device},   {"paced version", cell_version}, {"directory", cell_directory},
};

/* True if the column is empty in all runs; it is then omitted. */
static bool is_empty(const struct report *report, size_t column) {
    bool empty = true;
    for (size_t i = 0; i < report->count; ++i) {
        char *text = columns[column].text(&report->runs[i]);
        empty &= !*text;
        free(text);
    }
    return empty;
}

enum paced_err section_overview(struct paced_text *out, const struct report *report) {
    html_table_begin(out, "runs", report->count > 1 ? "The runs of this report." : "The run of this report.");
    paced_text_add(out, "<thead><tr><th scope=\"col\">run</th>");
    for (size_t c = 0; c < PACED_COUNT(columns); ++c)
        if (!is_empty(report, c)) html_element(out, "th", " scope=\"col\"", columns[c].name);
    paced_text_add(out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < report->count; ++i) {
        paced_text_add(out, "<tr>");
        html_element(out, "th", " scope=\"row\"", report->runs[i].label);
        for (size_t c = 0; c < PACED_COUNT(columns); ++c) {
            if (is_empty(report, c)) continue;
            char *text = columns[c].text(&report->runs[i]);
            html_element(out, "td", " class=\"value\"", text);
            free(text);
        }
        paced_text_add(out, "</tr>\n");
    }
    html_table_end(out);
    return PACED_OK;
}
