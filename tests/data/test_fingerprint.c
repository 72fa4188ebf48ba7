/* Image fingerprints: their product is the correlation of the thumbnails, and groups equal those of an exhaustive
 * search over all pairs. Splits: whole groups, every trait in proportion. */
#include "helper.h"

#include <math.h>

enum { SIDE = PACED_FINGERPRINT_SIDE, N = PACED_FINGERPRINT_VALUES };

/* Smooth random grey levels, determined by the seed. */
static struct paced_image make_image(uint64_t seed, int width, int height) {
    struct paced_rng rng;
    paced_rng_seed(&rng, seed, 0);
    double wave[6][3];
    for (int k = 0; k < 6; ++k)
        for (int c = 0; c < 3; ++c) wave[k][c] = 2 * paced_rng_uniform(&rng) - 1;
    struct paced_image image = {width, height, malloc((size_t)(width * height * 3))};
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            double value = 128;
            for (int k = 0; k < 6; ++k)
                value += 20 * sin(9 * (wave[k][0] * x / width + wave[k][1] * y / height) + 9 * wave[k][2]);
            memset(image.rgb + 3 * (y * width + x), (int)value, 3);
        }
    }
    return image;
}

static double dot(const float *p, const float *q) {
    double sum = 0;
    for (int k = 0; k < N; ++k) sum += (double)p[k] * q[k];
    return sum;
}

/* Reference correlation from the definition, for sides that are multiples of 24. */
static void thumbnail(const struct paced_image *image, double *t) {
    const int w = image->width / SIDE, h = image->height / SIDE;
    double mean = 0, length = 0;
    for (int i = 0; i < SIDE * SIDE; ++i) {
        t[i] = 0;
        for (int y = 0; y < h; ++y)
            for (int x = 0; x < w; ++x) {
                const uint8_t *p = image->rgb + 3 * ((i / SIDE * h + y) * image->width + i % SIDE * w + x);
                t[i] += (p[0] + p[1] + p[2]) / 3.0 / (w * h);
            }
        mean += t[i] / (SIDE * SIDE);
    }
    for (int i = 0; i < SIDE * SIDE; ++i) length += (t[i] - mean) * (t[i] - mean);
    for (int i = 0; i < SIDE * SIDE; ++i) t[i] = (t[i] - mean) / sqrt(length);
}

static void test_product_is_correlation(void **state) {
    (void)state;
    struct paced_image a = make_image(1, 72, 48), b = make_image(2, 24, 120);
    for (size_t i = 0; i < 3 * 72 * 48; i += 3) a.rgb[i] = (uint8_t)(a.rgb[i] / 2); /* not all grey */
    double t[SIDE * SIDE], u[SIDE * SIDE], expected = 0;
    float p[N], q[N];
    thumbnail(&a, t);
    thumbnail(&b, u);
    for (int i = 0; i < SIDE * SIDE; ++i) expected += t[i] * u[i];
    paced_fingerprint_take(&a, p);
    paced_fingerprint_take(&b, q);
    assert_true(fabs(dot(p, p) - 1) < 1e-5);
    assert_true(fabs(dot(p, q) - expected) < 1e-5);
    free(a.rgb);
    free(b.rgb);
}

/* Any size, also smaller than the thumbnail, gives nearly the same fingerprint. */
static void test_sizes(void **state) {
    (void)state;
    const int sizes[][2] = {{24, 24}, {25, 31}, {100, 37}, {224, 224}, {500, 351}};
    struct paced_image image = make_image(5, 240, 240);
    float reference[N], print[N];
    paced_fingerprint_take(&image, reference);
    free(image.rgb);
    for (size_t i = 0; i < PACED_COUNT(sizes); ++i) {
        image = make_image(5, sizes[i][0], sizes[i][1]);
        paced_fingerprint_take(&image, print);
        assert_true(dot(print, reference) > 0.995);
        free(image.rgb);
    }
    for (int size = 1; size < SIDE; size += 11) {
        image = make_image(5, size, size);
        paced_fingerprint_take(&image, print);
        for (int k = 0; k < N; ++k) assert_true(isfinite(print[k]));
        free(image.rgb);
    }
}

