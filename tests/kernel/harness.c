/* Harness of tests that need a device; see harness.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernel/harness.h"

struct paced_device *harness_device;

void harness_reopen(void) {
    paced_device_close(harness_device);
    assert_ok(paced_device_open(&harness_device, &(struct paced_device_options){.select = "auto"}));
}

int harness_run(const char *group, const struct CMUnitTest *tests, size_t count) {
    setenv("PACED_CHECK_ARGUMENTS", "1", 1);
    enum paced_err err = paced_device_open(&harness_device, &(struct paced_device_options){.select = "auto"});
    if (err == PACED_NO_DEVICE && !getenv("PACED_REQUIRE_DEVICE")) return 77;
    if (err) return 1;
    int failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    paced_device_close(harness_device);
    return failed;
}

bool harness_is_small(void) {
    const char *small = getenv("PACED_TEST_SMALL");
    return small && *small && strcmp(small, "0") != 0;
}

void harness_assert_ok(enum paced_err err, const char *call, const char *file, int line) {
    if (err == PACED_OK) return;
    print_error("%s gave %d\n", call, err);
    _fail(file, line);
}

/* ---- numbers ------------------------------------------------------------------------------------------------- */

void fill_uniform(const char *name, float *out, size_t count) {
    for (size_t i = 0; i < count; ++i) out[i] = (float)formula_uniform(name, i);
}

float *uniform(const char *name, size_t count) {
    float *values = paced_alloc(count, sizeof *values);
    fill_uniform(name, values, count);
    return values;
}

double relative_error(const float *got, const double *want, size_t count) {
    double error = 0, norm = 0;
    for (size_t i = 0; i < count; ++i) {
        double d = (double)got[i] - want[i];
        error += d * d;
        norm += want[i] * want[i];
    }
    if (isnan(error)) return INFINITY;
    return norm > 0 ? sqrt(error / norm) : sqrt(error);
}

void harness_assert_close(const char *what, const float *got, const double *want, size_t count, double bound,
                          const char *file, int line) {
    double error = relative_error(got, want, count);
    if (error <= bound) return;
    size_t worst = 0;
    for (size_t i = 0; i < count && !isnan(got[worst]); ++i)
        if (isnan(got[i]) || fabs((double)got[i] - want[i]) > fabs((double)got[worst] - want[worst])) worst = i;
    print_error("%s: relative L2 error %.3g is above %.3g; element %zu of %zu is %.9g, not %.9g\n", what, error, bound,
                worst, count, (double)got[worst], want[worst]);
    _fail(file, line);
}

void harness_assert_near(const char *what, double got, double want, double bound, const char *file, int line) {
    if (fabs(got - want) <= bound) return;
    print_error("%s is %.9g, not %.9g within %.3g\n", what, got, want, bound);
    _fail(file, line);
}

/* ---- tiny networks ------------------------------------------------------------------------------------------- */

struct net net_start(int h, int w, int c) {
    struct net net = {.graph = paced_graph_create()};
    net.input = paced_graph_input(net.graph, "x", (struct paced_shape){h, w, c});
    net.input->needs_grad = true;
    return net;
}

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static void fill_param(const struct paced_param *p, float *values) {
    fill_uniform(p->name, values, p->count);
    double scale = p->rank == 4 ? 1 / sqrt((double)p->dims[1] * p->dims[2] * p->dims[3]) : 1;
    for (uint64_t i = 0; i < p->count; ++i)
        values[i] = ends_with(p->name, "running_var") ? 1 + 0.3f * fabsf(values[i]) : (float)scale * values[i];
}

void net_set_params(struct net *net) {
    if (net->params) {
        assert_ok(paced_exec_load_params(net->exec, net->params, "test"));
        return;
    }
    assert_ok(paced_exec_init_params(net->exec, 0)); /* counters, too */
    for (size_t i = 0; i < paced_graph_param_count(net->graph); ++i) {
        const struct paced_param *p = paced_graph_get_param(net->graph, i);
        if (p->kind == PACED_PARAM_COUNTER) continue;
        float *values = paced_alloc(p->count, sizeof *values);
        fill_param(p, values);
        assert_ok(paced_buffer_write(paced_exec_param(net->exec, p), values, p->count * sizeof *values));
        free(values);
    }
}

