/* Evaluation of one image: postprocessing by components and by the outline of the needle, line fit, and recorded
 * metrics. Masks are drawn as text: '.' is 0, a digit is a class. */
#include "src/metrics/parts.h"

#include "paced/metrics.h"
#include "tests/capture.h"
#include "tests/square.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 8, PIXELS = SIDE * SIDE };

static void draw(const char *text, uint8_t map[PIXELS]) {
    assert_int_equal(strlen(text), PIXELS);
    for (int i = 0; i < PIXELS; ++i) map[i] = text[i] == '.' ? 0 : (uint8_t)(text[i] - '0');
}

static void check_map(const uint8_t map[PIXELS], const char *expected) {
    char text[PIXELS + 1] = {0};
    for (int i = 0; i < PIXELS; ++i) text[i] = map[i] ? (char)('0' + map[i]) : '.';
    assert_string_equal(text, expected);
}

/* The diagonal neighbour belongs to the component; of equal components the first is kept; classes are independent. */
static void test_largest_component(void **state) {
    uint8_t map[PIXELS];
    struct components *components = components_create(SIDE, SIDE);
    draw("1.....22"
         ".1....2."
         "..1....."
         "..11..33"
         "......33"
         "111....."
         "........"
         "2222..33",
         map);
    components_keep_largest(components, map, 4);
    check_map(map, "1......."
                   ".1......"
                   "..1....."
                   "..11..33"
                   "......33"
                   "........"
                   "........"
                   "2222....");
    components_destroy(components);
}

/* The ring has fewer pixels than the comb (16 and 18) but encloses more; it is filled, including its contents. */
static void test_largest_outline(void **state) {
    uint8_t map[PIXELS];
    struct components *components = components_create(SIDE, SIDE);
    draw("11111..1"
         "1...1..1"
         "1.1.1..1"
         "1...1..1"
         "11111..1"
         ".......1"
         "11111111"
         "1..1...1",
         map);
    components_keep_outline(components, map);
    check_map(map, "11111..."
                   "11111..."
                   "11111..."
                   "11111..."
                   "11111..."
                   "........"
                   "........"
                   "........");
    /* A diamond of four pixels encloses an area of 2, a line of eight encloses none. */
    draw("11111111"
         "........"
         "...1...."
         "..1.1..."
         "...1...."
         "........"
         "........"
         "........",
         map);
    components_keep_outline(components, map);
    check_map(map, "........"
                   "........"
                   "...1...."
                   "..111..."
                   "...1...."
                   "........"
                   "........"
                   "........");
    memset(map, 0, sizeof map);
    components_keep_outline(components, map);
    check_map(map, "................................................................");
    components_destroy(components);
}

/* Probabilities are stretched, so a foreground of low probability is found. */
static void test_needle_mask(void **state) {
    float logits[PIXELS][2] = {{0}};
    uint8_t map[PIXELS];
    struct components *components = components_create(SIDE, SIDE);
    needle_mask(components, logits[0], map, PIXELS);
    check_map(map, "................................................................");
    for (int i = 0; i < PIXELS; ++i) logits[i][0] = 5;
    for (int x = 2; x < 6; ++x) logits[3 * SIDE + x][0] = logits[4 * SIDE + x][0] = 3;
    logits[0][0] = 4; /* p is at 0.31 of the range */
    needle_mask(components, logits[0], map, PIXELS);
    check_map(map, "........"
                   "........"
                   "........"
                   "..1111.."
                   "..1111.."
                   "........"
                   "........"
                   "........");
    components_destroy(components);
}

static void check_line(const char *text, double angle, double distance) {
    uint8_t map[PIXELS];
    draw(text, map);
    struct needle_line line = needle_fit(map, SIDE, SIDE);
    assert_true(line.found);
    assert_float_equal(line.angle, angle, 1e-9);
    assert_float_equal(line.distance, distance, 1e-9);
}

static void test_lines(void **state) {
    check_line(".................11111..........................................", 0, 1.5);
    check_line("..1.......1.......1.......1.......1.......1.....................", 90, 1.5);
    /* A line down to the right from the upper left corner, through the centre. */
    check_line("1........1........1........1........1........1........1........1", -45, 0);
    /* A line up to the right, one diagonal above: columns + rows = 6; the centre has 7. */
    check_line("......1......1......1......1......1......1......1...............", 45, 1 / sqrt(2));
    check_line("...........................1....................................", 0, 0.5);
    struct needle_line none = needle_fit((uint8_t[PIXELS]){0}, SIDE, SIDE);
    assert_false(none.found);
}