/* Images of the same uniform grey form one group at any size; no other image joins it, even at threshold 0. */
static void test_flat(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {7, 300}, {24, 24}, {513, 351}};
    static float prints[PACED_COUNT(sizes) + 3][N];
    const float *list[PACED_COUNT(prints)];
    size_t group[PACED_COUNT(prints)];
    float like[PACED_COUNT(prints)];
    for (size_t i = 0; i < PACED_COUNT(prints); ++i) {
        const bool same = i < PACED_COUNT(sizes), varied = i == PACED_COUNT(prints) - 1;
        struct paced_image image = make_image(3, same ? sizes[i][0] : 30, same ? sizes[i][1] : 30);
        if (!varied) memset(image.rgb, same ? 201 : 100 * (i % 2), 3 * (size_t)image.width * (size_t)image.height);
        paced_fingerprint_take(&image, prints[i]);
        list[i] = prints[i];
        free(image.rgb);
    }
    paced_fingerprint_group(list, PACED_COUNT(prints), 0, group, like);
    for (size_t i = 0; i < PACED_COUNT(prints); ++i) assert_int_equal(group[i], i < PACED_COUNT(sizes) ? 0 : i);
}

enum { COUNT = 60 };

static size_t root(const size_t *parent, size_t i) {
    while (parent[i] != i) i = parent[i];
    return i;
}

/* Ten images, six times each: some identical, some with noise, some different, some uniform, and one
 * that is excluded. */
static void test_groups(void **state) {
    (void)state;
    static float prints[COUNT][N];
    const float *list[COUNT];
    size_t parent[COUNT], group[COUNT];
    float like[COUNT];
    static const uint8_t grey[COUNT - 54] = {0, 90, 91, 0, 90, 255};
    struct paced_rng rng;
    paced_rng_seed(&rng, 9, 0);
    for (uint64_t i = 0; i < COUNT; ++i) {
        struct paced_image image = make_image(i % 10, 48, 48);
        const uint32_t noise = i < 20 ? 1 : i < 40 ? 9 : 120;
        for (size_t k = 0; k < 3 * 48 * 48; k += 1)
            image.rgb[k] = (uint8_t)(i >= 54 ? grey[i - 54] : image.rgb[k] / 2 + paced_rng_below(&rng, noise));
        paced_fingerprint_take(&image, prints[i]);
        list[i] = i == 20 ? NULL : prints[i];
        parent[i] = i;
        free(image.rgb);
    }
    int joined = 0;
    for (size_t i = 0; i < COUNT; ++i)
        for (size_t j = 0; j < i; ++j)
            if (list[i] && list[j] && i < 54 && dot(list[i], list[j]) >= 0.995) {
                const size_t a = root(parent, i), b = root(parent, j);
                parent[a > b ? a : b] = a > b ? b : a;
                joined++;
            }
    paced_fingerprint_group(list, COUNT, 0.995, group, like);
    for (size_t i = 0; i < 54; ++i) assert_int_equal(group[i], root(parent, i));
    assert_true(joined > 20);
    assert_int_equal(group[10], 0);
    assert_true(like[10] == 1);
    assert_true(group[20] == 20 && like[20] == 0);
    static const size_t alike[COUNT - 54] = {54, 55, 56, 54, 55, 59}; /* groups of the uniform images */
    for (size_t i = 54; i < COUNT; ++i) {
        assert_int_equal(group[i], alike[i - 54]);
        assert_true(like[i] == (grey[i - 54] <= 90 ? 1 : 0));
    }
}

/* 300 images in groups of 1 to 4, with four traits from common to rare. */
static void test_division(void **state) {
    (void)state;
    enum { IMAGES = 300 };
    size_t group[IMAGES], first[IMAGES + 1] = {0};
    uint32_t trait[IMAGES * 4];
    double total[4] = {0};
    struct paced_traits traits = {4, first, trait};
    for (size_t i = 0; i < IMAGES; ++i) {
        group[i] = i % 10 < 4 ? i - i % 10 : i;
        const size_t every[4] = {1, 2, 7, 30};
        first[i + 1] = first[i];
        for (uint32_t t = 0; t < 4; ++t)
            if (i % every[t] == 0) trait[first[i + 1]++] = t;
        for (size_t k = first[i]; k < first[i + 1]; ++k) total[trait[k]]++;
    }
    bool val[IMAGES], other[IMAGES];
    paced_split_pairs(IMAGES, group, &traits, 0.2, 1, val);
    double chosen[4] = {0};
    for (size_t i = 0; i < IMAGES; ++i) {
        assert_int_equal(val[i], val[group[i]]);
        for (size_t k = first[i]; k < first[i + 1]; ++k) chosen[trait[k]] += val[i];
    }
    for (int t = 0; t < 4; ++t) assert_true(fabs(chosen[t] - 0.2 * total[t]) < 2.5);
    paced_split_pairs(IMAGES, group, &traits, 0.2, 1, other);
    assert_memory_equal(val, other, sizeof val);
    paced_split_pairs(IMAGES, group, &traits, 0.2, 2, other);
    assert_memory_not_equal(val, other, sizeof val);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_product_is_correlation),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_division),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
