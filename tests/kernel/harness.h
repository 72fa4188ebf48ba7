/* Harness of tests that need a device. A test builds a tiny graph through the public builders, runs it forward and
 * backward on inputs by formula, and compares the results with tests/ref by relative L2 error:
 *
 *   struct net net = net_start(h, w, c);
 *   net_run(&net, paced_relu(net.graph, net.input), n);
 *   assert_close("y", net.y, reference, net.y_count, 1e-6);
 *   net_finish(&net);
 *
 * Values are those of tests/golden/formula.py, so that C and Python use the same numbers. Without a device the program
 * ends with 77 (skipped), or fails if PACED_REQUIRE_DEVICE is set. PACED_TEST_SMALL=1 skips larger sizes, for slow
 * simulators of devices. */
#ifndef PACED_TESTS_HARNESS_H
#define PACED_TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "paced/ops.h"
#include "src/run/doctor/formula.h"

extern struct paced_device *harness_device;

/* main() of a test program: opens the device, runs the group, closes the device. */
int harness_run(const char *group, const struct CMUnitTest *tests, size_t count);
#define HARNESS_MAIN(tests)                                      \
    int main(void) {                                             \
        return harness_run(__FILE__, tests, PACED_COUNT(tests)); \
    }

/* Opens the device anew, which then follows changed environment variables. */
void harness_reopen(void);

bool harness_is_small(void);

/* Asserts call == PACED_OK; a failure shows the text of the call. */
#define assert_ok(call) harness_assert_ok((call), #call, __FILE__, __LINE__)
void harness_assert_ok(enum paced_err err, const char *call, const char *file, int line);

/* ---- numbers ------------------------------------------------------------------------------------------------- */

/* Elements 0, 1, ... of formula_uniform (formula.h). */
void fill_uniform(const char *name, float *out, size_t count);
float *uniform(const char *name, size_t count); /* release with free() */

/* |got - want| / |want|; the absolute error if `want` is zero; infinite if `got` has a NaN. */
double relative_error(const float *got, const double *want, size_t count);
/* A failure shows `what`, the error, the bound and the worst element. */
#define assert_close(what, got, want, count, bound) \
    harness_assert_close(what, got, want, count, bound, __FILE__, __LINE__)
void harness_assert_close(const char *what, const float *got, const double *want, size_t count, double bound,
                          const char *file, int line);

/* Asserts |got - want| <= bound. */
#define assert_near(got, want, bound) harness_assert_near(#got, got, want, bound, __FILE__, __LINE__)
void harness_assert_near(const char *what, double got, double want, double bound, const char *file, int line);

/* ---- tiny networks ------------------------------------------------------------------------------------------- */

struct net {
    struct paced_graph *graph;
    struct paced_tensor *input; /* needs_grad is set, so that dx can be checked */
    struct paced_exec *exec;
    enum paced_precision precision; /* mixed, if set before net_run: of the input and the output, too */
    int n;
    float *x, *y, *dy, *dx; /* host copies; x and dy by formula "x" and "dy", unless set before net_run */
    size_t x_count, y_count;
    const struct paced_weights *params; /* replace those by formula, if set before net_run */
};

struct net net_start(int h, int w, int c);
/* Prepares n samples in memory for `batch` samples. Parameters are by formula of their names, scaled by 1 /
 * sqrt(fan-in) for convolutions and positive for variances. */
void net_prepare(struct net *net, struct paced_tensor *output, int batch, int n);
/* Runs one step, forward in training mode and backward, and fills y and dx. A pass over NaNs precedes it, so that
 * elements that are not written, or are read before they are written, become visible. */
void net_step(struct net *net);
/* Prepares and runs n samples in memory for n + 1. The last sample, all NaN, must not affect any result. */
void net_run(struct net *net, struct paced_tensor *output, int n);
void net_finish(struct net *net);

const struct paced_param *net_param(const struct net *net, const char *name);
/* Reads a parameter from the device; release with free(). */
float *net_read_param(const struct net *net, const char *name);
float *net_read_param_grad(const struct net *net, const char *name);
int64_t net_read_counter(const struct net *net, const char *name);
void net_set_params(struct net *net);
void net_forward(struct net *net, bool training); /* writes x, runs, reads y */

float *read_floats(const struct paced_buffer *buffer, size_t count); /* release with free() */

#endif
