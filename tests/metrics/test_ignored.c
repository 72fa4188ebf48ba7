/* Scores with ignored pixels against plain loops over the other pixels, and against maps without ignored pixels. */
#include "src/metrics/parts.h"

#include "paced/report.h"
#include "tests/capture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WIDTH = 23, HEIGHT = 17, PIXELS = WIDTH * HEIGHT, CLASSES = 4 };

static struct paced_rng rng;

/* Blobs of classes with ignored pixels, alone and in a band, and a prediction that differs in some places. */
struct maps {
    uint8_t label[PIXELS], prediction[PIXELS];
    float logits[PIXELS * CLASSES];
};

static struct maps draw_maps(int classes) {
    struct maps m;
    int shift = (int)paced_rng_below(&rng, 8);
    for (int i = 0; i < PIXELS; ++i) {
        int x = i % WIDTH, y = i / WIDTH;
        m.label[i] = (uint8_t)(((x + shift) / 6 + y / 5) % classes);
        m.prediction[i] =
            paced_rng_uniform(&rng) < 0.2 ? (uint8_t)paced_rng_below(&rng, (uint32_t)classes) : m.label[i];
        if (paced_rng_uniform(&rng) < 0.1 || (x + y + shift) % 9 == 0) m.label[i] = PACED_IGNORED;
        for (int c = 0; c < classes; ++c)
            m.logits[i * classes + c] = (float)(3 * paced_rng_normal(&rng)) + 2 * (c == m.prediction[i]);
    }
    return m;
}

static void assert_about(double got, double want) {
    if (!(fabs(got - want) <= 1e-12 * fmax(1, fabs(want)))) fail_msg("%.17g is not %.17g", got, want);
}

static void evaluate(struct paced_scores *scores, struct maps m, int classes, int postprocess) {
    const struct paced_test_options options = {
        .metrics = PACED_METRICS_ALWAYS | PACED_METRIC_BIT(PACED_HD95) | PACED_METRIC_BIT(PACED_NSD) |
                   PACED_METRIC_BIT(PACED_ECE) | PACED_METRIC_BIT(PACED_BRIER) | PACED_METRIC_BIT(PACED_NLL),
        .nsd_tolerance = 1,
        .postprocess = postprocess,
    };
    struct paced_evaluator *evaluator;
    assert_int_equal(paced_evaluator_create(&evaluator, &options, (struct paced_extent){HEIGHT, WIDTH}, classes), 0);
    paced_evaluate(evaluator, "a", m.prediction, m.logits, m.label, scores);
    paced_evaluator_destroy(evaluator);
}

/* ---- counts of pixels ---------------------------------------------------------------------------------------- */

static void check_class(const struct paced_scores *scores, const struct maps *m, size_t image, int c) {
    double both = 0, predicted = 0, labelled = 0;
    for (int i = 0; i < PIXELS; ++i) {
        if (m->label[i] == PACED_IGNORED) continue;
        both += m->label[i] == c && m->prediction[i] == c;
        predicted += m->prediction[i] == c;
        labelled += m->label[i] == c;
    }
    struct paced_metrics got = paced_scores_image(scores, image, c);
    assert_true(labelled > 0 && predicted > 0);
    assert_about(got.dice, (2 * both + 1e-4) / (predicted + labelled + 1e-4));
    assert_about(got.iou, both / (predicted + labelled - both));
    assert_about(got.precision, both / predicted);
    assert_about(got.recall, both / labelled);
    assert_about(got.f1, 2 * got.precision * got.recall / (got.precision + got.recall));
}

static void test_counts(void **state) {
    (void)state;
    struct paced_scores *scores = paced_scores_create(CLASSES);
    for (size_t image = 0; image < 20; ++image) {
        struct maps m = draw_maps(CLASSES);
        paced_scores_add(scores, NULL, m.prediction, m.label, PIXELS);
        for (int c = 1; c < CLASSES; ++c) check_class(scores, &m, image, c);
    }
    paced_scores_destroy(scores);
}

