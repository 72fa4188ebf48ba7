/* TensorBoard event file of a training run, in its directory ([log] tensorboard). */
#ifndef PACED_RUN_TENSORBOARD_H
#define PACED_RUN_TENSORBOARD_H

#include "paced/report.h"
#include "src/run/example.h"
#include "src/run/files.h"

/* Starts as {0}. Without log.tensorboard it stays {0}, and the functions do nothing. */
struct tensorboard {
    const struct paced_run_log *log;
    char *path;
    double start; /* of the run, seconds since 1970 */
};

/* Writes all epochs of the log to the existing event file, or to a new one. The log must outlive it and must not
 * move. */
enum paced_err tensorboard_open(struct tensorboard *board, const struct paced_config *config,
                                const struct run_files *files, const struct paced_run_log *log);
void tensorboard_close(struct tensorboard *board);

/* Appends the last epoch of the log. */
enum paced_err tensorboard_add_epoch(struct tensorboard *board);

/* Appends overlays of a few validation images at step `epoch`, and the end of the run. */
enum paced_err tensorboard_end(struct tensorboard *board, struct network *network, struct paced_dataset *val,
                               int classes, int epoch);

#endif
