/* The memory plan, without a device: a step is simulated, every tensor marks the memory that it is written to, and
 * every read must find its own mark. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "paced/models.h"
#include "paced/ops.h"
#include "tests/capture.h"
#include "tests/square.h"

enum { ALIGN = 128, WORKSPACE = 1 << 20 };
static const uint64_t PLENTY = UINT64_C(1) << 40;

static struct paced_graph *network(const char *arch, int size, int width) {
    struct paced_graph *graph;
    assert_int_equal(paced_model_build(&graph, arch, square(size), 2, width), PACED_OK);
    return graph;
}

static struct paced_graph *unet(int size, int width) {
    return network("unet", size, width);
}

/* A fork, a join, a tensor read twice by one node, and a node whose backward reads its output. */
static struct paced_graph *fork_and_join(void) {
    struct paced_graph *g = paced_graph_create();
    struct paced_tensor *x = paced_graph_input(g, "x", (struct paced_shape){9, 7, 3});
    const struct paced_conv conv = {5, 3, 1, 1, 1, true, false};
    struct paced_tensor *a = paced_conv2d(g, "a", x, conv), *b = paced_relu(g, a);
    struct paced_tensor *c = paced_batch_norm(g, "c", paced_concat(g, b, a), true);
    struct paced_tensor *d = paced_pad_or_crop(g, paced_upsample(g, paced_max_pool(g, c, 2, 2, 0), 2), c);
    paced_graph_output(g, paced_conv2d(g, "e", paced_concat(g, paced_concat(g, d, d), b), conv));
    assert_int_equal(paced_graph_error(g), PACED_OK);
    return g;
}

static struct paced_plan plan_of(const struct paced_graph *g, int batch, enum paced_mode mode, uint64_t limit,
                                 uint64_t align) {
    struct paced_plan plan;
    assert_int_equal(
        paced_plan_make(&plan, g, batch, mode, PACED_PRECISION_FLOAT32, (struct paced_limits){limit, align, WORKSPACE}),
        PACED_OK);
    return plan;
}

static uint64_t bytes_of(const struct paced_tensor *t, int batch) {
    return paced_shape_count(t->shape) * t->element_bytes * (t->per_sample ? (uint64_t)batch : 1);
}

/* ---- simulation ------------------------------------------------------------------------------------------------ */

/* Last writer of each block of `align` bytes of each chunk. */
struct walk {
    const struct paced_plan *plan;
    uint64_t align;
    const void ***owners;
};

static void write_mark(struct walk *w, const struct paced_place *p, const void *owner) {
    assert_true(p->used);
    for (uint64_t i = p->offset / w->align; i < (p->offset + p->bytes) / w->align; ++i) w->owners[p->chunk][i] = owner;
}

static void read_mark(struct walk *w, const struct paced_place *p, const void *owner) {
    assert_true(p->used);
    for (uint64_t i = p->offset / w->align; i < (p->offset + p->bytes) / w->align; ++i)
        assert_ptr_equal(w->owners[p->chunk][i], owner);
}

/* Marks the memory of a tensor with its location. */
static void write_value(struct walk *w, const struct paced_tensor *t) {
    write_mark(w, &w->plan->values[t->index], &w->plan->values[t->index]);
}

static void read_value(struct walk *w, const struct paced_tensor *t) {
    read_mark(w, &w->plan->values[t->index], &w->plan->values[t->index]);
}

/* Checks the source of a view, which is read in place. */
static void read_source(struct walk *w, const struct paced_tensor *t) {
    for (int i = 0; i < t->source.parts; ++i) {
        const struct paced_part *p = &t->source.part[i];
        assert_false(p->stored->view);
        read_value(w, p->stored);
        if (p->map) read_value(w, p->map);
    }
}

static void write_grad(struct walk *w, const struct paced_tensor *t) {
    write_mark(w, &w->plan->grads[t->index], &w->plan->grads[t->index]);
}

static void read_grad(struct walk *w, const struct paced_tensor *t) {
    read_mark(w, &w->plan->grads[t->index], &w->plan->grads[t->index]);
}