/* Background and ignored pixels are not a foreground, with and without ignored foreground in the prediction. */
static void test_foreground(void **state) {
    (void)state;
    struct paced_scores *scores = paced_scores_create(2);
    size_t images;
    paced_scores_add(scores, NULL, (uint8_t[]){0, 1, 0}, (uint8_t[]){0, PACED_IGNORED, 0}, 3);
    struct paced_metrics all = paced_scores_mean(scores, 0, false, &images);
    assert_int_equal(images, 1);
    assert_about(all.dice, 1);
    assert_about(all.precision, 1);
    paced_scores_mean(scores, 0, true, &images);
    assert_int_equal(images, 0);
    paced_scores_destroy(scores);
}

/* ---- probabilities ------------------------------------------------------------------------------------------- */

/* The pixels that count, without gaps. */
static size_t compress(const struct maps *m, float *logits, uint8_t *label) {
    size_t count = 0;
    for (size_t i = 0; i < PIXELS; ++i) {
        if (m->label[i] == PACED_IGNORED) continue;
        memcpy(logits + count * CLASSES, m->logits + i * CLASSES, CLASSES * sizeof *logits);
        label[count++] = m->label[i];
    }
    return count;
}

static void test_probabilities(void **state) {
    (void)state;
    struct maps m = draw_maps(CLASSES);
    float logits[PIXELS * CLASSES];
    uint8_t label[PIXELS];
    size_t count = compress(&m, logits, label);
    double nll = 0, tau, tau_of_rest;
    for (size_t i = 0; i < count; ++i) {
        double sum = 0;
        for (int c = 0; c < CLASSES; ++c) sum += exp((double)logits[i * CLASSES + (size_t)c]);
        nll += log(sum) - (double)logits[i * CLASSES + label[i]];
    }
    struct paced_metrics got = paced_calibration_measure(m.logits, m.label, PIXELS, CLASSES, 1);
    struct paced_metrics want = paced_calibration_measure(logits, label, count, CLASSES, 1);
    assert_about(got.nll, nll / (double)count);
    assert_true(got.nll == want.nll && got.ece == want.ece && got.brier == want.brier);
    assert_int_equal(paced_temperature_fit(m.logits, m.label, PIXELS, CLASSES, &tau), PACED_OK);
    assert_int_equal(paced_temperature_fit(logits, label, count, CLASSES, &tau_of_rest), PACED_OK);
    assert_true(tau == tau_of_rest);
}

static void test_no_temperature(void **state) {
    (void)state;
    const float logits[] = {1, 2, 3, 4};
    const uint8_t label[] = {PACED_IGNORED, PACED_IGNORED};
    double tau = 7;
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_temperature_fit(logits, label, 2, 2, &tau);
    capture_end(&capture);
    assert_int_equal(err, PACED_INVALID);
    assert_true(tau == 7);
    assert_non_null(strstr(capture.text, "ignore every pixel"));
}

/* ---- outlines and lines -------------------------------------------------------------------------------------- */

/* Ignored pixels score as background in both maps. */
static void test_outlines(void **state) {
    (void)state;
    for (int classes = 2; classes <= CLASSES; classes += 2) {
        int postprocess = classes == 2 ? PACED_POSTPROCESS_NEEDLE : PACED_POSTPROCESS_NONE;
        struct maps m = draw_maps(classes), plain = m;
        struct paced_scores *got = paced_scores_create(classes);
        evaluate(got, m, classes, postprocess);
        struct components *components = components_create(WIDTH, HEIGHT);
        if (classes == 2) needle_mask(components, plain.logits, plain.prediction, PIXELS);
        components_destroy(components);
        for (int i = 0; i < PIXELS; ++i)
            if (m.label[i] == PACED_IGNORED) plain.label[i] = plain.prediction[i] = 0;
        struct surface *surface = surface_create(WIDTH, HEIGHT);
        for (int c = 1; c < classes; ++c) {
            struct paced_metrics s = surface_compare(surface, plain.prediction, plain.label, (uint8_t)c, 1);
            struct paced_metrics measured = paced_scores_image(got, 0, c);
            assert_true(measured.hd95 == s.hd95 && measured.nsd == s.nsd);
        }
        if (classes == 2) {
            struct needle_line p = needle_fit(plain.prediction, WIDTH, HEIGHT),
                               g = needle_fit(plain.label, WIDTH, HEIGHT);
            struct paced_metrics line = needle_compare(&p, &g, hypot(WIDTH, HEIGHT));
            struct paced_metrics measured = paced_scores_image(got, 0, 0);
            assert_true(measured.angle_error == line.angle_error && measured.distance_error == line.distance_error);
        }
        surface_destroy(surface);
        paced_scores_destroy(got);
    }
}

