/* Masks of each kind: valid and malformed label tables, known and unknown colours, several masks of one image, class
 * names, and folders of phases. */
#include "helper.h"
#include "paced/config.h"

enum { W = 6, H = 4, PIXELS = W * H };

static char labels_path[80], split_path[80], root_path[80];

#define TISSUE "{\"name\": \"tissue\", \"color\": [0, 0, 0], \"classid\": 0}"
#define SHAFT "{\"name\": \"shaft\", \"color\": [0, 255, 0], \"classid\": 1}"
#define CLAMPS "{\"name\": \"clamps\", \"color\": [0, 255, 125], \"classid\": 2}"

static struct paced_config config_of(int kind, int64_t classes, const char *labels) {
    struct paced_config config = {.data = {.dataset = kind, .classes = classes, .size = {4, 4}}};
    snprintf(root_path, sizeof root_path, "%s", test_dir);
    snprintf(labels_path, sizeof labels_path, "%s/labels.json", test_dir);
    snprintf(split_path, sizeof split_path, "%s/split.json", test_dir);
    if (labels != NULL) put_text("labels.json", labels);
    if (labels != NULL) config.data.labels = labels_path;
    config.data.root = root_path;
    config.data.train = config.data.val = split_path;
    return config;
}

static struct paced_masks *open_masks(int kind, int64_t classes, const char *labels) {
    struct paced_config config = config_of(kind, classes, labels);
    struct paced_masks *masks;
    assert_int_equal(paced_masks_open(&masks, &config.data), PACED_OK);
    return masks;
}

static void check_refused(struct paced_config config, const char *says) {
    struct paced_masks *masks;
    hush();
    enum paced_err err = paced_masks_open(&masks, &config.data);
    const char *said = unhush();
    assert_int_equal(err, PACED_INVALID);
    assert_null(masks);
    assert_int_equal(count_of(said, "paced: "), 1);
    assert_says(said, says);
}

/* Writes a picture of one colour except pixel `where`. */
static const char *put_rgb(const char *name, const uint8_t all[3], size_t where, const uint8_t other[3]) {
    uint8_t rgb[3 * PIXELS];
    for (size_t i = 0; i < PIXELS; ++i) memcpy(rgb + 3 * i, i == where ? other : all, 3);
    const char *path = at(name);
    assert_int_equal(paced_png_write(path, W, H, 3, rgb), PACED_OK);
    return path;
}

static void test_bad_tables(void **state) {
    (void)state;
    const struct {
        const char *json, *says;
    } cases[] = {
        {"", "labels.json:1: bad JSON"},
        {"[]", "label table is empty"},
        {"{}", "is not an array; a label table is"},
        {"[" TISSUE ", 5]", "entry 2: is not an object"},
        {"[{\"color\": [0, 0, 0], \"classid\": 0}]", "entry 1: has no name"},
        {"[{\"name\": \"a\", \"color\": [0, 0], \"classid\": 0}]", "entry 1: its color is not a list of three"},
        {"[{\"name\": \"a\", \"color\": [0, 0, 256], \"classid\": 0}]", "entry 1: its color is not a list of three"},
        {"[{\"name\": \"a\", \"classid\": 0}]", "entry 1: its color is not a list of three"},
        {"[{\"name\": \"a\", \"color\": [0, 0, 0], \"classid\": 255}]", "from 0 to 254"},
        {"[{\"name\": \"a\", \"color\": [0, 0, 0], \"classid\": \"1\"}]", "from 0 to 254"},
        {"[" TISSUE ", " TISSUE "]", "entry 2: its color belongs to an earlier entry"},
        {"[" TISSUE ", " CLAMPS "]", "no entry has classid 1, but one has 2"},
        {"[{\"name\": \"ignore\", \"classid\": 0}, {\"name\": \"ignore\", \"classid\": 0}]", "a second \"ignore\""},
        {"[" TISSUE ", " SHAFT "]", "labels.json has 2 classes; set data.classes = 2"},
    };
    for (size_t i = 0; i < PACED_COUNT(cases); ++i)
        check_refused(config_of(PACED_DATA_ROBO, 3, cases[i].json), cases[i].says);
}

