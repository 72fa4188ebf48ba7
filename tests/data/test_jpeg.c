/* JPEG files encoded with TurboJPEG from smooth pictures, so that the decoded pixels are known within a few grey
 * levels; then malformed files, and files whose extension does not match their format. */
#include "helper.h"

#include <turbojpeg.h>

enum { W = 37, H = 21, NEAR = 4 };

/* Value of a smooth picture, which chroma at half resolution changes little. */
static int value_at(int x, int y, int channel) {
    return channel == 0 ? 40 + 5 * x : channel == 1 ? 200 - 6 * y : 90 + 2 * x + y;
}

static const uint8_t *picture(void) {
    static uint8_t rgb[H][W][3];
    for (int y = 0; y < H; ++y)
        for (int x = 0; x < W; ++x)
            for (int c = 0; c < 3; ++c) rgb[y][x][c] = (uint8_t)value_at(x, y, c);
    return &rgb[0][0][0];
}

/* Writes a file of quality 100, with `flags` of TurboJPEG. Returns its path and, if requested, a copy of its bytes. */
static const char *put_jpeg(const char *name, int sampling, int flags, uint8_t **copy, size_t *size) {
    unsigned char *file = NULL;
    unsigned long length = 0;
    tjhandle tj = tjInitCompress();
    assert_int_equal(tjCompress2(tj, picture(), W, 0, H, TJPF_RGB, &file, &length, sampling, 100, flags), 0);
    const char *path = put_bytes(name, file, length);
    if (copy != NULL) {
        *copy = malloc(length);
        memcpy(*copy, file, length);
        *size = length;
    }
    tjFree(file);
    tjDestroy(tj);
    return path;
}

/* ---- valid files --------------------------------------------------------------------------------------------- */

static void check_colours(const char *path) {
    struct paced_image image;
    assert_int_equal(paced_image_read(path, NULL, NULL, &image), PACED_OK);
    assert_true(image.width == W && image.height == H);
    for (int y = 0; y < H; ++y)
        for (int x = 0; x < W; ++x)
            for (int c = 0; c < 3; ++c)
                assert_in_range(image.rgb[3 * (y * W + x) + c] + NEAR, value_at(x, y, c), value_at(x, y, c) + 2 * NEAR);
    free(image.rgb);
}

static void test_colour(void **state) {
    (void)state;
    check_colours(put_jpeg("444.jpg", TJSAMP_444, 0, NULL, NULL));
    check_colours(put_jpeg("422.jpeg", TJSAMP_422, 0, NULL, NULL));
    check_colours(put_jpeg("420.JPG", TJSAMP_420, 0, NULL, NULL));
    check_colours(put_jpeg("progressive.jpg", TJSAMP_420, TJFLAG_PROGRESSIVE, NULL, NULL));
}

static void test_grey(void **state) {
    (void)state;
    struct paced_image image;
    assert_int_equal(paced_image_read(put_jpeg("grey.jpg", TJSAMP_GRAY, 0, NULL, NULL), NULL, NULL, &image), PACED_OK);
    for (int i = 0; i < W * H; ++i) {
        const int x = i % W, y = i / W;
        const double grey = 0.299 * value_at(x, y, 0) + 0.587 * value_at(x, y, 1) + 0.114 * value_at(x, y, 2);
        assert_float_equal(image.rgb[3 * i], grey, NEAR);
        assert_true(image.rgb[3 * i] == image.rgb[3 * i + 1] && image.rgb[3 * i] == image.rgb[3 * i + 2]);
    }
    free(image.rgb);
}

/* The format is determined from the bytes. */
static void test_name_of_another_format(void **state) {
    (void)state;
    check_colours(put_jpeg("in truth a JPEG.png", TJSAMP_444, 0, NULL, NULL));
    assert_int_equal(paced_png_write(at("in truth a PNG.jpg"), W, H, 3, picture()), PACED_OK);
    check_colours(at("in truth a PNG.jpg"));
}

static const uint8_t orientation[] = {
    0xff, 0xe1, 0,   34,                                     /* APP1, its length */
    'E',  'x',  'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0, /* TIFF header, little endian */
    1,    0,                                                 /* one entry: */
    0x12, 0x01, 3,   0,   1, 0, 0,   0,   6,  0, 0, 0,       /* Orientation, one short, 6: rotated by 90 degrees */
    0,    0,    0,   0,
};

/* Pixels keep their positions in the file. */
static void test_orientation_is_ignored(void **state) {
    (void)state;
    uint8_t *file, turned[1 << 16];
    size_t size;
    put_jpeg("plain.jpg", TJSAMP_444, 0, &file, &size);
    memcpy(turned, file, 2);
    memcpy(turned + 2, orientation, sizeof orientation);
    memcpy(turned + 2 + sizeof orientation, file + 2, size - 2);
    check_colours(put_bytes("turned.jpg", turned, size + sizeof orientation));
    free(file);
}

static void test_names(void **state) {
    (void)state;
    static const char *const yes[] = {"a.png", "a.jpg", "a.JPEG", "a.b.Jpg"}, *const no[] = {"a.gif", "jpg", ".jpg",
                                                                                             "a.jpg.txt"};
    for (size_t i = 0; i < PACED_COUNT(yes); ++i) assert_true(paced_image_named(yes[i]));
    for (size_t i = 0; i < PACED_COUNT(no); ++i) assert_false(paced_image_named(no[i]));
    put_text("named.JPG", "");
    assert_string_equal(paced_image_ending(at("named")), ".JPG");
    assert_null(paced_image_ending(at("nameless")));
}

/* ---- malformed files ----------------------------------------------------------------------------------------- */

