/* Corruptions: common properties, and properties of some that follow from arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/perturb.h"
#include "tests/square.h"

enum { MOST = 224 };
static const int sizes[] = {1, 2, 15, 33, 64};
static float clean[MOST * MOST * 3], rgb[MOST * MOST * 3], again[MOST * MOST * 3];
static uint8_t label[MOST * MOST];

/* A coloured picture with black and white, smooth regions and an edge. */
static void draw(int size) {
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x)
            for (int c = 0; c < 3; ++c) {
                const double u = (double)x / size, v = (double)y / size;
                const double value = 0.5 + 0.6 * sin(7 * u + c) * cos(5 * v - c) + (u + v > 1 ? 0.1 : 0);
                clean[(y * size + x) * 3 + c] = (float)fmin(fmax(value, 0), 1);
            }
}

static void fill(int size, float red, float green, float blue) {
    for (int i = 0; i < size * size; ++i) {
        clean[3 * i] = red;
        clean[3 * i + 1] = green;
        clean[3 * i + 2] = blue;
    }
}

static bool moves_pixels(size_t corruption) {
    return paced_corruption_is_geometric(corruption) || strcmp(paced_corruption_name(corruption), "elastic") == 0;
}

/* Corrupts `clean` into `result`; checks that the label is unchanged if required. */
static void corrupt(size_t corruption, int severity, uint64_t seed, int size, float *result) {
    struct paced_rng rng;
    struct paced_sample sample = {square(size), result, label};
    paced_rng_seed(&rng, seed, 0);
    memcpy(result, clean, sizeof clean);
    for (int i = 0; i < size * size; ++i) label[i] = (uint8_t)(i % 5);
    assert_int_equal(paced_corrupt(corruption, severity, &rng, &sample), PACED_OK);
    if (moves_pixels(corruption)) return;
    for (int i = 0; i < size * size; ++i) assert_int_equal(label[i], i % 5);
}

/* Geometric corruptions fill with the label `outside`; the image does not depend on it. */
static void check_outside(size_t corruption, int severity) {
    enum { SIZE = 40 };
    struct paced_sample samples[2];
    for (int k = 0; k < 2; ++k) {
        struct paced_rng rng;
        samples[k] = (struct paced_sample){square(SIZE), paced_alloc(SIZE * SIZE * 3, sizeof(float)),
                                           paced_alloc(SIZE * SIZE, 1), k ? PACED_IGNORED : 0};
        for (int i = 0; i < SIZE * SIZE; ++i) samples[k].label[i] = i % 3 ? 1 : PACED_IGNORED;
        paced_rng_seed(&rng, 3, 0);
        assert_int_equal(paced_corrupt(corruption, severity, &rng, &samples[k]), PACED_OK);
    }
    for (int i = 0; i < SIZE * SIZE; ++i)
        assert_int_equal(samples[1].label[i], samples[0].label[i] ? samples[0].label[i] : PACED_IGNORED);
    assert_memory_equal(samples[0].rgb, samples[1].rgb, SIZE * SIZE * 3 * sizeof(float));
    for (int k = 0; k < 2; ++k) {
        free(samples[k].rgb);
        free(samples[k].label);
    }
}

static void test_outside(void **state) {
    for (size_t i = 0; i < paced_corruption_count(); ++i)
        for (int severity = 1; severity <= PACED_SEVERITIES; severity += 2) check_outside(i, severity);
}

static void corrupt_by_name(const char *name, int severity, int size) {
    size_t corruption;
    assert_true(paced_corruption_find(name, &corruption));
    corrupt(corruption, severity, 1, size, rgb);
}

/* ---- common properties --------------------------------------------------------------------------------------- */

static void test_values_stay_in_range(void **state) {
    (void)state;
    for (size_t i = 0; i < paced_corruption_count(); ++i)
        for (size_t s = 0; s < PACED_COUNT(sizes); ++s)
            for (int severity = 1; severity <= PACED_SEVERITIES; ++severity) {
                draw(sizes[s]);
                corrupt(i, severity, 1, sizes[s], rgb);
                for (int k = 0; k < 3 * sizes[s] * sizes[s]; ++k) assert_true(rgb[k] >= 0 && rgb[k] <= 1);
            }
}