static void test_bad_configurations(void **state) {
    (void)state;
    check_refused(config_of(PACED_DATA_ROBO, 3, NULL), "data.labels is not set");
    check_refused(config_of(PACED_DATA_NEEDLE, 3, NULL), "the dataset needle has 2");
    check_refused(config_of(PACED_DATA_FOLDER, 2, "[" TISSUE "]"), "labels.json has 1 class;");
    struct paced_config config = config_of(PACED_DATA_FOLDER, 2, NULL);
    config.data.merge_masks = true;
    check_refused(config, "data.merge_masks");
}

static void test_colours(void **state) {
    (void)state;
    struct paced_masks *masks = open_masks(PACED_DATA_ROBO, 3, "\xEF\xBB\xBF[" CLAMPS ", " SHAFT ", " TISSUE "]");
    const uint8_t shaft[3] = {0, 255, 0}, clamps[3] = {0, 255, 125};
    struct paced_mask mask;
    assert_int_equal(paced_masks_read(masks, put_rgb("m.png", shaft, 9, clamps), "s", &mask), PACED_OK);
    assert_true(mask.width == W && mask.height == H && mask.unmapped == 0);
    for (int i = 0; i < PIXELS; ++i) assert_int_equal(mask.label[i], i == 9 ? 2 : 1);
    free(mask.label);
    assert_string_equal(paced_masks_class_name(masks, 0), "tissue");
    assert_string_equal(paced_masks_class_name(masks, 2), "clamps");
    assert_null(paced_masks_class_name(masks, 3));
    uint32_t colour;
    assert_true(paced_masks_class_colour(masks, 2, &colour));
    assert_int_equal(colour, 0x00ff7d);
    assert_false(paced_masks_class_colour(masks, 3, &colour));
    paced_masks_close(masks);
}

static void test_unknown_colour(void **state) {
    (void)state;
    struct paced_masks *masks = open_masks(PACED_DATA_ROBO, 2, "[" TISSUE ", " SHAFT "]");
    const uint8_t shaft[3] = {0, 255, 0}, other[3] = {7, 8, 9};
    struct paced_mask mask;
    const char *path = put_rgb("m.png", shaft, 2 * W + 5, other);
    hush();
    enum paced_err err = paced_masks_read(masks, path, "split.json: entry 4", &mask);
    const char *said = unhush();
    assert_int_equal(err, PACED_INVALID);
    assert_null(mask.label);
    assert_says(said, "split.json: entry 4: ");
    assert_says(said, "m.png: row 2, column 5 has the colour (7, 8, 9)");
    assert_says(said, "labels.json");
    paced_masks_close(masks);
}

/* A table needs no colours if the colours of a mask have no meaning. */
static void test_table_without_colours(void **state) {
    (void)state;
    const char *table = "[" TISSUE ", {\"name\": \"shaft\", \"classid\": 1}]";
    struct paced_masks *masks = open_masks(PACED_DATA_FOLDER, 2, table);
    uint32_t colour;
    assert_string_equal(paced_masks_class_name(masks, 1), "shaft");
    assert_true(paced_masks_class_colour(masks, 0, &colour));
    assert_false(paced_masks_class_colour(masks, 1, &colour));
    paced_masks_close(masks);
}

/* Unknown colours get the class of "ignore"; a class with another name keeps it. */
static void test_ignore(void **state) {
    (void)state;
    const uint8_t shaft[3] = {0, 255, 0}, other[3] = {7, 8, 9};
    struct paced_masks *masks =
        open_masks(PACED_DATA_ROBO, 2, "[{\"name\": \"ignore\", \"classid\": 0}, " TISSUE ", " SHAFT "]");
    struct paced_mask mask;
    assert_int_equal(paced_masks_read(masks, put_rgb("m.png", shaft, 3, other), "s", &mask), PACED_OK);
    for (int i = 0; i < PIXELS; ++i) assert_int_equal(mask.label[i], i != 3);
    assert_int_equal(mask.unmapped, 1);
    free(mask.label);
    assert_string_equal(paced_masks_class_name(masks, 0), "tissue");
    char *text = paced_masks_unmapped_text(masks, 5);
    assert_says(text, "5 mask pixels have a colour that ");
    free(text);
    text = paced_masks_unmapped_text(masks, 1);
    assert_says(text, "1 mask pixel has a colour that ");
    assert_says(text, " does not name and counts as ");
    free(text);
    paced_masks_close(masks);
}

