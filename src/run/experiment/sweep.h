/* Table of all networks of a sweep. */
#ifndef PACED_RUN_SWEEP_H
#define PACED_RUN_SWEEP_H

#include "paced/config.h"
#include "paced/report.h"

/* Starts empty outcomes with the sweep's labels; the plan must outlive them. */
void sweep_open(struct paced_outcomes *outcomes, const struct paced_experiment *plan);

/* Add the measurements of stage `index`, for its point or for all points: a test, a measurement of robustness. */
enum paced_err sweep_take_test(struct paced_outcomes *outcomes, const struct paced_experiment *plan, size_t index);
enum paced_err sweep_take_robustness(struct paced_outcomes *outcomes, const struct paced_experiment *plan,
                                     size_t index);

/* Joins the rows of a network that all points share and each point measured. Of the swept values the joined row keeps
 * only those that affect tests. */
void sweep_join_shared(struct paced_outcomes *outcomes, const struct paced_experiment *plan);

/* Writes sweep.csv and, if run.seed is swept, seeds.csv (means over the seeds); prints the last of them and draws it
 * into sweep.svg. Removes the files of an earlier sweep that are not replaced. */
enum paced_err sweep_write(const struct paced_outcomes *outcomes, const char *dir);

#endif