static void test_black_and_white(void **state) {
    (void)state;
    for (size_t i = 0; i < paced_corruption_count(); ++i)
        for (int severity = 1; severity <= PACED_SEVERITIES; ++severity)
            for (float grey = 0; grey <= 1; ++grey) {
                fill(33, grey, grey, grey);
                corrupt(i, severity, 1, 33, rgb);
                for (int k = 0; k < 3 * 33 * 33; ++k) assert_true(rgb[k] >= 0 && rgb[k] <= 1);
            }
}

static void test_same_state_same_bits(void **state) {
    (void)state;
    static const char *const chance[] = {"gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise",
                                         "motion_blur",    "fog",        "elastic",       "spatter"};
    static const char *const certain[] = {"gaussian_blur", "defocus_blur", "zoom_blur",        "brightness",
                                          "contrast",      "saturate",     "jpeg_compression", "pixelate"};
    const size_t bytes = 64 * 64 * 3 * sizeof *rgb;
    size_t corruption;
    draw(64);
    for (size_t i = 0; i < paced_corruption_count(); ++i)
        for (int severity = 1; severity <= PACED_SEVERITIES; ++severity) {
            corrupt(i, severity, 7, 64, rgb);
            corrupt(i, severity, 7, 64, again);
            assert_memory_equal(rgb, again, bytes);
        }
    for (int severity = 1; severity <= PACED_SEVERITIES; ++severity) {
        for (size_t i = 0; i < PACED_COUNT(chance); ++i) {
            assert_true(paced_corruption_find(chance[i], &corruption));
            corrupt(corruption, severity, 7, 64, rgb);
            corrupt(corruption, severity, 8, 64, again);
            assert_memory_not_equal(rgb, again, bytes);
        }
        for (size_t i = 0; i < PACED_COUNT(certain); ++i) {
            assert_true(paced_corruption_find(certain[i], &corruption));
            corrupt(corruption, severity, 7, 64, rgb);
            corrupt(corruption, severity, 8, 64, again);
            assert_memory_equal(rgb, again, bytes);
        }
    }
}

static void test_names(void **state) {
    (void)state;
    size_t found;
    for (size_t i = 0; i < paced_corruption_count(); ++i) {
        assert_true(paced_corruption_find(paced_corruption_name(i), &found));
        assert_int_equal(found, i);
    }
    assert_false(paced_corruption_find("gausian_blur", &found));
}

/* ---- statistics ------------------------------------------------------------------------------------------------ */

static double mean(const float *values, int count, int step) {
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += (double)values[i * step];
    return sum / count;
}

static double variance(const float *values, int count) {
    const double middle = mean(values, count, 1);
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += ((double)values[i] - middle) * ((double)values[i] - middle);
    return sum / count;
}

static double mean_change(int size) {
    double sum = 0;
    for (int i = 0; i < 3 * size * size; ++i) sum += fabs((double)rgb[i] - (double)clean[i]);
    return sum / (3 * size * size);
}

static void test_change_grows_with_severity(void **state) {
    (void)state;
    static const char *const names[] = {"gaussian_noise", "shot_noise",       "impulse_noise", "speckle_noise",
                                        "gaussian_blur",  "defocus_blur",     "zoom_blur",     "brightness",
                                        "contrast",       "jpeg_compression", "pixelate"};
    draw(64);
    for (size_t i = 0; i < PACED_COUNT(names); ++i)
        for (int severity = 1; severity < PACED_SEVERITIES; ++severity) {
            corrupt_by_name(names[i], severity, 64);
            const double weaker = mean_change(64);
            corrupt_by_name(names[i], severity + 1, 64);
            if (mean_change(64) <= weaker) fail_msg("%s %d: not stronger than before", names[i], severity + 1);
        }
}

static void assert_near(double value, double wanted, double bound) {
    if (!(fabs(value - wanted) <= bound)) fail_msg("%g should be %g, within %g", value, wanted, bound);
}

enum { N = 224, VALUES = N * N * 3 };