void net_prepare(struct net *net, struct paced_tensor *output, int batch, int n) {
    paced_graph_output(net->graph, output);
    assert_ok(paced_graph_error(net->graph));
    assert_non_null(output);
    if (net->precision == PACED_PRECISION_MIXED) net->input->full_precision = output->full_precision = false;
    assert_ok(paced_exec_create(&net->exec, net->graph, harness_device, batch, PACED_TRAINING, net->precision));
    net->n = n;
    net->x_count = (size_t)n * paced_shape_count(net->input->shape);
    net->y_count = (size_t)n * paced_shape_count(output->shape);
    if (!net->x) net->x = uniform("x", net->x_count);
    if (!net->dy) net->dy = uniform("dy", net->y_count);
    net->y = paced_alloc(net->y_count, sizeof *net->y);
    net->dx = paced_alloc(net->x_count, sizeof *net->dx);
    net_set_params(net);
}

static void write_nans(struct paced_buffer *buffer) {
    size_t count = paced_buffer_bytes(buffer) / paced_format_bytes(paced_buffer_format(buffer));
    float *values = paced_alloc(count, sizeof *values);
    for (size_t i = 0; i < count; ++i) values[i] = NAN;
    assert_ok(paced_buffer_write_floats(buffer, values, count));
    free(values);
}

/* Runs a pass over NaNs, which fill the input and the output's gradient also beyond the running samples. */
static void pass_over_nans(struct net *net) {
    write_nans(paced_exec_input(net->exec));
    assert_ok(paced_exec_forward(net->exec, net->n, true));
    write_nans(paced_exec_output_grad(net->exec));
    assert_ok(paced_exec_backward(net->exec));
    write_nans(paced_exec_input(net->exec));
}

void net_forward(struct net *net, bool training) {
    assert_ok(paced_buffer_write_floats(paced_exec_input(net->exec), net->x, net->x_count));
    assert_ok(paced_exec_forward(net->exec, net->n, training));
    assert_ok(paced_buffer_read_floats(paced_exec_output(net->exec), net->y, net->y_count));
}

void net_step(struct net *net) {
    pass_over_nans(net);
    net_set_params(net);
    net_forward(net, true);
    assert_ok(paced_buffer_write_floats(paced_exec_output_grad(net->exec), net->dy, net->y_count));
    assert_ok(paced_exec_backward(net->exec));
    if (net->input->needs_grad)
        assert_ok(paced_buffer_read_floats(paced_exec_grad(net->exec, net->input), net->dx, net->x_count));
}

void net_run(struct net *net, struct paced_tensor *output, int n) {
    net_prepare(net, output, n + 1, n);
    net_step(net);
}

void net_finish(struct net *net) {
    paced_exec_destroy(net->exec);
    paced_graph_destroy(net->graph);
    free(net->x);
    free(net->y);
    free(net->dy);
    free(net->dx);
    *net = (struct net){0};
}

const struct paced_param *net_param(const struct net *net, const char *name) {
    for (size_t i = 0; i < paced_graph_param_count(net->graph); ++i)
        if (strcmp(paced_graph_get_param(net->graph, i)->name, name) == 0) return paced_graph_get_param(net->graph, i);
    print_error("there is no parameter %s\n", name);
    fail();
    return NULL;
}

float *read_floats(const struct paced_buffer *buffer, size_t count) {
    float *values = paced_alloc(count, sizeof *values);
    assert_ok(paced_buffer_read(buffer, values, count * sizeof *values));
    return values;
}

float *net_read_param(const struct net *net, const char *name) {
    const struct paced_param *p = net_param(net, name);
    return read_floats(paced_exec_param(net->exec, p), p->count);
}

int64_t net_read_counter(const struct net *net, const char *name) {
    struct paced_weights weights = {0};
    assert_ok(paced_exec_save_params(net->exec, &weights));
    const struct paced_entry *entry = paced_weights_find(&weights, name);
    assert_non_null(entry);
    int64_t value = *(const int64_t *)entry->data;
    paced_weights_finish(&weights);
    return value;
}

float *net_read_param_grad(const struct net *net, const char *name) {
    const struct paced_param *p = net_param(net, name);
    return read_floats(paced_exec_param_grad(net->exec, p), p->count);
}
