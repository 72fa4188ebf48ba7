/* harness: what tests that need a device share. A test builds a tiny graph through the public builders, runs it forward
 * and backward on inputs by formula, and compares what comes back with tests/ref by relative L2 error:
 *
 *   struct net net = net_start(h, w, c);
 *   net_run(&net, paced_relu(net.graph, net.input), n);
 *   assert_close("y", net.y, reference, net.y_count, 1e-6);
 *   net_finish(&net);
 *
 * Values are those of tests/golden/formula.py, so that C and Python name the same numbers. Without a device the program
 * ends with 77 (skipped), or fails where PACED_REQUIRE_DEVICE is set. PACED_TEST_SMALL=1 leaves out larger sizes (for
 * slow device simulators). */
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

bool harness_is_small(void);

/* assert_int_equal(call, PACED_OK), with the call's text. */
#define assert_ok(call) harness_assert_ok((call), #call, __FILE__, __LINE__)
void harness_assert_ok(enum paced_err err, const char *call, const char *file, int line);

/* ---- numbers ------------------------------------------------------------------------------------------------- */

/* The numbers of formula_uniform (formula.h), from 0 on. */
void fill_uniform(const char *name, float *out, size_t count);
float *uniform(const char *name, size_t count); /* release with free() */

/* |got - want| / |want|; the absolute error where `want` is zero; infinite where got has a NaN. */
double relative_error(const float *got, const double *want, size_t count);
/* Fails naming `what`, the error, the bound and the worst element. */
#define assert_close(what, got, want, count, bound) \
    harness_assert_close(what, got, want, count, bound, __FILE__, __LINE__)
void harness_assert_close(const char *what, const float *got, const double *want, size_t count, double bound,
                          const char *file, int line);

/* |got - want| <= bound. */
#define assert_near(got, want, bound) harness_assert_near(#got, got, want, bound, __FILE__, __LINE__)
void harness_assert_near(const char *what, double got, double want, double bound, const char *file, int line);

/* ---- tiny networks ------------------------------------------------------------------------------------------- */

struct net {
    struct paced_graph *graph;
    struct paced_tensor *input; /* needs_grad is set, so that dx can be looked at */
    struct paced_exec *exec;
    int n;
    float *x, *y, *dy, *dx; /* the host's copies; x and dy by formula "x" and "dy", unless put there before net_run */
    size_t x_count, y_count;
    const struct paced_weights *params; /* instead of the formula's, where set before net_run */
};

struct net net_start(int h, int w, int c);
/* Memory for `batch` samples; parameters by formula of their names (scaled by 1 / sqrt(fan-in) where they are
 * convolutions, positive where they are variances), n samples. */
void net_prepare(struct net *net, struct paced_tensor *output, int batch, int n);
/* One step: forward in training mode, backward; fills y and dx. A pass over NaNs goes before it, so that whatever the
 * step leaves unwritten, or reads without writing, shows. */
void net_step(struct net *net);
/* Both, with room for one sample more than n: the last one, all NaN, must stay out of everything. */
void net_run(struct net *net, struct paced_tensor *output, int n);
void net_finish(struct net *net);

const struct paced_param *net_param(const struct net *net, const char *name);
/* Parameters as the device holds them; release with free(). */
float *net_read_param(const struct net *net, const char *name);
float *net_read_param_grad(const struct net *net, const char *name);
int64_t net_read_counter(const struct net *net, const char *name);
void net_set_params(struct net *net);
void net_forward(struct net *net, bool training); /* writes x, runs, reads y */

float *read_floats(const struct paced_buffer *buffer, size_t count); /* release with free() */

#endif
