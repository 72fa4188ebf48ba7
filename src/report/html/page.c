/* page: the report page and its sections.
 *
 * A new section is a function in a file of its own and a row in the table below. */
#include <stdlib.h>
#include <string.h>

#include "paced/report.h"
#include "src/report/html.h"
#include "src/report/html/sections.h"

static const struct {
    const char *id, *title;
    enum paced_err (*add)(struct paced_text *out, const struct report *report);
} sections[] = {
    {"overview", "Overview", section_overview},       {"sweep", "Sweep", section_sweep},
    {"results", "Results", section_results},          {"differences", "Differences", section_differences},
    {"training", "Training", section_training},       {"classes", "Classes", section_classes},
    {"examples", "Examples", section_examples},       {"calibration", "Calibration", section_calibration},
    {"robustness", "Robustness", section_robustness}, {"configuration", "Configuration", section_configuration},
};

enum { SECTIONS = PACED_COUNT(sections) };

static void add_head(struct paced_text *out, const struct report *report) {
    paced_text_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html_element(out, "title", "", report->title);
    paced_text_add(out, "\n<style>\n");
    page_style_add(out);
    paced_text_add(out, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to content</a>\n");
    paced_text_add(out, "<header>");
    html_element(out, "h1", "", report->title);
    paced_text_add(out, "<p>");
    for (size_t i = 0; i < report->count; ++i) {
        paced_text_add(out, "%s", i > 0 ? ", " : "");
        html_text(out, report->count > 1 ? report->runs[i].label : report->runs[i].source.dir);
    }
    paced_text_add(out, "</p></header>\n");
}

static void add_contents(struct paced_text *out, const struct paced_text *bodies) {
    paced_text_add(out, "<nav aria-label=\"Contents\"><ul>");
    for (size_t i = 0; i < SECTIONS; ++i)
        if (bodies[i].size > 0)
            paced_text_add(out, "<li><a href=\"#%s\">%s</a></li>", sections[i].id, sections[i].title);
    paced_text_add(out, "</ul></nav>\n<main id=\"main\">\n");
}

static char *page(const struct report *report, const struct paced_text *bodies) {
    struct paced_text out = {0};
    add_head(&out, report);
    add_contents(&out, bodies);
    for (size_t i = 0; i < SECTIONS; ++i)
        if (bodies[i].size > 0)
            paced_text_add(
                &out, "<section id=\"%s\" aria-labelledby=\"%s-title\">\n<h2 id=\"%s-title\">%s</h2>\n%s</section>\n",
                sections[i].id, sections[i].id, sections[i].id, sections[i].title, bodies[i].data);
    paced_text_add(&out, "</main>\n<footer><p>Hover over a number to see its full value. The numbers come from the CSV "
                         "files in the run directories.</p></footer>\n</body>\n</html>\n");
    return out.data;
}

static enum paced_err write_page(const struct report *report) {
    struct paced_text bodies[SECTIONS] = {0};
    enum paced_err err = paced_make_dirs(report->dir);
    for (size_t i = 0; !err && i < SECTIONS; ++i) err = sections[i].add(&bodies[i], report);
    if (!err) {
        char *text = page(report, bodies), *path = paced_path_join(report->dir, "report.html");
        err = paced_file_write(path, text, strlen(text));
        free(path);
        free(text);
    }
    for (size_t i = 0; i < SECTIONS; ++i) free(bodies[i].data);
    return err;
}

/* Default title: the directory of the only experiment, or the label of the first run. */
static char *choose_title(const struct report *report) {
    if (report->experiment_count != 1) return paced_strdup(report->runs[0].label);
    char *path = paced_path_absolute(report->experiments[0]), *title = paced_strdup(report_last_part(path));
    free(path);
    return title;
}

enum paced_err paced_report_write(const struct paced_report_sources *sources, const char *title,
                                  const char *output_dir) {
    struct report report = {.dir = output_dir,
                            .runs = paced_alloc(sources->run_count, sizeof *report.runs),
                            .defaults = sources->defaults,
                            .experiments = sources->experiments,
                            .experiment_count = sources->experiment_count};
    enum paced_err err = PACED_OK;
    while (!err && report.count < sources->run_count) {
        err = report_run_read(&report.runs[report.count], &sources->runs[report.count]);
        if (!err) ++report.count;
    }
    report_run_label(report.runs, report.count);
    if (!err) {
        char *own = title ? NULL : choose_title(&report);
        report.title = title ? title : own;
        err = write_page(&report);
        free(own);
    }
    for (size_t i = 0; i < report.count; ++i) report_run_finish(&report.runs[i]);
    free(report.runs);
    return err;
}
