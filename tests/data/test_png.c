/* Every kind of PNG, written by libpng, against values computed from the raw samples; then malformed files. */
#include "helper.h"

#include <png.h>

enum { W = 13, H = 11, MAX_ROW = W * 8, COLOURS = 256 };

struct kind {
    int type, depth;
};

static const struct kind kinds[] = {
    {PNG_COLOR_TYPE_GRAY, 1},        {PNG_COLOR_TYPE_GRAY, 2},      {PNG_COLOR_TYPE_GRAY, 4},
    {PNG_COLOR_TYPE_GRAY, 8},        {PNG_COLOR_TYPE_GRAY, 16},     {PNG_COLOR_TYPE_RGB, 8},
    {PNG_COLOR_TYPE_RGB, 16},        {PNG_COLOR_TYPE_PALETTE, 1},   {PNG_COLOR_TYPE_PALETTE, 2},
    {PNG_COLOR_TYPE_PALETTE, 4},     {PNG_COLOR_TYPE_PALETTE, 8},   {PNG_COLOR_TYPE_GRAY_ALPHA, 8},
    {PNG_COLOR_TYPE_GRAY_ALPHA, 16}, {PNG_COLOR_TYPE_RGB_ALPHA, 8}, {PNG_COLOR_TYPE_RGB_ALPHA, 16},
};

static png_color palette[COLOURS];

static int channels_of(int type) {
    switch (type) {
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        return 2;
    case PNG_COLOR_TYPE_RGB:
        return 3;
    case PNG_COLOR_TYPE_RGB_ALPHA:
        return 4;
    default:
        return 1;
    }
}

/* Writes raw[H][MAX_ROW] packed rows, with tRNS if the kind allows it. */
static void write_kind(const char *path, struct kind k, int interlace, uint8_t raw[H][MAX_ROW]) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, f);
    png_set_IHDR(png, info, W, H, k.depth, k.type, interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    const png_byte alpha[1] = {7};
    const png_color_16 clear = {0};
    png_set_gAMA(png, info, 1.0); /* must be ignored */
    if (k.type == PNG_COLOR_TYPE_PALETTE) {
        png_set_PLTE(png, info, palette, 1 << k.depth);
        png_set_tRNS(png, info, alpha, 1, NULL);
    } else if (!(k.type & PNG_COLOR_MASK_ALPHA)) {
        png_set_tRNS(png, info, NULL, 0, &clear);
    }
    png_bytep rows[H];
    for (int y = 0; y < H; ++y) rows[y] = raw[y];
    png_write_info(png, info);
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    fclose(f);
}

/* Sample c of pixel x of a packed row. */
static int sample_of(const uint8_t *row, struct kind k, int x, int c) {
    const int n = x * channels_of(k.type) + c;
    if (k.depth == 16) return row[2 * n] << 8 | row[2 * n + 1];
    if (k.depth == 8) return row[n];
    const int bit = n * k.depth;
    return row[bit / 8] >> (8 - k.depth - bit % 8) & ((1 << k.depth) - 1);
}

static int expected_rgb(const uint8_t *row, struct kind k, int x, int c) {
    const bool colour = k.type & PNG_COLOR_MASK_COLOR;
    const int value = sample_of(row, k, x, colour && k.type != PNG_COLOR_TYPE_PALETTE ? c : 0);
    if (k.type == PNG_COLOR_TYPE_PALETTE)
        return c == 0 ? palette[value].red : c == 1 ? palette[value].green : palette[value].blue;
    return k.depth == 16 ? value >> 8 : value * 255 / ((1 << k.depth) - 1);
}

static void fill_random(uint8_t raw[H][MAX_ROW], uint64_t stream) {
    struct paced_rng rng;
    paced_rng_seed(&rng, 1, stream);
    for (int y = 0; y < H; ++y)
        for (int x = 0; x < MAX_ROW; ++x) raw[y][x] = (uint8_t)paced_rng_next(&rng);
    for (int i = 0; i < COLOURS; ++i)
        palette[i] = (png_color){(uint8_t)paced_rng_next(&rng), (uint8_t)(255 - i), (uint8_t)paced_rng_next(&rng)};
}

