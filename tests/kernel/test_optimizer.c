/* Steps of the optimisers on the device against plain loops; saving and loading of their state. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/config.h"
#include "paced/optim.h"
#include "tests/capture.h"
#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

enum { STEPS = 4 };

static struct net two_layers(void) {
    struct net net = net_start(3, 2, 3);
    struct paced_tensor *t =
        paced_conv2d(net.graph, "conv", net.input, (struct paced_conv){17, 3, 1, 1, 1, true, false});
    net_prepare(&net, paced_batch_norm(net.graph, "bn", t, true), 1, 1);
    return net;
}

static size_t arena_count(const struct net *net) {
    return paced_buffer_bytes(paced_exec_trained(net->exec)) / sizeof(float);
}

/* Arbitrary gradient: the optimiser processes the whole arena, including padding. Every other gradient is short. */
static float *set_gradient(const struct net *net, int step) {
    char name[32];
    snprintf(name, sizeof name, "gradient %d", step);
    float *grad = uniform(name, arena_count(net));
    for (size_t i = 0; i < arena_count(net) && step % 2 == 0; ++i) grad[i] *= 0.01f;
    assert_ok(paced_buffer_write(paced_exec_trained_grad(net->exec), grad, arena_count(net) * sizeof *grad));
    return grad;
}

static void reference_step(const struct paced_config *config, size_t count, double *w, const float *grad, double *m,
                           double *v, int t, double lr) {
    double *g = paced_alloc(count, sizeof *g);
    for (size_t i = 0; i < count; ++i) g[i] = (double)grad[i];
    ref_clip(count, g, config->train.clip_norm);
    if (config->train.optimizer == PACED_SGD)
        ref_sgd(count, w, g, m, config->train.momentum, lr, config->train.weight_decay);
    else
        ref_adam(count, w, g, m, v, t, lr, config->train.weight_decay, config->train.optimizer == PACED_ADAMW);
    free(g);
}

/* Compares the movement from the initial weights, which the weights themselves would hide. */
static void compare_movement(const struct net *net, const float *before, const double *w) {
    size_t count = arena_count(net);
    float *got = read_floats(paced_exec_trained(net->exec), count);
    double *way = paced_alloc(count, sizeof *way);
    for (size_t i = 0; i < count; ++i) {
        got[i] -= before[i];
        way[i] = w[i] - (double)before[i];
    }
    assert_close("weights' way", got, way, count, 1e-4);
    free(way);
    free(got);
}

/* The rate makes the movement large compared with the weights' last digits. */
static void check_steps_at(const struct paced_config *config, double rate) {
    struct net net = two_layers();
    struct paced_optimizer *optimizer;
    assert_ok(paced_optimizer_create(&optimizer, &config->train, net.exec));
    size_t count = arena_count(&net);
    float *before = read_floats(paced_exec_trained(net.exec), count);
    double *w = paced_alloc(count, sizeof *w), *m = paced_alloc(count, sizeof *m), *v = paced_alloc(count, sizeof *v);
    for (size_t i = 0; i < count; ++i) w[i] = (double)before[i];
    for (int step = 1; step <= STEPS; ++step) {
        double lr = rate * step;
        float *grad = set_gradient(&net, step);
        assert_ok(paced_optimizer_step(optimizer, lr));
        reference_step(config, count, w, grad, m, v, step, lr);
        compare_movement(&net, before, w);
        free(grad);
    }
    free(before);
    free(w);
    free(m);
    free(v);
    paced_optimizer_destroy(optimizer);
    net_finish(&net);
}

static void check_steps(const struct paced_config *config) {
    check_steps_at(config, 0.003);
}

static void test_adam(void **state) {
    (void)state;
    check_steps(&(struct paced_config){.train.optimizer = PACED_ADAM});
    check_steps(&(struct paced_config){.train.optimizer = PACED_ADAM, .train.weight_decay = 0.1});
}

