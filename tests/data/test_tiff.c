/* TIFF files that libtiff writes from known samples; then files whose bytes were changed. tests/e2e/test_tiff.py
 * compares with other writers. */
#include "image_helper.h"

#include <tiffio.h>

enum { W = 37, H = 21 };

struct layout {
    int bits, format, samples, planar, photometric, compression, tile, pages;
};
static const struct layout plain = {
    8, SAMPLEFORMAT_UINT, 1, PLANARCONFIG_CONTIG, PHOTOMETRIC_MINISBLACK, COMPRESSION_NONE, 0, 1};

/* Value of sample c at (x, y) of a page. */
static int value_at(int x, int y, int c, int page, int bits) {
    return (x * 7 + y * 13 + c * 50 + page * 3) & ((1 << (bits < 8 ? bits : 8)) - 1);
}

static void put_sample(uint8_t *row, int i, int bits, int value) {
    if (bits < 8)
        row[i * bits / 8] |= (uint8_t)(value << (8 - bits - i * bits % 8));
    else
        memset(row + i * bits / 8, value, (size_t)bits / 8); /* the same byte again and again */
}

static void write_page(TIFF *t, const struct layout *l, int page) {
    int planes = l->planar == PLANARCONFIG_SEPARATE ? l->samples : 1, each = l->samples / planes;
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, W);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, H);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, l->bits);
    TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, l->format);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, l->samples);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, l->planar);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, l->photometric);
    TIFFSetField(t, TIFFTAG_COMPRESSION, l->compression);
    int width = l->tile ? l->tile : W, height = l->tile ? l->tile : 4;
    if (l->tile) {
        TIFFSetField(t, TIFFTAG_TILEWIDTH, width);
        TIFFSetField(t, TIFFTAG_TILELENGTH, height);
    } else {
        TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, height);
    }
    size_t row = (size_t)(width * each * l->bits + 7) / 8;
    uint8_t *block = paced_alloc((size_t)height, row);
    for (int plane = 0; plane < planes; ++plane)
        for (int y0 = 0; y0 < H; y0 += height)
            for (int x0 = 0; x0 < W; x0 += width) {
                int rows = l->tile || y0 + height <= H ? height : H - y0;
                memset(block, 0, row * (size_t)height);
                for (int y = 0; y < rows; ++y)
                    for (int i = 0; i < width * each; ++i)
                        put_sample(block + (size_t)y * row, i, l->bits,
                                   value_at(x0 + i / each, y0 + y, planes > 1 ? plane : i % each, page, l->bits));
                if (l->tile)
                    TIFFWriteEncodedTile(t, TIFFComputeTile(t, (uint32_t)x0, (uint32_t)y0, 0, (uint16_t)plane), block,
                                         (tmsize_t)(row * (size_t)rows));
                else
                    TIFFWriteEncodedStrip(t, TIFFComputeStrip(t, (uint32_t)y0, (uint16_t)plane), block,
                                          (tmsize_t)(row * (size_t)rows));
            }
    free(block);
}

static const char *put_tiff(const char *name, const char *mode, const struct layout *l) {
    const char *path = at(name);
    TIFF *t = TIFFOpen(path, mode);
    assert_non_null(t);
    for (int page = 0; page < l->pages; ++page) {
        write_page(t, l, page);
        assert_true(TIFFWriteDirectory(t));
    }
    TIFFClose(t);
    return path;
}

/* ---- valid files --------------------------------------------------------------------------------------------- */

/* The value of a sample whose bytes are all `byte`, in float32. */
static float repeated(const struct layout *l, int byte) {
    uint64_t all = UINT64_C(0x0101010101010101) * (uint64_t)byte;
    if (l->bits < 8)
        return (float)(l->format == SAMPLEFORMAT_INT && byte >> (l->bits - 1) ? byte - (1 << l->bits) : byte);
    if (l->format == SAMPLEFORMAT_IEEEFP) {
        float f;
        double d;
        uint32_t half = (uint32_t)all;
        memcpy(&f, &half, sizeof f);
        memcpy(&d, &all, sizeof d);
        return l->bits == 32 ? f : (float)d;
    }
    uint64_t value = l->bits == 64 ? all : all & ((UINT64_C(1) << l->bits) - 1);
    if (l->format != SAMPLEFORMAT_INT) return (float)value;
    return (float)((int64_t)(value << (64 - l->bits)) >> (64 - l->bits));
}

