/* TensorBoard's view of a training run: an event file in its directory ([log] tensorboard). */
#ifndef PACED_RUN_BOARD_H
#define PACED_RUN_BOARD_H

#include "paced/report.h"
#include "src/run/example.h"
#include "src/run/files.h"

/* Starts as {0}, and stays so without log.tensorboard: then none of these does anything. */
struct board {
    const struct paced_run_log *log;
    char *path;
    double start; /* when the run began, seconds since 1970 */
};

/* Writes the file of what the log holds so far, under the name that it had if there was one. The log must stay where it
 * is. */
enum paced_err board_open(struct board *board, const struct paced_config *config, const struct run_files *files,
                          const struct paced_run_log *log);
void board_close(struct board *board);

/* Adds the epoch that was logged last. */
enum paced_err board_add_epoch(struct board *board);

/* Adds the pictures of a few validation images, as the network sees them, at step `epoch`, and says that the run is
 * done. */
enum paced_err board_end(struct board *board, struct network *network, struct paced_dataset *val, int classes,
                         int epoch);

#endif