/* Inputs are also checked after the output is written, because a kernel reads and writes at the same time. */
static void walk_forward(struct walk *w, const struct paced_node *node) {
    if (node->out->view)
        assert_false(w->plan->values[node->out->index].used);
    else
        write_value(w, node->out);
    if (node->saved) write_value(w, node->saved);
    for (int k = 0; k < node->inputs; ++k) read_source(w, node->in[k]);
    read_source(w, node->out);
}

static void walk_backward(struct walk *w, const struct paced_node *node, bool *written) {
    for (int k = 0; k < node->inputs; ++k) {
        const struct paced_tensor *in = node->in[k];
        if (!in->needs_grad) continue;
        if (written[in->index]) read_grad(w, in);
        write_grad(w, in);
        written[in->index] = true;
    }
    read_grad(w, node->out);
    if (node->saved) read_value(w, node->saved);
    if (node->op->backward_reads & PACED_READS_OUTPUT) read_value(w, node->out);
    for (int k = 0; k < node->inputs; ++k)
        if (node->op->backward_reads & PACED_READS_INPUT) read_source(w, node->in[k]);
}

static void walk_step(struct walk *w, const struct paced_graph *g) {
    size_t nodes = paced_graph_node_count(g);
    bool *written = paced_alloc(w->plan->tensor_count, sizeof *written);
    write_value(w, paced_graph_get_input(g));
    for (size_t i = 0; i < nodes; ++i) walk_forward(w, paced_graph_node(g, i));
    read_value(w, paced_graph_get_output(g));
    if (w->plan->mode == PACED_TRAINING) {
        write_grad(w, paced_graph_get_output(g));
        read_value(w, paced_graph_get_output(g)); /* the loss reads its input while it writes the gradient */
        for (size_t i = nodes; i-- > 0;) walk_backward(w, paced_graph_node(g, i), written);
    }
    free(written);
}

static void check_walk(const struct paced_graph *g, const struct paced_plan *plan, uint64_t align) {
    struct walk w = {plan, align, paced_alloc((size_t)plan->chunk_count, sizeof *w.owners)};
    for (int i = 0; i < plan->chunk_count; ++i) w.owners[i] = paced_alloc(plan->chunk_bytes[i] / align, sizeof(void *));
    walk_step(&w, g);
    for (int i = 0; i < plan->chunk_count; ++i) free(w.owners[i]);
    free(w.owners);
}

/* ---- locations ------------------------------------------------------------------------------------------------- */

static void check_place(const struct paced_plan *plan, const struct paced_place *p, uint64_t bytes, uint64_t align) {
    if (!p->used) return;
    assert_true(p->first <= p->last);
    assert_true(p->bytes >= bytes);
    assert_int_equal(p->offset % align, 0);
    assert_in_range(p->chunk, 0, plan->chunk_count - 1);
    assert_true(p->offset + p->bytes <= plan->chunk_bytes[p->chunk]);
}

static void check_apart(const struct paced_place *a, const struct paced_place *b) {
    bool together = a->used && b->used && a->chunk == b->chunk && a->first <= b->last && b->first <= a->last;
    if (together) assert_true(a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset);
}

static void check_pairs(const struct paced_plan *plan) {
    for (size_t i = 0; i < plan->tensor_count; ++i)
        for (size_t j = 0; j < plan->tensor_count; ++j) {
            check_apart(&plan->values[i], &plan->grads[j]);
            if (i == j) continue;
            check_apart(&plan->values[i], &plan->values[j]);
            check_apart(&plan->grads[i], &plan->grads[j]);
        }
}

static void check_plan(const struct paced_graph *g, const struct paced_plan *plan, uint64_t limit, uint64_t align) {
    uint64_t workspace = 0, total = 0;
    for (size_t i = 0; i < paced_graph_node_count(g); ++i) {
        const struct paced_node *node = paced_graph_node(g, i);
        const struct paced_tensor *tensors[] = {node->out, node->saved, node->in[0]};
        for (size_t k = 0; k < PACED_COUNT(tensors); ++k) {
            if (!tensors[k]) continue;
            uint64_t bytes = bytes_of(tensors[k], plan->batch);
            check_place(plan, &plan->values[tensors[k]->index], bytes, align);
            check_place(plan, &plan->grads[tensors[k]->index], bytes, align);
        }
        uint64_t scaled = node->op->workspace ? node->op->workspace(node, plan->batch, WORKSPACE) : 0;
        if (scaled > workspace) workspace = scaled;
        if (node->workspace_bytes > workspace) workspace = node->workspace_bytes;
    }
    assert_int_equal(plan->workspace_bytes, workspace);
    for (int i = 0; i < plan->chunk_count; ++i) {
        assert_true(plan->chunk_bytes[i] > 0 && plan->chunk_bytes[i] <= limit);
        total += plan->chunk_bytes[i];
    }
    assert_int_equal(paced_plan_bytes(plan), total + workspace);
    assert_true(total <= plan->unshared_bytes);
    check_pairs(plan);
    check_walk(g, plan, align);
}

