/* Networks as graphs, without a device: their parameters, sizes and errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "paced/models.h"
#include "tests/capture.h"
#include "tests/square.h"

static struct paced_graph *build(const char *arch, int size, int classes, int width) {
    struct paced_graph *graph;
    assert_int_equal(paced_model_build(&graph, arch, square(size), classes, width), PACED_OK);
    return graph;
}

static const char *const archs[] = {"unet", "linknet", "deeplabv3"};

/* Parameter counts of PyTorch. */
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

static const struct paced_param *find(const struct paced_graph *g, const char *name) {
    for (size_t i = 0; i < paced_graph_param_count(g); ++i)
        if (strcmp(paced_graph_get_param(g, i)->name, name) == 0) return paced_graph_get_param(g, i);
    print_error("there is no parameter %s\n", name);
    fail();
    return NULL;
}

/* torchvision's parts: normal, stddev sqrt(2 / fan-out). PyTorch's default: uniform, bound 1 / sqrt(fan-in), where the
 * "fan-in" of a transposed convolution is that of its output. */
static void test_initialisation(void **state) {
    (void)state;
    static const struct {
        const char *arch, *name;
        enum paced_init_kind init;
        double square; /* squared stddev or bound */
    } rows[] = {
        {"linknet", "in_block.0.weight", PACED_INIT_NORMAL, 2.0 / (64 * 49)},
        {"linknet", "encoder2.0.conv1.weight", PACED_INIT_NORMAL, 2.0 / (128 * 9)},
        {"linknet", "encoder4.0.downsample.0.weight", PACED_INIT_NORMAL, 2.0 / 512},
        {"linknet", "decoder4.conv1.0.weight", PACED_INIT_UNIFORM, 1.0 / 512},
        {"linknet", "decoder2.tp_conv.0.weight", PACED_INIT_UNIFORM, 1.0 / (32 * 9)},
        {"linknet", "tp_conv1.0.weight", PACED_INIT_UNIFORM, 1.0 / (32 * 9)},
        {"linknet", "tp_conv1.0.bias", PACED_INIT_UNIFORM, 1.0 / (32 * 9)},
        {"linknet", "conv2.0.bias", PACED_INIT_UNIFORM, 1.0 / (32 * 9)},
        {"linknet", "tp_conv2.weight", PACED_INIT_UNIFORM, 1.0 / (2 * 4)},
        {"deeplabv3", "resnet.resnet.0.weight", PACED_INIT_NORMAL, 2.0 / (64 * 49)},
        {"deeplabv3", "resnet.resnet.5.1.conv2.weight", PACED_INIT_NORMAL, 2.0 / (128 * 9)},
        {"deeplabv3", "resnet.layer4.0.conv1.weight", PACED_INIT_UNIFORM, 1.0 / (128 * 9)},
        {"deeplabv3", "resnet.layer5.0.downsample.0.weight", PACED_INIT_UNIFORM, 1.0 / 256},
        {"deeplabv3", "aspp.conv_3x3_2.bias", PACED_INIT_UNIFORM, 1.0 / (512 * 9)},
        {"unet", "up1.conv.double_conv.0.weight", PACED_INIT_UNIFORM, 1.0 / (1024 * 9)},
        {"unet", "up1.conv.double_conv.1.weight", PACED_INIT_CONSTANT, 1},
    };
    for (size_t i = 0; i < PACED_COUNT(rows); ++i) {
        struct paced_graph *g = build(rows[i].arch, 64, 2, 64);
        const struct paced_param *p = find(g, rows[i].name);
        double square = (double)p->init_value * (double)p->init_value;
        if (p->init != rows[i].init || square < 0.999999 * rows[i].square || square > 1.000001 * rows[i].square)
            fail_msg("%s: kind %d, %g squared", rows[i].name, (int)p->init, (double)p->init_value);
        paced_graph_destroy(g);
    }
}

/* Logits have the size of the image, for any size. */
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
    enum paced_err err = paced_model_build(&graph, arch, square(size), 2, width);
    capture_end(&capture);
    assert_int_equal(err, PACED_INVALID);
    assert_null(graph);
    if (!strstr(capture.text, says)) print_error("%s", capture.text);
    assert_non_null(strstr(capture.text, says));
}

/* Logits have the extent of the image, in every network and for any sides that it accepts. */
static void test_rectangles(void **state) {
    (void)state;
    for (int i = 0; paced_network_name(i); ++i) {
        struct paced_graph *graph;
        assert_int_equal(paced_model_build(&graph, paced_network_name(i), (struct paced_extent){96, 160}, 3, 8),
                         PACED_OK);
        struct paced_shape shape = paced_graph_get_output(graph)->shape;
        assert_int_equal(shape.h, 96);
        assert_int_equal(shape.w, 160);
        paced_graph_destroy(graph);
    }
    struct paced_graph *graph;
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_model_build(&graph, "linknet", (struct paced_extent){44, 46}, 2, 8);
    capture_end(&capture);
    assert_int_equal(err, PACED_INVALID);
    assert_non_null(strstr(capture.text, "use 44 x 48"));
}

static void test_refused(void **state) {
    (void)state;
    assert_refused("unet", 15, 8, "too small for this network");
    assert_refused("linknet", 45, 8, "multiples of 4 only; use 48");
    assert_refused("linknet", 2, 8, "use 4");
    assert_refused("linknet", 48, 6, "width 6");
    assert_refused("linknett", 48, 8, "did you mean linknet?");
    assert_refused("nothing", 48, 8, "unet, linknet, deeplabv3");
}

static void assert_starved(const char *arch, int size, int samples, const char *name) {
    struct paced_graph *g = build(arch, size, 2, 8);
    const struct paced_node *node = paced_graph_starved(g, samples);
    assert_true(name ? node && strcmp(node->name, name) == 0 : !node);
    paced_graph_destroy(g);
}

/* Normalisation over a single pixel of a single sample has no variance. */
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
        cmocka_unit_test(test_parameters), cmocka_unit_test(test_initialisation), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_rectangles), cmocka_unit_test(test_refused),        cmocka_unit_test(test_starved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
