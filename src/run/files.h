/* A run directory: the names of its files. */
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

bool run_files_hold_run(const struct run_files *files);
/* Makes the directory, and removes what a run that is replaced left there. */
enum paced_err run_files_clear(const struct run_files *files);
/* Removes temporary files of a process that was killed while it wrote. */
enum paced_err run_files_tidy(const struct run_files *files);
/* Notes in the log how the configuration differs from the one that is written there, if that can be read. */
void run_files_tell_changes(const struct run_files *files, const struct paced_config *config);
/* Its first line says which program wrote it, for which device: "; paced VERSION on DEVICE". */
enum paced_err run_files_write_config(const struct run_files *files, const struct paced_config *config,
                                      const struct paced_device *device);
/* The same beside results that were measured into `dir`; a training's own configuration there stays. */
enum paced_err run_files_write_test_config(const char *dir, const struct paced_config *config,
                                           const struct paced_device *device);

/* The pictures of a test and their table, DIR/overlays/: removes those of an earlier one. */
enum paced_err run_files_clear_overlays(const struct run_files *files);

/* The path of TensorBoard's event file, events.out.tfevents.<when the run began, seconds since 1970>.paced; free() it.
 * Where one is there already, *start becomes what its name says. */
char *run_files_events(const struct run_files *files, int64_t *start);

/* The weights that `choice` means: "best" or "last" of the configuration's run directory, or a file. free() it. */
char *run_weights_path(const struct paced_config *config, const char *choice);

#endif