/* On middle grey, where nothing is clipped: mean and variance of the noise, within at least 5 standard errors. */
static void test_noise_statistics(void **state) {
    (void)state;
    fill(N, 0.5F, 0.5F, 0.5F);
    corrupt_by_name("gaussian_noise", 1, N);
    assert_near(mean(rgb, VALUES, 1), 0.5, 0.002);
    assert_near(variance(rgb, VALUES), .08 * .08, 0.02 * .08 * .08);
    corrupt_by_name("speckle_noise", 1, N);
    assert_near(mean(rgb, VALUES, 1), 0.5, 0.002);
    assert_near(variance(rgb, VALUES), .075 * .075, 0.02 * .075 * .075);
    fill(N, 0.25F, 0.25F, 0.25F); /* Poisson with mean 15; 60 is 11 standard deviations away */
    corrupt_by_name("shot_noise", 1, N);
    assert_near(mean(rgb, VALUES, 1), 0.25, 0.001);
    assert_near(variance(rgb, VALUES), 0.25 / 60, 0.02 * 0.25 / 60);
    for (int i = 0; i < VALUES; ++i) assert_near((double)rgb[i] * 60, rint((double)rgb[i] * 60), 1e-4);
}

static void test_impulse_share(void **state) {
    (void)state;
    static const double share[PACED_SEVERITIES] = {.03, .06, .09, .17, .27};
    fill(N, 0.5F, 0.25F, 0.75F);
    for (int severity = 1; severity <= PACED_SEVERITIES; ++severity) {
        int black = 0, white = 0, other = 0;
        corrupt_by_name("impulse_noise", severity, N);
        for (int i = 0; i < VALUES; ++i) {
            black += rgb[i] == 0;
            white += rgb[i] == 1;
            other += rgb[i] == clean[i];
        }
        assert_int_equal(black + white + other, VALUES);
        assert_near((double)black / VALUES, share[severity - 1] / 2, 0.003);
        assert_near((double)white / VALUES, share[severity - 1] / 2, 0.003);
    }
}

/* ---- arithmetic ----------------------------------------------------------------------------------------------- */

static void test_constant_images(void **state) {
    (void)state;
    static const char *const names[] = {"gaussian_blur", "motion_blur", "zoom_blur", "contrast", "pixelate"};
    for (size_t s = 0; s < PACED_COUNT(sizes); ++s) {
        const int size = sizes[s];
        fill(size, 0.3F, 0.5F, 0.9F);
        for (int severity = 1; severity <= PACED_SEVERITIES; ++severity) {
            for (size_t i = 0; i < PACED_COUNT(names); ++i) {
                corrupt_by_name(names[i], severity, size);
                for (int k = 0; k < 3 * size * size; ++k) assert_near((double)rgb[k], (double)clean[k], 1e-5);
            }
            corrupt_by_name("defocus_blur", severity, size); /* the two largest disks have a weight slightly above 1 */
            const double factor = (double)rgb[0] / (double)clean[0];
            assert_near(factor, severity < 4 ? 1 : 1.01, severity < 4 ? 1e-5 : 0.01);
            for (int k = 0; k < 3 * size * size; ++k) assert_near((double)rgb[k], (double)clean[k] * factor, 1e-5);
        }
    }
}

/* A point far from the border becomes the kernel. */
static void test_point_spread(void **state) {
    (void)state;
    enum { S = 64, MIDDLE = (32 * S + 32) * 3 };
    fill(S, 0, 0, 0);
    clean[MIDDLE] = 1;
    corrupt_by_name("gaussian_blur", 2, S);
    double bell = 0;
    for (int i = -8; i <= 8; ++i) bell += exp(-i * i / 8.0);
    assert_near((double)rgb[MIDDLE], 1 / (bell * bell), 1e-6);
    assert_near((double)rgb[MIDDLE + 3 * (2 * S + 1)], exp(-5 / 8.0) / (bell * bell), 1e-6);
    assert_true(rgb[MIDDLE + 1] == 0); /* channels are independent */
    corrupt_by_name("defocus_blur", 1, S);
    assert_near((double)rgb[MIDDLE], 1 / 29.0, 1e-6); /* 29 grid points lie within 3 */
    assert_near((double)rgb[MIDDLE + 3 * 3], 1 / 29.0, 1e-6);
    assert_near((double)rgb[MIDDLE + 3 * (2 * S + 3)], 0, 1e-6);
    corrupt_by_name("motion_blur", 1, S);
    double line = 0, sum = 0;
    for (int i = 0; i <= 20; ++i) line += exp(-i * i / 18.0);
    for (int i = 0; i < S * S; ++i) sum += (double)rgb[3 * i];
    assert_near((double)rgb[MIDDLE], 1 / line, 1e-6);
    assert_near(sum, 1, 1e-5);
    for (int i = 1; i < S - 32; ++i) assert_true(rgb[MIDDLE + 3 * i] == 0); /* it moves to one side */
}

