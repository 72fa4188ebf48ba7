/* sweep: results of the networks of a sweep: the picture drawn and the table written by `paced experiment`, preferably
 * of means over seeds. The table is split by set of images, with one network per row. */
#include <stdlib.h>
#include <string.h>

#include "src/report/html.h"
#include "src/report/html/cells.h"
#include "src/report/html/sections.h"
#include "src/report/outcomes.h"

static const struct {
    const char *id, *caption;
} parts[PACED_OUTCOME_PARTS] = {
    [PACED_ON_ALL] = {"all", "All images"},
    [PACED_ON_NON_EMPTY] = {"non-empty", "Images whose mask has a foreground"},
    [PACED_CORRUPTED] = {"corrupted", "Corrupted images, mean over corruptions and severities"},
    [PACED_DROP] = {"drop", "Drop under corruption: (clean - corrupted) / clean"},
};

/* Table of an experiment. */
struct outcomes {
    struct paced_csv csv;
    size_t labels; /* number of label columns, which come first */
    bool averaged; /* means over seeds, with standard deviations instead of intervals */
    size_t number; /* number of the experiment within the page, from 1 */
};

/* ---- reading ------------------------------------------------------------------------------------------------- */

static enum paced_err read_table(struct paced_csv *csv, const char *dir, const char *name) {
    char *path = paced_path_join(dir, name);
    enum paced_err err = paced_csv_read_any(csv, path);
    free(path);
    return err;
}

static enum paced_err read_outcomes(struct outcomes *o, const char *dir) {
    PACED_TRY(read_table(&o->csv, dir, "seeds.csv"));
    o->averaged = o->csv.columns > 0;
    if (!o->averaged) PACED_TRY(read_table(&o->csv, dir, "sweep.csv"));
    const char *first = o->averaged ? "runs" : "images";
    while (o->labels < o->csv.columns && strcmp(o->csv.names[o->labels], first) != 0) ++o->labels;
    return PACED_OK;
}

/* Cell of the column "<prefix><name><end>"; NULL if there is no such column. */
static const char *cell_of(const struct outcomes *o, size_t row, enum paced_outcome_part part, const char *name,
                           const char *end) {
    char *column = paced_format("%s%s%s", outcomes_prefix(part), name, end);
    const char *cell = paced_csv_has(&o->csv, column) ? paced_csv_text(&o->csv, row, column) : NULL;
    free(column);
    return cell;
}

/* ---- a table ------------------------------------------------------------------------------------------------- */

static const char *count_of(const struct outcomes *o, size_t row, enum paced_outcome_part part) {
    return o->averaged ? paced_csv_text(&o->csv, row, "runs") : cell_of(o, row, part, "images", "");
}

static bool is_measured(const struct outcomes *o, enum paced_outcome_part part, enum paced_metric metric) {
    return cell_of(o, 0, part, paced_metric_table[metric].name, "") != NULL;
}

static void add_header(struct paced_text *out, const struct outcomes *o, enum paced_outcome_part part) {
    paced_text_add(out, "<thead><tr>");
    for (size_t k = 0; k < o->labels; ++k) html_element(out, "th", " scope=\"col\"", o->csv.names[k]);
    if (count_of(o, 0, part))
        html_element(out, "th", " scope=\"col\" class=\"number\"", o->averaged ? "runs" : "images");
    for (enum paced_metric m = 0; m < PACED_METRICS; ++m) {
        if (!is_measured(o, part, m)) continue;
        if (part == PACED_DROP)
            cells_add_heading(out, paced_metric_table[m].name, true, "fraction lost");
        else
            cells_add_metric_heading(out, m);
    }
    paced_text_add(out, "</tr></thead><tbody>\n");
}

static void add_figure(struct paced_text *out, const struct outcomes *o, size_t row, enum paced_outcome_part part,
                       const char *metric) {
    const char *mean = cell_of(o, row, part, metric, ""), *stddev = cell_of(o, row, part, metric, "_sd");
    const char *low = cell_of(o, row, part, metric, "_low"), *high = cell_of(o, row, part, metric, "_high");
    cells_add_value(out, mean, *mean ? low : NULL, high, "&plusmn; ", stddev && *stddev ? stddev : NULL);
}

static void add_row(struct paced_text *out, const struct outcomes *o, size_t row, enum paced_outcome_part part) {
    paced_text_add(out, "<tr>");
    for (size_t k = 0; k < o->labels; ++k) {
        const char *label = paced_csv_text(&o->csv, row, o->csv.names[k]);
        html_element(out, k == 0 ? "th" : "td", k == 0 ? " scope=\"row\"" : " class=\"value\"", label);
    }
    if (count_of(o, row, part)) cells_add_count(out, count_of(o, row, part));
    for (enum paced_metric m = 0; m < PACED_METRICS; ++m)
        if (is_measured(o, part, m)) add_figure(out, o, row, part, paced_metric_table[m].name);
    paced_text_add(out, "</tr>\n");
}

static void add_table(struct paced_text *out, const struct outcomes *o, enum paced_outcome_part part) {
    bool intervals = cell_of(o, 0, part, "dice", "_low") != NULL;
    char *id = paced_format("sweep-%zu-%s", o->number, parts[part].id);
    char *caption = paced_format("%s%s.", parts[part].caption,
                                 o->averaged ? ": means over the seeds, with standard deviations"
                                 : intervals ? ": means, with 95 % intervals (bootstrap over images)"
                                             : "");
    html_table_begin(out, id, caption);
    add_header(out, o, part);
    for (size_t row = 0; row < o->csv.rows; ++row) add_row(out, o, row, part);
    html_table_end(out);
    free(caption);
    free(id);
}

/* ---- the section --------------------------------------------------------------------------------------------- */

static enum paced_err add_picture(struct paced_text *out, const struct outcomes *o, const char *dir) {
    char *path = paced_path_join(dir, "sweep.svg");
    char *description = paced_format("Dice of the networks of %s", report_last_part(dir));
    enum paced_err err = PACED_OK;
    if (paced_path_exists(path)) {
        paced_text_add(out, "<figure>");
        html_element(out, "figcaption", "",
                     o->averaged ? "Dice of each network: mean over its seeds and one standard deviation to either "
                                   "side."
                                 : "Dice of each network and its 95 % interval.");
        err = html_picture(out, path, description);
        paced_text_add(out, "</figure>\n");
    }
    free(description);
    free(path);
    return err;
}

static enum paced_err add_sweep(struct paced_text *out, const struct outcomes *o, const char *dir, bool named) {
    if (named) html_element(out, "h3", "", dir);
    PACED_TRY(add_picture(out, o, dir));
    for (enum paced_outcome_part part = 0; part < PACED_OUTCOME_PARTS; ++part) {
        bool any = false;
        for (enum paced_metric m = 0; m < PACED_METRICS; ++m) any |= is_measured(o, part, m);
        if (any) add_table(out, o, part);
    }
    return PACED_OK;
}

enum paced_err section_sweep(struct paced_text *out, const struct report *report) {
    enum paced_err err = PACED_OK;
    for (size_t i = 0; !err && i < report->experiment_count; ++i) {
        const char *dir = report->experiments[i];
        struct outcomes o = {.number = i + 1};
        err = read_outcomes(&o, dir);
        if (!err && o.csv.rows > 0) err = add_sweep(out, &o, dir, report->experiment_count > 1);
        paced_csv_finish(&o.csv);
    }
    return err;
}