static void test_class_names(void **state) {
    (void)state;
    struct paced_masks *masks = open_masks(PACED_DATA_NEEDLE, 2, NULL);
    assert_string_equal(paced_masks_class_name(masks, 1), "needle");
    paced_masks_close(masks);
    masks = open_masks(PACED_DATA_BUS, 2, "[" TISSUE ", " SHAFT "]");
    assert_string_equal(paced_masks_class_name(masks, 1), "shaft");
    paced_masks_close(masks);
    masks = open_masks(PACED_DATA_FOLDER, 2, NULL);
    assert_null(paced_masks_class_name(masks, 1));
    paced_masks_close(masks);
    paced_masks_close(NULL);
}

static void put_dot(const char *name, int width, int where) {
    uint8_t grey[64] = {0};
    if (where >= 0) grey[where] = 255;
    assert_int_equal(paced_png_write(at(name), width, H, 1, grey), PACED_OK);
}

static void test_merge(void **state) {
    (void)state;
    struct paced_config config = config_of(PACED_DATA_BUS, 2, NULL);
    const char *const names[] = {"x_mask.png", "x_mask_1.png", "x_mask_2.png", "x_mask_4.png"};
    for (int i = 0; i < 4; ++i) put_dot(names[i], W, 5 * i); /* without a third mask, the fourth is not one of them */
    for (int merge = 0; merge < 2; ++merge) {
        struct paced_masks *masks;
        struct paced_mask mask;
        config.data.merge_masks = merge;
        assert_int_equal(paced_masks_open(&masks, &config.data), PACED_OK);
        assert_int_equal(paced_masks_read(masks, at("x_mask.png"), "s", &mask), PACED_OK);
        for (int i = 0; i < PIXELS; ++i) assert_int_equal(mask.label[i], i == 0 || (merge && (i == 5 || i == 10)));
        free(mask.label);
        paced_masks_close(masks);
    }
}

static void test_merge_of_unequal_sizes(void **state) {
    (void)state;
    struct paced_config config = config_of(PACED_DATA_NEEDLE, 2, NULL);
    struct paced_masks *masks;
    struct paced_mask mask;
    config.data.merge_masks = true;
    put_dot("y_mask.png", W, 0);
    put_dot("y_mask_1.png", W + 1, 0);
    assert_int_equal(paced_masks_open(&masks, &config.data), PACED_OK);
    hush();
    enum paced_err err = paced_masks_read(masks, at("y_mask.png"), "s", &mask);
    const char *said = unhush();
    assert_int_equal(err, PACED_INVALID);
    assert_null(mask.label);
    assert_says(said, "y_mask_1.png is 7 x 4, but the image's first mask is 6 x 4");
    paced_masks_close(masks);
}

