/* sections: contents of a report, and the sections of its page, each in the file of its name. Private to the report
 * module.
 *
 * A section appends its body to *out. If it appends nothing, because the runs have no data for it, page.c omits its
 * heading and its entry in the contents. */
#ifndef PACED_REPORT_HTML_SECTIONS_H
#define PACED_REPORT_HTML_SECTIONS_H

#include "paced/data.h"
#include "paced/report.h"

struct report_run {
    struct paced_report_run source;
    const char *label;      /* unique within the report */
    char *version, *device; /* program version and device of the run; "" if config.ini does not name them */
    char **class_names;     /* [source.data->classes]; NULL if the classes have no names */
    struct paced_csv log, summary, intervals, reliability, robustness, overlays; /* empty if the file is missing */
};

struct report {
    const char *title, *dir; /* dir: output directory */
    struct report_run *runs;
    size_t count;
    const struct paced_settings *defaults;
    const char *const *experiments; /* [experiment_count], directories of the experiments whose sweep is shown */
    size_t experiment_count;
};

/* Reads a run directory. On an error *run holds nothing to release. */
enum paced_err report_run_read(struct report_run *run, const struct paced_report_run *source);
void report_run_finish(struct report_run *run);
/* Sets unique labels: the run names, or the last parts of their directories, or their paths. */
void report_run_label(struct report_run *runs, size_t count);

/* Last part of a path that does not end in '/'. */
const char *report_last_part(const char *path);

/* Value of a key such as "train.lr". */
const char *report_run_value(const struct report_run *run, const char *key);
/* Path of a file of the run; the caller frees it. */
char *report_run_path(const struct report_run *run, const char *name);

/* style.c: appends the CSS of a <style> element. */
void page_style_add(struct paced_text *out);

enum paced_err section_overview(struct paced_text *out, const struct report *report);
enum paced_err section_sweep(struct paced_text *out, const struct report *report);
enum paced_err section_results(struct paced_text *out, const struct report *report);     /* summary and intervals */
enum paced_err section_differences(struct paced_text *out, const struct report *report); /* per image */
enum paced_err section_training(struct paced_text *out, const struct report *report);
enum paced_err section_classes(struct paced_text *out, const struct report *report);
enum paced_err section_examples(struct paced_text *out, const struct report *report);
enum paced_err section_calibration(struct paced_text *out, const struct report *report);
enum paced_err section_robustness(struct paced_text *out, const struct report *report);
enum paced_err section_configuration(struct paced_text *out, const struct report *report);

#endif
