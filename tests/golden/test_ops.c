/* Each operation against PyTorch in float64: values and gradients within 1e-4 relative L2. */
#include <stdlib.h>

#include "paced/distill.h"
#include "tests/golden/golden.h"
#include "tests/square.h"

static const double BOUND = 1e-4;

struct golden_case {
    const struct paced_weights *golden;
    char name[32];
};

static int number(const struct golden_case *c, const char *name) {
    return golden_int(c->golden, c->name, name);
}

/* Compares with the golden tensor `name`. */
static void compare(const struct golden_case *c, const char *name, const float *got) {
    const struct paced_entry *entry = golden_find(c->golden, c->name, name);
    double *want = golden_doubles(entry);
    char text[48];
    snprintf(text, sizeof text, "%s.%s", c->name, name);
    assert_close(text, got, want, golden_count(entry), BOUND);
    free(want);
}

static void compare_and_free(const struct golden_case *c, const char *name, float *got) {
    compare(c, name, got);
    free(got);
}

/* Network with the case's x and dy, and `params` as its parameters. */
static struct net start(const struct golden_case *c, const struct paced_weights *params) {
    struct net net = net_start(number(c, "h"), number(c, "w"), number(c, "c"));
    net.x = golden_floats(golden_find(c->golden, c->name, "x"));
    net.dy = golden_floats(golden_find(c->golden, c->name, "dy"));
    net.params = params;
    return net;
}

static void add_param(struct paced_weights *params, const char *name, const struct golden_case *c, const char *golden) {
    const struct paced_entry *e = golden_find(c->golden, c->name, golden);
    paced_weights_add(params, name, e->dtype, e->rank, e->shape, e->data);
}

/* Runs `check` on each case of a kind, on slow devices on some of them. */
static void for_each(const char *kind, void (*check)(const struct golden_case *c)) {
    struct paced_weights golden = golden_read("ops.safetensors");
    int count = golden_cases(&golden, kind);
    assert_true(count > 0);
    for (int i = 0; i < count; i += harness_is_small() ? 5 : 1) {
        struct golden_case c = {.golden = &golden};
        snprintf(c.name, sizeof c.name, "%s.%d", kind, i);
        check(&c);
    }
    paced_weights_finish(&golden);
}

static void check_conv(const struct golden_case *c) {
    struct paced_weights params = {0};
    add_param(&params, "conv.weight", c, "w");
    add_param(&params, "conv.bias", c, "b");
    struct net net = start(c, &params);
    struct paced_conv conv = {
        number(c, "k"), number(c, "kernel"), number(c, "stride"), number(c, "pad"), number(c, "dilation"), true, false};
    net_run(&net, paced_conv2d(net.graph, "conv", net.input, conv), number(c, "n"));
    compare(c, "y", net.y);
    compare(c, "dx", net.dx);
    compare_and_free(c, "dw", net_read_param_grad(&net, "conv.weight"));
    compare_and_free(c, "db", net_read_param_grad(&net, "conv.bias"));
    net_finish(&net);
    paced_weights_finish(&params);
}

static void test_conv2d(void **state) {
    (void)state;
    for_each("conv", check_conv);
}

static void check_conv_transpose(const struct golden_case *c) {
    struct paced_weights params = {0};
    add_param(&params, "conv.weight", c, "w");
    add_param(&params, "conv.bias", c, "b");
    struct net net = start(c, &params);
    struct paced_conv_transpose conv = {number(c, "k"),   number(c, "kernel"),     number(c, "stride"),
                                        number(c, "pad"), number(c, "output_pad"), true};
    net_run(&net, paced_conv_transpose2d(net.graph, "conv", net.input, conv), number(c, "n"));
    compare(c, "y", net.y);
    compare(c, "dx", net.dx);
    compare_and_free(c, "dw", net_read_param_grad(&net, "conv.weight"));
    compare_and_free(c, "db", net_read_param_grad(&net, "conv.bias"));
    net_finish(&net);
    paced_weights_finish(&params);
}

static void test_conv_transpose2d(void **state) {
    (void)state;
    for_each("conv_transpose", check_conv_transpose);
}

static struct paced_weights norm_params(const struct golden_case *c) {
    struct paced_weights params = {0};
    const int64_t none = 0;
    add_param(&params, "bn.weight", c, "w");
    add_param(&params, "bn.bias", c, "b");
    add_param(&params, "bn.running_mean", c, "running_mean");
    add_param(&params, "bn.running_var", c, "running_var");
    paced_weights_add(&params, "bn.num_batches_tracked", PACED_I64, 0, NULL, &none);
    return params;
}

