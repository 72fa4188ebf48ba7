/* PyTorch files, written by two of its versions: intact and damaged. */
#include "paced/weights.h"

#include "tests/capture.h"
#include "tests/weights/archive.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef PACED_TESTS_DIR
#define PACED_TESTS_DIR "tests"
#endif
#define GOLDEN PACED_TESTS_DIR "/weights/golden/"

/* ---- files that PyTorch wrote -------------------------------------------------------------------------------- */

static void check_floats(const struct paced_weights *weights, const char *name, int rank, const int64_t *shape,
                         const float *values, size_t count) {
    const struct paced_entry *entry = paced_weights_find(weights, name);
    assert_non_null(entry);
    assert_int_equal(entry->dtype, PACED_F32);
    assert_int_equal(entry->rank, rank);
    for (int i = 0; i < rank; ++i) assert_int_equal(entry->shape[i], shape[i]);
    assert_int_equal(entry->bytes, count * sizeof(*values));
    if (count > 0) assert_memory_equal(entry->data, values, entry->bytes);
}
#define SHAPE(...)                                              \
    (int)PACED_COUNT(((int64_t[]){__VA_ARGS__})), (int64_t[]) { \
        __VA_ARGS__                                             \
    }
#define FLOATS(...) (float[]){__VA_ARGS__}, PACED_COUNT(((float[]){__VA_ARGS__}))

/* Checks the module of make_pth.py: tensor i of its state contains i, i + 1, ... */
static void check_module(const struct paced_weights *weights) {
    check_floats(weights, "0.weight", SHAPE(2, 1, 1, 1), FLOATS(0, 1));
    check_floats(weights, "0.bias", SHAPE(2), FLOATS(1, 2));
    check_floats(weights, "1.weight", SHAPE(2), FLOATS(2, 3));
    check_floats(weights, "1.bias", SHAPE(2), FLOATS(3, 4));
    check_floats(weights, "1.running_mean", SHAPE(2), FLOATS(4, 5));
    check_floats(weights, "1.running_var", SHAPE(2), FLOATS(5, 6));
    const struct paced_entry *counter = paced_weights_find(weights, "1.num_batches_tracked");
    assert_non_null(counter);
    assert_int_equal(counter->dtype, PACED_I64);
    assert_int_equal(counter->rank, 0);
    assert_int_equal(*(int64_t *)counter->data, 6);
}

static void check_mixed(const char *file) {
    struct paced_weights weights = {0};
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_weights_read(file, &weights);
    capture_end(&capture);
    assert_int_equal(err, PACED_OK);
    assert_int_equal(weights.count, 17);
    check_module(&weights);
    check_floats(&weights, "base", SHAPE(3, 4), FLOATS(0, .25, .5, .75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75));
    check_floats(&weights, "transposed", SHAPE(4, 3), FLOATS(0, 1, 2, .25, 1.25, 2.25, .5, 1.5, 2.5, .75, 1.75, 2.75));
    check_floats(&weights, "sliced", SHAPE(2, 2), FLOATS(1.25, 1.75, 2.25, 2.75));
    check_floats(&weights, "permuted", SHAPE(4, 2, 3),
                 FLOATS(0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23));
    check_floats(&weights, "double", SHAPE(2), FLOATS(0.1f, -INFINITY));
    check_floats(&weights, "half", SHAPE(6), FLOATS(1.5f, -0x1p-24f, 65504, INFINITY, -0.0f, 0x1p-14f));
    const float *rounded = paced_weights_find(&weights, "bfloat16")->data;
    assert_true(rounded[0] == 1.5f && fabsf(rounded[1] / -3e38f - 1) < 0x1p-8f && fabsf(rounded[2] - 1e-40f) < 1e-40f);
    int64_t longs[] = {-1, INT64_C(1) << 40};
    const struct paced_entry *entry = paced_weights_find(&weights, "long");
    assert_int_equal(entry->dtype, PACED_I64);
    assert_int_equal(entry->bytes, sizeof(longs));
    assert_memory_equal(entry->data, longs, sizeof(longs));
    check_floats(&weights, "empty", SHAPE(0, 4), NULL, 0);
    check_floats(&weights, "parameter", SHAPE(1), FLOATS(2.5));
    assert_non_null(strstr(capture.text, "float64 is read as float32"));
    assert_non_null(strstr(capture.text, "float16 is read as float32"));
    assert_non_null(strstr(capture.text, "bfloat16 is read as float32"));
    paced_weights_finish(&weights);
}

