/* NIfTI files written byte by byte; labels written with the header of such a file. tests/e2e/test_nifti.py compares
 * with nibabel. */
#include "image_helper.h"

#include <nifti1.h>
#include <zlib.h>

enum { W = 7, H = 5, SLICES = 3, START = 352, VOXELS = W * H * SLICES };

static nifti_1_header plain_header(int type, int bits) {
    nifti_1_header h = {.sizeof_hdr = 348,
                        .dim = {3, W, H, SLICES, 1, 1, 1, 1},
                        .datatype = (short)type,
                        .bitpix = (short)bits,
                        .pixdim = {1, 0.5F, 0.25F, 3},
                        .vox_offset = START,
                        .xyzt_units = NIFTI_UNITS_MM,
                        .magic = "n+1",
                        .descrip = "kept"};
    return h;
}

static const char *put_zipped(const char *name, const void *data, size_t size) {
    const char *path = at(name);
    remove(path);
    gzFile file = gzopen(path, "wb");
    assert_int_equal(gzwrite(file, data, (unsigned)size), size);
    gzclose(file);
    return path;
}

static const char *put_nifti(const char *name, const nifti_1_header *header, const void *voxels, size_t size) {
    uint8_t *file = calloc(1, START + size);
    memcpy(file, header, sizeof *header);
    memcpy(file + START, voxels, size);
    bool zipped = strstr(name, ".gz") != NULL;
    const char *path = zipped ? put_zipped(name, file, START + size) : put_bytes(name, file, START + size);
    free(file);
    return path;
}

static const char *put_words(const char *name) {
    uint16_t voxels[VOXELS];
    for (int i = 0; i < VOXELS; ++i) voxels[i] = (uint16_t)(i * 321);
    nifti_1_header h = plain_header(DT_UINT16, 16);
    return put_nifti(name, &h, voxels, sizeof voxels);
}

/* ---- valid files --------------------------------------------------------------------------------------------- */

static void check_words(const char *path) {
    for (int k = 0; k < SLICES; ++k) {
        struct paced_raster raster;
        char *slice = paced_format("%s#%d", path, k);
        assert_int_equal(paced_raster_read(slice, NULL, PACED_VALUES, &raster), PACED_OK);
        const struct paced_image_info *i = &raster.info;
        assert_true(i->width == W && i->height == H && i->slices == SLICES && i->channels == 1 && i->bits == 16);
        assert_true(i->spacing_mm[0] == 0.25 && i->spacing_mm[1] == 0.5 && !i->is_float && !i->is_signed);
        assert_int_equal(raster.sample, PACED_WORDS);
        for (int p = 0; p < W * H; ++p)
            assert_int_equal(((uint16_t *)raster.value)[p], (uint16_t)((k * W * H + p) * 321));
        free(raster.value);
        free(slice);
    }
}

static void test_words(void **state) {
    check_words(put_words("a.nii"));
    check_words(put_words("a.nii.gz"));
    assert_true(paced_image_named("a.nii.gz") && paced_image_named("b.NII"));
    assert_int_equal(paced_image_stem_length("x/scan.1.nii.gz"), 8);
}

static void test_scale(void **state) {
    uint8_t voxels[VOXELS];
    struct paced_raster raster;
    for (int i = 0; i < VOXELS; ++i) voxels[i] = (uint8_t)(2 * i);
    nifti_1_header h = plain_header(DT_UINT8, 8);
    h.scl_slope = 0.3F;
    h.scl_inter = -7;
    assert_int_equal(paced_raster_read(put_nifti("s.nii", &h, voxels, sizeof voxels), NULL, PACED_SHOWN, &raster),
                     PACED_OK);
    assert_true(raster.sample == PACED_REALS && raster.info.is_float);
    for (int i = 0; i < W * H; ++i) assert_true(((float *)raster.value)[i] == (float)(2 * i * (double)0.3F - 7));
    free(raster.value);
}