static void check_norm_training(const struct golden_case *c) {
    struct paced_weights params = norm_params(c);
    struct net net = start(c, &params);
    net_run(&net, paced_batch_norm(net.graph, "bn", net.input, false), number(c, "n"));
    compare(c, "y", net.y);
    compare(c, "dx", net.dx);
    compare_and_free(c, "dw", net_read_param_grad(&net, "bn.weight"));
    compare_and_free(c, "db", net_read_param_grad(&net, "bn.bias"));
    compare_and_free(c, "mean_after", net_read_param(&net, "bn.running_mean"));
    compare_and_free(c, "var_after", net_read_param(&net, "bn.running_var"));
    net_finish(&net);
    paced_weights_finish(&params);
}

static void check_norm_evaluation(const struct golden_case *c) {
    struct paced_weights params = norm_params(c);
    struct net net = net_start(number(c, "h"), number(c, "w"), number(c, "c"));
    net.x = golden_floats(golden_find(c->golden, c->name, "x"));
    net.params = &params;
    net_prepare(&net, paced_batch_norm(net.graph, "bn", net.input, false), number(c, "n"), number(c, "n"));
    net_forward(&net, false);
    compare(c, "y", net.y);
    net_finish(&net);
    paced_weights_finish(&params);
}

static void test_batch_norm(void **state) {
    (void)state;
    for_each("bn_train", check_norm_training);
    for_each("bn_eval", check_norm_evaluation);
}

static void check_pool(const struct golden_case *c) {
    struct net net = start(c, NULL);
    net_run(&net, paced_max_pool(net.graph, net.input, number(c, "kernel"), number(c, "stride"), number(c, "pad")),
            number(c, "n"));
    compare(c, "y", net.y);
    compare(c, "dx", net.dx);
    net_finish(&net);
}

static void test_max_pool(void **state) {
    (void)state;
    for_each("maxpool", check_pool);
}

static void check_resize(const struct golden_case *c) {
    struct net net = start(c, NULL);
    const struct paced_tensor like = {.shape = {number(c, "out_h"), number(c, "out_w"), 1}};
    net_run(&net, paced_resize(net.graph, net.input, &like), number(c, "n"));
    compare(c, "y", net.y);
    compare(c, "dx", net.dx);
    net_finish(&net);
}

/* upsample enlarges by whole factors only, resize to any size. */
static void check_upsample(const struct golden_case *c) {
    check_resize(c);
    int factor = number(c, "out_h") / number(c, "h");
    if (number(c, "out_h") != factor * number(c, "h") || number(c, "out_w") != factor * number(c, "w")) return;
    struct net net = start(c, NULL);
    net_run(&net, paced_upsample(net.graph, net.input, factor), number(c, "n"));
    compare(c, "y", net.y);
    compare(c, "dx", net.dx);
    net_finish(&net);
}

static void test_upsample(void **state) {
    (void)state;
    for_each("upsample", check_upsample);
}

/* The loss works on pixels: every pixel is a sample here, since the case need not be square. */
static void check_cross_entropy(const struct golden_case *c) {
    const struct paced_entry *labels = golden_find(c->golden, c->name, "labels");
    size_t pixels = golden_count(labels), count = pixels * (size_t)number(c, "c");
    float *logits = golden_floats(golden_find(c->golden, c->name, "x"));
    struct paced_loss *loss;
    struct paced_buffer *x, *dx;
    struct paced_loss_sums sums;
    const struct paced_objective plain = paced_objective_plain();
    assert_ok(paced_loss_create(&loss, harness_device, &plain, false, (int)pixels, square(1), number(c, "c")));
    assert_ok(paced_buffer_create(&x, harness_device, count * sizeof *logits));
    assert_ok(paced_buffer_create(&dx, harness_device, count * sizeof *logits));
    assert_ok(paced_buffer_write(x, logits, count * sizeof *logits));
    assert_ok(paced_loss_write_labels(loss, labels->data, (int)pixels));
    assert_ok(paced_loss_run(loss, x, (int)pixels, dx));
    assert_ok(paced_loss_read_later(loss, (int)pixels));
    assert_ok(paced_loss_wait(loss, &sums));
    double *y = golden_doubles(golden_find(c->golden, c->name, "y"));
    assert_near(sums.ce / (double)pixels, *y, 1e-6 * *y);
    compare_and_free(c, "dx", read_floats(dx, count));
    free(y);
    free(logits);
    paced_buffer_destroy(x);
    paced_buffer_destroy(dx);
    paced_loss_destroy(loss);
}

static void test_cross_entropy(void **state) {
    (void)state;
    for_each("cross_entropy", check_cross_entropy);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_conv2d),   cmocka_unit_test(test_conv_transpose2d), cmocka_unit_test(test_batch_norm),
    cmocka_unit_test(test_max_pool), cmocka_unit_test(test_upsample),         cmocka_unit_test(test_cross_entropy),
};
HARNESS_MAIN(tests)
