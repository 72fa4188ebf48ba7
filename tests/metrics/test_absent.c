/* Absent classes: means over random label maps against a plain reference, for both treatments, and the tables. */
#include "paced/report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PIXELS = 12, IMAGES = 9, MAX_CLASSES = 5, ROUNDS = 200 };

static const enum paced_metric class_metrics[] = {PACED_DICE,   PACED_IOU,  PACED_PRECISION,
                                                  PACED_RECALL, PACED_HD95, PACED_NSD};

struct maps {
    int classes;
    uint8_t prediction[IMAGES][PIXELS], label[IMAGES][PIXELS];
    double noted[IMAGES][MAX_CLASSES][PACED_METRICS]; /* hd95 and nsd */
};

/* Draws maps in which classes are often absent, and images often empty. */
static void draw(struct maps *maps, struct paced_rng *rng) {
    for (int i = 0; i < IMAGES; ++i) {
        uint32_t few = 1 + paced_rng_below(rng, (uint32_t)maps->classes);
        for (int k = 0; k < PIXELS; ++k) {
            bool any = paced_rng_below(rng, 4) == 0;
            maps->prediction[i][k] = any ? (uint8_t)paced_rng_below(rng, few) : 0;
            maps->label[i][k] = any ? (uint8_t)paced_rng_below(rng, few) : 0;
        }
    }
}

static int pixels_of(const uint8_t *map, int class_index) {
    int count = 0;
    for (int k = 0; k < PIXELS; ++k) count += map[k] == class_index;
    return count;
}

static bool occurs(const struct maps *maps, int image, int class_index) {
    return pixels_of(maps->prediction[image], class_index) + pixels_of(maps->label[image], class_index) > 0;
}

static struct paced_scores *score(struct maps *maps, enum paced_absent absent, struct paced_rng *rng) {
    struct paced_scores *scores = paced_scores_create(maps->classes);
    paced_scores_set_absent(scores, absent);
    for (int i = 0; i < IMAGES; ++i) {
        paced_scores_add(scores, NULL, maps->prediction[i], maps->label[i], PIXELS);
        for (int c = 1; c < maps->classes; ++c) {
            double *noted = maps->noted[i][c];
            noted[PACED_HD95] = occurs(maps, i, c) ? 1 + paced_rng_uniform(rng) : 0;
            noted[PACED_NSD] = occurs(maps, i, c) ? paced_rng_uniform(rng) : 1;
            paced_scores_note(scores, c, PACED_HD95, noted[PACED_HD95]);
            paced_scores_note(scores, c, PACED_NSD, noted[PACED_NSD]);
        }
    }
    return scores;
}

/* ---- the reference ------------------------------------------------------------------------------------------- */

static double class_value(const struct maps *maps, int image, int class_index, enum paced_metric metric) {
    double predicted = pixels_of(maps->prediction[image], class_index),
           labelled = pixels_of(maps->label[image], class_index), both = 0;
    for (int k = 0; k < PIXELS; ++k)
        both += maps->prediction[image][k] == class_index && maps->label[image][k] == class_index;
    if (metric == PACED_DICE) return (2 * both + 1e-4) / (predicted + labelled + 1e-4);
    if (metric == PACED_IOU) return predicted + labelled > 0 ? both / (predicted + labelled - both) : 1;
    if (metric == PACED_PRECISION) return predicted > 0 ? both / predicted : 1;
    if (metric == PACED_RECALL) return labelled > 0 ? both / labelled : 1;
    return maps->noted[image][class_index][metric];
}

static bool counts(const struct maps *maps, int image, int class_index, enum paced_absent absent) {
    return absent == PACED_ABSENT_PERFECT || maps->classes == 2 || occurs(maps, image, class_index);
}

static double image_value(const struct maps *maps, int image, enum paced_metric metric, enum paced_absent absent) {
    double sum = 0, count = 0;
    for (int c = 1; c < maps->classes; ++c) {
        if (!counts(maps, image, c, absent)) continue;
        sum += class_value(maps, image, c, metric);
        count += 1;
    }
    return count > 0 ? sum / count : metric == PACED_HD95 ? 0 : 1;
}

/* Mean over the images, of the image's mean (class 0) or of one class; *images receives their number. */
static double set_value(const struct maps *maps, int class_index, enum paced_metric metric, enum paced_absent absent,
                        bool non_empty, size_t *images) {
    double sum = 0;
    *images = 0;
    for (int i = 0; i < IMAGES; ++i) {
        if (non_empty && pixels_of(maps->label[i], 0) == PIXELS) continue;
        if (class_index > 0 && !counts(maps, i, class_index, absent)) continue;
        sum += class_index > 0 ? class_value(maps, i, class_index, metric) : image_value(maps, i, metric, absent);
        ++*images;
    }
    return *images > 0 ? sum / (double)*images : NAN;
}

/* ---- tests --------------------------------------------------------------------------------------------------- */

static bool same(double a, double b) {
    return isnan(a) ? isnan(b) : fabs(a - b) < 1e-12;
}

static void check_set(const struct paced_scores *scores, const struct maps *maps, enum paced_absent absent,
                      bool non_empty) {
    for (int c = 0; c < maps->classes; ++c) {
        size_t images, expected_images;
        struct paced_metrics mean = paced_scores_mean(scores, c, non_empty, &images);
        for (size_t k = 0; k < PACED_COUNT(class_metrics); ++k) {
            enum paced_metric m = class_metrics[k];
            double expected = set_value(maps, c, m, absent, non_empty, &expected_images);
            if (!same(mean.of[m], expected) || images != expected_images)
                fail_msg("%s of class %d: %.17g over %zu images, not %.17g over %zu", paced_metric_table[m].name, c,
                         mean.of[m], images, expected, expected_images);
        }
    }
}

