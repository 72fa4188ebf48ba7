/* Grids of pixels on which predictions are measured: test.resolution, and the distances between pixels. */
#ifndef PACED_RUN_GRIDS_H
#define PACED_RUN_GRIDS_H

#include "paced/data.h"
#include "paced/metrics.h"

/* One for each image of a data set. */
struct grids;

/* Reads the headers of all images if the options need them. Distances (hd95, nsd) are in mm if the spacing of every
 * image is known, else in pixels, with a warning if some have one. PACED_INVALID for the original resolution with
 * data.fit = crop, which leaves parts of the masks without a prediction. */
enum paced_err grids_open(struct grids **grids, const struct paced_dataset *dataset,
                          const struct paced_test_options *options, int classes);
void grids_close(struct grids *grids); /* accepts NULL */

/* paced_evaluate on the grid of image `index`: prediction, logits and label are those of the network's input; the
 * original resolution takes the mask's file instead of the label. */
enum paced_err grids_evaluate(struct grids *grids, struct paced_evaluator *evaluator, size_t index, uint8_t *prediction,
                              const float *logits, const uint8_t *label, struct paced_scores *scores);

#endif
