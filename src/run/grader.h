/* Grader: scores a batch's predictions against its labels while the next batch runs. */
#ifndef PACED_RUN_GRADER_H
#define PACED_RUN_GRADER_H

#include "paced/data.h"
#include "paced/device.h"
#include "paced/report.h"

struct grader;

enum paced_err grader_create(struct grader **grader, struct paced_device *device, int batch, int size, int classes);
void grader_destroy(struct grader *grader);

/* Selects an examiner, which measures more than pixel counts; logits are read back only if it needs them. The examiner
 * belongs to the caller and must outlive the grader. */
void grader_take_examiner(struct grader *grader, struct paced_examiner *examiner);

/* Enqueues argmax of logits [count][size][size][classes] and the read-back. At most two batches are pending. */
enum paced_err grader_start(struct grader *grader, const struct paced_buffer *logits, int count);

/* Waits for the oldest pending batch, which must be `batch`, and adds its images to scores. */
enum paced_err grader_score(struct grader *grader, const struct paced_batch *batch, const struct paced_dataset *dataset,
                            struct paced_scores *scores);

#endif
