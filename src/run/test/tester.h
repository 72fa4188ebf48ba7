/* Testing: one pass over the validation images with trained weights. */
#ifndef PACED_RUN_TESTER_H
#define PACED_RUN_TESTER_H

#include "src/run/network.h"

/* Measures config->test.weights and writes metrics.csv, summary.csv, intervals.csv, (where probabilities are measured)
 * reliability.csv, the pictures of test.overlays, config.ini unless a training's is there, and the report into `dir`;
 * the table goes to `out` (NULL: to nowhere). PACED_STOPPED after Ctrl-C, with nothing written. */
enum paced_err tester_run(const struct paced_config *config, const char *dir, FILE *out);

/* What a test with this configuration would say of its files, long before it begins; needs no device. */
enum paced_err tester_check(const struct paced_config *config, const struct expected *expected);

#endif
