/* Whole networks against PyTorch in float64, with formula.py's weights: logits in evaluation; loss, gradients and the
 * first ten Adam losses in training. UNet's sizes halve evenly in one file and are odd at all levels in the other;
 * LinkNet's decoders crop; DeepLabV3's logits are enlarged to a size that is not a multiple of theirs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/config.h"
#include "paced/distill.h"
#include "paced/models.h"
#include "paced/optim.h"
#include "tests/golden/golden.h"
#include "tests/square.h"

static const double BOUND = 1e-4;

static const struct file {
    const char *arch, *name;
} files[] = {{"unet", "unet_w4.safetensors"},
             {"unet", "unet_w8.safetensors"},
             {"linknet", "linknet_w8.safetensors"},
             {"deeplabv3", "deeplabv3_w8.safetensors"}};

/* Network with its golden batch. */
struct network {
    struct paced_weights golden;
    struct paced_graph *graph;
    struct paced_exec *exec;
    struct paced_loss *loss;
    int size, classes, count;
};

static size_t pixels_of(const struct network *net) {
    return (size_t)(net->count * net->size * net->size);
}

static void write_batch(struct network *net) {
    const struct paced_entry *images = paced_weights_find(&net->golden, "images"),
                             *labels = paced_weights_find(&net->golden, "labels");
    size_t count = pixels_of(net) * 3;
    assert_int_equal(images->bytes, count);
    assert_int_equal(labels->bytes, pixels_of(net));
    float *x = paced_alloc(count, sizeof *x);
    for (size_t i = 0; i < count; ++i) x[i] = (float)((const uint8_t *)images->data)[i] / 255;
    assert_ok(paced_buffer_write(paced_exec_input(net->exec), x, count * sizeof *x));
    assert_ok(paced_buffer_write(paced_loss_labels(net->loss), labels->data, labels->bytes));
    free(x);
}

static struct network start(const struct file *f, enum paced_mode mode) {
    struct network net = {.golden = golden_read(f->name)};
    net.size = golden_int(&net.golden, "case", "size");
    net.classes = golden_int(&net.golden, "case", "classes");
    net.count = golden_int(&net.golden, "case", "count");
    assert_ok(paced_model_build(&net.graph, f->arch, square(net.size), net.classes,
                                golden_int(&net.golden, "case", "width")));
    assert_ok(paced_exec_create(&net.exec, net.graph, harness_device, net.count + 1, mode));
    const struct paced_objective plain = paced_objective_plain();
    assert_ok(
        paced_loss_create(&net.loss, harness_device, &plain, false, net.count + 1, square(net.size), net.classes));
    struct paced_weights state = formula_state(net.graph);
    assert_ok(paced_exec_load_params(net.exec, &state, f->name));
    paced_weights_finish(&state);
    write_batch(&net);
    return net;
}

static void finish(struct network *net) {
    paced_loss_destroy(net->loss);
    paced_exec_destroy(net->exec);
    paced_graph_destroy(net->graph);
    paced_weights_finish(&net->golden);
}

/* Logits in evaluation, with the memory plan of `mode`. */
static void check_logits(const struct file *f, enum paced_mode mode) {
    struct network net = start(f, mode);
    assert_ok(paced_exec_forward(net.exec, net.count, false));
    float *got = read_floats(paced_exec_output(net.exec), pixels_of(&net) * (size_t)net.classes);
    double *want = golden_doubles(paced_weights_find(&net.golden, "eval_logits"));
    assert_close("logits", got, want, pixels_of(&net) * (size_t)net.classes, BOUND);
    free(want);
    free(got);
    finish(&net);
}

/* Runs forward and backward; returns the mean cross entropy. */
static double step(struct network *net) {
    struct paced_loss_sums sums;
    write_batch(net); /* the plan may have reused the input's memory */
    assert_ok(paced_exec_forward(net->exec, net->count, true));
    assert_ok(paced_loss_run(net->loss, paced_exec_output(net->exec), net->count, paced_exec_output_grad(net->exec)));
    assert_ok(paced_loss_read_later(net->loss, net->count));
    assert_ok(paced_exec_backward(net->exec));
    assert_ok(paced_loss_wait(net->loss, &sums));
    return sums.ce / (double)pixels_of(net);
}

static double norm_of(const struct paced_entry *e) {
    double sum = 0;
    for (size_t i = 0; i < golden_count(e); ++i) sum += pow((double)((const float *)e->data)[i], 2);
    return sqrt(sum);
}

/* The true gradient of a bias before batch normalisation is zero, so the computed one is rounding. */
static bool is_known(const struct network *net, const char *name) {
    return !strstr(paced_weights_metadata(&net->golden, "case"), name);
}

static void check_gradients(const struct file *f) {
    struct network net = start(f, PACED_TRAINING);
    struct paced_weights grads = {0};
    int whole = 0;
    double loss = step(&net), want_loss = *(const double *)paced_weights_find(&net.golden, "loss")->data;
    assert_near(loss, want_loss, 1e-6 * want_loss);
    assert_ok(paced_exec_save_flat(net.exec, paced_exec_trained_grad(net.exec), "", &grads));
    for (size_t i = 0; i < grads.count; ++i) {
        const struct paced_entry *got = &grads.entries[i];
        if (!is_known(&net, got->name)) continue;
        double norm = *(const double *)golden_find(&net.golden, "dnorm", got->name)->data;
        assert_near(norm_of(got), norm, BOUND * norm);
        char *name = paced_format("d.%s", got->name);
        const struct paced_entry *want = paced_weights_find(&net.golden, name);
        if (want) assert_close(name, got->data, want->data, golden_count(got), BOUND);
        whole += want != NULL;
        free(name);
    }
    assert_true(whole > 20);
    paced_weights_finish(&grads);
    finish(&net);
}

/* The error against float64 is at most three times that of PyTorch's float32. */
static void check_adam(const struct file *f) {
    struct network net = start(f, PACED_TRAINING);
    const struct paced_config config = {.train.optimizer = PACED_ADAM};
    struct paced_optimizer *optimizer;
    float losses[10];
    assert_ok(paced_optimizer_create(&optimizer, &config.train, net.exec));
    for (size_t i = 0; i < PACED_COUNT(losses); ++i) {
        losses[i] = (float)step(&net);
        assert_ok(paced_optimizer_step(optimizer, golden_number(&net.golden, "case", "lr")));
    }
    assert_close("Adam losses", losses, paced_weights_find(&net.golden, "adam_f64")->data, PACED_COUNT(losses),
                 3 * golden_number(&net.golden, "case", "f32_adam_error"));
    paced_optimizer_destroy(optimizer);
    finish(&net);
}

static void test_logits(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    for (size_t i = 0; i < PACED_COUNT(files); ++i) {
        check_logits(&files[i], PACED_INFERENCE);
        check_logits(&files[i], PACED_TRAINING);
    }
}

static void test_gradients(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    for (size_t i = 0; i < PACED_COUNT(files); ++i) check_gradients(&files[i]);
}

static void test_adam(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    for (size_t i = 0; i < PACED_COUNT(files); ++i) check_adam(&files[i]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_logits),
    cmocka_unit_test(test_gradients),
    cmocka_unit_test(test_adam),
};
HARNESS_MAIN(tests)
