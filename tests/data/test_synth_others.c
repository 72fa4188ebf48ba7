/* The synthetic needle and scene sets: reproducible, in their layouts, with every class, and not separable by
 * brightness. */
#include "helper.h"
#include "paced/config.h"

enum { COUNT = 20, SIZE = 64, PIXELS = SIZE * SIZE };

static struct paced_dataset *open_set(int kind, const char *name, int64_t classes, enum paced_phase phase) {
    struct paced_config config = {.data = {.dataset = kind, .classes = classes, .size = {SIZE, SIZE}}};
    char root[256], train[300], val[300], labels[300];
    snprintf(root, sizeof root, "%s", at(name));
    snprintf(train, sizeof train, "%s/train.json", root);
    snprintf(val, sizeof val, "%s/val.json", root);
    snprintf(labels, sizeof labels, "%s/labels.json", root);
    config.data.root = root;
    config.data.train = train;
    config.data.val = val;
    if (kind == PACED_DATA_ROBO) config.data.labels = labels;
    struct paced_dataset *d;
    assert_int_equal(paced_dataset_open(&d, &config.data, phase), PACED_OK);
    return d;
}

static void check_same(int kind, const char *a, const char *b, int64_t classes, bool same) {
    struct paced_dataset *x = open_set(kind, a, classes, PACED_VAL), *y = open_set(kind, b, classes, PACED_VAL);
    static uint8_t rgb[2][3 * PIXELS], label[2][PIXELS];
    assert_int_equal(paced_dataset_load(x, 0, rgb[0], label[0]), PACED_OK);
    assert_int_equal(paced_dataset_load(y, 0, rgb[1], label[1]), PACED_OK);
    assert_int_equal(memcmp(rgb[0], rgb[1], sizeof rgb[0]) == 0, same);
    assert_int_equal(memcmp(label[0], label[1], sizeof label[0]) == 0, same);
    paced_dataset_close(x);
    paced_dataset_close(y);
}

static void test_same_seed_same_pictures(void **state) {
    (void)state;
    assert_int_equal(paced_synth_needle(at("needle"), COUNT, SIZE, 3), PACED_OK);
    assert_int_equal(paced_synth_needle(at("needle_again"), 5, SIZE, 3), PACED_OK);
    assert_int_equal(paced_synth_needle(at("needle_other"), 5, SIZE, 4), PACED_OK);
    check_same(PACED_DATA_NEEDLE, "needle", "needle_again", 2, true);
    check_same(PACED_DATA_NEEDLE, "needle", "needle_other", 2, false);
    assert_int_equal(paced_synth_scene(at("scene"), COUNT, SIZE, 3), PACED_OK);
    assert_int_equal(paced_synth_scene(at("scene_again"), 5, SIZE, 3), PACED_OK);
    assert_int_equal(paced_synth_scene(at("scene_other"), 5, SIZE, 4), PACED_OK);
    check_same(PACED_DATA_ROBO, "scene", "scene_again", 6, true);
    check_same(PACED_DATA_ROBO, "scene", "scene_other", 6, false);
}

/* A thin shaft in each picture, brighter than its surroundings; less than half of the brightest pixels are on it. */
static void test_needles(void **state) {
    (void)state;
    static uint8_t rgb[3 * PIXELS], label[PIXELS];
    double inside = 0, outside = 0, found = 0, all = 0;
    for (int phase = 0; phase < 2; ++phase) {
        struct paced_dataset *d = open_set(PACED_DATA_NEEDLE, "needle", 2, phase);
        assert_int_equal(paced_dataset_count(d), phase == PACED_TRAIN ? 16 : 4);
        for (size_t i = 0; i < paced_dataset_count(d); ++i) {
            const char *name = paced_dataset_image_name(d, i);
            const bool is_val = strstr(name, "/p5_") != NULL || strstr(name, "/p10_") != NULL;
            assert_int_equal(is_val, phase == PACED_VAL);
            assert_int_equal(paced_dataset_load(d, i, rgb, label), PACED_OK);
            double area = 0, in = 0, out = 0;
            for (int k = 0; k < PIXELS; ++k) {
                area += label[k];
                *(label[k] ? &in : &out) += rgb[3 * k];
                found += label[k] && rgb[3 * k] > 200;
                all += rgb[3 * k] > 200;
            }
            assert_true(area > 0.003 * PIXELS && area < 0.06 * PIXELS);
            inside += in / area;
            outside += out / (PIXELS - area);
        }
        paced_dataset_close(d);
    }
    assert_true(inside > 1.4 * outside);
    assert_true(all > 0 && found < 0.75 * all);
}

static void test_scenes(void **state) {
    (void)state;
    static uint8_t rgb[3 * PIXELS], label[PIXELS];
    size_t pixels[6] = {0}, holders[6] = {0};
    for (int phase = 0; phase < 2; ++phase) {
        struct paced_dataset *d = open_set(PACED_DATA_ROBO, "scene", 6, phase);
        assert_string_equal(paced_dataset_class_name(d, 1), "instrument-shaft");
        for (size_t i = 0; i < paced_dataset_count(d); ++i) {
            size_t here[6] = {0};
            assert_int_equal(paced_dataset_load(d, i, rgb, label), PACED_OK);
            for (int k = 0; k < PIXELS; ++k) here[label[k]]++;
            for (int c = 0; c < 6; ++c) {
                pixels[c] += here[c];
                holders[c] += here[c] > 0;
            }
        }
        paced_dataset_close(d);
    }
    for (int c = 0; c < 6; ++c) assert_true(holders[c] >= COUNT / 2);
    assert_true(pixels[0] > COUNT * PIXELS / 4);
    assert_true(pixels[5] < COUNT * PIXELS / 20); /* the thread is thin */
}

static void test_refused(void **state) {
    (void)state;
    hush();
    assert_int_equal(paced_synth_needle(at("none"), 4, SIZE, 1), PACED_INVALID);
    assert_int_equal(paced_synth_scene(at("none"), COUNT, 8, 1), PACED_INVALID);
    unhush();
    assert_false(paced_path_exists(at("none")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_pictures),
        cmocka_unit_test(test_needles),
        cmocka_unit_test(test_scenes),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
