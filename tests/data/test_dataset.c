/* Data sets: valid and malformed splits, bus and folder masks, differing sizes, invalid classes, and real pairs if
 * available. */
#include "helper.h"
#include "paced/config.h"
#include "tests/square.h"

enum { S = 8 };

static char root_path[80], split_path[80];

static struct paced_config config_of(int kind, int64_t classes) {
    struct paced_config config = {0};
    snprintf(root_path, sizeof root_path, "%s", test_dir);
    snprintf(split_path, sizeof split_path, "%s/split.json", test_dir);
    config.data.dataset = kind;
    config.data.root = root_path;
    config.data.train = split_path;
    config.data.classes = classes;
    config.data.size = square(S);
    return config;
}

/* Opens a split given as text. */
static enum paced_err open_split(struct paced_dataset **dataset, int kind, int64_t classes, const char *json) {
    struct paced_config config = config_of(kind, classes);
    put_text("split.json", json);
    return paced_dataset_open(dataset, &config.data, PACED_TRAIN);
}

static void put_grey(const char *name, int width, int height, uint8_t value) {
    uint8_t pixels[64 * 64];
    memset(pixels, value, sizeof pixels);
    assert_int_equal(paced_png_write(at(name), width, height, 1, pixels), PACED_OK);
}

static void test_good_split(void **state) {
    (void)state;
    struct paced_dataset *d;
    assert_int_equal(open_split(&d, PACED_DATA_BUS, 2, "[[\"a.png\", \"b.png\"],\n [\"x/../c.png\", \"./d.png\"]]"),
                     PACED_OK);
    assert_int_equal(paced_dataset_count(d), 2);
    assert_true(paced_extent_equal(paced_dataset_extent(d), square(S)));
    assert_string_equal(paced_dataset_image_name(d, 1), "x/../c.png");
    paced_dataset_close(d);
    paced_dataset_close(NULL);
    assert_int_equal(open_split(&d, PACED_DATA_BUS, 2, "\xEF\xBB\xBF[[\"a.png\", \"b.png\"]]"), PACED_OK);
    assert_int_equal(paced_dataset_count(d), 1);
    paced_dataset_close(d);
}

static void test_bad_splits(void **state) {
    (void)state;
    const struct {
        const char *json, *says;
    } cases[] = {
        {"", "bad JSON"},
        {"[[\"a\", \"b\"],\n[\"c\", \"d\"\n", "split.json:3: bad JSON"},
        {"[]", "split is empty"},
        {"{\"a\": \"b\"}", "is not an array"},
        {"[[\"a\", \"b\"], \"c\"]", "entry 2 is not an array"},
        {"[[\"a\", \"b\"], [\"c\"]]", "entry 2 has 1 element instead"},
        {"[[\"a\", \"b\", \"c\"]]", "entry 1 has 3 elements"},
        {"[[\"a\", 5]]", "entry 1: the mask is not a string"},
        {"[[null, \"b\"]]", "entry 1: the image is not a string"},
        {"[[\"\", \"b\"]]", "entry 1: image \"\": the path is empty"},
        {"[[\"/etc/a.png\", \"b\"]]", "is absolute"},
        {"[[\"a\", \"../b.png\"]]", "entry 1: mask \"../b.png\": the path leaves"},
        {"[[\"a\", \"b\"], [\"c/../../d\", \"e\"]]", "entry 2: image \"c/../../d\": the path leaves"},
        {"[[\"c/.//../..\", \"e\"]]", "the path leaves"},
    };
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        struct paced_dataset *d;
        hush();
        enum paced_err err = open_split(&d, PACED_DATA_BUS, 2, cases[i].json);
        const char *said = unhush();
        assert_int_equal(err, PACED_INVALID);
        assert_null(d);
        assert_says(said, "split.json");
        assert_says(said, cases[i].says);
    }
}

static void check_bad_config(struct paced_config config, enum paced_phase phase, const char *says) {
    struct paced_dataset *d;
    hush();
    enum paced_err err = paced_dataset_open(&d, &config.data, phase);
    const char *said = unhush();
    assert_int_equal(err, PACED_INVALID);
    assert_null(d);
    assert_says(said, says);
}