static void test_mixed(void **state) {
    check_mixed(GOLDEN "mixed_1.13.pth");
    check_mixed(GOLDEN "mixed_2.15.pth");
}

static void check_checkpoint(const char *file) {
    struct paced_weights weights = {0};
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_weights_read(file, &weights);
    capture_end(&capture);
    assert_int_equal(err, PACED_OK);
    assert_int_equal(weights.count, 7);
    char *prefix = paced_weights_unwrap(&weights, NULL, NULL);
    assert_string_equal(prefix, "module.");
    free(prefix);
    check_module(&weights);
    assert_non_null(strstr(capture.text, "'state_dict' is read"));
    paced_weights_finish(&weights);
}

static void test_checkpoint(void **state) {
    check_checkpoint(GOLDEN "checkpoint_1.13.pth");
    check_checkpoint(GOLDEN "checkpoint_2.15.pth");
}

static void test_safetensors_by_the_same_door(void **state) {
    struct paced_weights weights = {0};
    assert_int_equal(paced_weights_read(GOLDEN "mixed.safetensors", &weights), PACED_OK);
    assert_non_null(paced_weights_find(&weights, "conv.weight"));
    paced_weights_finish(&weights);
}

/* ---- prefixes ------------------------------------------------------------------------------------------------ */

/* A network of the tensors a.w, a.b and model.w. */
static bool knows(const void *network, const char *name) {
    return strcmp(name, "a.w") == 0 || strcmp(name, "a.b") == 0 || strcmp(name, "model.w") == 0;
}

static void check_prefix(const char *first, const char *second, const char *of_network, const char *of_wrappers) {
    const char *const expected[] = {of_network, of_wrappers};
    for (int i = 0; i < 2; ++i) {
        struct paced_weights weights = {0};
        paced_weights_add(&weights, first, PACED_U8, 0, NULL, "x");
        paced_weights_add(&weights, second, PACED_U8, 0, NULL, "x");
        char *prefix = paced_weights_unwrap(&weights, i == 0 ? knows : NULL, NULL);
        if (strcmp(prefix ? prefix : "", expected[i]) != 0) fail_msg("%s: %s, not %s", first, prefix, expected[i]);
        assert_string_equal(weights.entries[0].name, first + strlen(expected[i]));
        assert_string_equal(weights.entries[1].name, second + strlen(expected[i]));
        free(prefix);
        paced_weights_finish(&weights);
    }
}

static void test_prefixes(void **state) {
    check_prefix("module.a.w", "module.a.b", "module.", "module.");
    check_prefix("_orig_mod.a.w", "_orig_mod.a.b", "_orig_mod.", "_orig_mod.");
    check_prefix("module.model._orig_mod.a.w", "module.model._orig_mod.a.b", "module.model._orig_mod.",
                 "module.model._orig_mod.");
    check_prefix("student.unet.a.w", "student.unet.a.b", "student.unet.", "");
    check_prefix("student.a.w", "student.other", "student.", ""); /* of another network in part */
    check_prefix("a.w", "a.b", "", "");                           /* shared, but part of the names */
    check_prefix("model.w", "a.w", "", "");
    check_prefix("module.a.w", "a.b", "", "");      /* not shared */
    check_prefix("modulea.w", "modulea.b", "", ""); /* no component */
    check_prefix("module.x", "module.y", "", "module.");
    check_prefix("model.w", "model.b", "", "model."); /* the network has model.w as it is */
    check_prefix("module.", "module.a.w", "", "");    /* nothing would be left of a name */
    struct paced_weights empty = {0};
    assert_null(paced_weights_unwrap(&empty, NULL, NULL));
}

