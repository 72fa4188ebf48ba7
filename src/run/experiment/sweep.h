/* The end of a sweep: what its networks came to, in one table. */
#ifndef PACED_RUN_SWEEP_H
#define PACED_RUN_SWEEP_H

#include "paced/config.h"
#include "paced/report.h"

/* Starts empty outcomes with the sweep's labels; the plan must outlive them. */
void sweep_open(struct paced_outcomes *outcomes, const struct paced_experiment *plan);

/* What stage `index` measured, for its point or for all: a test, a measurement of robustness. */
enum paced_err sweep_take_test(struct paced_outcomes *outcomes, const struct paced_experiment *plan, size_t index);
enum paced_err sweep_take_robustness(struct paced_outcomes *outcomes, const struct paced_experiment *plan,
                                     size_t index);

/* A network of a stage that all points share has a row for each point that measured it: makes them one, without the
 * swept values but those that tests depend on. */
void sweep_join_shared(struct paced_outcomes *outcomes, const struct paced_experiment *plan);

/* Writes sweep.csv and, where run.seed is swept, seeds.csv (means over the seeds); prints the last of them and draws
 * it into sweep.png. Removes those of an earlier sweep that the outcomes, if there are any, do not replace. */
enum paced_err sweep_write(const struct paced_outcomes *outcomes, const char *dir);

#endif
