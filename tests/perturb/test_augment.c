/* Augmentation: lists and their errors; frequency and strength of each change; changes depend on (seed, epoch, index)
 * only. */
#include "sample.h"

#include "../capture.h"
#include "tests/square.h"

static struct paced_augment parsed(const char *list) {
    struct paced_augment augment;
    assert_int_equal(paced_augment_parse(&augment, "test", list), PACED_OK);
    augment.seed = 11;
    return augment;
}

static void apply(const struct paced_augment *augment, size_t index, struct paced_sample *s) {
    assert_int_equal(paced_augment_apply(augment, index, s->extent, s->rgb, s->label), PACED_OK);
}

/* ---- lists --------------------------------------------------------------------------------------------------- */

static void test_lists(void **state) {
    assert_int_equal(parsed("none").count, 0);
    assert_int_equal(parsed("hflip").count, 1);
    struct paced_augment a = parsed(" vflip ,scale( 0.9 ,1.1),rotate (15)");
    assert_int_equal(a.count, 3);
    assert_true(a.items[1].argument[0] == 0.9 && a.items[1].argument[1] == 1.1 && a.items[2].argument[0] == 15);
    assert_int_equal(parsed("hflip, vflip, rotate(15), scale(0.9, 1.1), translate(0.1), elastic(30), brightness(0.2), "
                            "contrast(0.2), gamma(0.2), noise(0.05)")
                         .count,
                     10);
}

static void test_bad_lists(void **state) {
    static const struct {
        const char *list, *says;
    } cases[] = {
        {"hfilp", "bad.ini:7: data.augment: 'hfilp' is not an augmentation; did you mean hflip?"},
        {"hflip, xyzzy", "'xyzzy' is not an augmentation; choose from hflip, vflip, rotate, "},
        {"rotate", "rotate takes 1 argument, not 0; write rotate(15)"},
        {"rotate(1, 2)", "rotate takes 1 argument, not 2"},
        {"scale(0.9)", "scale takes 2 arguments, not 1; write scale(0.9, 1.1)"},
        {"hflip(0.5)", "hflip takes 0 arguments, not 1; write hflip"},
        {"rotate(181)", "rotate: '181' is out of range; give a number 0 to 180"},
        {"rotate(-1)", "'-1' is out of range"},
        {"scale(0.05, 1)", "scale: '0.05' is out of range; give a number 0.1 to 10"},
        {"scale(1.1, 0.9)", "scale: 1.1 is above 0.9"},
        {"gamma(1)", "gamma: '1' is out of range"},
        {"noise(much)", "noise: 'much' is not a number; write for example noise(0.05)"},
        {"noise()", "noise: '' is not a number"},
        {"noise(nan)", "noise: 'nan' is not a number"},
        {"hflip, hflip", "hflip is given twice"},
        {"hflip,, vflip", "a name is missing"},
        {"hflip,", "a name is missing"},
        {"rotate(15", "the parentheses do not match"},
        {"rotate 15)", "the parentheses do not match"},
        {"rotate(15) degrees", "the parentheses do not match"},
        {"hflip, none", "none cannot be combined"},
    };
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        struct capture capture;
        capture_start(&capture);
        enum paced_err err = paced_augment_check("bad.ini:7: data.augment", cases[i].list);
        capture_end(&capture);
        assert_int_equal(err, PACED_INVALID);
        if (!strstr(capture.text, cases[i].says)) fail_msg("'%s' gives: %s", cases[i].list, capture.text);
        assert_ptr_equal(strchr(capture.text, '\n'), capture.text + strlen(capture.text) - 1);
    }
}

/* ---- dependence of the changes --------------------------------------------------------------------------------- */

static const char everything[] =
    "noise(0.05), rotate(15), scale(0.9, 1.1), contrast(0.2), translate(0.1), elastic(30), "
    "brightness(0.2), hflip, gamma(0.2), vflip";

