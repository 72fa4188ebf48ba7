/* The gradient of a whole UNet's loss against differences of the loss, parameter by parameter, each moved along two
 * directions: its own gradient g (the slope must be |g|: nothing in g may be wrong) and a random one d (the slope must
 * be g d: nothing may be missing). Differences step over kinks of ReLU and pooling here and there, so the bounds are
 * wider than for single operations. */
#include <math.h>
#include <stdlib.h>

#include "paced/distill.h"
#include "paced/models.h"
#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

enum { SIZE = 17, WIDTH = 4, CLASSES = 3, N = 8, PIXELS = N * SIZE * SIZE };

struct unet {
    struct paced_graph *graph;
    struct paced_exec *exec;
    struct paced_loss *loss;
    float *x;
    uint8_t labels[PIXELS];
};

static struct unet start(void) {
    struct unet u = {.x = uniform("x", PIXELS * 3)};
    assert_ok(paced_model_build(&u.graph, "unet", SIZE, CLASSES, WIDTH));
    assert_ok(paced_exec_create(&u.exec, u.graph, harness_device, N, PACED_TRAINING));
    const struct paced_objective plain = paced_objective_plain();
    assert_ok(paced_loss_create(&u.loss, harness_device, &plain, false, N, SIZE, CLASSES));
    assert_ok(paced_exec_init_params(u.exec, 1));
    for (size_t i = 0; i < PIXELS; ++i) u.labels[i] = (uint8_t)(i / 7 % CLASSES);
    assert_ok(paced_buffer_write(paced_loss_labels(u.loss), u.labels, PIXELS));
    return u;
}

static void finish(struct unet *u) {
    paced_loss_destroy(u->loss);
    paced_exec_destroy(u->exec);
    paced_graph_destroy(u->graph);
    free(u->x);
}

static void forward(struct unet *u) {
    assert_ok(paced_buffer_write(paced_exec_input(u->exec), u->x, PIXELS * 3 * sizeof *u->x));
    assert_ok(paced_exec_forward(u->exec, N, true));
}

static double loss_of(struct unet *u) {
    forward(u);
    float *logits = read_floats(paced_exec_output(u->exec), PIXELS * CLASSES);
    double loss = ref_softmax_cross_entropy(PIXELS, CLASSES, logits, u->labels, NULL);
    free(logits);
    return loss;
}

static double dot(const float *a, const float *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* The loss with w + step d (|d| = 1) as the parameter. */
static double loss_along(struct unet *u, const struct paced_param *p, const float *w, const float *d, double step) {
    double norm = sqrt(dot(d, d, p->count));
    float *moved = paced_alloc(p->count, sizeof *moved);
    for (uint64_t i = 0; i < p->count; ++i) moved[i] = (float)((double)w[i] + step * (double)d[i] / norm);
    assert_ok(paced_buffer_write(paced_exec_param(u->exec, p), moved, p->count * sizeof *moved));
    free(moved);
    return loss_of(u);
}

static double slope(struct unet *u, const struct paced_param *p, const float *d, double h) {
    float *w = read_floats(paced_exec_param(u->exec, p), p->count);
    double rise = loss_along(u, p, w, d, h) - loss_along(u, p, w, d, -h);
    assert_ok(paced_buffer_write(paced_exec_param(u->exec, p), w, p->count * sizeof *w));
    free(w);
    return rise / (2 * h);
}

static bool check_param(struct unet *u, const struct paced_param *p, const float *g) {
    const double h = 2e-4;
    double norm = sqrt(dot(g, g, p->count));
    if (norm < 1e-6) return true; /* a bias before batch normalisation: rounding is all there is */
    float *d = uniform(p->name, p->count);
    double along = slope(u, p, g, h) / norm;
    double random = slope(u, p, d, h), expected = dot(g, d, p->count) / sqrt(dot(d, d, p->count));
    double share = norm / sqrt((double)p->count); /* what a random direction has of the gradient */
    free(d);
    if (fabs(along - 1) <= 0.05 && fabs(random - expected) <= 0.2 * share) return true;
    print_error("%s: the slope along its gradient is %.4f of the gradient's norm; along a random direction it is %.4g, "
                "not %.4g\n",
                p->name, along, random, expected);
    return false;
}

static float **read_grads(const struct unet *u, size_t count) {
    float **grads = paced_alloc(count, sizeof *grads);
    for (size_t i = 0; i < count; ++i) {
        const struct paced_param *p = paced_graph_get_param(u->graph, i);
        if (p->kind == PACED_PARAM_TRAINED) grads[i] = read_floats(paced_exec_param_grad(u->exec, p), p->count);
    }
    return grads;
}

static void test_loss(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    struct unet u = start();
    size_t count = paced_graph_param_count(u.graph), right = 0, checked = 0;
    forward(&u);
    assert_ok(paced_loss_run(u.loss, paced_exec_output(u.exec), N, paced_exec_output_grad(u.exec)));
    assert_ok(paced_exec_backward(u.exec));
    float **grads = read_grads(&u, count);
    for (size_t i = 0; i < count; ++i) {
        if (!grads[i]) continue;
        checked += 1;
        right += check_param(&u, paced_graph_get_param(u.graph, i), grads[i]);
        free(grads[i]);
    }
    free(grads);
    finish(&u);
    assert_int_equal(right, checked);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_loss),
};
HARNESS_MAIN(tests)
