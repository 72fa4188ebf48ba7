/* Conditions for resuming a training: settings and inputs that must be those of its saved state. */
#ifndef PACED_RUN_RESUME_H
#define PACED_RUN_RESUME_H

#include "src/run/files.h"
#include "src/run/train/checkpoint.h"
#include "src/run/train/inputs.h"

/* Hashes of a training with `batch` images per step. teacher_hash 0: without a teacher. */
struct train_hashes resume_hash(const struct paced_config *config, const struct inputs *inputs, int batch,
                                uint64_t teacher_hash);

/* PACED_INVALID if the best weights of the loaded state are missing or were selected by another measure, if it was
 * stopped within an epoch of other batches, or if it belongs to other inputs than `hashes`. */
enum paced_err resume_check(const struct paced_config *config, const struct run_files *files,
                            const struct train_state *state, const struct train_hashes *hashes);

/* PACED_INVALID if the best weights so far were selected by another Dice than that of the epochs to come. */
enum paced_err resume_check_dice(const struct paced_config *config, const struct run_files *files,
                                 const struct train_state *state);

/* Warns if settings that were changed between stop and resume change the learning rate abruptly. */
void resume_warn_of_lr(const struct paced_config *config, const struct run_files *files,
                       const struct train_state *state);

#endif
