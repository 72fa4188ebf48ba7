/* List of the runs that a report shows. */
#ifndef PACED_RUN_REPORT_RUNS_H
#define PACED_RUN_REPORT_RUNS_H

#include "paced/base.h"

/* Starts as {0}. Lists each directory once. */
struct report_runs {
    char **runs, **experiments;
    size_t run_count, experiment_count;
};
void report_runs_finish(struct report_runs *list);

void report_runs_add(struct report_runs *list, const char *dir);
void report_runs_add_experiment(struct report_runs *list, const char *dir);
/* Adds the run in `dir`, or, for an experiment's directory, those of its runs that still exist. PACED_INVALID if none
 * of them exists. */
enum paced_err report_runs_take(struct report_runs *list, const char *dir);

/* Writes DIR/runs.txt, which marks an experiment's directory for `paced report`: one run directory per line, relative
 * to DIR if it lies within. */
enum paced_err report_runs_keep(const struct report_runs *list, const char *dir);

/* Writes report.html into `dir`; title NULL: as in paced_report_write. */
enum paced_err report_runs_show(const struct report_runs *list, const char *title, const char *dir);
/* Writes the report of a single run into its own directory. */
enum paced_err report_run(const char *dir);

#endif