static void check_kind(struct kind k, int interlace) {
    uint8_t raw[H][MAX_ROW];
    fill_random(raw, (uint64_t)(k.type * 32 + k.depth));
    const char *path = at("kind.png");
    write_kind(path, k, interlace, raw);
    struct paced_image image;
    struct paced_raster raster;
    const struct paced_value_range range = {PACED_RANGE_FIXED, 0, k.depth == 16 ? 65535 : 255};
    const int channels = channels_of(k.type) < 3 ? 1 : 3; /* without alpha */
    assert_int_equal(paced_image_read(path, NULL, &range, &image), PACED_OK);
    assert_int_equal(paced_raster_read(path, NULL, PACED_VALUES, &raster), PACED_OK);
    assert_true(image.width == W && image.height == H && raster.info.width == W && raster.info.height == H);
    assert_true(raster.info.channels == channels && raster.info.bits == k.depth);
    for (int y = 0; y < H; ++y)
        for (int x = 0; x < W; ++x) {
            for (int c = 0; c < 3; ++c) assert_int_equal(image.rgb[3 * (y * W + x) + c], expected_rgb(raw[y], k, x, c));
            for (int c = 0; c < channels; ++c) {
                double value = paced_raster_at(&raster, (size_t)((y * W + x) * channels + c));
                assert_int_equal(value, sample_of(raw[y], k, x, c));
            }
        }
    free(image.rgb);
    free(raster.value);
}

static void test_every_kind(void **state) {
    (void)state;
    for (size_t i = 0; i < PACED_COUNT(kinds); ++i) {
        check_kind(kinds[i], PNG_INTERLACE_NONE);
        check_kind(kinds[i], PNG_INTERLACE_ADAM7);
    }
}

static void test_write_and_read(void **state) {
    (void)state;
    for (int channels = 1; channels <= 3; channels += 2) {
        uint8_t pixels[W * H * 3];
        for (int i = 0; i < W * H * channels; ++i) pixels[i] = (uint8_t)(i * 7);
        assert_int_equal(paced_png_write(at("own.png"), W, H, channels, pixels), PACED_OK);
        struct paced_image image;
        assert_int_equal(paced_image_read(at("own.png"), NULL, NULL, &image), PACED_OK);
        for (int i = 0; i < W * H * 3; ++i) assert_int_equal(image.rgb[i], channels == 1 ? pixels[i / 3] : pixels[i]);
        free(image.rgb);
        uint8_t *encoded, *file;
        size_t encoded_size, file_size;
        assert_int_equal(paced_png_encode(&encoded, &encoded_size, W, H, channels, pixels), PACED_OK);
        assert_int_equal(paced_file_read(at("own.png"), 0, &file, &file_size), PACED_OK);
        assert_int_equal(encoded_size, file_size);
        assert_memory_equal(encoded, file, file_size);
        free(encoded);
        free(file);
    }
    hush();
    enum paced_err err = paced_png_write(at("no such folder/own.png"), W, H, 1, (const uint8_t[W * H]){0});
    const char *said = unhush();
    assert_int_not_equal(err, PACED_OK);
    assert_says(said, "own.png");
    hush();
    uint8_t *encoded;
    size_t size;
    err = paced_png_encode(&encoded, &size, 0, H, 1, (const uint8_t[1]){0});
    assert_says(unhush(), "0 x ");
    assert_int_not_equal(err, PACED_OK);
    assert_null(encoded);
}

/* A palette changes what is displayed, not the values. */
static void test_write_classes(void **state) {
    (void)state;
    static const uint32_t colours[] = {0x000000, 0xff8000, 0x0000fe};
    uint8_t classes[W * H];
    for (int i = 0; i < W * H; ++i) classes[i] = (uint8_t)(i % 3);
    assert_int_equal(paced_png_write_indexed(at("classes.png"), W, H, classes, colours, 3), PACED_OK);
    struct paced_raster values;
    struct paced_image shown;
    assert_int_equal(paced_raster_read(at("classes.png"), NULL, PACED_VALUES, &values), PACED_OK);
    assert_int_equal(paced_image_read(at("classes.png"), NULL, NULL, &shown), PACED_OK);
    assert_int_equal(values.info.channels, 1);
    for (int i = 0; i < W * H; ++i) {
        assert_int_equal(paced_raster_at(&values, (size_t)i), i % 3);
        for (int c = 0; c < 3; ++c) assert_int_equal(shown.rgb[3 * i + c], colours[i % 3] >> (16 - 8 * c) & 255);
    }
    free(values.value);
    free(shown.rgb);
}