static void test_nothing(void **state) {
    struct paced_augment none = parsed("none"),
                         idle = parsed("rotate(0), scale(1, 1), translate(0), noise(0), gamma(0)");
    struct paced_sample before = sample_random(square(33), 1), after = sample_copy(&before);
    apply(&none, 3, &after);
    apply(&idle, 3, &after);
    assert_true(samples_equal(&before, &after));
    sample_free(&before);
    sample_free(&after);
}

static void test_same_again(void **state) {
    struct paced_augment a = parsed(everything);
    a.epoch = 4;
    struct paced_sample before = sample_disk(48, 20, 22, 12), first = sample_copy(&before);
    apply(&a, 17, &first);
    for (int n = 0; n < 3; ++n) { /* independent of other changes in between */
        struct paced_sample other = sample_copy(&before), again = sample_copy(&before);
        apply(&a, (size_t)n, &other);
        apply(&a, 17, &again);
        assert_true(samples_equal(&first, &again));
        assert_false(samples_equal(&first, &other));
        sample_free(&other);
        sample_free(&again);
    }
    for (int n = 0; n < 2; ++n) {
        struct paced_augment b = a;
        struct paced_sample other = sample_copy(&before);
        *(n ? &b.epoch : &b.seed) += 1;
        apply(&b, 17, &other);
        assert_false(samples_equal(&first, &other));
        sample_free(&other);
    }
    sample_free(&before);
    sample_free(&first);
}

/* Geometric changes of a list are the same with changes of appearance before, between or after them. */
static void test_looks_do_not_disturb_moves(void **state) {
    struct paced_augment moves = parsed("rotate(15), hflip"), all = parsed("noise(0.1), rotate(15), gamma(0.2), hflip");
    struct paced_sample a = sample_random(square(31), 9), b = sample_copy(&a);
    for (size_t index = 0; index < 8; ++index) {
        apply(&moves, index, &a);
        apply(&all, index, &b);
        assert_memory_equal(a.label, b.label, pixels_of(&a));
    }
    sample_free(&a);
    sample_free(&b);
}

/* Label and image stay aligned, values stay in 0..1, and no new labels appear. */
static void test_everything_together(void **state) {
    struct paced_augment a = parsed("hflip, vflip, rotate(180), scale(0.8, 1.25), translate(0.1), elastic(30)");
    struct paced_augment b = parsed(everything);
    for (size_t index = 0; index < 30; ++index) {
        struct paced_sample s = sample_disk(100, 40, 60, 22), wild = sample_copy(&s);
        apply(&a, index, &s);
        check_together(&s);
        apply(&b, index, &wild);
        for (size_t i = 0; i < pixels_of(&s) * 3; ++i) assert_true(wild.rgb[i] >= 0 && wild.rgb[i] <= 1);
        for (size_t i = 0; i < pixels_of(&s); ++i) assert_true(wild.label[i] <= 1);
        sample_free(&s);
        sample_free(&wild);
    }
}

/* Ignored pixels move like others, and pixels from outside have the chosen label: nothing else depends on it. The
 * labels are 1 to 254 here, or ignored, so that 0 marks the outside. */
static void check_ignored(const struct paced_augment *augment, size_t index) {
    struct paced_sample plain = sample_random(square(40), 5);
    for (size_t i = 0; i < pixels_of(&plain); ++i) plain.label[i] = (uint8_t)(plain.label[i] / 8 + 1);
    struct paced_sample marked = sample_copy(&plain), ignored = sample_copy(&plain);
    struct paced_augment outside = *augment;
    outside.outside = PACED_IGNORED;
    for (size_t i = 0; i < pixels_of(&plain); ++i)
        if (plain.label[i] > 20) marked.label[i] = ignored.label[i] = PACED_IGNORED;
    apply(augment, index, &plain);
    apply(augment, index, &marked);
    apply(&outside, index, &ignored);
    for (size_t i = 0; i < pixels_of(&plain); ++i) {
        assert_int_equal(marked.label[i], plain.label[i] > 20 ? PACED_IGNORED : plain.label[i]);
        assert_int_equal(ignored.label[i], marked.label[i] == 0 ? PACED_IGNORED : marked.label[i]);
    }
    assert_memory_equal(plain.rgb, ignored.rgb, pixels_of(&plain) * 3 * sizeof(float));
    sample_free(&plain);
    sample_free(&marked);
    sample_free(&ignored);
}