static void test_colour(void **state) {
    (void)state;
    fill(2, 0.2F, 0.4F, 0.1F); /* V = 0.4, S = 0.75 */
    corrupt_by_name("brightness", 2, 2);
    assert_near((double)rgb[0], 0.3, 1e-6);
    assert_near((double)rgb[1], 0.6, 1e-6);
    assert_near((double)rgb[2], 0.15, 1e-6);
    corrupt_by_name("saturate", 2, 2); /* S = 0.075 */
    assert_near((double)rgb[0], 0.4 - 0.4 * 0.075 * 2 / 3, 1e-6);
    assert_near((double)rgb[1], 0.4, 1e-6);
    assert_near((double)rgb[2], 0.4 - 0.4 * 0.075, 1e-6);
    corrupt_by_name("saturate", 3, 2); /* S = 1 */
    assert_near((double)rgb[2], 0, 1e-6);
    fill(2, 0.4F, 0.4F, 0.4F);
    corrupt_by_name("saturate", 3, 2);
    for (int i = 0; i < 12; ++i) assert_near((double)rgb[i], 0.4, 1e-6);
    corrupt_by_name("saturate", 5, 2); /* grey as red, S = 0.2 */
    assert_near((double)rgb[0], 0.4, 1e-6);
    assert_near((double)rgb[1], 0.32, 1e-6);
    for (int i = 0; i < 6; ++i) clean[i] = 0.8F;
    corrupt_by_name("contrast", 1, 2); /* mean 0.6 */
    assert_near((double)rgb[0], 0.68, 1e-6);
    assert_near((double)rgb[11], 0.52, 1e-6);
}

/* Equal channels stay equal under corruptions without random colours. */
static void test_grey_stays_grey(void **state) {
    (void)state;
    static const char *const names[] = {"gaussian_blur", "defocus_blur",     "motion_blur", "zoom_blur", "brightness",
                                        "contrast",      "jpeg_compression", "pixelate",    "fog"};
    draw(33);
    for (int i = 0; i < 33 * 33; ++i) clean[3 * i] = clean[3 * i + 2] = clean[3 * i + 1];
    for (size_t n = 0; n < PACED_COUNT(names); ++n)
        for (int severity = 1; severity <= PACED_SEVERITIES; ++severity) {
            corrupt_by_name(names[n], severity, 33);
            for (int i = 0; i < 33 * 33; ++i) assert_true(rgb[3 * i] == rgb[3 * i + 1] && rgb[3 * i] == rgb[3 * i + 2]);
        }
}

/* A block of one colour has only a mean coefficient, whose step at quality q < 50 is 16 * 50 / q for luminance, in
 * eighths of a level: the error is at most half a step, plus half a level from rounding. */
static void test_jpeg_error_bound(void **state) {
    (void)state;
    static const int quality[PACED_SEVERITIES] = {25, 18, 15, 10, 7};
    for (int severity = 1; severity <= PACED_SEVERITIES; ++severity)
        for (int grey = 0; grey < 256; grey += 15) {
            const float value = (float)grey / 255;
            fill(15, value, value, value);
            corrupt_by_name("jpeg_compression", severity, 15);
            const double bound = (16 * 50.0 / quality[severity - 1] + 1) / 8 / 2 + 1;
            for (int i = 0; i < 15 * 15 * 3; ++i) assert_near((double)rgb[i] * 255, grey, bound);
        }
}

static void test_pixelate_blocks(void **state) {
    (void)state;
    draw(64);
    corrupt_by_name("pixelate", 5, 64); /* 4 x 4 pixels remain */
    for (int y = 0; y < 64; ++y)
        for (int x = 0; x < 64; ++x)
            assert_memory_equal(rgb + (y * 64 + x) * 3, rgb + (y / 4 * 4 * 64 + x / 4 * 4) * 3, 3 * sizeof *rgb);
    double sum = 0;
    for (int i = 0; i < 16; ++i) sum += (double)clean[(i / 4 * 64 + i % 4) * 3];
    assert_near((double)rgb[0], sum / 16, 1e-6);
}

/* The fractal has the side of the image, so its 0 and its 1 are visible: a grey of 0.8 lies between
 * 0.8 scaled and 0.8. */
