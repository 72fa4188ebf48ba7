/* Distances between outlines against SciPy (tests/golden/metrics.py, which compares SciPy with MONAI), and the cases
 * that both leave undefined. */
#include "src/metrics/parts.h"

#include "paced/weights.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void check(struct paced_metrics got, double hd95, double nsd) {
    assert_float_equal(got.hd95, hd95, 1e-9);
    assert_float_equal(got.nsd, nsd, 1e-9);
}

static struct paced_metrics compare(int width, int height, const uint8_t *prediction, const uint8_t *label,
                                    uint8_t class_index, double tolerance) {
    struct surface *surface = surface_create(width, height);
    struct paced_metrics figures = surface_compare(surface, prediction, label, class_index, tolerance);
    surface_destroy(surface);
    return figures;
}

static void test_stored_numbers(void **state) {
    static const double tolerances[] = {0, 1, 1.5, 3};
    struct paced_weights golden = {0};
    const struct paced_entry *masks, *figures;
    int cases = 0;
    assert_int_equal(paced_safetensors_read(PACED_TESTS_DIR "/golden/metrics.safetensors", &golden), PACED_OK);
    for (;; ++cases) {
        char *name = paced_format("masks.%d", cases), *result = paced_format("figures.%d", cases);
        masks = paced_weights_find(&golden, name);
        figures = paced_weights_find(&golden, result);
        free(name);
        free(result);
        if (!masks) break;
        int height = (int)masks->shape[1], width = (int)masks->shape[2];
        const uint8_t *prediction = masks->data, *label = prediction + width * height;
        const double *expected = figures->data;
        struct surface *surface = surface_create(width, height);
        for (size_t t = 0; t < PACED_COUNT(tolerances); ++t)
            check(surface_compare(surface, prediction, label, 1, tolerances[t]), expected[0], expected[1 + t]);
        surface_destroy(surface);
    }
    assert_true(cases >= 10);
    paced_weights_finish(&golden);
}

/* Two pixels, 3 columns and 4 rows apart. */
static void test_two_pixels(void **state) {
    uint8_t prediction[5 * 6] = {0}, label[5 * 6] = {0};
    prediction[0] = 2;
    label[4 * 6 + 3] = 2;
    check(compare(6, 5, prediction, label, 2, 4.9), 5, 0);
    check(compare(6, 5, prediction, label, 2, 5), 5, 1);
}

static void test_empty_masks(void **state) {
    uint8_t none[12] = {0}, one[12] = {[5] = 1};
    check(compare(3, 4, none, none, 1, 2), 0, 1);
    check(compare(3, 4, one, none, 1, 2), 5, 0);
    check(compare(3, 4, none, one, 1, 2), 5, 0);
    check(compare(3, 4, one, one, 2, 2), 0, 1); /* neither map has class 2 */
}

enum { SIDE = 12 };

/* Distance of pixel (y, x) of outline `from` to the nearest pixel of the other one, by trying all. */
static double nearest(const uint8_t *other, int y, int x, const double spacing[2]) {
    double least = INFINITY;
    for (int v = 0; v < SIDE; ++v)
        for (int u = 0; u < SIDE; ++u)
            if (other[v * SIDE + u]) least = fmin(least, hypot(spacing[0] * (v - y), spacing[1] * (u - x)));
    return least;
}

/* Scattered pixels are their own outlines. nsd at each distance that occurs tells all distances. */
static void test_spacing(void **state) {
    static const double spacings[][2] = {{0.5, 0.5}, {3, 1}, {0.7, 2.3}};
    struct paced_rng rng;
    paced_rng_seed(&rng, 5, 0);
    for (size_t s = 0; s < PACED_COUNT(spacings); ++s) {
        uint8_t maps[2][SIDE * SIDE] = {{0}};
        double distances[2 * SIDE * SIDE], max = 0;
        size_t count = 0;
        for (int m = 0; m < 2; ++m)
            for (int i = 0; i < 9; ++i) maps[m][2 * (paced_rng_next(&rng) % (SIDE * SIDE / 2))] = 1;
        for (int m = 0; m < 2; ++m)
            for (int i = 0; i < SIDE * SIDE; ++i)
                if (maps[m][i]) distances[count++] = nearest(maps[!m], i / SIDE, i % SIDE, spacings[s]);
        struct surface *surface = surface_create(SIDE, SIDE);
        surface_set_spacing(surface, spacings[s]);
        for (size_t t = 0; t < count; ++t) {
            size_t within = 0;
            for (size_t k = 0; k < count; ++k) within += distances[k] <= distances[t] + 1e-9;
            struct paced_metrics got = surface_compare(surface, maps[0], maps[1], 1, distances[t] + 1e-9);
            assert_float_equal(got.nsd, (double)within / (double)count, 1e-12);
            max = fmax(max, distances[t]);
        }
        assert_true(surface_compare(surface, maps[0], maps[1], 1, 1).hd95 <= max);
        uint8_t none[SIDE * SIDE] = {0};
        check(surface_compare(surface, maps[0], none, 1, 1), hypot(SIDE * spacings[s][0], SIDE * spacings[s][1]), 0);
        surface_destroy(surface);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stored_numbers), cmocka_unit_test(test_two_pixels),
                                       cmocka_unit_test(test_empty_masks), cmocka_unit_test(test_spacing)};
    return cmocka_run_group_tests_name("surface", tests, NULL, NULL);
}
