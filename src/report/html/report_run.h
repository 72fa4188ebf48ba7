/* report_run: what one run directory holds, and several of them. Private to the report room. */
#ifndef PACED_REPORT_HTML_REPORT_RUN_H
#define PACED_REPORT_HTML_REPORT_RUN_H

#include "paced/config.h"
#include "src/report/csv_table.h"

struct report_run {
    char *dir;
    const char *label;      /* tells the run from the others */
    char *version, *device; /* of the program and the device that made it; "" where config.ini does not say */
    struct paced_config config;
    char **class_names; /* [config.data.classes]; NULL where nothing names them */
    struct csv_table log, summary, intervals, reliability, robustness, overlays; /* empty: not there */
};

struct report {
    const char *title, *dir; /* where it is written to */
    struct report_run *runs;
    size_t count;
    const char *const *experiments; /* [experiment_count], directories whose sweep is shown */
    size_t experiment_count;
};

/* PACED_INVALID where dir is no run's. On an error *run holds nothing to release. */
enum paced_err report_run_read(struct report_run *run, const char *dir);
void report_run_finish(struct report_run *run);
/* Gives each a label that no other has: the run's name, else its directory's last part, else its path. */
void report_run_label(struct report_run *runs, size_t count);

/* The last part of a path, which does not end in '/'. */
const char *report_last_part(const char *path);

/* A file of the run, to be freed. */
char *report_run_path(const struct report_run *run, const char *name);
/* The value of "section.key", to be freed. */
char *report_run_value(const struct report_run *run, const char *section, const char *key);

/* The interval of a mean of the summary: the row of intervals, or -1. */
long report_run_interval(const struct report_run *run, const char *set, const char *class_index, const char *metric);

#endif
