/* TensorBoard event file of a training run, in its directory ([log] tensorboard). */
#ifndef PACED_RUN_BOARD_H
#define PACED_RUN_BOARD_H

#include "paced/report.h"
#include "src/run/example.h"
#include "src/run/files.h"

/* Starts as {0}. Without log.tensorboard it stays {0}, and the functions do nothing. */
struct board {
    const struct paced_run_log *log;
    char *path;
    double start; /* of the run, seconds since 1970 */
};

/* Writes all epochs of the log to the existing event file, or to a new one. The log must outlive the board and must not
 * move. */
enum paced_err board_open(struct board *board, const struct paced_config *config, const struct run_files *files,
                          const struct paced_run_log *log);
void board_close(struct board *board);

/* Appends the last epoch of the log. */
enum paced_err board_add_epoch(struct board *board);

/* Appends overlays of a few validation images at step `epoch`, and the end of the run. */
enum paced_err board_end(struct board *board, struct network *network, struct paced_dataset *val, int classes,
                         int epoch);

#endif