static void test_adamw(void **state) {
    (void)state;
    check_steps(&(struct paced_config){.train.optimizer = PACED_ADAMW});
    check_steps(&(struct paced_config){.train.optimizer = PACED_ADAMW, .train.weight_decay = 0.1});
}

/* The norm of the gradient is about 14 in odd steps and 0.14 in even ones. */
static void test_clip(void **state) {
    (void)state;
    check_steps(&(struct paced_config){.train = {.optimizer = PACED_ADAM, .weight_decay = 0.1, .clip_norm = 1}});
    check_steps(&(struct paced_config){.train = {.optimizer = PACED_ADAMW, .weight_decay = 0.1, .clip_norm = 1}});
    check_steps_at(&(struct paced_config){.train = {.optimizer = PACED_SGD, .momentum = 0.9, .clip_norm = 1}}, 0.3);
    check_steps_at(&(struct paced_config){.train = {.optimizer = PACED_SGD, .clip_norm = 0.05}}, 3);
}

/* A gradient below the limit stays unchanged, bit for bit. */
static void test_clip_that_is_not_reached(void **state) {
    (void)state;
    float *after[2];
    for (int i = 0; i < 2; ++i) {
        struct net net = two_layers();
        const struct paced_config config = {.train = {.optimizer = PACED_ADAM, .clip_norm = i ? 100 : 0}};
        struct paced_optimizer *optimizer;
        assert_ok(paced_optimizer_create(&optimizer, &config.train, net.exec));
        free(set_gradient(&net, 1));
        assert_ok(paced_optimizer_step(optimizer, 0.01));
        after[i] = read_floats(paced_exec_trained(net.exec), arena_count(&net));
        if (i) assert_memory_equal(after[0], after[1], arena_count(&net) * sizeof(float));
        paced_optimizer_destroy(optimizer);
        net_finish(&net);
    }
    free(after[0]);
    free(after[1]);
}

/* A NaN gradient makes every weight NaN, so that the next loss shows it. */
static void test_clip_of_nan(void **state) {
    (void)state;
    struct net net = two_layers();
    const struct paced_config config = {.train = {.optimizer = PACED_SGD, .clip_norm = 1}};
    struct paced_optimizer *optimizer;
    assert_ok(paced_optimizer_create(&optimizer, &config.train, net.exec));
    float *grad = set_gradient(&net, 1);
    grad[1] = NAN;
    assert_ok(paced_buffer_write(paced_exec_trained_grad(net.exec), grad, arena_count(&net) * sizeof *grad));
    assert_ok(paced_optimizer_step(optimizer, 0.01));
    float *after = read_floats(paced_exec_trained(net.exec), arena_count(&net));
    for (size_t i = 0; i < arena_count(&net); ++i) assert_true(isnan(after[i]));
    free(after);
    free(grad);
    paced_optimizer_destroy(optimizer);
    net_finish(&net);
}

static void test_sgd(void **state) {
    (void)state;
    check_steps(&(struct paced_config){.train.optimizer = PACED_SGD});
    check_steps(&(struct paced_config){.train.optimizer = PACED_SGD, .train.momentum = 0.9});
    check_steps(&(struct paced_config){.train.optimizer = PACED_SGD, .train.momentum = 0.5, .train.weight_decay = 0.1});
}

/* Parameters with a zero gradient do not move, so that padding stays zero. */
static void test_zero_gradient(void **state) {
    (void)state;
    struct net net = two_layers();
    struct paced_optimizer *optimizer;
    const struct paced_config config = {.train.optimizer = PACED_ADAM};
    assert_ok(paced_optimizer_create(&optimizer, &config.train, net.exec));
    size_t count = arena_count(&net);
    float *before = read_floats(paced_exec_trained(net.exec), count);
    assert_ok(paced_buffer_zero(paced_exec_trained_grad(net.exec), count * sizeof *before));
    assert_ok(paced_optimizer_step(optimizer, 0.1));
    float *after = read_floats(paced_exec_trained(net.exec), count);
    assert_memory_equal(after, before, count * sizeof *before);
    free(before);
    free(after);
    paced_optimizer_destroy(optimizer);
    net_finish(&net);
}

