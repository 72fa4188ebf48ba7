/* Numbers by formula, so that no file holds them: a network's weights, images and labels. tests/golden/formula.py
 * computes the same numbers in Python. */
#ifndef PACED_RUN_FORMULA_H
#define PACED_RUN_FORMULA_H

#include "paced/graph.h"

/* Number i of the sequence that belongs to a name; uniform in [-1, 1). */
double formula_uniform(const char *name, uint64_t i);

/* All parameters of a network, by the rules of formula.py. */
struct paced_weights formula_state(const struct paced_graph *graph);

#endif
