/* Names of the files in a run directory. */
#ifndef PACED_RUN_FILES_H
#define PACED_RUN_FILES_H

#include "paced/config.h"
#include "paced/device.h"

struct run_files {
    char *dir;
    char *config, *best, *last, *state, *log, *losses;
    char *metrics, *summary, *intervals, *reliability, *overlays;
    char *robustness, *robustness_summary, *robustness_table, *contact_sheet;
    char *report, *curves, *reliability_curve;
};

void run_files_init(struct run_files *files, const char *dir);
void run_files_finish(struct run_files *files);

/* Path of the file number `index` that a training, or else a test or a measurement of robustness, replaces; NULL after
 * the last. Overlays and files whose names vary are left out. */
const char *run_files_result(const struct run_files *files, size_t index, bool trains);

/* PACED_INVALID for a symbolic link in the place of a file that a training, or else a test or a measurement of
 * robustness, replaces. */
enum paced_err run_files_check_links(const struct run_files *files, bool trains);
/* The same for the directory of an experiment or a report. */
enum paced_err run_files_check_report_links(const char *dir);

bool run_files_hold_run(const struct run_files *files);
/* Creates the directory and removes the files of the run that is replaced. */
enum paced_err run_files_clear(const struct run_files *files);
/* Removes temporary files of a process that was killed while writing. */
enum paced_err run_files_tidy(const struct run_files *files);
/* Logs the differences between the configuration and the stored one, if that can be read. */
void run_files_tell_changes(const struct run_files *files, const struct paced_config *config);
/* Writes config.ini. Its first line names the program and the device: "; paced VERSION on DEVICE". */
enum paced_err run_files_write_config(const struct run_files *files, const struct paced_config *config,
                                      const struct paced_device *device);
/* Writes config.ini next to measured results in `dir`, unless `dir` holds a training run, whose config.ini stays. */
enum paced_err run_files_write_test_config(const char *dir, const struct paced_config *config,
                                           const struct paced_device *device);

/* Removes the pictures of an earlier test and their table from DIR/overlays/. */
enum paced_err run_files_clear_overlays(const struct run_files *files);

/* Path of TensorBoard's event file, events.out.tfevents.<start of the run, seconds since 1970>.paced; free() it. If
 * such a file exists, *start becomes the time in its name. */
char *run_files_events(const struct run_files *files, int64_t *start);

/* Path of the weights that `choice` names: "best" or "last" of the configuration's run directory, or a file. free() it.
 */
char *run_weights_path(const struct paced_config *config, const char *choice);

#endif
