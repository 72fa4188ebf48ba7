/* Whole networks against PyTorch in float64, with formula.py's weights: logits in evaluation; loss, gradients and (of
 * squares) the first ten Adam losses in training. UNet's sizes halve evenly in one file and are odd at all levels in
 * the other; LinkNet's decoders crop; DeepLabV3's logits are enlarged to a size that is not a multiple of theirs. Files
 * of rectangles hold samples of the logits, and norms and projections of the gradients. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/config.h"
#include "paced/distill.h"
#include "paced/models.h"
#include "paced/optim.h"
#include "tests/golden/golden.h"

static const double BOUND = 1e-4;

enum { LOGIT_STEP = 41 }; /* distance of sampled logits */

static const struct file {
    const char *arch, *name;
    struct paced_extent extent;
} files[] = {{"unet", "unet_w4.safetensors", {45, 45}},
             {"unet", "unet_w8.safetensors", {48, 48}},
             {"unet", "unet_45x61.safetensors", {45, 61}},
             {"unet", "unet_96x160.safetensors", {96, 160}},
             {"linknet", "linknet_w8.safetensors", {44, 44}},
             {"linknet", "linknet_44x60.safetensors", {44, 60}},
             {"linknet", "linknet_96x160.safetensors", {96, 160}},
             {"deeplabv3", "deeplabv3_w8.safetensors", {45, 45}},
             {"deeplabv3", "deeplabv3_45x61.safetensors", {45, 61}},
             {"deeplabv3", "deeplabv3_96x160.safetensors", {96, 160}}};

/* Network with its golden batch. */
struct network {
    const struct file *file;
    struct paced_weights golden;
    struct paced_graph *graph;
    struct paced_exec *exec;
    struct paced_loss *loss;
    int classes, count;
    uint8_t *images, *labels; /* [count][height][width][3], [count][height][width] */
};

static size_t pixels_of(const struct network *net) {
    return (size_t)net->count * paced_extent_pixels(net->file->extent);
}

/* ---- batch --------------------------------------------------------------------------------------------------- */

/* Integers below `bound`, as the batches of make_golden.py have them. */
static uint8_t *integers(const struct network *net, const char *what, size_t count, int bound) {
    char *name = paced_format("%s.%d.%s", net->file->arch, golden_int(&net->golden, "case", "salt"), what);
    uint8_t *values = paced_alloc(count, 1);
    for (size_t i = 0; i < count; ++i) values[i] = (uint8_t)((formula_uniform(name, i) + 1) / 2 * bound);
    free(name);
    return values;
}

/* make_golden.py's formula_batch: labels are in blocks of 5 x 5. */
static void make_batch(struct network *net) {
    size_t height = (size_t)net->file->extent.height, width = (size_t)net->file->extent.width;
    size_t down = height / 5 + 1, across = width / 5 + 1;
    uint8_t *blocks = integers(net, "labels", (size_t)net->count * down * across, net->classes);
    net->images = integers(net, "images", pixels_of(net) * 3, 256);
    net->labels = paced_alloc(pixels_of(net), 1);
    for (size_t i = 0; i < pixels_of(net); ++i) {
        size_t n = i / (height * width), y = i / width % height, x = i % width;
        net->labels[i] = blocks[(n * down + y / 5) * across + x / 5];
    }
    free(blocks);
}

static uint8_t *copy_bytes(const struct paced_entry *entry, size_t count) {
    assert_int_equal(entry->bytes, count);
    return memcpy(paced_alloc(count, 1), entry->data, count);
}

/* Files of squares hold the batch. */
static void read_batch(struct network *net) {
    const struct paced_entry *images = paced_weights_find(&net->golden, "images");
    if (!images) {
        make_batch(net);
        return;
    }
    net->images = copy_bytes(images, pixels_of(net) * 3);
    net->labels = copy_bytes(paced_weights_find(&net->golden, "labels"), pixels_of(net));
}

static void write_batch(struct network *net) {
    size_t count = pixels_of(net) * 3;
    float *x = paced_alloc(count, sizeof *x);
    for (size_t i = 0; i < count; ++i) x[i] = (float)net->images[i] / 255;
    assert_ok(paced_buffer_write(paced_exec_input(net->exec), x, count * sizeof *x));
    assert_ok(paced_loss_write_labels(net->loss, net->labels, net->count));
    free(x);
}

/* ---- running ------------------------------------------------------------------------------------------------- */

static struct network start(const struct file *f, enum paced_mode mode) {
    struct network net = {.file = f, .golden = golden_read(f->name)};
    net.classes = golden_int(&net.golden, "case", "classes");
    net.count = golden_int(&net.golden, "case", "count");
    assert_ok(paced_model_build(&net.graph, f->arch, f->extent, net.classes, golden_int(&net.golden, "case", "width")));
    assert_ok(paced_exec_create(&net.exec, net.graph, harness_device, net.count + 1, mode, PACED_PRECISION_FLOAT32));
    const struct paced_objective plain = paced_objective_plain();
    assert_ok(paced_loss_create(&net.loss, harness_device, &plain, false, net.count + 1, f->extent, net.classes));
    struct paced_weights state = formula_state(net.graph);
    assert_ok(paced_exec_load_params(net.exec, &state, f->name));
    paced_weights_finish(&state);
    read_batch(&net);
    write_batch(&net);
    return net;
}

static void finish(struct network *net) {
    free(net->images);
    free(net->labels);
    paced_loss_destroy(net->loss);
    paced_exec_destroy(net->exec);
    paced_graph_destroy(net->graph);
    paced_weights_finish(&net->golden);
}

/* Logits in evaluation, with the memory plan of `mode`. */
static void check_logits(const struct file *f, enum paced_mode mode) {
    struct network net = start(f, mode);
    assert_ok(paced_exec_forward(net.exec, net.count, false));
    const struct paced_entry *entry = paced_weights_find(&net.golden, "eval_logits");
    size_t values = pixels_of(&net) * (size_t)net.classes, count = golden_count(entry);
    float *got = read_floats(paced_exec_output(net.exec), values);
    double *want = golden_doubles(entry);
    if (entry->rank == 1) {
        assert_int_equal(count, (values + LOGIT_STEP - 1) / LOGIT_STEP);
        for (size_t i = 0; i < count; ++i) got[i] = got[i * LOGIT_STEP];
    }
    assert_close("logits", got, want, count, BOUND);
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

/* The projection of an error e is |e| / sqrt(3) in the mean. */
static double projection_of(const struct paced_entry *e) {
    char *vector = paced_format("projection %s", e->name);
    double sum = 0;
    for (size_t i = 0; i < golden_count(e); ++i) sum += ((const float *)e->data)[i] * formula_uniform(vector, i);
    free(vector);
    return sum;
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
        const struct paced_entry *numbers = golden_find(&net.golden, "dnorm", got->name);
        const double *norm = numbers->data, *projection = numbers->rank == 1 ? norm + 1 : NULL;
        assert_near(norm_of(got), *norm, BOUND * *norm);
        if (projection) assert_near(sqrt(3) * projection_of(got), sqrt(3) * *projection, BOUND * *norm);
        char *name = paced_format("d.%s", got->name);
        const struct paced_entry *want = paced_weights_find(&net.golden, name);
        if (want) assert_close(name, got->data, want->data, golden_count(got), BOUND);
        whole += want || projection;
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
    for (size_t i = 0; i < PACED_COUNT(files); ++i)
        if (files[i].extent.height == files[i].extent.width) check_adam(&files[i]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_logits),
    cmocka_unit_test(test_gradients),
    cmocka_unit_test(test_adam),
};
HARNESS_MAIN(tests)