static void check_refused(const char *path, const char *reason) {
    struct paced_image image = {1, 1, NULL};
    hush();
    enum paced_err err = paced_image_read(path, "train.json: entry 3", NULL, &image);
    const char *said = unhush();
    assert_int_equal(err, PACED_INVALID);
    assert_null(image.rgb);
    assert_int_equal(count_of(said, "\n"), 1);
    assert_says(said, "paced: train.json: entry 3: ");
    assert_says(said, path);
    assert_says(said, reason);
}

static void check_truncated(int flags) {
    uint8_t *file;
    size_t size;
    put_jpeg("whole.jpg", TJSAMP_420, flags, &file, &size);
    for (size_t keep = 3; keep < size; keep += 7) check_refused(put_bytes("cut.jpg", file, keep), "JPEG file (");
    for (size_t keep = size - 3; keep < size; ++keep) check_refused(put_bytes("cut.jpg", file, keep), "JPEG file (");
    free(file);
}

static void test_truncated(void **state) {
    (void)state;
    check_truncated(0);
    check_truncated(TJFLAG_PROGRESSIVE);
}

static void test_no_picture(void **state) {
    (void)state;
    check_refused(at("missing.jpg"), "; check the path");
    check_refused(test_dir, "is a directory; give a file");
    check_refused(put_text("text.jpg", "this is no picture, whatever its name says"), "is not a PNG, JPEG");
    check_refused(put_bytes("empty.jpg", "", 0), "is not a PNG, JPEG");
    check_refused(put_bytes("two.jpg", "\xff\xd8", 2), "is not a PNG, JPEG");
}

/* A valid file with another size in the frame header. */
static void test_absurd_size(void **state) {
    (void)state;
    uint8_t *file;
    size_t size, frame = 0;
    put_jpeg("good.jpg", TJSAMP_444, 0, &file, &size);
    while (frame + 9 < size && !(file[frame] == 0xff && file[frame + 1] == 0xc0)) frame++;
    memcpy(file + frame + 5, "\xff\xdc\xff\xdc", 4); /* 65500 x 65500, the maximum of libjpeg */
    check_refused(put_bytes("claim.jpg", file, size), "above the limit");
    memcpy(file + frame + 5, "\xff\xff\xff\xff", 4);
    check_refused(put_bytes("claim.jpg", file, size), "JPEG file (");
    free(file);
}

/* Inks in a file with or without Adobe's marker, which inverts them. TurboJPEG writes it. */
static void check_inks(const uint8_t *file, size_t size, const char *name, bool inverted) {
    struct paced_image image;
    assert_int_equal(paced_image_read(put_bytes(name, file, size), NULL, NULL, &image), PACED_OK);
    for (int x = 0; x < W; ++x)
        for (int c = 0; c < 3; ++c) {
            int ink = 3 * x + 40 * c, black = 60; /* as stored */
            if (!inverted) ink = 255 - ink, black = 255 - black;
            assert_in_range(image.rgb[3 * x + c] + NEAR, ink * black / 255, ink * black / 255 + 2 * NEAR);
        }
    free(image.rgb);
}

static void test_inks(void **state) {
    (void)state;
    enum { ADOBE_BYTES = 16 };
    static uint8_t inks[H][W][4];
    unsigned char *file = NULL;
    unsigned long length = 0;
    for (int y = 0; y < H; ++y)
        for (int x = 0; x < W; ++x) {
            for (int c = 0; c < 3; ++c) inks[y][x][c] = (uint8_t)(3 * x + 40 * c);
            inks[y][x][3] = 60;
        }
    tjhandle tj = tjInitCompress();
    assert_int_equal(tjCompress2(tj, &inks[0][0][0], W, 0, H, TJPF_CMYK, &file, &length, TJSAMP_444, 100, 0), 0);
    check_inks(file, length, "adobe.jpg", true);
    assert_memory_equal(file + 2, "\xff\xee", 2);
    memmove(file + 2, file + 2 + ADOBE_BYTES, length - 2 - ADOBE_BYTES);
    tjFree(file);
    tjDestroy(tj);
}

/* Bytes between the picture and its end are harmless; missing bytes are not. */
static void test_stray_bytes(void **state) {
    (void)state;
    enum { MORE = 100 };
    uint8_t *file, stray[1 << 16];
    size_t size;
    put_jpeg("whole.jpg", TJSAMP_444, 0, &file, &size);
    memcpy(stray, file, size - 2);
    memset(stray + size - 2, 0, MORE);
    memcpy(stray + size - 2 + MORE, file + size - 2, 2);
    hush();
    check_colours(put_bytes("stray.jpg", stray, size + MORE));
    const char *said = unhush();
    assert_says(said, "stray.jpg: Corrupt JPEG data: ");
    assert_says(said, " extraneous bytes");
    assert_int_equal(count_of(said, "\n"), 1);
    memset(file + size / 2, 0xff, 8);
    check_refused(put_bytes("damaged.jpg", file, size), "JPEG file (");
    free(file);
}

/* JPEG masks are rejected, because compression changes class numbers. */
static void test_masks_are_png(void **state) {
    (void)state;
    struct paced_raster raster;
    const char *path = put_jpeg("mask.png", TJSAMP_GRAY, 0, NULL, NULL);
    hush();
    enum paced_err err = paced_raster_read(path, NULL, PACED_VALUES, &raster);
    const char *said = unhush();
    assert_int_equal(err, PACED_INVALID);
    assert_says(said, "is a JPEG file");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_colour),
        cmocka_unit_test(test_grey),
        cmocka_unit_test(test_name_of_another_format),
        cmocka_unit_test(test_orientation_is_ignored),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_no_picture),
        cmocka_unit_test(test_absurd_size),
        cmocka_unit_test(test_inks),
        cmocka_unit_test(test_stray_bytes),
        cmocka_unit_test(test_masks_are_png),
    };
    return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
