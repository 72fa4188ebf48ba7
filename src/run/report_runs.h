/* Which runs a report shows. */
#ifndef PACED_RUN_REPORT_RUNS_H
#define PACED_RUN_REPORT_RUNS_H

#include "paced/base.h"

/* Starts as {0}. Each directory is there once. */
struct report_runs {
    char **runs, **experiments;
    size_t run_count, experiment_count;
};
void report_runs_finish(struct report_runs *list);

void report_runs_add(struct report_runs *list, const char *dir);
void report_runs_add_experiment(struct report_runs *list, const char *dir);
/* What a directory stands for: its run; where it is an experiment's, those of its runs that are still there.
 * PACED_INVALID where there are none of them. */
enum paced_err report_runs_take(struct report_runs *list, const char *dir);

/* DIR/runs.txt, by which `paced report` knows an experiment's directory: a run directory a line, relative to DIR where
 * it lies within. */
enum paced_err report_runs_keep(const struct report_runs *list, const char *dir);

/* report.html in `dir`; title NULL: as of paced_report_write. */
enum paced_err report_runs_show(const struct report_runs *list, const char *title, const char *dir);
/* The report of a lone run, in its own directory. */
enum paced_err report_run(const char *dir);

#endif
