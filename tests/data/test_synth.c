/* The synthetic breast set: reproducible, complete, plausible, and not separable by a threshold. */
#include "helper.h"

#include <jansson.h>

enum { COUNT = 30, SIZE = 48, PIXELS = SIZE * SIZE };

static char set_path[80]; /* the set of most tests: seed 3 */

static int make_set(void **state) {
    if (enter_dir(state) != 0) return -1;
    snprintf(set_path, sizeof set_path, "%s/set", test_dir);
    return paced_synth_breast(set_path, COUNT, SIZE, 3) == PACED_OK ? 0 : -1;
}

static json_t *read_json(const char *dir, const char *name) {
    char *path = paced_path_join(dir, name);
    json_t *list = json_load_file(path, 0, NULL);
    assert_non_null(list);
    free(path);
    return list;
}

static struct paced_image read_image(const char *dir, const char *name) {
    struct paced_image image;
    char *path = paced_path_join(dir, name);
    assert_int_equal(paced_image_read(path, NULL, NULL, &image), PACED_OK);
    assert_true(image.width == SIZE && image.height == SIZE);
    free(path);
    return image;
}

static const char *name_of(const json_t *list, size_t i, size_t which) {
    return json_string_value(json_array_get(json_array_get(list, i), which));
}

static bool same_file(const char *a, const char *b, const char *name) {
    uint8_t *data[2];
    size_t size[2];
    const char *dirs[2] = {a, b};
    for (int k = 0; k < 2; ++k) {
        char *path = paced_path_join(dirs[k], name);
        assert_int_equal(paced_file_read(path, 0, &data[k], &size[k]), PACED_OK);
        free(path);
    }
    bool same = size[0] == size[1] && memcmp(data[0], data[1], size[0]) == 0;
    free(data[0]);
    free(data[1]);
    return same;
}

/* A smaller set with the same seed has the same first pictures; another seed has different ones. */
static void test_same_seed_same_bytes(void **state) {
    (void)state;
    char again[80], other[80];
    snprintf(again, sizeof again, "%s/again", test_dir);
    snprintf(other, sizeof other, "%s/other", test_dir);
    assert_int_equal(paced_synth_breast(again, COUNT / 2, SIZE, 3), PACED_OK);
    assert_int_equal(paced_synth_breast(other, 5, SIZE, 4), PACED_OK);
    json_t *list = read_json(again, "train.json");
    for (size_t i = 0; i < json_array_size(list); ++i)
        for (size_t which = 0; which < 2; ++which) assert_true(same_file(set_path, again, name_of(list, i, which)));
    json_decref(list);
    list = read_json(other, "train.json");
    for (size_t i = 0; i < json_array_size(list); ++i) assert_false(same_file(set_path, other, name_of(list, i, 0)));
    json_decref(list);
}

/* Each picture is in one split, every fifth in val, all pictures differ, and none is missing. */
static void test_splits(void **state) {
    (void)state;
    json_t *train = read_json(set_path, "train.json"), *val = read_json(set_path, "val.json");
    assert_int_equal(json_array_size(train), COUNT - COUNT / 5);
    assert_int_equal(json_array_size(val), COUNT / 5);
    json_array_extend(train, val);
    int normal = 0;
    for (size_t i = 0; i < COUNT; ++i) {
        const char *name = name_of(train, i, 0), *mask = name_of(train, i, 1);
        const size_t stem = strlen(name) - strlen(".png");
        assert_memory_equal(name, mask, stem);
        assert_string_equal(mask + stem, "_mask.png");
        normal += strncmp(name, "normal/normal (", 15) == 0;
        for (size_t k = 0; k < i; ++k) assert_string_not_equal(name, name_of(train, k, 0));
    }
    assert_int_equal(normal, COUNT / 10);
    json_decref(train);
    json_decref(val);
}

/* Otsu's threshold, the grey level of maximum variance between the two sides. */
static int otsu(const struct paced_image *image) {
    double histogram[256] = {0}, total = 0, below = 0, sum = 0, best = -1;
    int threshold = 0;
    for (int i = 0; i < PIXELS; ++i) {
        histogram[image->rgb[3 * i]]++;
        total += image->rgb[3 * i];
    }
    for (int t = 0; t < 255; ++t) {
        below += histogram[t];
        sum += t * histogram[t];
        if (below == 0 || below == PIXELS) continue;
        const double gap = sum / below - (total - sum) / (PIXELS - below),
                     variance = below * (PIXELS - below) * gap * gap;
        if (variance > best) {
            best = variance;
            threshold = t;
        }
    }
    return threshold;
}

static double dice_of_threshold(const struct paced_image *image, const struct paced_image *mask) {
    const int threshold = otsu(image);
    double both = 0, sum = 0;
    for (int i = 0; i < PIXELS; ++i) {
        const bool dark = image->rgb[3 * i] <= threshold, lesion = mask->rgb[3 * i] == 255;
        both += dark && lesion;
        sum += dark + lesion;
    }
    return 2 * both / sum;
}

static void test_pictures(void **state) {
    (void)state;
    json_t *list = read_json(set_path, "train.json");
    double dice = 0, inside = 0, outside = 0;
    int lesions = 0;
    for (size_t i = 0; i < json_array_size(list); ++i) {
        struct paced_image image = read_image(set_path, name_of(list, i, 0)),
                           mask = read_image(set_path, name_of(list, i, 1));
        double area = 0, in = 0, all = 0;
        for (int k = 0; k < PIXELS; ++k) {
            const uint8_t m = mask.rgb[3 * k], grey = image.rgb[3 * k];
            assert_true(m == 0 || m == 255);
            area += m == 255;
            in += m == 255 ? grey : 0;
            all += grey;
        }
        assert_true(all / PIXELS > 30 && all / PIXELS < 200);
        if (strncmp(name_of(list, i, 0), "normal/", 7) == 0) {
            assert_true(area == 0);
        } else {
            assert_true(area >= 0.03 * PIXELS && area <= 0.20 * PIXELS);
            dice += dice_of_threshold(&image, &mask);
            inside += in / area;
            outside += (all - in) / (PIXELS - area);
            lesions++;
        }
        free(image.rgb);
        free(mask.rgb);
    }
    assert_true(dice / lesions < 0.6);
    assert_true(inside < 0.7 * outside); /* hypo-echoic */
    json_decref(list);
}

static void test_refused(void **state) {
    (void)state;
    hush();
    assert_int_equal(paced_synth_breast(at("none"), 4, SIZE, 1), PACED_INVALID);
    assert_int_equal(paced_synth_breast(at("none"), COUNT, 8, 1), PACED_INVALID);
    assert_int_not_equal(paced_synth_breast(put_text("file", "x"), COUNT, SIZE, 1), PACED_OK);
    unhush();
    assert_false(paced_path_exists(at("none")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_bytes),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make_set, leave_dir);
}
