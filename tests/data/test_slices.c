/* Splits that name files with several slices. */
#include "image_helper.h"
#include "tests/square.h"

#include <tiffio.h>

enum { S = 4, PAGES = 3 };

/* Writes pages of S x S pixels, page k with the value first + k. */
static void put_stack(const char *name, int pages, int first) {
    TIFF *t = TIFFOpen(at(name), "w");
    assert_non_null(t);
    for (int k = 0; k < pages; ++k) {
        uint8_t pixels[S * S];
        memset(pixels, first + k, sizeof pixels);
        TIFFSetField(t, TIFFTAG_IMAGEWIDTH, S);
        TIFFSetField(t, TIFFTAG_IMAGELENGTH, S);
        TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 8);
        TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
        assert_true(TIFFWriteEncodedStrip(t, 0, pixels, sizeof pixels) == sizeof pixels);
        assert_true(TIFFWriteDirectory(t));
    }
    TIFFClose(t);
}

static enum paced_err open_split(struct paced_dataset **dataset, const char *json, bool merge) {
    static char root[80], split[96];
    snprintf(root, sizeof root, "%s", test_dir);
    snprintf(split, sizeof split, "%s/split.json", test_dir);
    put_text("split.json", json);
    const struct paced_data_options options = {.dataset = merge ? PACED_DATA_BINARY : PACED_DATA_INDEX,
                                               .root = root,
                                               .train = split,
                                               .classes = merge ? 2 : 10,
                                               .size = square(S),
                                               .merge_masks = merge};
    return paced_dataset_open(dataset, &options, PACED_TRAIN);
}

static void check_pair(struct paced_dataset *d, size_t i, const char *name, int value, int label) {
    uint8_t rgb[3 * S * S], labels[S * S];
    assert_string_equal(paced_dataset_image_name(d, i), name);
    assert_int_equal(paced_dataset_load(d, i, rgb, labels), PACED_OK);
    assert_int_equal(rgb[0], value);
    assert_int_equal(labels[S * S - 1], label);
}

static void test_all_slices(void **state) {
    struct paced_dataset *d;
    put_stack("one.tif", 1, 50);
    put_stack("one_mask.tif", 1, 7);
    put_stack("a.tif", PAGES, 100);
    put_stack("a_mask.tif", PAGES, 2);
    assert_int_equal(open_split(&d,
                                "[[\"one.tif\", \"one_mask.tif\"], [\"a.tif\", \"a_mask.tif\"],"
                                " [\"a.tif#2\", \"a_mask.tif#1\"], [\"one.tif\", \"a_mask.tif#02\"]]",
                                false),
                     PACED_OK);
    assert_int_equal(paced_dataset_count(d), 1 + PAGES + 2);
    assert_int_equal(paced_dataset_check_files(d), PACED_OK);
    check_pair(d, 0, "one.tif", 50, 7);
    check_pair(d, 1, "a.tif#0", 100, 2);
    check_pair(d, 2, "a.tif#1", 101, 3);
    check_pair(d, 3, "a.tif#2", 102, 4);
    check_pair(d, 4, "a.tif#2", 102, 3);
    check_pair(d, 5, "one.tif", 50, 4);
    paced_dataset_close(d);
}

static void check_refused_split(const char *json, const char *says) {
    struct paced_dataset *d;
    hush();
    enum paced_err err = open_split(&d, json, false);
    const char *said = unhush();
    assert_int_equal(err, PACED_INVALID);
    assert_null(d);
    assert_int_equal(count_of(said, "\n"), 1);
    assert_says(said, says);
}

static void test_different_numbers(void **state) {
    put_stack("two.tif", 2, 1);
    put_stack("three.tif", 3, 1);
    put_stack("single.tif", 1, 1);
    check_refused_split("[[\"single.tif\", \"./single.tif\"], [\"three.tif\", \"two.tif\"]]",
                        "split.json: entry 2: three.tif has 3 slices, but its mask two.tif has 2");
    check_refused_split("[[\"single.tif\", \"two.tif\"]]", "single.tif has 1 slice, but its mask two.tif has 2");
    check_refused_split("[[\"three.tif#1\", \"three.tif\"]]", "three.tif#1 has 1 slice, but its mask three.tif has 3");
}

/* Files that cannot be described are reported when they are loaded, with the number of their entry. */
static void test_unreadable(void **state) {
    uint8_t rgb[3 * S * S], label[S * S];
    struct paced_dataset *d;
    put_stack("good.tif", PAGES, 1);
    put_text("bad.tif", "II*\0 is not all of a TIFF");
    assert_int_equal(open_split(&d,
                                "[[\"good.tif\", \"./good.tif\"], [\"bad.tif\", \"good.tif\"],"
                                " [\"good.tif#9\", \"good.tif#0\"], [\"gone.tif\", \"good.tif\"]]",
                                false),
                     PACED_OK);
    assert_int_equal(paced_dataset_count(d), PAGES + 3);
    const char *const says[] = {"split.json: entry 2: ", "good.tif: has 3 slices, so slice 9 is missing",
                                "split.json: entry 4: "};
    for (size_t i = 0; i < PACED_COUNT(says); ++i) {
        hush();
        enum paced_err err = paced_dataset_load(d, PAGES + i, rgb, label);
        const char *said = unhush();
        assert_int_equal(err, PACED_INVALID);
        assert_says(said, says[i]);
    }
    hush();
    assert_int_equal(paced_dataset_check_files(d), PACED_INVALID);
    assert_says(unhush(), "entry 4: ");
    paced_dataset_close(d);
}

/* The second mask of a slice is the same slice of the second file. */
static void test_merged_masks(void **state) {
    struct paced_dataset *d;
    put_stack("m.tif", PAGES, 100);
    put_stack("m_mask.tif", PAGES, 0); /* 0, 1, 2: white is 1, then 255 */
    put_stack("m_mask_1.tif", PAGES, 1);
    assert_int_equal(open_split(&d, "[[\"m.tif\", \"m_mask.tif\"]]", true), PACED_OK);
    check_pair(d, 0, "m.tif#0", 100, 1);
    paced_dataset_close(d);
}

static void test_lengths(void **state) {
    assert_int_equal(paced_image_file_length("a.nii.gz#12"), 8);
    assert_int_equal(paced_image_file_length("a#b.png"), 7);
    assert_int_equal(paced_image_file_length("a.png#"), 6);
    assert_int_equal(paced_image_file_length("a.tif#1234567"), 13);
    assert_int_equal(paced_image_stem_length("d/a.nii.gz#12"), 3);
    assert_true(paced_image_named("a.tif#0"));
    assert_false(paced_image_named("a.txt#0"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_slices), cmocka_unit_test(test_different_numbers),
        cmocka_unit_test(test_unreadable), cmocka_unit_test(test_merged_masks),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
