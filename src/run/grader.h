/* Predictions of a batch, fetched while the next batch runs, and graded against the labels. */
#ifndef PACED_RUN_GRADER_H
#define PACED_RUN_GRADER_H

#include "paced/data.h"
#include "paced/device.h"
#include "paced/report.h"

struct grader;

enum paced_err grader_create(struct grader **grader, struct paced_device *device, int batch, int size, int classes);
void grader_destroy(struct grader *grader);

/* From now on predictions are examined, not only counted; with the logits' way to the host where that needs them. The
 * examiner stays the caller's and must outlive the grader. */
void grader_take_examiner(struct grader *grader, struct paced_examiner *examiner);

/* Enqueues argmax of logits [count][size][size][classes] and its way to the host. Up to two may be under way. */
enum paced_err grader_start(struct grader *grader, const struct paced_buffer *logits, int count);

/* Waits for the oldest and adds its images to scores. */
enum paced_err grader_score(struct grader *grader, const struct paced_batch *batch, const struct paced_dataset *dataset,
                            struct paced_scores *scores);

#endif