static float *weights_after(struct net *net, struct paced_optimizer *optimizer, int step) {
    free(set_gradient(net, step));
    assert_ok(paced_optimizer_step(optimizer, 0.01));
    return read_floats(paced_exec_trained(net->exec), arena_count(net));
}

/* After two steps and saving, a third step equals that of a new optimiser with the loaded state, bit for bit. */
static void check_state(const struct paced_config *config) {
    struct net net = two_layers();
    struct paced_optimizer *first, *second;
    struct paced_weights saved = {0}, want = {0}, got = {0};
    size_t bytes = arena_count(&net) * sizeof(float);
    assert_ok(paced_optimizer_create(&first, &config->train, net.exec));
    free(weights_after(&net, first, 1));
    float *middle = weights_after(&net, first, 2);
    assert_ok(paced_optimizer_save(first, &saved));
    free(weights_after(&net, first, 3));
    assert_ok(paced_exec_save_params(net.exec, &want));

    assert_ok(paced_optimizer_create(&second, &config->train, net.exec));
    assert_ok(paced_optimizer_load(second, &saved, "saved"));
    assert_ok(paced_buffer_write(paced_exec_trained(net.exec), middle, bytes));
    free(weights_after(&net, second, 3));
    assert_ok(paced_exec_save_params(net.exec, &got));
    assert_true(got.count > 0 && got.count == want.count); /* padding is not saved */
    for (size_t i = 0; i < got.count; ++i)
        assert_memory_equal(got.entries[i].data, want.entries[i].data, want.entries[i].bytes);
    free(middle);
    paced_weights_finish(&want);
    paced_weights_finish(&got);
    paced_weights_finish(&saved);
    paced_optimizer_destroy(first);
    paced_optimizer_destroy(second);
    net_finish(&net);
}

static void test_state(void **state) {
    (void)state;
    check_state(&(struct paced_config){.train.optimizer = PACED_ADAM});
    check_state(&(struct paced_config){.train = {.optimizer = PACED_ADAMW, .weight_decay = 0.1, .clip_norm = 1}});
    check_state(&(struct paced_config){.train.optimizer = PACED_SGD, .train.momentum = 0.9});
}

static void test_bad_state(void **state) {
    (void)state;
    struct net net = two_layers();
    struct paced_optimizer *optimizer;
    struct paced_weights none = {0}, partial = {0};
    const struct paced_config config = {.train.optimizer = PACED_ADAM};
    const int64_t step = 3;
    struct capture capture;
    paced_weights_add(&partial, "optimizer.step", PACED_I64, 0, NULL, &step);
    assert_ok(paced_optimizer_create(&optimizer, &config.train, net.exec));
    capture_start(&capture);
    enum paced_err errs[] = {paced_optimizer_load(optimizer, &none, "none.safetensors"),
                             paced_optimizer_load(optimizer, &partial, "partial.safetensors")};
    capture_end(&capture);
    assert_int_equal(errs[0], PACED_INVALID);
    assert_int_equal(errs[1], PACED_INVALID);
    assert_non_null(strstr(capture.text, "none.safetensors"));
    assert_non_null(strstr(capture.text, "optimizer.exp_avg.conv.weight"));
    paced_weights_finish(&partial);
    paced_optimizer_destroy(optimizer);
    net_finish(&net);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_adam),
    cmocka_unit_test(test_adamw),
    cmocka_unit_test(test_sgd),
    cmocka_unit_test(test_clip),
    cmocka_unit_test(test_clip_that_is_not_reached),
    cmocka_unit_test(test_clip_of_nan),
    cmocka_unit_test(test_zero_gradient),
    cmocka_unit_test(test_state),
    cmocka_unit_test(test_bad_state),
};
HARNESS_MAIN(tests)
