/* report_run: contents of the run directories of a report. Private to the report module. */
#ifndef PACED_REPORT_HTML_REPORT_RUN_H
#define PACED_REPORT_HTML_REPORT_RUN_H

#include "paced/base.h"
#include "paced/config.h"

struct report_run {
    char *dir;
    const char *label;      /* unique within the report */
    char *version, *device; /* program version and device of the run; "" if config.ini does not name them */
    struct paced_config config;
    char **class_names; /* [config.data.classes]; NULL if the classes have no names */
    struct paced_csv log, summary, intervals, reliability, robustness, overlays; /* empty if the file is missing */
};

struct report {
    const char *title, *dir; /* dir: output directory */
    struct report_run *runs;
    size_t count;
    const char *const *experiments; /* [experiment_count], directories of the experiments whose sweep is shown */
    size_t experiment_count;
};

/* Reads a run directory. PACED_INVALID if dir is not one. On an error *run holds nothing to release. */
enum paced_err report_run_read(struct report_run *run, const char *dir);
void report_run_finish(struct report_run *run);
/* Sets unique labels: the run names, or the last parts of their directories, or their paths. */
void report_run_label(struct report_run *runs, size_t count);

/* Last part of a path that does not end in '/'. */
const char *report_last_part(const char *path);

/* Path of a file of the run; the caller frees it. */
char *report_run_path(const struct report_run *run, const char *name);
/* Value of "section.key"; the caller frees it. "" if there is no such key. */
char *report_run_value(const struct report_run *run, const char *section, const char *key);

/* Row of the interval of a mean in `intervals`, or -1. */
long report_run_interval(const struct report_run *run, const char *set, const char *class_index, const char *metric);

#endif
