/* Scorer: scores a batch's predictions against its labels while the next batch runs. */
#ifndef PACED_RUN_SCORER_H
#define PACED_RUN_SCORER_H

#include "paced/data.h"
#include "paced/device.h"
#include "paced/metrics.h"
#include "src/run/grids.h"

struct scorer;

enum paced_err scorer_create(struct scorer **scorer, struct paced_device *device, int batch, struct paced_extent extent,
                             int classes);
void scorer_destroy(struct scorer *scorer);

/* Selects an evaluator, which measures more than pixel counts, on the grids of the data set; logits are read back only
 * if it needs them. Both belong to the caller and must outlive the scorer. */
void scorer_take_evaluator(struct scorer *scorer, struct paced_evaluator *evaluator, struct grids *grids);

/* Enqueues argmax of logits [count][height][width][classes] and the read-back. At most two batches are pending. */
enum paced_err scorer_start(struct scorer *scorer, const struct paced_buffer *logits, int count);

/* Waits for the oldest pending batch, which must be `batch`, and adds its images to scores. */
enum paced_err scorer_score(struct scorer *scorer, const struct paced_batch *batch, const struct paced_dataset *dataset,
                            struct paced_scores *scores);

#endif
