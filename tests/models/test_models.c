/* Networks as graphs, without a device: what they are made of, and what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "paced/models.h"
#include "tests/capture.h"

static struct paced_graph *build(const char *arch, int size, int classes, int width) {
    struct paced_graph *graph;
    assert_int_equal(paced_model_build(&graph, arch, size, classes, width), PACED_OK);
    return graph;
}

static const char *const archs[] = {"unet", "linknet", "deeplabv3"};

/* As PyTorch counts them. */
static void test_parameters(void **state) {
    (void)state;
    static const struct {
        const char *arch;
        int classes, width;
        uint64_t count;
    } rows[] = {{"unet", 2, 64, 17267458},    {"unet", 2, 16, 1082050},      {"linknet", 2, 64, 11533506},
                {"linknet", 2, 16, 724866},   {"linknet", 5, 64, 11533893},  {"deeplabv3", 2, 64, 15310402},
                {"deeplabv3", 2, 16, 961426}, {"deeplabv3", 5, 64, 15311173}};
    for (size_t i = 0; i < PACED_COUNT(rows); ++i) {
        struct paced_graph *g = build(rows[i].arch, 64, rows[i].classes, rows[i].width);
        assert_int_equal(paced_graph_trained_count(g), rows[i].count);
        paced_graph_destroy(g);
    }
}

/* Logits as large as the image, whatever its size. */
static void test_sizes(void **state) {
    (void)state;
    static const int sizes[] = {16, 20, 44, 45, 61, 96, 100, 224};
    for (size_t a = 0; a < PACED_COUNT(archs); ++a)
        for (size_t i = 0; i < PACED_COUNT(sizes); ++i) {
            if (a == 1 && sizes[i] % 4 != 0) continue;
            struct paced_graph *g = build(archs[a], sizes[i], 3, 8);
            struct paced_shape shape = paced_graph_get_output(g)->shape;
            assert_int_equal(shape.h, sizes[i]);
            assert_int_equal(shape.w, sizes[i]);
            assert_int_equal(shape.c, 3);
            paced_graph_destroy(g);
        }
}

static void assert_refused(const char *arch, int size, int width, const char *says) {
    struct paced_graph *graph;
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_model_build(&graph, arch, size, 2, width);
    capture_end(&capture);
    assert_int_equal(err, PACED_INVALID);
    assert_null(graph);
    if (!strstr(capture.text, says)) print_error("%s", capture.text);
    assert_non_null(strstr(capture.text, says));
}

static void test_refused(void **state) {
    (void)state;
    assert_refused("unet", 15, 8, "data.size");
    assert_refused("linknet", 45, 8, "multiples of 4 only; take 48");
    assert_refused("linknet", 2, 8, "take 4");
    assert_refused("linknet", 48, 6, "model.width = 6");
    assert_refused("linknett", 48, 8, "did you mean linknet?");
    assert_refused("nothing", 48, 8, "unet, linknet, deeplabv3");
}

static void assert_starved(const char *arch, int size, int samples, const char *name) {
    struct paced_graph *g = build(arch, size, 2, 8);
    const struct paced_node *node = paced_graph_starved(g, samples);
    assert_true(name ? node && strcmp(node->name, name) == 0 : !node);
    paced_graph_destroy(g);
}

/* Where a plane of one pixel is normalised, one sample has no variance. */
static void test_starved(void **state) {
    (void)state;
    assert_starved("deeplabv3", 96, 1, "aspp.bn_conv_1x1_2");
    assert_starved("deeplabv3", 96, 2, NULL);
    assert_starved("linknet", 64, 1, NULL);
    assert_starved("linknet", 32, 1, "encoder4.0.bn1");
    assert_starved("unet", 48, 1, NULL);
    assert_starved("unet", 16, 1, "down4.maxpool_conv.1.double_conv.1");
    assert_starved("unet", 16, 2, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_starved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