static void test_labels(void **state) {
    uint8_t label[VOXELS], *written;
    struct paced_nifti *w;
    gzFile file;
    nifti_1_header h;
    for (int i = 0; i < VOXELS; ++i) label[i] = (uint8_t)(i % 5);
    assert_int_equal(paced_nifti_create(&w, at("out.nii.gz"), put_words("like.nii")), PACED_OK);
    for (int k = 0; k < SLICES; ++k) assert_int_equal(paced_nifti_add_slice(w, W, H, label + k * W * H), PACED_OK);
    assert_false(paced_path_exists(at("out.nii.gz")));
    assert_int_equal(paced_nifti_commit(w), PACED_OK);
    file = gzopen(at("out.nii.gz"), "rb");
    written = calloc(1, 4096);
    assert_int_equal(gzread(file, written, 4096), START + VOXELS);
    gzclose(file);
    memcpy(&h, written, sizeof h);
    assert_memory_equal(written + START, label, VOXELS);
    assert_true(h.datatype == DT_UINT8 && h.bitpix == 8 && h.pixdim[2] == 0.25F && h.scl_slope == 1);
    assert_string_equal(h.descrip, "kept");
    free(written);
    assert_int_equal(paced_nifti_create(&w, at("none.nii.gz"), at("like.nii")), PACED_OK);
    paced_nifti_abort(w);
    assert_false(paced_path_exists(at("none.nii.gz")));
    assert_true(paced_nifti_is(at("like.nii")));
    assert_false(paced_nifti_is(put_text("text.nii", "no volume")));
    assert_false(paced_nifti_is(at("missing.nii")));
}

/* ---- malformed files ----------------------------------------------------------------------------------------- */

static void test_truncated(void **state) {
    check_truncated(put_words("whole.nii"), "cut.nii", 348, 7);
    check_truncated(put_words("whole.nii.gz"), "cut.nii.gz", 2, 3);
    put_words("whole.nii");
    check_refused(put_bytes("cut.nii", "\x5c\x01\0\0", 4), "is not a PNG");
}

static void test_every_byte_counts(void **state) {
    size_t size;
    uint8_t *data = read_file(put_words("whole.nii.gz"), &size);
    for (size_t keep = 2; keep < size; ++keep) check_refused(put_bytes("cut.nii.gz", data, keep), "NIfTI");
    data[size - 6] ^= 1; /* the checksum */
    check_refused(put_bytes("sum.nii.gz", data, size), "its compressed data is wrong");
    free(data);
}

static void test_changed(void **state) {
    check_changed(put_words("whole.nii"), "changed.nii", 348);
    check_changed(put_words("whole.nii.gz"), "changed.nii.gz", 4000);
}

static void check_claim(const nifti_1_header *header, const char *reason) {
    uint8_t voxels[16] = {0};
    check_refused(put_nifti("claim.nii", header, voxels, sizeof voxels), reason);
    check_refused(put_nifti("claim.nii.gz", header, voxels, sizeof voxels), reason);
}

static void test_claims(void **state) {
    nifti_1_header h = plain_header(DT_UINT8, 8);
    h.dim[1] = h.dim[2] = 32767;
    check_claim(&h, "above the limit");
    h = plain_header(DT_UINT8, 8);
    h.dim[3] = h.dim[4] = 32767;
    h.dim[0] = 4;
    check_claim(&h, "more than 65535 slices");
    h.dim[0] = 7;
    h.dim[5] = h.dim[6] = h.dim[7] = 32767;
    check_claim(&h, "more than 65535 slices");
    h = plain_header(DT_FLOAT64, 64);
    h.dim[1] = h.dim[2] = 16000;
    check_claim(&h, "the file ends early");
    h = plain_header(DT_UINT8, 8);
    h.dim[2] = -1;
    check_claim(&h, "its header is wrong");
    h = plain_header(DT_UINT8, 8);
    h.dim[0] = 0;
    check_claim(&h, "its header is wrong");
    h = plain_header(DT_UINT8, 8);
    const float offsets[] = {-5, 100, 1e30F, 0.0F / 0.0F};
    for (size_t i = 0; i < PACED_COUNT(offsets); ++i) {
        h.vox_offset = offsets[i];
        check_claim(&h, "its voxels start nowhere");
    }
    h = plain_header(DT_COMPLEX64, 64);
    check_claim(&h, "voxels of the type COMPLEX64");
    h = plain_header(DT_UINT8, 8);
    h.scl_slope = 2;
    h.scl_inter = 1e38F * 10;
    check_claim(&h, "its scale is not finite");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_scale),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_claims),
    };
    return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
