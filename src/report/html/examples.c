/* examples: overlays of the best, median and worst images. */
#include <stdlib.h>
#include <string.h>

#include "src/report/html.h"
#include "src/report/html/sections.h"

static const char *const cases[] = {"best", "median", "worst"};

static enum paced_err add_overlay(struct paced_text *out, const struct report_run *run, size_t row) {
    const struct paced_csv *t = &run->overlays;
    char *folder = report_run_path(run, "overlays"), *path = paced_path_join(folder, paced_csv_text(t, row, "file"));
    const char *image = paced_csv_text(t, row, "image"), *which = paced_csv_text(t, row, "case");
    char *description = paced_format("%s case of %s: prediction and mask over %s", which, run->label, image);
    enum paced_err err = PACED_OK;
    if (paced_path_exists(path)) {
        paced_text_add(out, "<figure>");
        err = html_picture(out, path, description);
        paced_text_add(out, "<figcaption>");
        html_element(out, "strong", "", which);
        paced_text_add(out, ", dice ");
        html_number(out, paced_csv_text(t, row, "dice"));
        html_element(out, "span", " class=\"file\"", image);
        paced_text_add(out, "</figcaption></figure>\n");
    }
    free(description);
    free(path);
    free(folder);
    return err;
}

/* Adds the overlays of a case: all for a single run, one for several runs, whose own reports show the others. */
static enum paced_err add_case(struct paced_text *out, const struct report_run *run, const char *which, bool all) {
    for (size_t row = 0; row < run->overlays.rows; ++row) {
        if (!paced_csv_is(&run->overlays, row, "case", which)) continue;
        PACED_TRY(add_overlay(out, run, row));
        if (!all) break;
    }
    return PACED_OK;
}

enum paced_err section_examples(struct paced_text *out, const struct report *report) {
    for (size_t i = 0; i < report->count; ++i) {
        const struct report_run *run = &report->runs[i];
        if (run->overlays.rows == 0) continue;
        if (report->count > 1) html_element(out, "h3", "", run->label);
        paced_text_add(out, "<div class=\"pictures\">\n");
        for (size_t c = 0; c < PACED_COUNT(cases); ++c) PACED_TRY(add_case(out, run, cases[c], report->count == 1));
        paced_text_add(out, "</div>\n");
    }
    return PACED_OK;
}