/* Writing 16-bit rows one at a time; an aborted writer leaves no file. */
static void test_write_rows(void **state) {
    (void)state;
    struct paced_png *png;
    uint16_t row[W];
    for (int turn = 0; turn < 2; ++turn) {
        assert_int_equal(paced_png_create(&png, at("deep.png"), W, H, 1, 16), PACED_OK);
        for (int y = 0; y < (turn == 0 ? H / 2 : H); ++y) {
            for (int x = 0; x < W; ++x) row[x] = (uint16_t)(5000 * x + 7 * y);
            assert_int_equal(paced_png_add_row(png, row), PACED_OK);
        }
        if (turn == 0) paced_png_abort(png);
        assert_int_equal(paced_path_exists(at("deep.png")), false);
    }
    assert_int_equal(paced_png_commit(png), PACED_OK);
    struct paced_raster raster;
    assert_int_equal(paced_raster_read(at("deep.png"), NULL, PACED_VALUES, &raster), PACED_OK);
    for (int i = 0; i < W * H; ++i)
        assert_int_equal(paced_raster_at(&raster, (size_t)i), (uint16_t)(5000 * (i % W) + 7 * (i / W)));
    free(raster.value);
}

/* Checks that both readers reject the file and name its path and the place that refers to it. */
static void check_refused(const char *path, const char *reason) {
    struct paced_image image = {1, 1, NULL};
    struct paced_raster raster;
    hush();
    enum paced_err first = paced_image_read(path, "train.json: entry 3", NULL, &image);
    enum paced_err second = paced_raster_read(path, "train.json: entry 3", PACED_VALUES, &raster);
    const char *said = unhush();
    assert_int_equal(first, PACED_INVALID);
    assert_int_equal(second, PACED_INVALID);
    assert_null(image.rgb);
    assert_null(raster.value);
    assert_int_equal(count_of(said, "paced: train.json: entry 3: "), 2); /* once each */
    assert_says(said, path);
    assert_says(said, reason);
}

static void check_truncated(int interlace) {
    uint8_t raw[H][MAX_ROW];
    fill_random(raw, 99);
    write_kind(at("whole.png"), (struct kind){PNG_COLOR_TYPE_RGB, 8}, interlace, raw);
    uint8_t *data;
    size_t size;
    assert_int_equal(paced_file_read(at("whole.png"), 0, &data, &size), PACED_OK);
    for (size_t keep = 8; keep < size; keep += 5) check_refused(put_bytes("cut.png", data, keep), "file ends early");
    check_refused(put_bytes("cut.png", data, size - 1), "file ends early");
    memset(data + size / 2, 0x55, 8); /* corrupted, not truncated */
    check_refused(put_bytes("cut.png", data, size), "damaged PNG file");
    free(data);
}

static void test_truncated(void **state) {
    (void)state;
    check_truncated(PNG_INTERLACE_NONE);
    check_truncated(PNG_INTERLACE_ADAM7);
}

static void test_no_png(void **state) {
    (void)state;
    check_refused(at("missing.png"), "; check the path");
    check_refused(test_dir, "is a directory; give a file");
    check_refused(put_text("text.png", "this is no picture, whatever its name says"), "is not a PNG, JPEG");
    check_refused(put_bytes("empty.png", "", 0), "is not a PNG, JPEG");
}

/* Writes a header with a large size and no data. */
static void write_claim(const char *path, uint32_t width, uint32_t height) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, f);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    png_destroy_write_struct(&png, &info);
    fclose(f);
}

static void test_absurd_size(void **state) {
    (void)state;
    const uint32_t claims[][2] = {{65536, 1}, {1, 65536}, {0x7fffffff, 0x7fffffff}, {65535, 65535}, {16385, 16384}};
    for (size_t i = 0; i < PACED_COUNT(claims); ++i) {
        write_claim(at("claim.png"), claims[i][0], claims[i][1]);
        check_refused(at("claim.png"), "above the limit");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),  cmocka_unit_test(test_write_and_read), cmocka_unit_test(test_write_classes),
        cmocka_unit_test(test_write_rows),  cmocka_unit_test(test_truncated),      cmocka_unit_test(test_no_png),
        cmocka_unit_test(test_absurd_size),
    };
    return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
