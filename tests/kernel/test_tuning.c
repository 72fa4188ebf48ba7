/* Effects of a device's tuning: the algorithm of a convolution, the setting of the matrix products, and the hash that
 * distinguishes ways of computing. */
#include <stdlib.h>
#include <string.h>

#include "paced/models.h"
#include "tests/capture.h"
#include "tests/kernel/harness.h"
#include "tests/square.h"

static const char KEY[] = "9x8x16-16 k3 s1 p1 d1 n1 forward";

static struct net conv_net(void) {
    struct net net = net_start(9, 8, 16);
    struct paced_conv conv = {16, 3, 1, 1, 1, true, false};
    net_prepare(&net, paced_conv2d(net.graph, "conv", net.input, conv), 1, 1);
    return net;
}

/* Output in inference with the given algorithm, forced or tuned. */
static float *output_by(const char *forced, const char *tuned) {
    struct net net = conv_net();
    if (forced) setenv("PACED_CONV", forced, 1);
    if (tuned) paced_tuning_set(paced_device_tuning(harness_device), "convolution", KEY, tuned, NULL);
    net_forward(&net, false);
    unsetenv("PACED_CONV");
    float *y = paced_alloc(net.y_count, sizeof *y);
    memcpy(y, net.y, net.y_count * sizeof *y);
    net_finish(&net);
    return y;
}

/* Algorithms round differently, so equal bits mean the same algorithm. */
static void test_algorithm(void **state) {
    (void)state;
    static const char *const names[] = {"im2col", "winograd2", "winograd4"};
    float *forced[3], *tuned[3];
    size_t bytes = 9 * 8 * 16 * sizeof(float);
    for (int i = 0; i < 3; ++i) {
        forced[i] = output_by(names[i], NULL);
        tuned[i] = output_by(NULL, names[i]);
        assert_memory_equal(tuned[i], forced[i], bytes);
    }
    assert_memory_not_equal(tuned[0], tuned[1], bytes);
    assert_memory_not_equal(tuned[1], tuned[2], bytes);
    for (int i = 0; i < 3; ++i) {
        free(forced[i]);
        free(tuned[i]);
    }
}

/* A wrong line is rejected before a network runs, and while it runs. */
static void assert_refused(const char *key, const char *algorithm, bool training, const char *says) {
    struct net net = conv_net();
    struct paced_tuning *tuning = paced_device_tuning(harness_device);
    struct capture capture;
    paced_tuning_set(tuning, "convolution", key, algorithm, NULL);
    capture_start(&capture);
    enum paced_err checked = paced_conv_check_tuning(net.graph, tuning, PACED_PRECISION_FLOAT32, 1),
                   run = paced_exec_forward(net.exec, 1, training);
    capture_end(&capture);
    assert_int_equal(checked, PACED_INVALID);
    assert_int_equal(run, PACED_INVALID);
    assert_non_null(strstr(capture.text, key));
    assert_non_null(strstr(capture.text, says));
    paced_tuning_set(tuning, "convolution", key, "im2col", NULL);
    assert_int_equal(paced_conv_check_tuning(net.graph, tuning, PACED_PRECISION_FLOAT32, 1), PACED_OK);
    assert_int_equal(paced_exec_forward(net.exec, 1, training), PACED_OK);
    net_finish(&net);
}

static void test_wrong_algorithms(void **state) {
    (void)state;
    assert_refused(KEY, "winograd9", false, "no such algorithm");
    assert_refused("9x8x16-16 k3 s1 p1 d1 n1 forward-training", "winograd4", true, "too inaccurate");
}

static void test_settings(void **state) {
    (void)state;
    const char *first = paced_gemm_setting_at(harness_device, 0), *used;
    bool right;
    assert_non_null(first);
    assert_ok(paced_gemm_use(harness_device, first, &right));
    assert_true(right);
    assert_ok(paced_gemm_setting(harness_device, &used));
    assert_string_equal(used, first);
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_gemm_use(harness_device, "no such setting", &right);
    capture_end(&capture);
    assert_int_equal(err, PACED_FAILED);
    assert_false(right);
    assert_ok(paced_gemm_setting(harness_device, &used));
    assert_string_equal(used, first);
}

static void test_hash(void **state) {
    (void)state;
    struct paced_tuning *tuning = paced_device_tuning(harness_device);
    char before[17], after[17], back[17];
    paced_tuning_set(tuning, "convolution", KEY, "im2col", NULL);
    assert_ok(paced_device_tuning_hash(harness_device, before));
    paced_device_tuning_describe(harness_device, "people read this");
    paced_tuning_set(tuning, "convolution", KEY, "winograd2", NULL);
    assert_ok(paced_device_tuning_hash(harness_device, after));
    paced_tuning_set(tuning, "convolution", KEY, "im2col", "a note");
    assert_ok(paced_device_tuning_hash(harness_device, back));
    assert_int_equal(strspn(before, "0123456789abcdef"), 16);
    assert_string_not_equal(before, after);
    assert_string_equal(before, back);
}

static bool is_setting(const char *name) {
    const char *known;
    for (size_t i = 0; (known = paced_gemm_setting_at(harness_device, i)); ++i)
        if (strcmp(known, name) == 0) return true;
    return false;
}

/* The shipped files fit this program: it knows their algorithms and shapes. */
static void test_shipped_files(void **state) {
    (void)state;
    if (paced_device_info(harness_device)->variant != PACED_VARIANT_CPU) skip();
    static const char *const files[] = {"pocl-cpu-8.ini", "pocl-cpu-16.ini", "intel-cpu-8.ini", "intel-cpu-16.ini"};
    struct paced_graph *unet;
    assert_ok(paced_model_build(&unet, "unet", square(224), 2, 64));
    char *key = paced_conv_tuning_key(paced_graph_node(unet, 0), 4,
                                      (struct paced_conv_use){PACED_CONV_FORWARD, PACED_PRECISION_FLOAT32, NULL});
    for (size_t i = 0; i < PACED_COUNT(files); ++i) {
        struct paced_tuning *tuning = paced_tuning_create();
        char *path = paced_path_join(PACED_TESTS_DIR "/../data/tuning", files[i]);
        assert_ok(paced_tuning_read(tuning, path));
        assert_true(is_setting(paced_tuning_get(tuning, "gemm", "setting")));
        assert_non_null(paced_tuning_get(tuning, "convolution", key));
        assert_ok(paced_conv_check_tuning(unet, tuning, PACED_PRECISION_FLOAT32, 4));
        paced_tuning_destroy(tuning);
        free(path);
    }
    free(key);
    paced_graph_destroy(unet);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_algorithm), cmocka_unit_test(test_wrong_algorithms), cmocka_unit_test(test_settings),
    cmocka_unit_test(test_hash),      cmocka_unit_test(test_shipped_files),
};
HARNESS_MAIN(tests)