static void test_ignored(void **state) {
    struct paced_augment a = parsed(everything);
    for (size_t index = 0; index < 10; ++index) check_ignored(&a, index);
}

/* ---- flips --------------------------------------------------------------------------------------------------- */

static void test_only_flips(void **state) {
    static const struct {
        const char *list;
        bool only;
        unsigned flips;
    } cases[] = {{"none", true, 0},
                 {"hflip", true, PACED_FLIP_H},
                 {"vflip", true, PACED_FLIP_V},
                 {"vflip, hflip", true, PACED_FLIP_H | PACED_FLIP_V},
                 {"hflip, rotate(15)", false, 0},
                 {"noise(0.1)", false, 0}};
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        unsigned flips;
        struct paced_augment a = parsed(cases[i].list);
        assert_int_equal(paced_augment_only_flips(&a, &flips), cases[i].only);
        if (cases[i].only) assert_int_equal(flips, cases[i].flips);
    }
}

/* paced_augment_flips predicts paced_augment_apply; all versions are equally frequent. */
static void check_flips(const char *list, unsigned allowed) {
    enum { DRAWS = 4000 };
    struct paced_augment a = parsed(list);
    struct paced_sample before = sample_random((struct paced_extent){7, 11}, 1);
    int seen[PACED_FLIP_VERSIONS] = {0}, versions = 0;
    for (size_t n = 0; n < DRAWS; ++n) {
        a.epoch = n / 100;
        unsigned flips = paced_augment_flips(&a, n % 100);
        seen[flips] += 1;
        if (n >= 200) continue;
        struct paced_sample s = sample_copy(&before), expected = sample_copy(&before);
        apply(&a, n % 100, &s);
        assert_int_equal(paced_flip(&flips, 0, expected.extent, expected.rgb, expected.label), PACED_OK);
        assert_true(samples_equal(&s, &expected));
        sample_free(&s);
        sample_free(&expected);
    }
    for (unsigned v = 0; v < PACED_FLIP_VERSIONS; ++v) versions += (v & ~allowed) == 0;
    for (unsigned v = 0; v < PACED_FLIP_VERSIONS; ++v) {
        double share = (double)seen[v] / DRAWS, expected = (v & ~allowed) == 0 ? 1.0 / versions : 0;
        if (fabs(share - expected) > 0.03) fail_msg("%s: version %u comes with %g, not %g", list, v, share, expected);
    }
    sample_free(&before);
}

static void test_flips(void **state) {
    check_flips("hflip", PACED_FLIP_H);
    check_flips("vflip", PACED_FLIP_V);
    check_flips("hflip, vflip", PACED_FLIP_H | PACED_FLIP_V);
}

/* ---- strength -------------------------------------------------------------------------------------------------- */

struct statistics {
    double mean, deviation, least, most;
};

/* Statistics of `measure` over augmented samples of a disk or a half-grey field. */
static struct statistics statistics(const char *list, bool disk, double (*measure)(const struct paced_sample *after)) {
    enum { DRAWS = 400 };
    struct paced_augment a = parsed(list);
    struct statistics found = {.least = INFINITY, .most = -INFINITY};
    double squares = 0;
    for (size_t n = 0; n < DRAWS; ++n) {
        struct paced_sample s = disk ? sample_disk(61, 42, 30, 9) : sample_create(square(20));
        for (size_t i = 0; i < pixels_of(&s) * 3 && !disk; ++i) s.rgb[i] = i / 3 % 2 ? 0.5F : 0.25F;
        apply(&a, n, &s);
        double value = measure(&s);
        found.mean += value / DRAWS;
        squares += value * value / DRAWS;
        found.least = fmin(found.least, value);
        found.most = fmax(found.most, value);
        sample_free(&s);
    }
    found.deviation = sqrt(squares - found.mean * found.mean);
    return found;
}

