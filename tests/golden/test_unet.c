/* A whole UNet against PyTorch in float64, with formula.py's weights: logits in evaluation; loss, gradients and the
 * first ten Adam losses in training. One file has sizes that halve evenly, the other odd ones all the way down. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/distill.h"
#include "paced/models.h"
#include "paced/optim.h"
#include "tests/golden/golden.h"

static const double BOUND = 1e-4;

/* A network with its golden batch. */
struct unet {
    struct paced_weights golden;
    struct paced_graph *graph;
    struct paced_exec *exec;
    struct paced_loss *loss;
    int size, classes, count;
};

static size_t pixels_of(const struct unet *u) {
    return (size_t)(u->count * u->size * u->size);
}

static void write_batch(struct unet *u) {
    const struct paced_entry *images = paced_weights_find(&u->golden, "images"),
                             *labels = paced_weights_find(&u->golden, "labels");
    size_t count = pixels_of(u) * 3;
    assert_int_equal(images->bytes, count);
    assert_int_equal(labels->bytes, pixels_of(u));
    float *x = paced_alloc(count, sizeof *x);
    for (size_t i = 0; i < count; ++i) x[i] = (float)((const uint8_t *)images->data)[i] / 255;
    assert_ok(paced_buffer_write(paced_exec_input(u->exec), x, count * sizeof *x));
    assert_ok(paced_buffer_write(paced_loss_labels(u->loss), labels->data, labels->bytes));
    free(x);
}

static struct unet start(const char *file, enum paced_mode mode) {
    struct unet u = {.golden = golden_read(file)};
    u.size = golden_int(&u.golden, "case", "size");
    u.classes = golden_int(&u.golden, "case", "classes");
    u.count = golden_int(&u.golden, "case", "count");
    assert_ok(paced_model_build(&u.graph, "unet", u.size, u.classes, golden_int(&u.golden, "case", "width")));
    assert_ok(paced_exec_create(&u.exec, u.graph, harness_device, u.count + 1, mode));
    const struct paced_objective plain = paced_objective_plain();
    assert_ok(paced_loss_create(&u.loss, harness_device, &plain, false, u.count + 1, u.size, u.classes));
    struct paced_weights state = formula_state(u.graph);
    assert_ok(paced_exec_load_params(u.exec, &state, file));
    paced_weights_finish(&state);
    write_batch(&u);
    return u;
}

static void finish(struct unet *u) {
    paced_loss_destroy(u->loss);
    paced_exec_destroy(u->exec);
    paced_graph_destroy(u->graph);
    paced_weights_finish(&u->golden);
}

/* In inference's memory and in training's. */
static void check_logits(const char *file, enum paced_mode mode) {
    struct unet u = start(file, mode);
    assert_ok(paced_exec_forward(u.exec, u.count, false));
    float *got = read_floats(paced_exec_output(u.exec), pixels_of(&u) * (size_t)u.classes);
    double *want = golden_doubles(paced_weights_find(&u.golden, "eval_logits"));
    assert_close("logits", got, want, pixels_of(&u) * (size_t)u.classes, BOUND);
    free(want);
    free(got);
    finish(&u);
}

/* Forward and backward; the mean cross entropy. */
static double step(struct unet *u) {
    struct paced_loss_sums sums;
    write_batch(u); /* the plan may have reused the input's memory */
    assert_ok(paced_exec_forward(u->exec, u->count, true));
    assert_ok(paced_loss_run(u->loss, paced_exec_output(u->exec), u->count, paced_exec_output_grad(u->exec)));
    assert_ok(paced_loss_read_later(u->loss, u->count));
    assert_ok(paced_exec_backward(u->exec));
    assert_ok(paced_loss_wait(u->loss, &sums));
    return sums.ce / (double)pixels_of(u);
}

static double norm_of(const struct paced_entry *e) {
    double sum = 0;
    for (size_t i = 0; i < golden_count(e); ++i) sum += pow((double)((const float *)e->data)[i], 2);
    return sqrt(sum);
}

/* The true gradient of a bias before batch normalisation is zero: what is left is rounding. */
static bool is_known(const struct unet *u, const char *name) {
    return !strstr(paced_weights_metadata(&u->golden, "case"), name);
}

static void check_gradients(const char *file) {
    struct unet u = start(file, PACED_TRAINING);
    struct paced_weights grads = {0};
    int whole = 0;
    double loss = step(&u), want_loss = *(const double *)paced_weights_find(&u.golden, "loss")->data;
    assert_near(loss, want_loss, 1e-6 * want_loss);
    assert_ok(paced_exec_save_flat(u.exec, paced_exec_trained_grad(u.exec), "", &grads));
    for (size_t i = 0; i < grads.count; ++i) {
        const struct paced_entry *got = &grads.entries[i];
        if (!is_known(&u, got->name)) continue;
        double norm = *(const double *)golden_find(&u.golden, "dnorm", got->name)->data;
        assert_near(norm_of(got), norm, BOUND * norm);
        char *name = paced_format("d.%s", got->name);
        const struct paced_entry *want = paced_weights_find(&u.golden, name);
        if (want) assert_close(name, got->data, want->data, golden_count(got), BOUND);
        whole += want != NULL;
        free(name);
    }
    assert_true(whole > 20);
    paced_weights_finish(&grads);
    finish(&u);
}

/* No further from float64 than three times what PyTorch's float32 is. */
static void check_adam(const char *file) {
    struct unet u = start(file, PACED_TRAINING);
    const struct paced_config config = {.train.optimizer = PACED_ADAM};
    struct paced_optimizer *optimizer;
    float losses[10];
    assert_ok(paced_optimizer_create(&optimizer, &config, u.exec));
    for (size_t i = 0; i < PACED_COUNT(losses); ++i) {
        losses[i] = (float)step(&u);
        assert_ok(paced_optimizer_step(optimizer, golden_number(&u.golden, "case", "lr")));
    }
    assert_close("Adam losses", losses, paced_weights_find(&u.golden, "adam_f64")->data, PACED_COUNT(losses),
                 3 * golden_number(&u.golden, "case", "f32_adam_error"));
    paced_optimizer_destroy(optimizer);
    finish(&u);
}

static const char *const files[] = {"unet_w4.safetensors", "unet_w8.safetensors"};

static void test_logits(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    for (size_t i = 0; i < PACED_COUNT(files); ++i) {
        check_logits(files[i], PACED_INFERENCE);
        check_logits(files[i], PACED_TRAINING);
    }
}

static void test_gradients(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    for (size_t i = 0; i < PACED_COUNT(files); ++i) check_gradients(files[i]);
}

static void test_adam(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    for (size_t i = 0; i < PACED_COUNT(files); ++i) check_adam(files[i]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_logits),
    cmocka_unit_test(test_gradients),
    cmocka_unit_test(test_adam),
};
HARNESS_MAIN(tests)