/* ---- images without a pixel that counts ---------------------------------------------------------------------- */

static char *text_of(enum paced_err (*write)(const struct paced_scores *, const char *),
                     const struct paced_scores *scores) {
    char path[] = "/tmp/paced-ignored-XXXXXX", *text;
    close(mkstemp(path));
    assert_int_equal(write(scores, path), PACED_OK);
    assert_int_equal(paced_file_read_text(path, 0, &text), PACED_OK);
    unlink(path);
    return text;
}

/* A blank image changes no file, mean, interval or case, also after a detour through a state file. */
static void test_blank_image(void **state) {
    (void)state;
    struct paced_scores *with = paced_scores_create(CLASSES), *without = paced_scores_create(CLASSES);
    for (int image = 0; image < 5; ++image) {
        struct maps m = draw_maps(CLASSES);
        evaluate(without, m, CLASSES, PACED_POSTPROCESS_NONE);
        evaluate(with, m, CLASSES, PACED_POSTPROCESS_NONE);
        if (image != 2) continue;
        memset(m.label, PACED_IGNORED, sizeof m.label);
        evaluate(with, m, CLASSES, PACED_POSTPROCESS_NONE);
    }
    assert_int_equal(paced_scores_count(with), 6);
    assert_false(paced_scores_has_pixels(with, 3));
    enum paced_err (*const files[])(const struct paced_scores *, const char *) = {paced_scores_write_csv,
                                                                                  paced_scores_write_summary};
    for (size_t i = 0; i < PACED_COUNT(files); ++i) {
        char *got = text_of(files[i], with), *want = text_of(files[i], without);
        assert_string_equal(got, want);
        free(got);
        free(want);
    }
    struct paced_metrics low[2], high[2];
    paced_scores_interval(with, 0, false, 1, &low[0], &high[0]);
    paced_scores_interval(without, 0, false, 1, &low[1], &high[1]);
    assert_true(low[0].dice == low[1].dice && high[0].ece == high[1].ece);
    struct paced_case cases[6];
    assert_int_equal(paced_cases_choose(with, 6, cases), 5);
    for (int i = 0; i < 5; ++i) assert_int_not_equal(cases[i].image, 3);
    paced_scores_destroy(with);
    paced_scores_destroy(without);
}

static void test_blank_image_in_state(void **state) {
    (void)state;
    struct paced_scores *scores = paced_scores_create(2);
    struct paced_weights weights = {0};
    size_t images;
    paced_scores_add(scores, "a", (uint8_t[]){1, 0}, (uint8_t[]){PACED_IGNORED, PACED_IGNORED}, 2);
    paced_scores_add(scores, "b", (uint8_t[]){1, 0}, (uint8_t[]){1, PACED_IGNORED}, 2);
    paced_scores_save(scores, "scores", &weights);
    assert_int_equal(paced_scores_load(scores, "scores", &weights, "state"), PACED_OK);
    assert_about(paced_scores_mean(scores, 0, false, &images).dice, 1);
    assert_int_equal(images, 1);
    paced_weights_finish(&weights);
    paced_scores_clear(scores);
    paced_scores_add(scores, "a", (uint8_t[]){1}, (uint8_t[]){PACED_IGNORED}, 1);
    assert_true(isnan(paced_scores_mean(scores, 0, false, &images).dice));
    assert_int_equal(images, 0);
    paced_scores_destroy(scores);
}

int main(void) {
    paced_rng_seed(&rng, 1, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_foreground),
        cmocka_unit_test(test_probabilities),
        cmocka_unit_test(test_no_temperature),
        cmocka_unit_test(test_outlines),
        cmocka_unit_test(test_blank_image),
        cmocka_unit_test(test_blank_image_in_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
