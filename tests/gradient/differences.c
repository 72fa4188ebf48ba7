/* Central differences; see differences.h.
 *
 * Errors of a difference are about 1e-7 |y| / h from float32, and h^2 from the third derivative. Operations that are
 * linear in the changed value use a large h, others a compromise. */
#include <stdlib.h>

#include "tests/gradient/differences.h"

double net_objective(struct net *net) {
    double sum = 0;
    net_forward(net, true);
    for (size_t i = 0; i < net->y_count; ++i) sum += (double)net->dy[i] * (double)net->y[i];
    return sum;
}

/* Changed values: the input (param NULL: the harness writes it before each pass) or a parameter. */
struct moved {
    struct net *net;
    const struct paced_param *param;
    float *values;
    size_t count;
};

static double objective_at(struct moved *m, size_t i, float value) {
    m->values[i] = value;
    if (m->param)
        assert_ok(paced_buffer_write(paced_exec_param(m->net->exec, m->param), m->values, m->count * sizeof(float)));
    return net_objective(m->net);
}

static double difference(struct moved *m, size_t i, float h) {
    float before = m->values[i], above = before + h, below = before - h;
    double rise = objective_at(m, i, above) - objective_at(m, i, below);
    m->values[i] = before;
    return rise / ((double)above - (double)below); /* the steps as rounded to float32 */
}

/* Skipped elements count as correct. */
static void compare(struct moved *m, const char *what, const float *grad, float h, double bound) {
    size_t stride = harness_is_small() ? m->count / 5 + 1 : 1;
    double *want = paced_alloc(m->count, sizeof *want);
    for (size_t i = 0; i < m->count; ++i) want[i] = i % stride == 0 ? difference(m, i, h) : (double)grad[i];
    assert_close(what, grad, want, m->count, bound);
    free(want);
}

static void compare_param(struct net *net, const struct paced_param *p, const char *what, float h, double bound) {
    size_t count = p->count;
    float *grad = read_floats(paced_exec_param_grad(net->exec, p), count),
          *values = read_floats(paced_exec_param(net->exec, p), count);
    char *text = paced_format("%s: %s", what, p->name);
    compare(&(struct moved){net, p, values, count}, text, grad, h, bound);
    assert_ok(paced_buffer_write(paced_exec_param(net->exec, p), values, count * sizeof *values));
    free(text);
    free(values);
    free(grad);
}

void check_differences(struct net *net, const char *what, float h, double bound) {
    compare(&(struct moved){net, NULL, net->x, net->x_count}, what, net->dx, h, bound);
    for (size_t i = 0; i < paced_graph_param_count(net->graph); ++i) {
        const struct paced_param *p = paced_graph_get_param(net->graph, i);
        if (p->kind == PACED_PARAM_TRAINED) compare_param(net, p, what, h, bound);
    }
}
