/* Gradients by central differences, (J(+h) - J(-h)) / 2h, for comparison with backward. */
#ifndef PACED_TESTS_DIFFERENCES_H
#define PACED_TESTS_DIFFERENCES_H

#include "tests/kernel/harness.h"

/* J = sum of dy y over a network's output, summed in double. */
double net_objective(struct net *net);

/* Compares every element (on slow devices, some elements) of dx and of the gradients of all trained parameters with
 * differences of net_objective with step h, within a relative L2 error of `bound`. Call after net_run. */
void check_differences(struct net *net, const char *what, float h, double bound);

#endif