static void test_bad_configurations(void **state) {
    (void)state;
    char missing[] = "/tmp/paced-no-such-file", empty[] = "";
    put_text("split.json", "[[\"a\", \"b\"]]");
    struct paced_config config = config_of(PACED_DATA_BUS, 2);
    config.data.root = NULL;
    check_bad_config(config, PACED_TRAIN, "data.root is not set");
    config.data.root = missing;
    check_bad_config(config, PACED_TRAIN, "data.root is not a directory");
    config.data.root = split_path;
    check_bad_config(config, PACED_TRAIN, "data.root is not a directory");
    config = config_of(PACED_DATA_BUS, 2);
    check_bad_config(config, PACED_VAL, "data.val is not set");
    config.data.val = empty;
    check_bad_config(config, PACED_VAL, "data.val is not set");
    config.data.val = missing;
    check_bad_config(config, PACED_VAL, "no such file");
    config.data.val = root_path;
    check_bad_config(config, PACED_VAL, "is a directory");
    check_bad_config(config_of(PACED_DATA_BUS, 3), PACED_TRAIN, "data.classes = 3");
}

/* Label 1 where the mask reaches half of white; values between black and white are counted at full resolution, in one
 * warning. */
static void test_bus(void **state) {
    (void)state;
    uint8_t mask[16 * 16] = {0};
    for (int i = 0; i < 128; ++i) mask[i] = 255; /* upper half */
    mask[0] = 254;
    mask[1] = 1; /* a pixel that the resize does not sample */
    put_grey("image.png", 16, 16, 90);
    put_grey("plain.png", 16, 16, 255);
    assert_int_equal(paced_png_write(at("mask.png"), 16, 16, 1, mask), PACED_OK);
    uint8_t rgb[S * S * 3], label[S * S];
    struct paced_dataset *d;
    assert_int_equal(open_split(&d, PACED_DATA_BUS, 2,
                                "[[\"image.png\", \"plain.png\"], [\"image.png\", \"mask.png\"], [\"image.png\", "
                                "\"mask.png\"]]"),
                     PACED_OK);
    hush();
    for (int round = 0; round < 2; ++round) { /* the second round is served from memory */
        memset(rgb, 1, sizeof rgb);
        memset(label, 9, sizeof label);
        for (size_t i = 3; i-- > 0;) assert_int_equal(paced_dataset_load(d, i, rgb, label), PACED_OK);
        for (int i = 0; i < S * S; ++i) assert_int_equal(label[i], 1);
        assert_int_equal(paced_dataset_load(d, 1, rgb, label), PACED_OK);
        for (int i = 0; i < S * S * 3; ++i) assert_int_equal(rgb[i], 90);
        for (int i = 0; i < S * S; ++i) assert_int_equal(label[i], i < S * S / 2);
    }
    paced_dataset_close(d);
    const char *said = unhush();
    assert_int_equal(count_of(said, "warning"), 2);
    assert_says(said, "1 of 3 masks have foreground along most of their edge, first plain.png");
    assert_says(said, "4 mask pixels");
    assert_says(said, "first in mask.png");
}

static void test_folder(void **state) {
    (void)state;
    uint8_t mask[16 * 16], rgb[S * S * 3], label[S * S];
    for (int i = 0; i < 256; ++i) mask[i] = (uint8_t)(i / 16 / 2);
    put_grey("image.png", 16, 16, 90);
    assert_int_equal(paced_png_write(at("mask.png"), 16, 16, 1, mask), PACED_OK);
    struct paced_dataset *d;
    assert_int_equal(open_split(&d, PACED_DATA_FOLDER, 8, "[[\"image.png\", \"mask.png\"]]"), PACED_OK);
    assert_int_equal(paced_dataset_load(d, 0, rgb, label), PACED_OK);
    for (int i = 0; i < S * S; ++i) assert_int_equal(label[i], i / S);
    paced_dataset_close(d);
}

/* Checks that loading entry `i` fails with a message that contains all the parts. */
static void check_load_fails(int kind, const char *json, size_t i, const char *const *says, size_t count) {
    uint8_t rgb[S * S * 3], label[S * S];
    struct paced_dataset *d;
    assert_int_equal(open_split(&d, kind, kind == PACED_DATA_BUS ? 2 : 7, json), PACED_OK);
    hush();
    enum paced_err err = paced_dataset_load(d, i, rgb, label);
    const char *said = unhush();
    assert_int_equal(err, PACED_INVALID);
    assert_int_equal(count_of(said, "paced: "), 1);
    for (size_t k = 0; k < count; ++k) assert_says(said, says[k]);
    paced_dataset_close(d);
}

