/* Robustness: metrics of the clean and corrupted validation images, with one or several weights. */
#ifndef PACED_RUN_ROBUSTNESS_H
#define PACED_RUN_ROBUSTNESS_H

#include "src/run/network.h"

/* Measures [robustness] and writes robustness.csv, robustness_summary.csv, the table as robustness.txt, a plot of each
 * metric, contact_sheet.png, config.ini (unless a training wrote one), and the report into `dir`. Prints the table to
 * `out` (NULL: nowhere). Weights with metadata (arch, width) may belong to another network than [model].
 * PACED_STOPPED after Ctrl-C, with nothing written. */
enum paced_err robustness_run(const struct paced_config *config, const char *dir, FILE *out);

/* Checks the files of such a measurement, without a device. */
enum paced_err robustness_check(const struct paced_config *config, const struct expected *expected);

#endif