/* Paths of robo start in the folder of the phase; they may refer to the other phase, but not leave the root. */
static void test_folders_of_phases(void **state) {
    (void)state;
    const uint8_t shaft[3] = {0, 255, 0}, tissue[3] = {0, 0, 0};
    struct paced_config config = config_of(PACED_DATA_ROBO, 2, "[" TISSUE ", " SHAFT "]");
    assert_int_equal(paced_make_dirs(at("train")), PACED_OK);
    assert_int_equal(paced_make_dirs(at("val")), PACED_OK);
    put_rgb("train/a.png", shaft, 0, tissue);
    put_rgb("val/a.png", tissue, 0, tissue);
    put_text("split.json", "[[\"a.png\", \"./a.png\"], [\"../val/a.png\", \"../train/a.png\"]]");
    for (int phase = 0; phase < 2; ++phase) {
        struct paced_dataset *d;
        uint8_t rgb[16 * 3], label[16];
        assert_int_equal(paced_dataset_open(&d, &config.data, phase), PACED_OK);
        assert_int_equal(paced_dataset_load(d, 0, rgb, label), PACED_OK);
        assert_int_equal(label[5], phase == PACED_TRAIN);
        assert_int_equal(paced_dataset_load(d, 1, rgb, label), PACED_OK);
        assert_int_equal(label[5], 1);
        assert_string_equal(paced_dataset_class_name(d, 1), "shaft");
        paced_dataset_close(d);
    }
    put_text("split.json", "[[\"../../a.png\", \"a.png\"]]");
    struct paced_dataset *d;
    hush();
    enum paced_err err = paced_dataset_open(&d, &config.data, PACED_TRAIN);
    const char *said = unhush();
    assert_int_equal(err, PACED_INVALID);
    assert_says(said, "leaves data.root");
}

/* All masks of CamVid, if available: every colour is in the table. */
static void test_real_colours(void **state) {
    (void)state;
    const char *data = getenv("PACED_TEST_DATA");
    if (data == NULL || data[0] == '\0') {
        print_message("PACED_TEST_DATA is not set: no real colour-coded masks to load\n");
        skip();
    }
    struct paced_config config = {.data = {.dataset = PACED_DATA_ROBO, .classes = 12, .size = {64, 64}}};
    config.data.root = paced_path_join(data, "camvid");
    config.data.train = paced_path_join(data, "camvid_train.json");
    config.data.val = paced_path_join(data, "camvid_val.json");
    config.data.labels = paced_path_join(data, "camvid_labels.json");
    const size_t counts[] = {92, 34};
    uint8_t *rgb = malloc(64 * 64 * 3), *label = malloc(64 * 64);
    size_t seen[12] = {0};
    for (int phase = 0; phase < 2; ++phase) {
        struct paced_dataset *d;
        assert_int_equal(paced_dataset_open(&d, &config.data, phase), PACED_OK);
        assert_int_equal(paced_dataset_count(d), counts[phase]);
        assert_string_equal(paced_dataset_class_name(d, 3), "road");
        for (size_t i = 0; i < counts[phase]; ++i) {
            assert_int_equal(paced_dataset_load(d, i, rgb, label), PACED_OK);
            for (int k = 0; k < 64 * 64; ++k) seen[label[k]]++;
        }
        paced_dataset_close(d);
    }
    for (int c = 0; c < 12; ++c) assert_true(seen[c] > 0);
    free(label);
    free(rgb);
    free(config.data.root);
    free(config.data.train);
    free(config.data.val);
    free(config.data.labels);
}

/* Moved images have ignored pixels at the border if the data set has such pixels. */
static void test_label_from_outside(void **state) {
    static const struct {
        char ignore[8];
        int fit;
        uint8_t label;
    } cases[] = {{"", PACED_FIT_CROP, 0},
                 {"none", PACED_FIT_STRETCH, 0},
                 {"none", PACED_FIT_PAD, PACED_IGNORED},
                 {"0", PACED_FIT_STRETCH, PACED_IGNORED},
                 {"255", PACED_FIT_CROP, PACED_IGNORED}};
    for (size_t i = 0; i < PACED_COUNT(cases); ++i) {
        char *ignore = paced_strdup(cases[i].ignore);
        const struct paced_data_options options = {.ignore = ignore, .fit = cases[i].fit};
        assert_int_equal(paced_outside_label(&options), cases[i].label);
        free(ignore);
    }
    assert_int_equal(paced_outside_label(&(struct paced_data_options){0}), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_tables),
        cmocka_unit_test(test_bad_configurations),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_unknown_colour),
        cmocka_unit_test(test_table_without_colours),
        cmocka_unit_test(test_ignore),
        cmocka_unit_test(test_label_from_outside),
        cmocka_unit_test(test_class_names),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_merge_of_unequal_sizes),
        cmocka_unit_test(test_folders_of_phases),
        cmocka_unit_test(test_real_colours),
    };
    return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
