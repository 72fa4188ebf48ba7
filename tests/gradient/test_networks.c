/* Gradient of a whole network's loss against differences of the loss, parameter by parameter, along two directions: its
 * gradient g (the slope must be |g|, so no element of g is wrong) and a random direction d (the slope must be g d, so
 * none is missing). Differences may cross kinks of ReLU and pooling, so the bounds are wider than for single
 * operations.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/distill.h"
#include "paced/models.h"
#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"
#include "tests/square.h"

enum { WIDTH = 16, CLASSES = 3, N = 8 };

struct network {
    struct paced_graph *graph;
    struct paced_exec *exec;
    struct paced_loss *loss;
    int size;
    size_t pixels;
    float *x;
    uint8_t *labels;
};

static struct network start(const char *arch, int size, enum paced_precision precision) {
    struct network net = {.size = size, .pixels = (size_t)(N * size * size)};
    net.x = uniform("x", net.pixels * 3);
    net.labels = paced_alloc(net.pixels, 1);
    assert_ok(paced_model_build(&net.graph, arch, square(size), CLASSES, WIDTH));
    assert_ok(paced_exec_create(&net.exec, net.graph, harness_device, N, PACED_TRAINING, precision));
    const struct paced_objective plain = paced_objective_plain();
    assert_ok(paced_loss_create(&net.loss, harness_device, &plain, false, N, square(size), CLASSES));
    assert_ok(paced_exec_init_params(net.exec, 1));
    for (size_t i = 0; i < net.pixels; ++i) net.labels[i] = (uint8_t)(i / 7 % CLASSES);
    assert_ok(paced_loss_write_labels(net.loss, net.labels, N));
    return net;
}

static void finish(struct network *net) {
    paced_loss_destroy(net->loss);
    paced_exec_destroy(net->exec);
    paced_graph_destroy(net->graph);
    free(net->labels);
    free(net->x);
}

static void forward(struct network *net) {
    assert_ok(paced_buffer_write(paced_exec_input(net->exec), net->x, net->pixels * 3 * sizeof *net->x));
    assert_ok(paced_exec_forward(net->exec, N, true));
}

static double loss_of(struct network *net) {
    forward(net);
    float *logits = read_floats(paced_exec_output(net->exec), net->pixels * CLASSES);
    double loss = ref_softmax_cross_entropy(net->pixels, CLASSES, logits, net->labels, NULL);
    free(logits);
    return loss;
}

static double dot(const float *a, const float *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Loss with w + step d (|d| = 1) as the parameter. */
static double loss_along(struct network *net, const struct paced_param *p, const float *w, const float *d,
                         double step) {
    double norm = sqrt(dot(d, d, p->count));
    float *moved = paced_alloc(p->count, sizeof *moved);
    for (uint64_t i = 0; i < p->count; ++i) moved[i] = (float)((double)w[i] + step * (double)d[i] / norm);
    assert_ok(paced_buffer_write(paced_exec_param(net->exec, p), moved, p->count * sizeof *moved));
    free(moved);
    return loss_of(net);
}

static double slope(struct network *net, const struct paced_param *p, const float *d, double h) {
    float *w = read_floats(paced_exec_param(net->exec, p), p->count);
    double rise = loss_along(net, p, w, d, h) - loss_along(net, p, w, d, -h);
    assert_ok(paced_buffer_write(paced_exec_param(net->exec, p), w, p->count * sizeof *w));
    free(w);
    return rise / (2 * h);
}

/* True for a bias directly before batch normalisation, which cancels it: its true gradient is zero. */
static bool is_without_effect(const struct paced_graph *graph, const struct paced_param *p) {
    const struct paced_tensor *out = NULL;
    for (size_t i = 0; i < paced_graph_node_count(graph) && strstr(p->name, ".bias"); ++i)
        for (int k = 0; k < PACED_MAX_PARAMS; ++k)
            if (paced_graph_node(graph, i)->params[k] == p) out = paced_graph_node(graph, i)->out;
    for (size_t i = 0; i < paced_graph_node_count(graph) && out; ++i) {
        const struct paced_node *reader = paced_graph_node(graph, i);
        if (reader->in[0] == out && strcmp(reader->op->name, "batch_norm") == 0) return true;
    }
    return false;
}

static bool check_param(struct network *net, const struct paced_param *p, const float *g) {
    double norm = sqrt(dot(g, g, p->count));
    if (norm < 1e-6 && is_without_effect(net->graph, p)) return true; /* only rounding */
    float *d = uniform(p->name, p->count);
    double fraction = norm / sqrt((double)p->count); /* component of the gradient along a random direction */
    double h = fraction > 1e-4 ? 2e-4 : 1e-3;        /* float32's rounding error is about 4e-9 of the loss */
    double along = slope(net, p, g, h) / norm;
    double random = slope(net, p, d, h), expected = dot(g, d, p->count) / sqrt(dot(d, d, p->count));
    free(d);
    if (fabs(along - 1) <= 0.05 && fabs(random - expected) <= 0.2 * fraction) return true;
    print_error("%s: the slope along its gradient is %.4f of the gradient's norm; along a random direction it is %.4g, "
                "not %.4g\n",
                p->name, along, random, expected);
    return false;
}