static void check_images(const struct paced_scores *scores, const struct maps *maps, enum paced_absent absent) {
    for (int i = 0; i < IMAGES; ++i)
        for (int c = 0; c < maps->classes; ++c)
            for (size_t k = 0; k < PACED_COUNT(class_metrics); ++k) {
                enum paced_metric m = class_metrics[k];
                double expected = c == 0                       ? image_value(maps, i, m, absent)
                                  : counts(maps, i, c, absent) ? class_value(maps, i, c, m)
                                                               : NAN;
                assert_true(same(paced_scores_image(scores, (size_t)i, c).of[m], expected));
            }
}

static void test_random_maps(void **state) {
    struct paced_rng rng;
    paced_rng_seed(&rng, 5, 0);
    size_t skipped = 0;
    for (int round = 0; round < ROUNDS; ++round) {
        struct maps maps = {.classes = 2 + round % (MAX_CLASSES - 1)};
        enum paced_absent absent = round / 4 % 2 ? PACED_ABSENT_PERFECT : PACED_ABSENT_SKIP;
        draw(&maps, &rng);
        struct paced_scores *scores = score(&maps, absent, &rng);
        check_images(scores, &maps, absent);
        check_set(scores, &maps, absent, false);
        check_set(scores, &maps, absent, true);
        for (int i = 0; i < IMAGES; ++i)
            for (int c = 1; c < maps.classes; ++c) skipped += !counts(&maps, i, c, absent);
        paced_scores_destroy(scores);
    }
    assert_true(skipped > 100);
}

/* With two classes both treatments give the same bits. */
static void test_two_classes(void **state) {
    struct paced_rng rng;
    paced_rng_seed(&rng, 6, 0);
    for (int round = 0; round < 20; ++round) {
        struct maps maps = {.classes = 2};
        draw(&maps, &rng);
        struct paced_rng first = rng;
        struct paced_scores *scores[] = {score(&maps, PACED_ABSENT_SKIP, &first),
                                         score(&maps, PACED_ABSENT_PERFECT, &rng)};
        for (int c = 0; c < 2; ++c) {
            struct paced_metrics m[] = {paced_scores_mean(scores[0], c, false, NULL),
                                        paced_scores_mean(scores[1], c, false, NULL)};
            assert_memory_equal(&m[0], &m[1], sizeof m[0]);
        }
        paced_scores_destroy(scores[0]);
        paced_scores_destroy(scores[1]);
    }
}

/* Three classes: class 1 of the first image is missed, class 2 occurs in no image, the second image is empty. */
static struct paced_scores *missed(void) {
    const uint8_t none[4] = {0}, label[4] = {0, 1, 1, 0};
    struct paced_scores *scores = paced_scores_create(3);
    paced_scores_add(scores, "a", none, label, 4);
    paced_scores_add(scores, "b", none, none, 4);
    return scores;
}

static void test_interval_of_a_class(void **state) {
    struct paced_scores *scores = missed();
    struct paced_metrics low, high;
    paced_scores_interval(scores, 1, false, 1, &low, &high);
    assert_true(same(low.recall, 0) && same(high.recall, 0)); /* of one image only */
    paced_scores_interval(scores, 2, false, 1, &low, &high);
    assert_true(isnan(low.dice) && isnan(high.dice));
    paced_scores_interval(scores, 0, false, 1, &low, &high);
    assert_true(same(low.recall, 0) && same(high.recall, 1));
    paced_scores_destroy(scores);
}

static void check_file(const char *path, const char *expected) {
    uint8_t *data;
    size_t size;
    assert_int_equal(paced_file_read(path, 0, &data, &size), PACED_OK);
    assert_string_equal((char *)data, expected);
    free(data);
    unlink(path);
}

static void test_tables(void **state) {
    char directory[] = "/tmp/paced-absent-XXXXXX";
    assert_non_null(mkdtemp(directory));
    char *path = paced_path_join(directory, "table.csv");
    struct paced_scores *scores = missed();
    assert_int_equal(paced_scores_write_csv(scores, path), PACED_OK);
    check_file(path, "image,class,dice,iou,precision,recall,f1,labelled\n"
                     "a,1,4.99975001e-05,0,1,0,0,2\na,2,,,,,,0\nb,1,,,,,,0\nb,2,,,,,,0\n");
    assert_int_equal(paced_scores_write_summary(scores, path), PACED_OK);
    check_file(path, "set,class,images,dice,iou,precision,recall,f1\n"
                     "all,mean,2,0.500024999,0.5,1,0.5,0.666666667\nnon-empty,mean,1,4.99975001e-05,0,1,0,0\n"
                     "all,1,1,4.99975001e-05,0,1,0,0\nall,2,0,,,,,\n");
    FILE *out = fopen(path, "w");
    paced_scores_print(scores, NULL, 1, out);
    fclose(out);
    uint8_t *text;
    size_t size;
    assert_int_equal(paced_file_read(path, 0, &text, &size), PACED_OK);
    assert_non_null(strstr((char *)text, "\nall            1       1     0.0000     0.0000     1.0000     0.0000"));
    assert_non_null(strstr((char *)text, "\nall            2       0          -          -          -          -"));
    free(text);
    unlink(path);
    rmdir(directory);
    free(path);
    paced_scores_destroy(scores);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_maps),
        cmocka_unit_test(test_two_classes),
        cmocka_unit_test(test_interval_of_a_class),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests_name("absent", tests, NULL, NULL);
}