/* ---- damage -------------------------------------------------------------------------------------------------- */

/* Reads the file in `path`, which gives an error or a set whose bytes can all be read. */
static bool read_quietly(void) {
    struct paced_weights weights = {0};
    enum paced_err err = paced_weights_read(path, &weights);
    for (size_t i = 0; i < weights.count; ++i) {
        const volatile uint8_t *data = weights.entries[i].data;
        for (size_t k = 0; k < weights.entries[i].bytes; ++k) (void)data[k];
    }
    paced_weights_finish(&weights);
    return err == PACED_OK || err == PACED_INVALID;
}

static size_t read_file(const char *name, uint8_t *data, size_t size) {
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    size_t got = fread(data, 1, size, file);
    assert_true(got < size);
    fclose(file);
    return got;
}

static void test_damaged_files(void **state) {
    static const uint8_t flips[] = {0x01, 0x80};
    static uint8_t file[8192];
    size_t size = read_file(GOLDEN "mixed_2.15.pth", file, sizeof(file)), wrong = 0;
    struct capture capture;
    capture_start(&capture);
    for (size_t i = 0; i < size; ++i) {
        file[i] ^= flips[i % PACED_COUNT(flips)];
        write_bytes(file, size);
        wrong += !read_quietly();
        file[i] ^= flips[i % PACED_COUNT(flips)];
    }
    for (size_t cut = 0; cut < size; cut += cut < 1000 ? 1 : 7) {
        struct paced_weights weights = {0};
        write_bytes(file, cut);
        wrong += paced_weights_read(path, &weights) != PACED_INVALID;
    }
    capture_end(&capture);
    assert_int_equal(wrong, 0);
}

/* Intact archives around damaged pickles: bytes changed, exchanged, removed. */
static void test_damaged_pickles(void **state) {
    static uint8_t bytes[8192];
    struct paced_rng rng;
    struct capture capture;
    size_t wrong = 0, rounds = getenv("PACED_FUZZ_ROUNDS") ? (size_t)atol(getenv("PACED_FUZZ_ROUNDS")) : 500;
    zip_t *zip = zip_open(GOLDEN "checkpoint_2.15.pth", ZIP_RDONLY, NULL);
    zip_file_t *entry = zip_fopen(zip, "checkpoint_2.15/data.pkl", 0);
    assert_non_null(entry);
    size_t size = (size_t)zip_fread(entry, bytes, sizeof(bytes));
    zip_fclose(entry);
    zip_discard(zip);
    paced_rng_seed(&rng, 12345, 0);
    capture_start(&capture);
    for (size_t i = 0; i < rounds; ++i) {
        static uint8_t damaged[sizeof(bytes)];
        size_t left = size;
        memcpy(damaged, bytes, size);
        for (uint32_t k = paced_rng_below(&rng, 4) + 1; k > 0; --k) {
            size_t a = paced_rng_below(&rng, (uint32_t)left), b = paced_rng_below(&rng, (uint32_t)left);
            uint32_t kind = paced_rng_below(&rng, 4);
            if (kind == 0) damaged[a] = (uint8_t)paced_rng_next(&rng);
            if (kind == 1) damaged[a] ^= (uint8_t)(1u << paced_rng_below(&rng, 8));
            if (kind == 2) damaged[a] = damaged[b];
            if (kind == 3) memmove(damaged + a, damaged + a + 1, --left - a);
        }
        write_pickle(damaged, left);
        wrong += !read_quietly();
    }
    capture_end(&capture);
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mixed),           cmocka_unit_test(test_checkpoint),
        cmocka_unit_test(test_damaged_files),   cmocka_unit_test(test_safetensors_by_the_same_door),
        cmocka_unit_test(test_damaged_pickles), cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
