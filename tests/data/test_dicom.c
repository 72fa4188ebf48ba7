/* DICOM files written byte by byte (explicit VR, little endian). tests/e2e/test_dicom.py compares with pydicom. */
#include "image_helper.h"

enum { W = 5, H = 4, FRAMES = 3, SAMPLES = W * H * FRAMES };

struct file {
    uint8_t bytes[4096];
    size_t size;
};

static void put(struct file *f, const void *data, size_t size) {
    memcpy(f->bytes + f->size, data, size);
    f->size += size;
}

/* Adds an element with a value of even length. */
static void add(struct file *f, int group, int element, const char *vr, const void *value, size_t size) {
    const uint8_t tag[6] = {(uint8_t)group,          (uint8_t)(group >> 8), (uint8_t)element,
                            (uint8_t)(element >> 8), (uint8_t)vr[0],        (uint8_t)vr[1]};
    const uint8_t none[2] = {0}, length[4] = {(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16)};
    put(f, tag, sizeof tag);
    if (strcmp(vr, "OW") == 0 || strcmp(vr, "OB") == 0) put(f, none, 2);
    put(f, length, strcmp(vr, "OW") == 0 || strcmp(vr, "OB") == 0 ? 4 : 2);
    put(f, value, size);
}

static void add_text(struct file *f, int group, int element, const char *vr, const char *text) {
    assert_true(strlen(text) % 2 == 0);
    add(f, group, element, vr, text, strlen(text));
}

static void add_number(struct file *f, int group, int element, int value) {
    const uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    add(f, group, element, "US", bytes, 2);
}

static uint16_t sample_at(int i) {
    return (uint16_t)(i * 61 % 4096);
}

static const char *put_dicom(const char *name, int rows, int columns, const char *frames) {
    struct file f = {.size = 128};
    uint16_t samples[SAMPLES];
    for (int i = 0; i < SAMPLES; ++i) samples[i] = sample_at(i);
    put(&f, "DICM", 4);
    add_text(&f, 2, 0x10, "UI", "1.2.840.10008.1.2.1 "); /* padded: an even length */
    add_text(&f, 0x10, 0x10, "PN", "Doe^Jane");
    add_number(&f, 0x28, 2, 1);
    add_text(&f, 0x28, 4, "CS", "MONOCHROME1 ");
    add_text(&f, 0x28, 8, "IS", frames);
    add_number(&f, 0x28, 0x10, rows);
    add_number(&f, 0x28, 0x11, columns);
    add_text(&f, 0x28, 0x30, "DS", "0.5\\0.25");
    add_number(&f, 0x28, 0x100, 16);
    add_number(&f, 0x28, 0x101, 12);
    add_number(&f, 0x28, 0x102, 11);
    add_number(&f, 0x28, 0x103, 0);
    add_text(&f, 0x28, 0x1050, "DS", "40");
    add_text(&f, 0x28, 0x1051, "DS", "80");
    add_text(&f, 0x28, 0x1052, "DS", "-7");
    add_text(&f, 0x28, 0x1053, "DS", "2 ");
    add(&f, 0x7fe0, 0x10, "OW", samples, sizeof samples);
    return put_bytes(name, f.bytes, f.size);
}

#ifdef PACED_DICOM

static void test_frames(void **state) {
    struct paced_raster raster;
    const char *path = put_dicom("no ending", H, W, "3 ");
    for (int k = 0; k < FRAMES; ++k) {
        char *slice = paced_format("%s#%d", path, k);
        assert_int_equal(paced_raster_read(slice, NULL, PACED_VALUES, &raster), PACED_OK);
        const struct paced_image_info *i = &raster.info;
        assert_true(i->width == W && i->height == H && i->slices == FRAMES && i->bits == 12 && i->inverted);
        assert_true(i->spacing_mm[0] == 0.5 && i->spacing_mm[1] == 0.25 && i->window[0] == 0 && i->window[1] == 80);
        for (int p = 0; p < W * H; ++p)
            assert_true(paced_raster_at(&raster, (size_t)p) == 2.0 * sample_at(k * W * H + p) - 7);
        free(raster.value);
        free(slice);
    }
}

static void test_claims(void **state) {
    check_refused(put_dicom("claim.dcm", 65535, 65535, "3 "), "too many pixels");
    check_refused(put_dicom("claim.dcm", 16000, 16000, "3 "), "fewer pixels than it declares");
    check_refused(put_dicom("claim.dcm", H, W, "4 "), "fewer pixels than it declares");
    check_refused(put_dicom("claim.dcm", H, W, "65536 "), "more than 65535 frames");
    check_refused(put_dicom("claim.dcm", H, 0, "3 "), "no image");
}

static void test_truncated(void **state) {
    size_t size;
    uint8_t *data = read_file(put_dicom("whole.dcm", H, W, "3 "), &size);
    for (size_t keep = 132; keep < size; ++keep) {
        struct paced_raster raster;
        const char *path = put_bytes("cut.dcm", data, keep);
        hush();
        enum paced_err err = paced_raster_read(path, NULL, PACED_SHOWN, &raster);
        const char *said = unhush();
        assert_int_equal(err, PACED_INVALID);
        assert_int_equal(count_of(said, "\n"), 1);
        assert_int_equal(count_of(said, "Doe"), 0);
    }
    free(data);
}

static void test_changed(void **state) {
    check_changed(put_dicom("whole.dcm", H, W, "3 "), "changed.dcm", 1 << 12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_changed),
    };
    return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}

#else

static void test_without_dcmtk(void **state) {
    check_refused(put_dicom("no ending", H, W, "3 "), "which this build does not read; install libdcmtk-dev and g++");
    assert_true(paced_image_named("a.dcm"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_without_dcmtk)};
    return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}

#endif
