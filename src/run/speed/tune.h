/* Measuring what runs fastest on a device; cmd_tune.c is the command. */
#ifndef PACED_RUN_TUNE_H
#define PACED_RUN_TUNE_H

#include "paced/ops.h"

struct tuner {
    struct paced_device *device;
    size_t done, count;      /* of what is to be measured, for people */
    struct paced_text table; /* of the results */
};

/* Every candidate is timed once in each round. */
enum { TUNE_ROUNDS = 5, TUNE_CANDIDATES = 16 };
double tune_median(double seconds[TUNE_ROUNDS]); /* sorts them */

/* One line on stderr for each thing that is done. PACED_STOPPED once Ctrl-C was pressed. */
enum paced_err tune_say(struct tuner *tuner, const char *what, const char *result);

/* Numbers in [-1, 1) for a buffer's first `count` floats. */
enum paced_err tune_fill(struct paced_buffer *buffer, uint64_t count, uint64_t stream);

/* Both check each candidate before it is timed, put the fastest into the device's tuning, and add to the table. */
size_t tune_products_count(const struct paced_device *device);
enum paced_err tune_products(struct tuner *tuner);
size_t tune_convolutions_count(const struct paced_graph *graph);
enum paced_err tune_convolutions(struct tuner *tuner, const struct paced_graph *graph, int batch);

#endif
