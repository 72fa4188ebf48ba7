/* Benchmark and tuning of a device. */
#ifndef PACED_RUN_SPEED_H
#define PACED_RUN_SPEED_H

#include "paced/ops.h"

double speed_median(double *seconds, size_t count); /* sorts `seconds` */

struct tuner {
    struct paced_device *device;
    enum paced_precision training, inference;
    size_t done, count;      /* measurements, for the progress lines */
    struct paced_text table; /* results */
};

/* Each round times every candidate once. */
enum { TUNE_ROUNDS = 5, TUNE_CANDIDATES = 16 };

/* Logs a finished measurement. PACED_STOPPED after Ctrl-C. */
enum paced_err tune_say(struct tuner *tuner, const char *what, const char *result);

/* Fills the first `count` elements of a buffer with random numbers in [-1, 1). */
enum paced_err tune_fill(struct paced_buffer *buffer, uint64_t count, uint64_t stream);

/* Tuning of matrix products and convolutions: verifies each candidate before timing it, puts the fastest into the
 * device's tuning, and extends the table. The counts are numbers of measurements. */
size_t tune_products_count(const struct paced_device *device);
enum paced_err tune_products(struct tuner *tuner);
size_t tune_convolutions_count(const struct tuner *tuner, const struct paced_graph *graph);
enum paced_err tune_convolutions(struct tuner *tuner, const struct paced_graph *graph, int batch);

#endif