static float **read_grads(const struct network *net, size_t count) {
    float **grads = paced_alloc(count, sizeof *grads);
    for (size_t i = 0; i < count; ++i) {
        const struct paced_param *p = paced_graph_get_param(net->graph, i);
        if (p->kind == PACED_PARAM_TRAINED) grads[i] = read_floats(paced_exec_param_grad(net->exec, p), p->count);
    }
    return grads;
}

static void step(struct network *net) {
    forward(net);
    assert_ok(paced_loss_run(net->loss, paced_exec_output(net->exec), N, paced_exec_output_grad(net->exec)));
    assert_ok(paced_exec_backward(net->exec));
}

static void check_loss(const char *arch, int size) {
    struct network net = start(arch, size, PACED_PRECISION_FLOAT32);
    size_t count = paced_graph_param_count(net.graph), right = 0, checked = 0;
    step(&net);
    float **grads = read_grads(&net, count);
    for (size_t i = 0; i < count; ++i) {
        if (!grads[i]) continue;
        checked += 1;
        right += check_param(&net, paced_graph_get_param(net.graph, i), grads[i]);
        free(grads[i]);
    }
    free(grads);
    finish(&net);
    assert_int_equal(right, checked);
}

/* ---- mixed precision ------------------------------------------------------------------------------------------- */

/* Labels of three bands, and an image that shows them, so that the gradients of single pixels add up. */
static void draw(struct network *net) {
    for (size_t i = 0; i < net->pixels; ++i) {
        net->labels[i] = (uint8_t)(i % (size_t)net->size * CLASSES / (size_t)net->size);
        for (size_t c = 0; c < 3; ++c) net->x[3 * i + c] = 0.2f * net->x[3 * i + c] + (c == net->labels[i]);
    }
    assert_ok(paced_loss_write_labels(net->loss, net->labels, N));
}

/* Rounds to the 8 binary digits of bfloat16. */
static void round_image(struct network *net) {
    for (size_t i = 0; i < 3 * net->pixels; ++i) {
        int exponent;
        float fraction = frexpf(net->x[i], &exponent);
        net->x[i] = ldexpf(nearbyintf(ldexpf(fraction, 8)), exponent - 8);
    }
}

/* The gradients of all trained parameters, one after another; release with free(). */
static float *gradient(const char *arch, int size, enum paced_precision precision, bool round, size_t *count) {
    struct network net = start(arch, size, precision);
    draw(&net);
    if (round) round_image(&net);
    step(&net);
    *count = (size_t)paced_buffer_bytes(paced_exec_trained_grad(net.exec)) / sizeof(float);
    float *values = read_floats(paced_exec_trained_grad(net.exec), *count);
    finish(&net);
    return values;
}

static double distance(const float *got, const float *exact, size_t count) {
    double error = 0, norm = 0;
    for (size_t i = 0; i < count; ++i) {
        double d = (double)got[i] - (double)exact[i];
        error += d * d;
        norm += (double)exact[i] * (double)exact[i];
    }
    return sqrt(error / norm);
}

/* Differences of the loss would measure bfloat16's rounding alone. A bound on the gradient's own error would be coarse:
 * rounding flips signs before a ReLU, and each flip adds or removes elements of the gradient. So the yardstick is
 * float32 with nothing but its image rounded, whose gradient is off by a tenth to a quarter. */
static void check_mixed(const char *arch, int size) {
    size_t count;
    float *exact = gradient(arch, size, PACED_PRECISION_FLOAT32, false, &count),
          *rounded = gradient(arch, size, PACED_PRECISION_FLOAT32, true, &count),
          *mixed = gradient(arch, size, PACED_PRECISION_MIXED, false, &count);
    double of_image = distance(rounded, exact, count), of_mixed = distance(mixed, exact, count);
    free(exact);
    free(rounded);
    free(mixed);
    if (of_mixed > 0 && of_mixed < 2 * of_image && of_mixed < 0.5) return;
    print_error("%s: the gradient of mixed precision is off by %.3g, that of a rounded image by %.3g\n", arch, of_mixed,
                of_image);
    fail();
}

static void test_mixed(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    check_mixed("unet", 48);
    check_mixed("linknet", 64);
    check_mixed("deeplabv3", 48);
}

/* Sizes that do not halve evenly. */
static void test_unet(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    check_loss("unet", 17);
}

static void test_linknet(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    check_loss("linknet", 36);
}

static void test_deeplabv3(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    check_loss("deeplabv3", 21);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_unet),
    cmocka_unit_test(test_linknet),
    cmocka_unit_test(test_deeplabv3),
    cmocka_unit_test(test_mixed),
};
HARNESS_MAIN(tests)