/* Checks for a uniform distribution between low and high, within `slack`. */
static void check_even(const char *list, bool disk, double (*measure)(const struct paced_sample *after), double low,
                       double high, double slack) {
    struct statistics s = statistics(list, disk, measure);
    double width = high - low;
    bool right = fabs(s.mean - (low + high) / 2) < 0.06 * width &&
                 fabs(s.deviation - width / sqrt(12)) < 0.04 * width && s.least > low - slack &&
                 s.most < high + slack && s.least < low + 0.05 * width && s.most > high - 0.05 * width;
    if (!right)
        fail_msg("%s: mean %g, deviation %g, from %g to %g; not evenly from %g to %g", list, s.mean, s.deviation,
                 s.least, s.most, low, high);
}

static void find_disk(const struct paced_sample *s, double *x, double *y, double *area) {
    *x = *y = *area = 0;
    for (size_t i = 0; i < pixels_of(s); ++i) {
        double share = ((double)s->rgb[i * 3] - 0.25) / 0.75; /* background 0.25, disk 1 */
        if (share <= 0) continue;
        *x += share * ((double)(i % (size_t)s->extent.width) - 30);
        *y += share * ((double)(i / (size_t)s->extent.width) - 30);
        *area += share;
    }
    *x /= *area;
    *y /= *area;
}

static double angle(const struct paced_sample *s) {
    double x, y, area;
    find_disk(s, &x, &y, &area);
    return atan2(-y, x) * 180 / M_PI;
}

static double magnification(const struct paced_sample *s) {
    double x, y, area;
    find_disk(s, &x, &y, &area);
    return x / 12;
}

static double shift_x(const struct paced_sample *s) {
    double x, y, area;
    find_disk(s, &x, &y, &area);
    return (x - 12) / 61;
}

static double shift_y(const struct paced_sample *s) {
    double x, y, area;
    find_disk(s, &x, &y, &area);
    return y / 61;
}

static double lighter(const struct paced_sample *s) {
    return (double)s->rgb[0] / 0.25;
}

static double spread(const struct paced_sample *s) {
    return ((double)s->rgb[3] - (double)s->rgb[0]) / 0.25;
}

static double exponent(const struct paced_sample *s) {
    return log((double)s->rgb[3]) / log(0.5);
}

static double noisiness(const struct paced_sample *s) {
    double squares = 0;
    size_t count = pixels_of(s) * 3;
    for (size_t i = 0; i < count; ++i) {
        double added = (double)s->rgb[i] - (i / 3 % 2 ? 0.5 : 0.25);
        squares += added * added;
    }
    return sqrt(squares / (double)count);
}

static void test_strength(void **state) {
    check_even("rotate(15)", true, angle, -15, 15, 0.3);
    check_even("scale(0.8, 1.2)", true, magnification, 0.8, 1.2, 0.01);
    check_even("translate(0.1)", true, shift_x, -0.1, 0.1, 0.002);
    check_even("translate(0.1)", true, shift_y, -0.1, 0.1, 0.002);
    check_even("brightness(0.2)", false, lighter, 0.8, 1.2, 1e-5);
    check_even("contrast(0.3)", false, spread, 0.7, 1.3, 1e-5);
    check_even("gamma(0.4)", false, exponent, 0.6, 1.4, 1e-5);
    check_even("noise(0.05)", false, noisiness, 0, 0.05, 0.004);
}

/* Mean of a sample, the fixed point of contrast. */
static double mean_of(const struct paced_sample *s) {
    double sum = 0;
    for (size_t i = 0; i < pixels_of(s) * 3; ++i) sum += (double)s->rgb[i];
    return sum / (double)(pixels_of(s) * 3);
}

static void test_contrast_keeps_the_mean(void **state) {
    struct statistics s = statistics("contrast(0.9)", false, mean_of);
    assert_true(fabs(s.least - 0.375) < 1e-6 && fabs(s.most - 0.375) < 1e-6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_bad_lists),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_looks_do_not_disturb_moves),
        cmocka_unit_test(test_everything_together),
        cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_only_flips),
        cmocka_unit_test(test_flips),
        cmocka_unit_test(test_strength),
        cmocka_unit_test(test_contrast_keeps_the_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
