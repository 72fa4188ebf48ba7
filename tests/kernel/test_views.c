/* Views against the same network with every tensor stored: value, input gradient and gradients of all parameters, for
 * each algorithm of the convolutions that read through views. */
#include <stdlib.h>
#include <string.h>

#include "tests/kernel/harness.h"

struct variant {
    int h, w, c, width, deep; /* deep: filters of the small level */
    int pool, stride,
        pad; /* a size halved with rounding down is padded on the way up, one with rounding up is cropped */
    const char *algorithm;
    bool small;
};

static struct paced_tensor *conv_bn(struct net *net, const char *name, struct paced_tensor *x, int filters) {
    char bn[32];
    snprintf(bn, sizeof bn, "%s_bn", name);
    x = paced_conv2d(net->graph, name, x, (struct paced_conv){filters, 3, 1, 1, 1, true, false});
    return paced_batch_norm(net->graph, bn, x, filters % 2 == 0);
}

/* Downsampling, upsampling and concatenation, as in a UNet. */
static struct paced_tensor *build(struct net *net, const struct variant *v) {
    struct paced_tensor *a = conv_bn(net, "a", net->input, v->width);
    struct paced_tensor *b = conv_bn(net, "b", paced_max_pool(net->graph, a, v->pool, v->stride, v->pad), v->deep);
    struct paced_tensor *up = paced_pad_or_crop(net->graph, paced_upsample(net->graph, b, 2), a);
    struct paced_tensor *joined = conv_bn(net, "c", paced_concat(net->graph, a, up), v->width);
    return paced_conv2d(net->graph, "d", joined, (struct paced_conv){3, 1, 1, 0, 1, true, false});
}

static struct net run(const struct variant *v, bool store_all) {
    struct net net = net_start(v->h, v->w, v->c);
    if (store_all) paced_graph_store_all(net.graph);
    net_run(&net, build(&net, v), 2);
    return net;
}

static int count_views(const struct net *net) {
    int count = 0;
    for (size_t i = 0; i < paced_graph_node_count(net->graph); ++i) count += paced_graph_node(net->graph, i)->out->view;
    return count;
}

static void compare(const char *what, const float *got, const float *stored, size_t count) {
    double *want = paced_alloc(count, sizeof *want);
    for (size_t i = 0; i < count; ++i) want[i] = (double)stored[i];
    assert_close(what, got, want, count, 1e-6);
    free(want);
}

static void check(const struct variant *v) {
    setenv("PACED_CONV", v->algorithm, 1);
    struct net views = run(v, false), stored = run(v, true);
    assert_int_equal(count_views(&stored), 0);
    assert_int_equal(count_views(&views), v->h % 2 || v->w % 2 || v->pad ? 6 : 5); /* with a fit or without */
    compare("y", views.y, stored.y, stored.y_count);
    compare("dx", views.dx, stored.dx, stored.x_count);
    for (size_t i = 0; i < paced_graph_param_count(views.graph); ++i) {
        const struct paced_param *p = paced_graph_get_param(views.graph, i);
        if (p->kind != PACED_PARAM_TRAINED) continue;
        float *got = net_read_param_grad(&views, p->name), *want = net_read_param_grad(&stored, p->name);
        /* The gradient of a convolution's bias before batch norm is rounding only. */
        if (p->rank != 1 || strstr(p->name, "_bn")) compare(p->name, got, want, p->count);
        free(got);
        free(want);
    }
    net_finish(&views);
    net_finish(&stored);
    unsetenv("PACED_CONV");
}

