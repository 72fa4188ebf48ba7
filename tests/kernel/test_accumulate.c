/* Accumulation of gradients: if a tensor has several readers, the first backward writes its gradient and the others
 * add.
 *
 * For every operation f, the gradient of [f(x), x] must be that of f(x) alone plus the second half of dy. In the first
 * network f writes dx; in the second it runs after concat and adds. */
#include <stdlib.h>

#include "tests/kernel/harness.h"

enum { N = 2, H = 6, W = 4 };

typedef struct paced_tensor *chain(struct paced_graph *graph, struct paced_tensor *x);

static struct paced_tensor *conv3x3(struct paced_graph *g, struct paced_tensor *x) {
    return paced_conv2d(g, "conv", x, (struct paced_conv){3, 3, 1, 1, 1, true, false});
}

static struct paced_tensor *conv1x1(struct paced_graph *g, struct paced_tensor *x) {
    return paced_conv2d(g, "conv", x, (struct paced_conv){17, 1, 1, 0, 1, true, false});
}

static struct paced_tensor *transposed3x3(struct paced_graph *g, struct paced_tensor *x) {
    return paced_conv_transpose2d(g, "conv", x, (struct paced_conv_transpose){3, 3, 1, 1, 0, true});
}

static struct paced_tensor *transposed2x2(struct paced_graph *g, struct paced_tensor *x) {
    return paced_pad_or_crop(
        g, paced_conv_transpose2d(g, "conv", x, (struct paced_conv_transpose){3, 2, 2, 0, 0, true}), x);
}

static struct paced_tensor *norm(struct paced_graph *g, struct paced_tensor *x) {
    return paced_batch_norm(g, "bn", x, true);
}

static struct paced_tensor *pool(struct paced_graph *g, struct paced_tensor *x) {
    return paced_pad_or_crop(g, paced_max_pool(g, x, 2, 2, 0), x);
}

static struct paced_tensor *enlarge(struct paced_graph *g, struct paced_tensor *x) {
    return paced_pad_or_crop(g, paced_upsample(g, x, 2), x);
}

static struct paced_tensor *resize(struct paced_graph *g, struct paced_tensor *x) {
    return paced_resize(g, paced_resize(g, x, &(struct paced_tensor){.shape = {9, 3, 1}}), x);
}

static struct paced_tensor *pool_and_broadcast(struct paced_graph *g, struct paced_tensor *x) {
    return paced_broadcast(g, paced_global_pool(g, x), x);
}

static struct paced_tensor *crop_and_pad(struct paced_graph *g, struct paced_tensor *x) {
    const struct paced_tensor like = {.shape = {H - 3, W + 1, 1}};
    return paced_pad_or_crop(g, paced_pad_or_crop(g, x, &like), x);
}

static struct paced_tensor *sum(struct paced_graph *g, struct paced_tensor *x) {
    return paced_add(g, x, paced_relu(g, x), true);
}

static struct paced_tensor *itself(struct paced_graph *g, struct paced_tensor *x) {
    return paced_concat(g, x, x);
}

/* Fork and join, as in a residual network: an inner tensor has two readers. */
static struct paced_tensor *fork_join(struct paced_graph *g, struct paced_tensor *x) {
    struct paced_tensor *both = paced_concat(g, conv3x3(g, x), norm(g, x));
    return paced_conv2d(g, "join", both, (struct paced_conv){2, 1, 1, 0, 1, false, false});
}

static void check(const char *name, chain *f, int c) {
    struct net both = net_start(H, W, c), alone = net_start(H, W, c);
    net_run(&both, paced_concat(both.graph, f(both.graph, both.input), both.input), N);
    struct paced_tensor *output = f(alone.graph, alone.input);
    size_t pixels = N * H * W, k = (size_t)output->shape.c, all = k + (size_t)c;
    alone.dy = paced_alloc(pixels * k, sizeof *alone.dy);
    for (size_t i = 0; i < pixels * k; ++i) alone.dy[i] = both.dy[i / k * all + i % k];
    net_run(&alone, output, N);
    double *want = paced_alloc(both.x_count, sizeof *want);
    for (size_t i = 0; i < both.x_count; ++i)
        want[i] = (double)alone.dx[i] + (double)both.dy[i / (size_t)c * all + k + i % (size_t)c];
    assert_close(name, both.dx, want, both.x_count, 1e-6);
    free(want);
    net_finish(&both);
    net_finish(&alone);
}

static const struct {
    const char *name;
    chain *f;
} chains[] = {{"conv2d, 3x3", conv3x3},
              {"conv2d, 1x1", conv1x1},
              {"conv_transpose2d, 3x3", transposed3x3},
              {"conv_transpose2d, 2x2", transposed2x2},
              {"batch_norm", norm},
              {"relu", paced_relu},
              {"add", sum},
              {"max_pool", pool},
              {"upsample", enlarge},
              {"resize", resize},
              {"global_pool, broadcast", pool_and_broadcast},
              {"fit", crop_and_pad},
              {"concat", itself},
              {"two readers", fork_join}};

static void test_every_operation(void **state) {
    (void)state;
    for (size_t i = 0; i < PACED_COUNT(chains); ++i) {
        check(chains[i].name, chains[i].f, 3);
        if (!harness_is_small()) check(chains[i].name, chains[i].f, 16);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_every_operation),
};
HARNESS_MAIN(tests)