static void check_errors(struct needle_line prediction, struct needle_line label, double angle, double distance) {
    struct paced_metrics errors = needle_compare(&prediction, &label, 10);
    assert_float_equal(errors.angle_error, angle, 1e-9);
    assert_float_equal(errors.distance_error, distance, 1e-9);
}

static void test_line_errors(void **state) {
    struct needle_line none = {0};
    check_errors((struct needle_line){true, 30, 2}, (struct needle_line){true, 27, -1}, 9, 9);
    /* Nearly vertical lines on the same side of the centre, but to the left of opposite directions. */
    check_errors((struct needle_line){true, 89, 3}, (struct needle_line){true, -89, -2}, 4, 1);
    check_errors(none, none, 0, 0);
    check_errors(none, (struct needle_line){true, 0, 0}, 8100, 100);
    check_errors((struct needle_line){true, 0, 0}, none, 8100, 100);
}

/* ---- evaluation ---------------------------------------------------------------------------------------------- */

static struct paced_scores *evaluate(uint64_t metrics, int postprocess, uint8_t prediction[PIXELS], const float *logits,
                                     const uint8_t *label, bool needs_logits) {
    const struct paced_test_options options = {.metrics = metrics, .postprocess = postprocess};
    struct paced_evaluator *evaluator;
    assert_int_equal(paced_evaluator_create(&evaluator, &options, square(SIDE), 2), PACED_OK);
    assert_int_equal(paced_evaluator_needs_logits(evaluator), needs_logits);
    struct paced_scores *scores = paced_scores_create(2);
    paced_evaluate(evaluator, "a", prediction, logits, label, scores);
    paced_evaluator_destroy(evaluator);
    return scores;
}

/* A rectangle: the outlines of two squares, two columns apart in the last rows, have that distance. */
static void test_rectangle(void **state) {
    enum { H = 4, W = 11 };
    const struct paced_test_options options = {.metrics = PACED_METRIC_BIT(PACED_HD95)};
    struct paced_evaluator *evaluator;
    assert_int_equal(paced_evaluator_create(&evaluator, &options, (struct paced_extent){H, W}, 2), PACED_OK);
    uint8_t prediction[H * W] = {0}, label[H * W] = {0};
    for (int y = 2; y < H; ++y)
        for (int x = 0; x < 2; ++x) {
            prediction[y * W + x + 7] = 1;
            label[y * W + x + 9] = 1;
        }
    struct paced_scores *scores = paced_scores_create(2);
    paced_evaluate(evaluator, "a", prediction, NULL, label, scores);
    assert_true(fabs(paced_scores_mean(scores, 0, false, NULL).hd95 - 2) < 1e-6);
    paced_scores_destroy(scores);
    paced_evaluator_destroy(evaluator);
}

static void test_metrics_are_noted(void **state) {
    uint8_t prediction[PIXELS], label[PIXELS] = {[9] = 1, [12] = 1, [13] = 1};
    float logits[PIXELS][2];
    for (int i = 0; i < PIXELS; ++i) {
        logits[i][0] = i == 9 || i == 12 ? 0 : logf(3); /* p = 3/4 for the predicted class */
        logits[i][1] = i == 9 || i == 12 ? logf(3) : 0;
        prediction[i] = i == 9 || i == 12;
    }
    struct paced_scores *scores =
        evaluate(PACED_METRIC_BIT(PACED_NLL + 1) - 1, PACED_POSTPROCESS_NONE, prediction, logits[0], label, true);
    struct paced_metrics m = paced_scores_mean(scores, 0, false, NULL);
    assert_float_equal(m.dice, 4.0001 / 5.0001, 1e-12);
    assert_float_equal(m.hd95, 0.9, 1e-9); /* of 0, 0, 1: the 95th percentile is at position 1.9 */
    assert_float_equal(m.nsd, 4.0 / 5, 1e-12);
    assert_float_equal(m.ece, 63.0 / 64 - 0.75, 1e-6);
    assert_float_equal(m.brier, (63 * 2 * 0.0625 + 2 * 0.5625) / 64, 1e-6);
    assert_float_equal(m.nll, -(63 * log(0.75) + log(0.25)) / 64, 1e-6);
    assert_true(isnan(m.angle_error));
    m = paced_scores_mean(scores, 1, false, NULL);
    assert_float_equal(m.nsd, 4.0 / 5, 1e-12);
    assert_true(isnan(m.ece) && isnan(m.nll));
    struct paced_reliability bins;
    assert_true(paced_scores_reliability(scores, &bins));
    assert_int_equal(bins.count[11], 64); /* 0.75 is in (11/15, 12/15] */
    assert_float_equal(bins.right[11], 63, 0);
    paced_scores_destroy(scores);
}

