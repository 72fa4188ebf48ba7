/* Pictures of a test's best, median and worst images. */
#ifndef PACED_RUN_OVERLAYS_H
#define PACED_RUN_OVERLAYS_H

#include "src/run/files.h"
#include "src/run/test/evaluation.h"

/* Writes up to `wanted` pictures overlays/<case>_<number>.png and, last, overlays/overlays.csv with the header
 * file,case,image,dice. Pictures of an earlier test are removed. `scores` has all images of the evaluation, in their
 * order. */
enum paced_err overlays_write(struct evaluation *evaluation, const struct paced_scores *scores, size_t wanted,
                              const struct run_files *files);

#endif
