/* Helpers of the tests of image formats: refused files, truncated files and files with changed bytes. */
#ifndef PACED_TESTS_DATA_IMAGE_HELPER_H
#define PACED_TESTS_DATA_IMAGE_HELPER_H

#include "helper.h"

/* Checks that a file is refused in one line, which holds `reason`. */
static inline void check_refused(const char *path, const char *reason) {
    struct paced_raster raster;
    hush();
    enum paced_err err = paced_raster_read(path, "train.json: entry 3", PACED_SHOWN, &raster);
    const char *said = unhush();
    assert_int_equal(err, PACED_INVALID);
    assert_null(raster.value);
    assert_int_equal(count_of(said, "\n"), 1);
    assert_says(said, "paced: train.json: entry 3: ");
    assert_says(said, reason);
}

static inline uint8_t *read_file(const char *path, size_t *size) {
    uint8_t *data;
    assert_int_equal(paced_file_read(path, 0, &data, size), PACED_OK);
    return data;
}

static inline size_t raster_bytes(const struct paced_raster *raster) {
    static const size_t bytes[] = {[PACED_BYTES] = 1, [PACED_WORDS] = 2, [PACED_REALS] = 4};
    const struct paced_image_info *i = &raster->info;
    return (size_t)i->width * (size_t)i->height * (size_t)i->channels * bytes[raster->sample];
}

/* Checks that a file without its last bytes is refused, or, if nothing but padding is missing, read as the whole one;
 * step: between the lengths tried. */
static inline void check_truncated(const char *whole, const char *name, size_t least, size_t step) {
    size_t size;
    uint8_t *data = read_file(whole, &size);
    struct paced_raster good, cut;
    assert_int_equal(paced_raster_read(whole, NULL, PACED_SHOWN, &good), PACED_OK);
    for (size_t keep = least; keep < size; keep += keep + step + 8 < size ? step : 1) {
        const char *path = put_bytes(name, data, keep);
        hush();
        enum paced_err err = paced_raster_read(path, NULL, PACED_SHOWN, &cut);
        const char *said = unhush();
        if (err) {
            assert_int_equal(err, PACED_INVALID);
            assert_int_equal(count_of(said, "\n"), 1);
            assert_says(said, path);
            continue;
        }
        assert_string_equal(said, "");
        assert_memory_equal(cut.value, good.value, raster_bytes(&good));
        free(cut.value);
    }
    free(good.value);
    free(data);
}

/* Reads the file with each of its bytes changed in turn: any result, in one line at most, but no fault of memory. */
static inline void check_changed(const char *whole, const char *name, size_t end) {
    static const uint8_t changes[] = {0x01, 0x80, 0xff};
    size_t size;
    uint8_t *data = read_file(whole, &size);
    struct paced_raster raster;
    for (size_t i = 0; i < size && i < end; ++i)
        for (size_t c = 0; c < PACED_COUNT(changes); ++c) {
            data[i] ^= changes[c];
            const char *path = put_bytes(name, data, size);
            data[i] ^= changes[c];
            hush();
            enum paced_err err = paced_raster_read(path, NULL, PACED_SHOWN, &raster);
            const char *said = unhush();
            assert_true(err == PACED_OK || err == PACED_INVALID);
            assert_int_equal(count_of(said, "\n"), err ? 1 : 0);
            if (!err) free(raster.value);
        }
    free(data);
}

#endif