/* Two images with errors of opposite sign: the ece of the set is not the mean of the images. */
static void test_ece_is_of_all_pixels(void **state) {
    struct paced_scores *scores = paced_scores_create(2);
    for (int i = 0; i < 2; ++i) {
        struct paced_reliability bins = {.confidence[10] = 7, .right[10] = i ? 10 : 4, .count[10] = 10, .pixels = 10};
        paced_scores_add(scores, NULL, (uint8_t[]){1}, (uint8_t[]){1}, 1);
        paced_scores_note(scores, 0, PACED_ECE, paced_calibration_of(&bins).ece);
        paced_scores_note_reliability(scores, &bins);
    }
    assert_float_equal(paced_scores_image(scores, 0, 0).ece, 0.3, 1e-12);
    assert_float_equal(paced_scores_mean(scores, 0, false, NULL).ece, 0, 1e-12);
    paced_scores_destroy(scores);
}

static void test_cleaning_comes_first(void **state) {
    uint8_t prediction[PIXELS] = {[9] = 1, [10] = 1, [40] = 1}, label[PIXELS] = {[9] = 1, [10] = 1};
    struct paced_scores *scores =
        evaluate(PACED_METRICS_ALWAYS, PACED_POSTPROCESS_LARGEST, prediction, NULL, label, false);
    assert_float_equal(paced_scores_mean(scores, 0, false, NULL).dice, 1, 1e-12);
    paced_scores_destroy(scores);
}

static void test_needle(void **state) {
    uint8_t prediction[PIXELS] = {0}, label[PIXELS] = {0};
    float logits[PIXELS][2] = {{0}};
    for (int x = 0; x < SIDE; ++x) {
        logits[3 * SIDE + x][1] = logits[4 * SIDE + x][1] = 1; /* through the centre */
        label[x] = label[SIDE + x] = 1;                        /* 3 pixels above */
    }
    struct paced_scores *scores =
        evaluate(PACED_METRICS_ALWAYS, PACED_POSTPROCESS_NEEDLE, prediction, logits[0], label, true);
    struct paced_metrics m = paced_scores_mean(scores, 0, false, NULL);
    assert_float_equal(m.precision, 0, 0); /* the mask is computed from the probabilities, not from `prediction` */
    assert_float_equal(m.angle_error, 0, 1e-12);
    assert_float_equal(m.distance_error, 9, 1e-9);
    paced_scores_destroy(scores);
}

static void test_needle_has_two_classes(void **state) {
    const struct paced_test_options options = {.postprocess = PACED_POSTPROCESS_NEEDLE};
    struct paced_evaluator *evaluator;
    struct capture said;
    capture_start(&said);
    enum paced_err err = paced_evaluator_create(&evaluator, &options, square(SIDE), 3);
    capture_end(&said);
    assert_int_equal(err, PACED_INVALID);
    assert_non_null(strstr(said.text, "data.classes is 3"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_largest_component),
        cmocka_unit_test(test_largest_outline),
        cmocka_unit_test(test_needle_mask),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_line_errors),
        cmocka_unit_test(test_rectangle),
        cmocka_unit_test(test_metrics_are_noted),
        cmocka_unit_test(test_ece_is_of_all_pixels),
        cmocka_unit_test(test_cleaning_comes_first),
        cmocka_unit_test(test_needle),
        cmocka_unit_test(test_needle_has_two_classes),
    };
    return cmocka_run_group_tests_name("evaluator", tests, NULL, NULL);
}
