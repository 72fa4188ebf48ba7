/* batch_norm on the device against plain loops: batch and running statistics, value, gradients, with and without ReLU.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/capture.h"
#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

struct layer {
    struct ref_shape x;
    bool relu;
    float scale, offset; /* of x, from [-1, 1) */
    bool small;
};

static const double BOUND = 1e-5;

static const struct layer layers[] = {
    {{1, 1, 5, 1}, false, 1, 0, true},
    {{4, 1, 1, 17}, true, 1, 0, true},
    {{2, 5, 3, 3}, true, 1, 0, true},
    {{2, 15, 17, 2}, false, 1, 0, false},
    {{1, 16, 16, 16}, true, 1, 0, false},
    {{3, 33, 31, 17}, true, 1, 0, false},
    {{2, 31, 16, 48}, true, 1, 0, false},
    {{1, 16, 33, 1}, false, 1, 10, false},     /* mean far from zero: E[x^2] - E[x]^2 would lose digits */
    {{2, 17, 15, 3}, true, 1e-3f, 0, false},   /* variance as small as eps */
    {{1, 260, 261, 2}, true, 1, 0.25f, false}, /* chunks larger than the minimum */
};

/* Results of the reference for one layer. */
struct expected {
    double *mean, *var, *y, *dx, *dweight, *dbias;
};

static struct expected expect(const struct ref_norm *v, const struct net *net) {
    size_t channels = (size_t)v->x.c;
    struct expected e;
    double **arrays[] = {&e.mean, &e.var, &e.dweight, &e.dbias};
    for (size_t i = 0; i < PACED_COUNT(arrays); ++i) *arrays[i] = paced_alloc(channels, sizeof(double));
    e.y = paced_alloc(net->y_count, sizeof(double));
    e.dx = paced_alloc(net->x_count, sizeof(double));
    ref_batch_norm_statistics(v->x, net->x, e.mean, e.var);
    ref_batch_norm_fwd(v, net->x, e.mean, e.var, e.y);
    ref_batch_norm_bwd(v, net->x, net->dy, e.mean, e.var, e.dx, e.dweight, e.dbias);
    return e;
}

static void release(struct expected *e) {
    double *arrays[] = {e->mean, e->var, e->y, e->dx, e->dweight, e->dbias};
    for (size_t i = 0; i < PACED_COUNT(arrays); ++i) free(arrays[i]);
}

static void compare(const struct layer *l, const char *what, const float *got, const double *want, size_t count) {
    char text[96];
    snprintf(text, sizeof text, "%s of %d x %dx%dx%d%s", what, l->x.n, l->x.h, l->x.w, l->x.c, l->relu ? ", ReLU" : "");
    assert_close(text, got, want, count, BOUND);
}

static void compare_array(const struct layer *l, const char *what, float *got, const double *want) {
    compare(l, what, got, want, (size_t)l->x.c);
    free(got);
}

/* The running statistics before the step are those of the harness, by formula. */
static void check_running(const struct layer *l, const struct net *net, const struct expected *e) {
    size_t channels = (size_t)l->x.c;
    float *mean = uniform("bn.running_mean", channels), *var = uniform("bn.running_var", channels);
    double *mean_after = paced_alloc(channels, sizeof(double)), *var_after = paced_alloc(channels, sizeof(double));
    for (size_t i = 0; i < channels; ++i) var[i] = 1 + 0.3f * (var[i] < 0 ? -var[i] : var[i]);
    ref_batch_norm_running(l->x, e->mean, e->var, mean, var, mean_after, var_after);
    compare_array(l, "running mean", net_read_param(net, "bn.running_mean"), mean_after);
    compare_array(l, "running variance", net_read_param(net, "bn.running_var"), var_after);
    assert_int_equal(net_read_counter(net, "bn.num_batches_tracked"), 1);
    free(mean);
    free(var);
    free(mean_after);
    free(var_after);
}

/* Evaluation uses the running statistics and does not change them. */
static void check_evaluation(const struct layer *l, struct net *net, const struct ref_norm *v) {
    size_t channels = (size_t)l->x.c;
    net_set_params(net);
    net_forward(net, false);
    float *mean = net_read_param(net, "bn.running_mean"), *var = net_read_param(net, "bn.running_var");
    double *mean64 = paced_alloc(channels, sizeof(double)), *var64 = paced_alloc(channels, sizeof(double)),
           *y = paced_alloc(net->y_count, sizeof *y);
    for (size_t i = 0; i < channels; ++i) {
        mean64[i] = (double)mean[i];
        var64[i] = (double)var[i];
    }
    ref_batch_norm_fwd(v, net->x, mean64, var64, y);
    compare(l, "y in evaluation", net->y, y, net->y_count);
    compare_array(l, "running mean after evaluation", uniform("bn.running_mean", channels), mean64);
    assert_int_equal(net_read_counter(net, "bn.num_batches_tracked"), 0);
    free(mean);
    free(var);
    free(mean64);
    free(var64);
    free(y);
}

static void check_layer(const struct layer *l) {
    struct net net = net_start(l->x.h, l->x.w, l->x.c);
    net.x = uniform("x", ref_count(l->x));
    for (size_t i = 0; i < ref_count(l->x); ++i) net.x[i] = l->scale * net.x[i] + l->offset;
    net_run(&net, paced_batch_norm(net.graph, "bn", net.input, l->relu), l->x.n);
    float *weight = net_read_param(&net, "bn.weight"), *bias = net_read_param(&net, "bn.bias");
    struct ref_norm v = {l->x, l->relu, weight, bias};
    struct expected e = expect(&v, &net);
    compare(l, "y", net.y, e.y, net.y_count);
    compare(l, "dx", net.dx, e.dx, net.x_count);
    compare_array(l, "dweight", net_read_param_grad(&net, "bn.weight"), e.dweight);
    compare_array(l, "dbias", net_read_param_grad(&net, "bn.bias"), e.dbias);
    check_running(l, &net, &e);
    check_evaluation(l, &net, &v);
    release(&e);
    free(weight);
    free(bias);
    net_finish(&net);
}

static void test_layers(void **state) {
    (void)state;
    for (size_t i = 0; i < PACED_COUNT(layers); ++i)
        if (layers[i].small || !harness_is_small()) check_layer(&layers[i]);
}

/* One value has no variance: training reports an error, evaluation works. */
static void test_single_value(void **state) {
    (void)state;
    struct net net = net_start(1, 1, 3);
    struct capture capture;
    net_prepare(&net, paced_batch_norm(net.graph, "bn", net.input, false), 1, 1);
    capture_start(&capture);
    enum paced_err err = paced_exec_forward(net.exec, 1, true);
    capture_end(&capture);
    assert_int_equal(err, PACED_FAILED);
    assert_non_null(strstr(capture.text, "bn"));
    net_forward(&net, false);
    net_finish(&net);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_layers),
    cmocka_unit_test(test_single_value),
};
HARNESS_MAIN(tests)