static uint64_t largest_tensor(const struct paced_graph *g, int batch, uint64_t align) {
    uint64_t most = bytes_of(paced_graph_get_input(g), batch);
    for (size_t i = 0; i < paced_graph_node_count(g); ++i) {
        uint64_t bytes = bytes_of(paced_graph_node(g, i)->out, batch);
        if (bytes > most) most = bytes;
    }
    return (most + align - 1) / align * align;
}

/* Checks both modes and two alignments, with one chunk and with chunks limited to the largest tensor. */
static void check_graph(const struct paced_graph *g, int batch) {
    static const enum paced_mode modes[] = {PACED_INFERENCE, PACED_TRAINING};
    static const uint64_t aligns[] = {ALIGN, 4096};
    for (size_t m = 0; m < PACED_COUNT(modes); ++m)
        for (size_t a = 0; a < PACED_COUNT(aligns); ++a) {
            uint64_t most = largest_tensor(g, batch, aligns[a]), limits[] = {PLENTY, most, 3 * most / 2};
            for (size_t l = 0; l < PACED_COUNT(limits); ++l) {
                struct paced_plan plan = plan_of(g, batch, modes[m], limits[l], aligns[a]);
                check_plan(g, &plan, limits[l], aligns[a]);
                assert_true(limits[l] != PLENTY || plan.chunk_count == 1);
                assert_true(limits[l] != most || plan.chunk_count > 1);
                paced_plan_finish(&plan);
            }
        }
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static void test_unet(void **state) {
    (void)state;
    static const int sizes[] = {16, 48, 61};
    for (size_t i = 0; i < PACED_COUNT(sizes); ++i) {
        struct paced_graph *g = unet(sizes[i], 8);
        check_graph(g, 2);
        paced_graph_destroy(g);
    }
}

/* A tensor added to its own descendant, five branches of one tensor, and cropped sizes. */
static void test_residual(void **state) {
    (void)state;
    static const char *const archs[] = {"linknet", "deeplabv3"};
    for (size_t i = 0; i < PACED_COUNT(archs); ++i) {
        struct paced_graph *g = network(archs[i], 44, 8);
        check_graph(g, 2);
        paced_graph_destroy(g);
    }
}

static void test_fork_and_join(void **state) {
    (void)state;
    struct paced_graph *g = fork_and_join();
    check_graph(g, 3);
    paced_graph_destroy(g);
    g = fork_and_join();
    ((struct paced_tensor *)paced_graph_get_input(g))->needs_grad = true;
    check_graph(g, 1);
    paced_graph_destroy(g);
}

/* Step i is the forward pass of node i, N is the loss, 2 N - i is the backward pass of node i. */
static void test_lifetimes(void **state) {
    (void)state;
    struct paced_graph *g = paced_graph_create();
    struct paced_tensor *x = paced_graph_input(g, "x", (struct paced_shape){4, 4, 3});
    struct paced_tensor *a = paced_conv2d(g, "a", x, (struct paced_conv){2, 1, 1, 0, 1, true, false}); /* node 0 */
    struct paced_tensor *b = paced_relu(g, a);                                                         /* node 1 */
    struct paced_tensor *c = paced_max_pool(g, b, 2, 2, 0);                                            /* node 2 */
    paced_graph_output(g, c);
    const struct paced_tensor *places = paced_graph_node(g, 2)->saved;
    struct paced_plan training = plan_of(g, 1, PACED_TRAINING, PLENTY, ALIGN);
    const struct {
        const struct paced_place *place;
        int first, last;
    } expected[] = {
        {&training.values[x->index], 0, 6},      /* read by the backward pass of conv2d */
        {&training.values[a->index], 0, 1},      /* the backward pass of relu reads its output instead */
        {&training.values[b->index], 1, 5},      /* the backward pass of pooling reads only the indices */
        {&training.values[c->index], 2, 3},      /* the loss */
        {&training.values[places->index], 2, 4}, /* indices of the maxima */
        {&training.grads[c->index], 3, 4},       {&training.grads[b->index], 4, 5}, {&training.grads[a->index], 5, 6},
    };
    for (size_t i = 0; i < PACED_COUNT(expected); ++i) {
        assert_true(expected[i].place->used);
        assert_int_equal(expected[i].place->first, expected[i].first);
        assert_int_equal(expected[i].place->last, expected[i].last);
    }
    assert_false(training.grads[x->index].used);
    assert_false(training.grads[places->index].used);
    paced_plan_finish(&training);

    struct paced_plan inference = plan_of(g, 1, PACED_INFERENCE, PLENTY, ALIGN);
    assert_int_equal(inference.values[x->index].last, 0);
    assert_int_equal(inference.values[b->index].last, 2);
    assert_int_equal(inference.values[c->index].last, 3);
    for (size_t i = 0; i < inference.tensor_count; ++i) assert_false(inference.grads[i].used);
    paced_plan_finish(&inference);
    paced_graph_destroy(g);
}

static void test_sharing_pays(void **state) {
    (void)state;
    struct paced_graph *g = unet(64, 16);
    struct paced_plan training = plan_of(g, 4, PACED_TRAINING, PLENTY, ALIGN),
                      inference = plan_of(g, 4, PACED_INFERENCE, PLENTY, ALIGN);
    uint64_t shared = paced_plan_bytes(&training) - training.workspace_bytes,
             forward = paced_plan_bytes(&inference) - inference.workspace_bytes;
    assert_true(forward < shared / 2);
    assert_true(shared < training.unshared_bytes * 3 / 4);
    assert_true(forward < inference.unshared_bytes / 2);
    paced_plan_finish(&training);
    paced_plan_finish(&inference);
    paced_graph_destroy(g);
}

/* ---- mixed precision ------------------------------------------------------------------------------------------- */

static struct paced_plan mixed_plan(const struct paced_graph *g, enum paced_mode mode) {
    struct paced_plan plan;
    assert_int_equal(
        paced_plan_make(&plan, g, 4, mode, PACED_PRECISION_MIXED, (struct paced_limits){PLENTY, ALIGN, WORKSPACE}),
        PACED_OK);
    return plan;
}

/* Bytes of one element of a stored tensor in mixed precision. */
static uint64_t element_bytes(const struct paced_graph *g, const struct paced_tensor *t) {
    bool at_the_end = t == paced_graph_get_input(g) || t == paced_graph_get_output(g);
    bool saved = t->producer && t->producer->saved == t;
    return at_the_end || saved ? t->element_bytes : 2;
}

static void check_bytes(const struct paced_graph *g, const struct paced_place *p, const struct paced_tensor *t) {
    uint64_t bytes = paced_shape_count(t->shape) * (t->per_sample ? 4 : 1) * element_bytes(g, t);
    if (p->used) assert_int_equal(p->bytes, (bytes + ALIGN - 1) / ALIGN * ALIGN);
}

static void check_tensor(const struct paced_graph *g, const struct paced_plan *plan, const struct paced_tensor *t) {
    check_bytes(g, &plan->values[t->index], t);
    check_bytes(g, &plan->grads[t->index], t);
}

static void check_halves(const char *arch) {
    struct paced_graph *g = network(arch, 64, 16);
    for (int mode = PACED_INFERENCE; mode <= PACED_TRAINING; ++mode) {
        struct paced_plan mixed = mixed_plan(g, (enum paced_mode)mode),
                          exact = plan_of(g, 4, (enum paced_mode)mode, PLENTY, ALIGN);
        check_tensor(g, &mixed, paced_graph_get_input(g));
        for (size_t i = 0; i < paced_graph_node_count(g); ++i) {
            const struct paced_node *node = paced_graph_node(g, i);
            check_tensor(g, &mixed, node->out);
            if (node->saved) check_tensor(g, &mixed, node->saved);
        }
        assert_true(mixed.unshared_bytes < exact.unshared_bytes * 6 / 10);
        assert_true(mixed.unshared_bytes > exact.unshared_bytes / 2);
        paced_plan_finish(&mixed);
        paced_plan_finish(&exact);
    }
    paced_graph_destroy(g);
}

static void test_mixed_precision(void **state) {
    (void)state;
    check_halves("unet");
    check_halves("linknet");
    check_halves("deeplabv3");
}

/* An operation that reads the float32 input and a bfloat16 tensor is refused by name, also through views. */
static void check_refused(struct paced_tensor *build(struct paced_graph *, struct paced_tensor *), const char *name) {
    struct paced_graph *g = paced_graph_create();
    struct paced_tensor *y = build(g, paced_graph_input(g, "image", (struct paced_shape){4, 4, 2}));
    paced_graph_output(g, paced_relu(g, y));
    struct paced_plan plan = plan_of(g, 4, PACED_TRAINING, PLENTY, ALIGN);
    paced_plan_finish(&plan);
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_plan_make(&plan, g, 4, PACED_TRAINING, PACED_PRECISION_MIXED,
                                         (struct paced_limits){PLENTY, ALIGN, WORKSPACE});
    capture_end(&capture);
    assert_int_equal(err, PACED_INVALID);
    assert_non_null(strstr(capture.text, name));
    assert_non_null(strstr(capture.text, "image"));
    assert_non_null(strstr(capture.text, "bfloat16"));
    paced_graph_destroy(g);
}

static struct paced_tensor *add_to_input(struct paced_graph *g, struct paced_tensor *x) {
    return paced_add(g, x, paced_relu(g, x), false);
}

static struct paced_tensor *convolve_with_input(struct paced_graph *g, struct paced_tensor *x) {
    struct paced_tensor *joined = paced_concat(g, paced_upsample(g, paced_max_pool(g, x, 2, 2, 0), 2), x);
    return paced_conv2d(g, "conv", joined, (struct paced_conv){2, 3, 1, 1, 1, true, false});
}

static void test_two_formats(void **state) {
    (void)state;
    check_refused(add_to_input, "add1");
    check_refused(convolve_with_input, "concat");
}

/* The same network gives the same plan: results do not depend on memory addresses. */
static void test_same_every_time(void **state) {
    (void)state;
    struct paced_graph *g = unet(48, 8), *h = unet(48, 8);
    struct paced_plan a = plan_of(g, 2, PACED_TRAINING, PLENTY, ALIGN),
                      b = plan_of(h, 2, PACED_TRAINING, PLENTY, ALIGN);
    assert_int_equal(a.tensor_count, b.tensor_count);
    for (size_t i = 0; i < a.tensor_count; ++i) {
        assert_int_equal(a.values[i].offset, b.values[i].offset);
        assert_int_equal(a.grads[i].offset, b.grads[i].offset);
    }
    paced_plan_finish(&a);
    paced_plan_finish(&b);
    paced_graph_destroy(g);
    paced_graph_destroy(h);
}

/* A tensor larger than the maximum chunk is rejected by name, without leaking memory. */
static void test_too_large(void **state) {
    (void)state;
    struct paced_graph *g = unet(48, 8);
    uint64_t most = largest_tensor(g, 2, ALIGN);
    struct paced_plan plan;
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_plan_make(&plan, g, 2, PACED_TRAINING, PACED_PRECISION_FLOAT32,
                                         (struct paced_limits){most - ALIGN, ALIGN, WORKSPACE});
    capture_end(&capture);
    assert_int_equal(err, PACED_FAILED);
    assert_non_null(strstr(capture.text, "tensor "));
    assert_non_null(strstr(capture.text, "smaller batch"));
    assert_null(plan.values);
    paced_plan_finish(&plan);
    paced_graph_destroy(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unet),          cmocka_unit_test(test_residual),
        cmocka_unit_test(test_fork_and_join), cmocka_unit_test(test_lifetimes),
        cmocka_unit_test(test_sharing_pays),  cmocka_unit_test(test_same_every_time),
        cmocka_unit_test(test_too_large),     cmocka_unit_test(test_mixed_precision),
        cmocka_unit_test(test_two_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