static void check_page(const char *path, const struct layout *l, int page) {
    struct paced_raster raster;
    char *slice = paced_format("%s#%d", path, page);
    assert_int_equal(paced_raster_read(slice, NULL, PACED_VALUES, &raster), PACED_OK);
    free(slice);
    const struct paced_image_info *info = &raster.info;
    assert_true(info->width == W && info->height == H && info->slices == l->pages && info->bits == l->bits);
    assert_int_equal(info->channels, l->samples);
    assert_int_equal(info->is_signed, l->format == SAMPLEFORMAT_INT);
    assert_int_equal(info->is_float, l->format == SAMPLEFORMAT_IEEEFP);
    bool exact = l->format == SAMPLEFORMAT_UINT && l->bits <= 16;
    assert_int_equal(raster.sample, !exact ? PACED_REALS : l->bits == 16 ? PACED_WORDS : PACED_BYTES);
    for (int i = 0; i < W * H * l->samples; ++i) {
        int pixel = i / l->samples;
        float wanted = repeated(l, value_at(pixel % W, pixel / W, i % l->samples, page, l->bits));
        float found = (float)paced_raster_at(&raster, (size_t)i);
        assert_true(memcmp(&wanted, &found, sizeof found) == 0 || (wanted != wanted && found != found));
    }
    free(raster.value);
}

static void test_layouts(void **state) {
    static const int bits[] = {1, 2, 4, 8, 16, 32, 64};
    static const char *const modes[] = {"wl", "wb", "wl8", "wb8"};
    int turn = 0;
    for (size_t b = 0; b < PACED_COUNT(bits); ++b)
        for (int format = SAMPLEFORMAT_UINT; format <= SAMPLEFORMAT_IEEEFP; ++format)
            for (int shape = 0; shape < 6; ++shape) {
                if (format == SAMPLEFORMAT_IEEEFP && bits[b] < 32) continue;
                const bool colour = shape / 2 > 0;
                struct layout l = {bits[b],
                                   format,
                                   colour ? 3 : 1,
                                   shape / 2 == 2 ? 2 : 1,
                                   colour ? 2 : 1,
                                   turn % 2 ? COMPRESSION_LZW : COMPRESSION_NONE,
                                   shape % 2 ? 16 : 0,
                                   1 + turn % 2};
                const char *path = put_tiff("layout.tif", modes[turn++ % 4], &l);
                for (int page = 0; page < l.pages; ++page) check_page(path, &l, page);
            }
}

/* Grey of fewer than 8 bits, with white as 0. */
static void test_shown(void **state) {
    struct layout l = plain;
    struct paced_raster raster;
    for (l.bits = 1; l.bits <= 4; l.bits *= 2) {
        l.photometric = PHOTOMETRIC_MINISWHITE;
        const char *path = put_tiff("shown.tif", "w", &l);
        assert_int_equal(paced_raster_read(path, NULL, PACED_SHOWN, &raster), PACED_OK);
        assert_true(raster.info.inverted && raster.sample == PACED_BYTES && raster.info.channels == 1);
        for (int i = 0; i < W * H; ++i)
            assert_int_equal(((uint8_t *)raster.value)[i],
                             value_at(i % W, i / W, 0, 0, l.bits) * 255 / ((1 << l.bits) - 1));
        struct paced_image image = paced_image_from(&raster, NULL);
        assert_int_equal(image.rgb[3], 255 - value_at(1, 0, 0, 0, l.bits) * 255 / ((1 << l.bits) - 1));
        free(image.rgb);
    }
}

/* The mask of a binary set has its foreground where the picture is white. */
static void test_mask_with_white_as_zero(void **state) {
    const struct paced_data_options options = {.dataset = PACED_DATA_BINARY, .classes = 2};
    struct paced_masks *masks;
    struct paced_mask mask;
    struct layout l = plain;
    l.bits = 1;
    l.photometric = PHOTOMETRIC_MINISWHITE;
    assert_int_equal(paced_masks_open(&masks, &options), PACED_OK);
    assert_int_equal(paced_masks_read(masks, put_tiff("mask.tif", "w", &l), NULL, &mask), PACED_OK);
    for (int i = 0; i < W * H; ++i) assert_int_equal(mask.label[i], 1 - value_at(i % W, i / W, 0, 0, 1));
    free(mask.label);
    paced_masks_close(masks);
}

