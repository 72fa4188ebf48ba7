/* Robustness: the validation images' metrics, clean and corrupted, with one or several weights. */
#ifndef PACED_RUN_ROBUSTNESS_H
#define PACED_RUN_ROBUSTNESS_H

#include "src/run/network.h"

/* Measures [robustness] of the configuration and writes robustness.csv, robustness_summary.csv, the table as
 * robustness.txt, a plot of each metric, contact_sheet.png, config.ini unless a training's is there, and the report
 * into `dir`; the table goes to `out`, too (NULL: to nowhere). Weights that say which network they are of (arch, width)
 * need not be of [model]. PACED_STOPPED after Ctrl-C, with nothing written. */
enum paced_err robustness_run(const struct paced_config *config, const char *dir, FILE *out);

/* What such a measurement would say of its files, long before it begins; needs no device. */
enum paced_err robustness_check(const struct paced_config *config, const struct expected *expected);

#endif