static void test_views(void **state) {
    (void)state;
    static const struct variant variants[] = {
        {16, 16, 3, 16, 33, 2, 2, 0, "winograd4", false},
        {17, 15, 3, 16, 33, 2, 2, 0, "winograd4", false},
        {17, 15, 5, 16, 33, 3, 2, 1, "winograd4", false},
        {17, 15, 5, 3, 7, 3, 2, 1, "winograd2", false},
        {17, 15, 16, 16, 32, 2, 2, 0, "kept4", false},
        {17, 15, 16, 64, 80, 2, 2, 0, "kept4", false}, /* a slice of channels ends within the second part */
        {17, 15, 16, 144, 16, 2, 2, 0, "kept2", false},
        {15, 33, 1, 17, 35, 2, 2, 0, "im2col", false},
        {5, 7, 2, 2, 5, 3, 2, 1, "im2col", true},
        {5, 4, 1, 1, 3, 2, 2, 0, "winograd2", true},
        {7, 5, 2, 4, 9, 3, 2, 1, "winograd4", true},
    };
    for (size_t i = 0; i < PACED_COUNT(variants); ++i)
        if (variants[i].small || !harness_is_small()) check(&variants[i]);
}

/* Concatenation of more parts than a source has: its inputs are stored, while their own inputs are views. */
static void test_too_many_parts(void **state) {
    (void)state;
    struct net net = net_start(4, 5, 2);
    struct paced_tensor *a = conv_bn(&net, "a", net.input, 2), *b = conv_bn(&net, "b", net.input, 3);
    struct paced_tensor *inner = paced_concat(net.graph, a, b), *outer = paced_concat(net.graph, inner, a);
    net_run(&net, paced_conv2d(net.graph, "d", outer, (struct paced_conv){3, 1, 1, 0, 1, true, false}), 1);
    assert_true(b->view && outer->view);
    assert_false(a->view || inner->view);
    struct net stored = net_start(4, 5, 2);
    paced_graph_store_all(stored.graph);
    a = conv_bn(&stored, "a", stored.input, 2);
    b = conv_bn(&stored, "b", stored.input, 3);
    outer = paced_concat(stored.graph, paced_concat(stored.graph, a, b), a);
    net_run(&stored, paced_conv2d(stored.graph, "d", outer, (struct paced_conv){3, 1, 1, 0, 1, true, false}), 1);
    compare("y", net.y, stored.y, stored.y_count);
    compare("dx", net.dx, stored.dx, stored.x_count);
    net_finish(&stored);
    net_finish(&net);
}

static struct paced_tensor *residual(struct net *net) {
    struct paced_tensor *branches[4];
    branches[0] = conv_bn(net, "a", net->input, 3);
    branches[1] =
        paced_pad_or_crop(net->graph, paced_upsample(net->graph, conv_bn(net, "b", net->input, 2), 2), net->input);
    branches[2] = paced_broadcast(net->graph, paced_global_pool(net->graph, branches[0]), net->input);
    branches[3] = paced_concat(net->graph, branches[1], branches[0]);
    struct paced_tensor *joined = conv_bn(net, "c", paced_concat_all(net->graph, 4, branches), 5);
    struct paced_tensor *sum = paced_add(net->graph, joined, conv_bn(net, "d", net->input, 5), true);
    sum = paced_conv_transpose2d(net->graph, "e", paced_add(net->graph, sum, joined, false),
                                 (struct paced_conv_transpose){4, 3, 2, 1, 1, true});
    return paced_resize(net->graph, conv_bn(net, "f", paced_batch_norm(net->graph, "e_bn", sum, true), 2), net->input);
}

/* Operations that need stored inputs, next to others that do not, and a concatenation of more parts than a view has. */
static void test_residual(void **state) {
    (void)state;
    if (harness_is_small()) skip();
    struct net views = net_start(4, 5, 2), stored = net_start(4, 5, 2);
    net_run(&views, residual(&views), 2);
    paced_graph_store_all(stored.graph);
    net_run(&stored, residual(&stored), 2);
    assert_true(count_views(&views) >= 4);
    compare("y", views.y, stored.y, stored.y_count);
    compare("dx", views.dx, stored.dx, stored.x_count);
    net_finish(&views);
    net_finish(&stored);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_views), cmocka_unit_test(test_too_many_parts),
                                          cmocka_unit_test(test_residual)};
HARNESS_MAIN(tests)