static void test_names(void **state) {
    assert_true(paced_image_named("a.tif") && paced_image_named("a.b.TIFF"));
    assert_int_equal(paced_image_stem_length("x/stack.tiff"), 7);
}

/* ---- malformed files ----------------------------------------------------------------------------------------- */

static void test_truncated(void **state) {
    static const int compressions[] = {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_PACKBITS,
                                       COMPRESSION_ADOBE_DEFLATE};
    for (size_t i = 0; i < PACED_COUNT(compressions); ++i) {
        struct layout l = plain;
        l.compression = compressions[i];
        check_truncated(put_tiff("whole.tif", "w", &l), "cut.tif", 4, 11);
    }
    struct layout l = plain;
    l.bits = 1;
    l.compression = COMPRESSION_CCITTFAX4;
    check_truncated(put_tiff("whole.tif", "w", &l), "cut.tif", 4, 3);
}

static void test_changed(void **state) {
    struct layout l = plain;
    l.tile = 16;
    l.pages = 2;
    l.compression = COMPRESSION_LZW;
    check_changed(put_tiff("tiles.tif", "w", &l), "changed.tif", 3000);
    l = (struct layout){1, SAMPLEFORMAT_UINT, 1, 1, 1, COMPRESSION_CCITTFAX4, 0, 1};
    check_changed(put_tiff("fax.tif", "w", &l), "changed.tif", 3000);
}

/* Little-endian entry of a directory: tag, type, one value. */
static void put_entry(uint8_t *entry, int tag, int type, uint32_t value) {
    const uint32_t one = 1;
    entry[0] = (uint8_t)tag, entry[1] = (uint8_t)(tag >> 8), entry[2] = (uint8_t)type, entry[3] = 0;
    memcpy(entry + 4, &one, 4);
    memcpy(entry + 8, &value, 4);
}

/* A file of one strip with 4 bytes, and its IFD, followed by the offset of the next one. */
static const char *put_claim(const char *name, uint32_t width, uint32_t height, uint32_t samples, uint32_t next) {
    enum { ENTRIES = 8, IFD = 12 };
    uint8_t file[IFD + 2 + 12 * ENTRIES + 4] = {'I', 'I', 42, 0, IFD, 0, 0, 0, 1, 2, 3, 4, ENTRIES};
    const uint32_t entries[ENTRIES][2] = {{TIFFTAG_IMAGEWIDTH, width},    {TIFFTAG_IMAGELENGTH, height},
                                          {TIFFTAG_BITSPERSAMPLE, 8},     {TIFFTAG_PHOTOMETRIC, 1},
                                          {TIFFTAG_STRIPOFFSETS, 8},      {TIFFTAG_SAMPLESPERPIXEL, samples},
                                          {TIFFTAG_ROWSPERSTRIP, height}, {TIFFTAG_STRIPBYTECOUNTS, 4}};
    for (int i = 0; i < ENTRIES; ++i)
        put_entry(file + IFD + 2 + 12 * i, (int)entries[i][0], entries[i][0] == TIFFTAG_BITSPERSAMPLE ? 3 : 4,
                  entries[i][1]);
    memcpy(file + sizeof file - 4, &next, 4);
    return put_bytes(name, file, sizeof file);
}

static void test_claims(void **state) {
    struct paced_raster raster;
    assert_int_equal(paced_raster_read(put_claim("good.tif", 2, 2, 1, 0), NULL, PACED_VALUES, &raster), PACED_OK);
    assert_memory_equal(raster.value, "\1\2\3\4", 4);
    free(raster.value);
    check_refused(put_claim("claim.tif", 65536, 1, 1, 0), "above the limit");
    check_refused(put_claim("claim.tif", 60000, 60000, 1, 0), "above the limit");
    check_refused(put_claim("claim.tif", 4000000000u, 4000000000u, 1, 0), "TIFF file (");
    check_refused(put_claim("claim.tif", 0, 2, 1, 0), "TIFF file (");
    check_refused(put_claim("claim.tif", 16000, 16000, 1, 0), "TIFF file (");
    check_refused(put_claim("claim.tif", 2, 2, 5000, 0), "samples per pixel");
    check_refused(put_claim("claim.tif", 2, 2, 1, 12), "TIFF file ("); /* a loop of pages */
    check_refused(put_claim("claim.tif", 2, 2, 1, 1 << 20), "TIFF file (");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_shown),
        cmocka_unit_test(test_mask_with_white_as_zero),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_claims),
    };
    return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