static void test_fog_range(void **state) {
    (void)state;
    static const double amount[PACED_SEVERITIES] = {1.5, 2, 2.5, 2.5, 3};
    for (int severity = 1; severity <= PACED_SEVERITIES; ++severity) {
        fill(64, 0.8F, 0.8F, 0.8F);
        corrupt_by_name("fog", severity, 64);
        double low = 1, high = 0;
        for (int i = 0; i < 64 * 64 * 3; ++i) {
            low = fmin(low, (double)rgb[i]);
            high = fmax(high, (double)rgb[i]);
        }
        assert_near(low, 0.8 * 0.8 / (0.8 + amount[severity - 1]), 1e-5);
        assert_near(high, 0.8, 1e-5);
    }
}

/* Water adds turquoise, at most by the published strength; mud covers with brown. */
static void test_spatter_colours(void **state) {
    (void)state;
    fill(64, 0, 0, 0);
    for (int severity = 1; severity <= 3; ++severity) {
        corrupt_by_name("spatter", severity, 64);
        double most = 0;
        for (int i = 0; i < 64 * 64; ++i) {
            assert_near((double)rgb[3 * i] * 238, (double)rgb[3 * i + 1] * 175, 1e-3);
            assert_true(rgb[3 * i + 1] == rgb[3 * i + 2]);
            most = fmax(most, (double)rgb[3 * i + 1]);
        }
        assert_near(most, (severity < 3 ? .6 : .5) * 238 / 255, 1e-5);
    }
    for (int severity = 4; severity <= 5; ++severity) {
        corrupt_by_name("spatter", severity, 64);
        int covered = 0;
        for (int i = 0; i < 64 * 64; ++i) {
            const double share = (double)rgb[3 * i] * 255 / 63;
            covered += share > 0;
            assert_true(share == 0 || (share >= 0.8 - 1e-5 && share <= 1 + 1e-5));
            assert_near((double)rgb[3 * i + 1] * 255, share * 42, 1e-3);
            assert_near((double)rgb[3 * i + 2] * 255, share * 20, 1e-3);
        }
        assert_in_range(covered, 64 * 64 / 20, 64 * 64 / 2);
    }
}

/* Every corruption of a rectangle stays in range, is reproducible and changes the image; the buffers have its size. */
static void test_rectangles(void **state) {
    (void)state;
    static const struct paced_extent extents[] = {{33, 15}, {9, 40}};
    for (size_t e = 0; e < PACED_COUNT(extents); ++e)
        for (size_t corruption = 0; corruption < paced_corruption_count(); ++corruption)
            for (int severity = 1; severity <= PACED_SEVERITIES; ++severity) {
                size_t pixels = paced_extent_pixels(extents[e]), changed = 0;
                float *images[2];
                uint8_t *labels = paced_alloc(pixels, 1);
                for (int k = 0; k < 2; ++k) {
                    struct paced_rng rng;
                    images[k] = paced_alloc(3 * pixels, sizeof(float));
                    for (size_t i = 0; i < 3 * pixels; ++i) images[k][i] = (float)(i * 7 % 101) / 100;
                    struct paced_sample sample = {extents[e], images[k], labels};
                    paced_rng_seed(&rng, 5, 0);
                    assert_int_equal(paced_corrupt(corruption, severity, &rng, &sample), PACED_OK);
                }
                for (size_t i = 0; i < 3 * pixels; ++i) {
                    assert_true(images[0][i] >= 0 && images[0][i] <= 1);
                    changed += fabsf(images[0][i] - (float)(i * 7 % 101) / 100) > 1e-4F;
                }
                assert_memory_equal(images[0], images[1], 3 * pixels * sizeof(float));
                assert_true(changed > 0);
                free(images[0]);
                free(images[1]);
                free(labels);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_stay_in_range),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_rectangles),
        cmocka_unit_test(test_black_and_white),
        cmocka_unit_test(test_same_state_same_bits),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_change_grows_with_severity),
        cmocka_unit_test(test_noise_statistics),
        cmocka_unit_test(test_impulse_share),
        cmocka_unit_test(test_constant_images),
        cmocka_unit_test(test_point_spread),
        cmocka_unit_test(test_colour),
        cmocka_unit_test(test_grey_stays_grey),
        cmocka_unit_test(test_jpeg_error_bound),
        cmocka_unit_test(test_pixelate_blocks),
        cmocka_unit_test(test_fog_range),
        cmocka_unit_test(test_spatter_colours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
