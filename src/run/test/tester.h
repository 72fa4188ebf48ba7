/* Test: one pass over the validation images with trained weights. */
#ifndef PACED_RUN_TESTER_H
#define PACED_RUN_TESTER_H

#include "src/run/network.h"

/* Measures config->test.weights and writes metrics.csv, summary.csv, intervals.csv, reliability.csv (if probabilities
 * are measured), the pictures of test.overlays, config.ini (unless a training wrote one), and the report into `dir`.
 * Prints the table to `out` (NULL: nowhere). PACED_STOPPED after Ctrl-C, with nothing written. */
enum paced_err tester_run(const struct paced_config *config, const char *dir, FILE *out);

/* Checks the files of a test with this configuration, without a device. */
enum paced_err tester_check(const struct paced_config *config, const struct expected *expected);

#endif