static void test_class_outside(void **state) {
    (void)state;
    uint8_t mask[16 * 16] = {0};
    mask[3 * 16 + 5] = 7; /* a pixel that the resize does not sample, still an error */
    put_grey("image.png", 16, 16, 90);
    assert_int_equal(paced_png_write(at("mask.png"), 16, 16, 1, mask), PACED_OK);
    const char *const says[] = {"split.json: entry 1: ", "mask.png: row 3, column 5 holds 7", "0 to 6"};
    check_load_fails(PACED_DATA_FOLDER, "[[\"image.png\", \"mask.png\"]]", 0, says, PACED_COUNT(says));
}

static void test_unequal_sizes(void **state) {
    (void)state;
    put_grey("image.png", 16, 12, 90);
    put_grey("mask.png", 12, 16, 255);
    const char *const says[] = {"entry 2: ", "image.png is 16 x 12", "mask.png is 12 x 16"};
    check_load_fails(PACED_DATA_BUS, "[[\"a\", \"b\"], [\"image.png\", \"mask.png\"]]", 1, says, PACED_COUNT(says));
}

static void test_missing_files(void **state) {
    (void)state;
    put_grey("image.png", 16, 16, 90);
    const char *const image[] = {"split.json: entry 1: ", "none.png: cannot open"};
    const char *const mask[] = {"split.json: entry 2: ", "none_mask.png: cannot open"};
    const char *json = "[[\"none.png\", \"image.png\"], [\"image.png\", \"none_mask.png\"]]";
    check_load_fails(PACED_DATA_BUS, json, 0, image, PACED_COUNT(image));
    check_load_fails(PACED_DATA_BUS, json, 1, mask, PACED_COUNT(mask));
}

/* Without a split, each pair is found once, even if a link leads back to a parent folder. */
static void test_find_with_a_circle(void **state) {
    (void)state;
    static const char *const files[] = {"found/a.png", "found/a_mask.png", "found/in/b.png", "found/in/b_mask.png"};
    assert_int_equal(mkdir(at("found"), 0700), 0);
    assert_int_equal(mkdir(at("found/in"), 0700), 0);
    assert_int_equal(symlink("..", at("found/in/back")), 0);
    for (size_t i = 0; i < PACED_COUNT(files); ++i) put_grey(files[i], S, S, 0);
    struct paced_config config = config_of(PACED_DATA_BUS, 2);
    char root[128];
    snprintf(root, sizeof root, "%s/found", test_dir);
    config.data.root = root;
    struct paced_dataset *d;
    assert_int_equal(paced_dataset_find(&d, &config.data), PACED_OK);
    assert_int_equal(paced_dataset_count(d), 2);
    assert_string_equal(paced_dataset_image_name(d, 0), "a.png");
    assert_string_equal(paced_dataset_image_name(d, 1), "in/b.png");
    paced_dataset_close(d);
}

static void test_real_pairs(void **state) {
    (void)state;
    const char *data = getenv("PACED_TEST_DATA");
    if (data == NULL || data[0] == '\0') {
        print_message("PACED_TEST_DATA is not set: no real BUSI pairs to load\n");
        skip();
    }
    struct paced_config config = config_of(PACED_DATA_BUS, 2);
    config.data.root = paced_path_join(data, "busi");
    config.data.train = paced_path_join(data, "busi_train.json");
    config.data.size = square(224);
    uint8_t *rgb = malloc(224 * 224 * 3), *label = malloc(224 * 224);
    struct paced_dataset *d;
    assert_int_equal(paced_dataset_open(&d, &config.data, PACED_TRAIN), PACED_OK);
    assert_int_equal(paced_dataset_count(d), 680);
    size_t lesion = 0;
    for (size_t i = 0; i < 680; i += 170) {
        assert_int_equal(paced_dataset_load(d, i, rgb, label), PACED_OK);
        for (int k = 0; k < 224 * 224; ++k) lesion += label[k];
    }
    assert_in_range(lesion, 1, 4 * 224 * 224 / 2);
    paced_dataset_close(d);
    free(label);
    free(rgb);
    free(config.data.train);
    free(config.data.root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_split),
        cmocka_unit_test(test_bad_splits),
        cmocka_unit_test(test_bad_configurations),
        cmocka_unit_test(test_bus),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_class_outside),
        cmocka_unit_test(test_unequal_sizes),
        cmocka_unit_test(test_missing_files),
        cmocka_unit_test(test_find_with_a_circle),
        cmocka_unit_test(test_real_pairs),
    };
    return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
