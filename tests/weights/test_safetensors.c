/* weights and safetensors: the set, round trips, a file written by the format's own package, and hostile files. */
#include "paced/weights.h"

#include "tests/capture.h"
#include "tests/weights/scratch.h"

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
#define GOLDEN PACED_TESTS_DIR "/weights/golden/mixed.safetensors"

static size_t read_bytes(const char *name, uint8_t *data, size_t size) {
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    size_t got = fread(data, 1, size, file);
    assert_true(got < size);
    fclose(file);
    return got;
}

static void check_entry(const struct paced_weights *weights, const char *name, enum paced_dtype dtype, int rank,
                        const int64_t *shape, const void *data, size_t bytes) {
    const struct paced_entry *entry = paced_weights_find(weights, name);
    assert_non_null(entry);
    assert_int_equal(entry->dtype, dtype);
    assert_int_equal(entry->rank, rank);
    for (int i = 0; i < rank; ++i) assert_int_equal(entry->shape[i], shape[i]);
    assert_int_equal(entry->bytes, bytes);
    assert_memory_equal(entry->data, data, bytes);
}

/* ---- the set ------------------------------------------------------------------------------------------------- */

static void test_set_replaces(void **state) {
    struct paced_weights weights = {0};
    const float first[] = {1, 2}, second[] = {3, 4, 5};
    paced_weights_add(&weights, "a", PACED_F32, 1, (int64_t[]){2}, first);
    paced_weights_add(&weights, "b", PACED_F32, 1, (int64_t[]){2}, first);
    paced_weights_add(&weights, "a", PACED_F32, 1, (int64_t[]){3}, second);
    assert_int_equal(weights.count, 2);
    assert_string_equal(weights.entries[0].name, "a");
    check_entry(&weights, "a", PACED_F32, 1, (int64_t[]){3}, second, sizeof(second));
    assert_null(paced_weights_find(&weights, "c"));

    paced_weights_add_metadata(&weights, "arch", "unet");
    paced_weights_add_metadata(&weights, "arch", "linknet");
    assert_int_equal(weights.metadata_count, 1);
    assert_string_equal(paced_weights_metadata(&weights, "arch"), "linknet");
    assert_null(paced_weights_metadata(&weights, "width"));
    paced_weights_finish(&weights);
    assert_null(weights.entries);
    paced_weights_finish(&weights);
    paced_weights_finish(NULL);
}

static void test_set_adds_a_view_of_itself(void **state) {
    struct paced_weights weights = {0};
    const uint8_t bytes[] = {1, 2, 3, 4};
    paced_weights_add(&weights, "a", PACED_U8, 1, (int64_t[]){4}, bytes);
    paced_weights_add(&weights, "a", PACED_U8, 1, (int64_t[]){3}, (const uint8_t *)weights.entries[0].data + 1);
    check_entry(&weights, "a", PACED_U8, 1, (int64_t[]){3}, bytes + 1, 3);
    paced_weights_finish(&weights);
}

/* ---- valid files --------------------------------------------------------------------------------------------- */

static const float some_f32[] = {1.5F, -0.0F, INFINITY};
static const double some_f64[] = {0.1};
static const int64_t some_i64[] = {INT64_MIN};
static const uint8_t some_u8[] = {0, 255, 7, 9, 1};

static struct paced_weights sample(void) {
    struct paced_weights weights = {0};
    paced_weights_add(&weights, "bytes", PACED_U8, 1, (int64_t[]){5}, some_u8);
    paced_weights_add(&weights, "f32 \"quoted\" \xc3\xa4", PACED_F32, 3, (int64_t[]){1, 3, 1}, some_f32);
    paced_weights_add(&weights, "i64", PACED_I64, 0, NULL, some_i64);
    paced_weights_add(&weights, "nothing", PACED_F32, 2, (int64_t[]){0, 3}, NULL);
    paced_weights_add(&weights, "f64", PACED_F64, 8, (int64_t[]){1, 1, 1, 1, 1, 1, 1, 1}, some_f64);
    paced_weights_add_metadata(&weights, "width", "64");
    paced_weights_add_metadata(&weights, "note", "two\nlines");
    return weights;
}

static void check_sample(const struct paced_weights *weights) {
    static const char *const names[] = {"bytes", "f32 \"quoted\" \xc3\xa4", "i64", "nothing", "f64"};
    assert_int_equal(weights->count, PACED_COUNT(names));
    for (size_t i = 0; i < PACED_COUNT(names); ++i) assert_string_equal(weights->entries[i].name, names[i]);
    check_entry(weights, names[0], PACED_U8, 1, (int64_t[]){5}, some_u8, sizeof(some_u8));
    check_entry(weights, names[1], PACED_F32, 3, (int64_t[]){1, 3, 1}, some_f32, sizeof(some_f32));
    check_entry(weights, names[2], PACED_I64, 0, NULL, some_i64, sizeof(some_i64));
    check_entry(weights, names[3], PACED_F32, 2, (int64_t[]){0, 3}, "", 0);
    check_entry(weights, names[4], PACED_F64, 8, (int64_t[]){1, 1, 1, 1, 1, 1, 1, 1}, some_f64, sizeof(some_f64));
    assert_string_equal(paced_weights_metadata(weights, "width"), "64");
    assert_string_equal(paced_weights_metadata(weights, "note"), "two\nlines");
}

static void test_round_trip(void **state) {
    struct paced_weights written = sample(), read = {0};
    assert_int_equal(paced_safetensors_write(path, &written), PACED_OK);
    assert_int_equal(paced_safetensors_read(path, &read), PACED_OK);
    check_sample(&read);
    /* A second read replaces the first. */
    assert_int_equal(paced_safetensors_read(path, &read), PACED_OK);
    check_sample(&read);
    paced_weights_finish(&written);
    paced_weights_finish(&read);
}

static void test_layout_of_the_file(void **state) {
    static const char header[] = "{\"__metadata__\":{\"arch\":\"unet\"},"
                                 "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]},"
                                 "\"a\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}";
    struct paced_weights weights = {0};
    uint8_t file[512];
    uint64_t length = 0;
    paced_weights_add(&weights, "b", PACED_F32, 1, (int64_t[]){1}, (float[]){1});
    paced_weights_add(&weights, "a", PACED_I64, 0, NULL, (int64_t[]){5});
    paced_weights_add_metadata(&weights, "arch", "unet");
    assert_int_equal(paced_safetensors_write(path, &weights), PACED_OK);
    paced_weights_finish(&weights);

    size_t size = read_bytes(path, file, sizeof(file));
    memcpy(&length, file, 8);
    assert_int_equal(length % 8, 0);
    assert_int_equal(size, 8 + length + 12);
    assert_memory_equal(file + 8, header, strlen(header));
    for (size_t i = strlen(header); i < length; ++i) assert_int_equal(file[8 + i], ' ');
    assert_memory_equal(file + 8 + length, "\5\0\0\0\0\0\0\0\0\0\x80\x3f", 12);
}

static void test_empty_set(void **state) {
    struct paced_weights none = {0}, read = {0};
    assert_int_equal(paced_safetensors_write(path, &none), PACED_OK);
    assert_int_equal(paced_safetensors_read(path, &read), PACED_OK);
    assert_int_equal(read.count, 0);
    paced_weights_finish(&read);
}

static void test_golden(void **state) {
    struct paced_weights weights = {0};
    assert_int_equal(paced_safetensors_read(GOLDEN, &weights), PACED_OK);
    assert_int_equal(weights.count, 6);
    check_entry(&weights, "bn.num_batches_tracked", PACED_I64, 0, NULL, (int64_t[]){7}, 8);
    check_entry(&weights, "bn.weight", PACED_F32, 1, (int64_t[]){3}, (float[]){1.5F, -2.25F, INFINITY}, 12);
    check_entry(&weights, "conv.weight", PACED_F32, 3, (int64_t[]){1, 2, 3},
                (float[]){0, .125F, .25F, .375F, .5F, .625F}, 24);
    check_entry(&weights, "empty", PACED_F32, 2, (int64_t[]){0, 4}, "", 0);
    check_entry(&weights, "mask", PACED_U8, 2, (int64_t[]){2, 2}, (uint8_t[]){0, 255, 1, 2}, 4);
    const struct paced_entry *moments = paced_weights_find(&weights, "moments");
    assert_non_null(moments);
    assert_int_equal(moments->dtype, PACED_F64);
    assert_true(((double *)moments->data)[0] == 0.1);
    assert_true(isnan(((double *)moments->data)[1]));
    assert_string_equal(paced_weights_metadata(&weights, "arch"), "unet");
    assert_string_equal(paced_weights_metadata(&weights, "note"), "\xc3\xa4 \"quoted\"");
    paced_weights_finish(&weights);
}

/* ---- malformed files ----------------------------------------------------------------------------------------- */

/* Writes a header followed by `data_bytes` zero bytes. */
static void write_file(const char *header, size_t data_bytes) {
    uint8_t file[1024] = {0};
    uint64_t length = strlen(header);
    assert_true(8 + length + data_bytes <= sizeof(file));
    memcpy(file, &length, 8);
    memcpy(file + 8, header, length);
    write_bytes(file, 8 + length + data_bytes);
}

/* Checks that the reader rejects the file in `path` with a line that contains the name of the file and `part`. */
static void check_refused(const char *part) {
    struct paced_weights weights = {0};
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_safetensors_read(path, &weights);
    capture_end(&capture);
    if (err != PACED_INVALID || !strstr(capture.text, path) || !strstr(capture.text, part) ||
        strchr(capture.text, '\n') != capture.text + strlen(capture.text) - 1)
        fail_msg("status %d, expected '%s' in: %s", err, part, capture.text);
    assert_null(weights.entries);
    assert_null(weights.keys);
}

#define T(dtype, shape, offsets) "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static const struct {
    const char *header;
    size_t data_bytes;
    const char *part; /* of the message */
} hostile[] = {
    {"", 0, "not valid JSON"},
    {"{", 0, "not valid JSON"},
    {"{}}", 0, "not valid JSON"},
    {"[]", 0, "not a JSON object"},
    {"null", 0, "JSON"},
    {"3", 0, "JSON"},
    {"{\"\xff\":1}", 0, "not valid JSON"},
    {"{\"a\\u0000b\":1}", 0, "not valid JSON"},
    {"{\"a\":" T("F32", "[1]", "[0,4]") ",\"a\":" T("F32", "[1]", "[4,8]") "}", 8, "\"a\""},
    {"{\"__metadata__\":[]}", 0, "__metadata__"},
    {"{\"__metadata__\":{\"k\":1}}", 0, "'k'"},
    {"{\"__metadata__\":{\"k\":\"v\"},\"a\":1}", 0, "'a'"},
    {"{\"a\":[]}", 0, "'a'"},
    {"{\"a\":{}}", 0, "'a': there is no dtype"},
    {"{\"a\":{\"dtype\":1}}", 0, "'a': there is no dtype"},
    {"{\"a\":{\"dtype\":\"F32\"}}", 0, "'a': there is no shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 4, "'a': data_offsets"},
    {"{\"a\":" T("F16", "[2]", "[0,4]") "}", 4, "'a': dtype F16 is not supported"},
    {"{\"a\":" T("BF16", "[2]", "[0,4]") "}", 4, "'a': dtype BF16 is not supported"},
    {"{\"a\":" T("I32", "[1]", "[0,4]") "}", 4, "'a': dtype I32 is not supported"},
    {"{\"a\":" T("BOOL", "[4]", "[0,4]") "}", 4, "'a': dtype BOOL is not supported"},
    {"{\"a\":" T("f32", "[1]", "[0,4]") "}", 4, "'a': unknown dtype 'f32'"},
    {"{\"a\":" T("F32", "1", "[0,4]") "}", 4, "'a': there is no shape"},
    {"{\"a\":" T("F32", "[-1]", "[0,4]") "}", 4, "'a': a dimension"},
    {"{\"a\":" T("F32", "[-1,-1]", "[0,4]") "}", 4, "'a': a dimension"},
    {"{\"a\":" T("F32", "[1.0]", "[0,4]") "}", 4, "'a': a dimension"},
    {"{\"a\":" T("F32", "[\"1\"]", "[0,4]") "}", 4, "'a': a dimension"},
    {"{\"a\":" T("F32", "[99999999999999999999]", "[0,4]") "}", 4, "not valid JSON"},
    {"{\"a\":" T("F32", "[4611686018427387905]", "[0,4]") "}", 4, "'a': the shape is too large"},
    {"{\"a\":" T("U8", "[4294967296,4294967296]", "[0,0]") "}", 0, "'a': the shape is too large"},
    {"{\"a\":" T("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "'a': 9 dimensions"},
    {"{\"a\":" T("F32", "[2]", "[0,4]") "}", 4, "'a': shape and data_offsets"},
    {"{\"a\":" T("F32", "[]", "[0,8]") "}", 8, "'a': shape and data_offsets"},
    {"{\"a\":" T("F32", "[0]", "[0,4]") "}", 4, "'a': shape and data_offsets"},
    {"{\"a\":" T("F32", "[1]", "[0]") "}", 4, "'a': data_offsets"},
    {"{\"a\":" T("F32", "[1]", "[0,4,8]") "}", 8, "'a': data_offsets"},
    {"{\"a\":" T("F32", "[1]", "{}") "}", 4, "'a': data_offsets"},
    {"{\"a\":" T("F32", "[1]", "[0.0,4]") "}", 4, "'a': data_offsets"},
    {"{\"a\":" T("F32", "[1]", "[-4,0]") "}", 4, "'a': data_offsets"},
    {"{\"a\":" T("F32", "[1]", "[4,0]") "}", 4, "'a': data_offsets"},
    {"{\"a\":" T("F32", "[1]", "[0,4]") "}", 3, "'a': its data extend beyond"},
    {"{\"a\":" T("F32", "[1]", "[9223372036854775803,9223372036854775807]") "}", 4, "'a': its data extend beyond"},
    {"{\"a\":" T("F32", "[1]", "[4,8]") "}", 8, "'a': there is a gap"},
    {"{\"a\":" T("F32", "[1]", "[0,4]") ",\"b\":" T("F32", "[1]", "[8,12]") "}", 12, "'b': there is a gap"},
    {"{\"a\":" T("F32", "[2]", "[0,8]") ",\"b\":" T("F32", "[1]", "[4,8]") "}", 8, "'b': its data overlap"},
    {"{\"a\":" T("F32", "[1]", "[0,4]") ",\"b\":" T("F32", "[1]", "[0,4]") "}", 4, "': its data overlap"},
    {"{\"a\":" T("F32", "[1]", "[0,4]") "}", 5, "1 byte after the last tensor 'a'"},
    {"{}", 1, "1 byte after"},
};

static void test_hostile_headers(void **state) {
    for (size_t i = 0; i < PACED_COUNT(hostile); ++i) {
        write_file(hostile[i].header, hostile[i].data_bytes);
        check_refused(hostile[i].part);
    }
}

static void test_hostile_lengths(void **state) {
    uint64_t lengths[] = {3, 100000001, 1ULL << 63, UINT64_MAX, UINT64_MAX - 7};
    uint8_t file[10] = {0};
    memcpy(file + 8, "{}", 2);
    for (size_t i = 0; i < PACED_COUNT(lengths); ++i) {
        memcpy(file, &lengths[i], 8);
        write_bytes(file, sizeof(file));
        check_refused("a header of");
    }
    write_bytes(file, 0);
    check_refused("too few");
    write_bytes(file, 7);
    check_refused("too few");
}

static void test_deep_header(void **state) {
    static uint8_t file[8 + 100000];
    uint64_t length = sizeof(file) - 8;
    memset(file, '[', sizeof(file));
    memcpy(file, &length, 8);
    write_bytes(file, sizeof(file));
    check_refused("not valid JSON");
}

static void test_failure_leaves_the_set(void **state) {
    struct paced_weights weights = sample();
    struct capture capture;
    write_file("{", 0);
    capture_start(&capture);
    enum paced_err err = paced_safetensors_read(path, &weights);
    capture_end(&capture);
    assert_int_equal(err, PACED_INVALID);
    check_sample(&weights);
    paced_weights_finish(&weights);
}

static void test_missing_file(void **state) {
    struct paced_weights weights = {0};
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_safetensors_read("/nowhere/w.safetensors", &weights);
    capture_end(&capture);
    assert_int_not_equal(err, PACED_OK);
    assert_non_null(strstr(capture.text, "/nowhere/w.safetensors"));
}

static void test_names_that_cannot_be_written(void **state) {
    static const char *const names[] = {"__metadata__", "\xff\xfe"};
    for (size_t i = 0; i < PACED_COUNT(names); ++i) {
        struct paced_weights weights = {0};
        struct capture capture;
        unlink(path);
        paced_weights_add(&weights, names[i], PACED_U8, 0, NULL, "x");
        capture_start(&capture);
        enum paced_err err = paced_safetensors_write(path, &weights);
        capture_end(&capture);
        assert_int_equal(err, PACED_FAILED);
        assert_int_not_equal(access(path, F_OK), 0);
        paced_weights_finish(&weights);
    }
    struct paced_weights weights = {0};
    struct capture capture;
    paced_weights_add_metadata(&weights, "key", "\xff");
    capture_start(&capture);
    enum paced_err err = paced_safetensors_write(path, &weights);
    capture_end(&capture);
    assert_int_equal(err, PACED_FAILED);
    paced_weights_finish(&weights);
}

/* Every byte damaged in several ways, and every length: the result is an error or a consistent set. */
static size_t damaged_size(const struct paced_weights *weights) {
    size_t bytes = 0;
    for (size_t i = 0; i < weights->count; ++i) {
        const volatile uint8_t *data = weights->entries[i].data;
        bytes += weights->entries[i].bytes;
        for (size_t k = 0; k < weights->entries[i].bytes; ++k) (void)data[k];
    }
    return bytes;
}

static void test_damaged_bytes(void **state) {
    static const uint8_t flips[] = {0x01, 0x10, 0x80};
    uint8_t file[1024];
    size_t size = read_bytes(GOLDEN, file, sizeof(file)), wrong = 0;
    uint64_t length;
    memcpy(&length, file, 8);
    struct capture capture;
    capture_start(&capture);
    for (size_t i = 0; i < size * PACED_COUNT(flips); ++i) {
        size_t at = i / PACED_COUNT(flips);
        uint8_t kept = file[at];
        struct paced_weights weights = {0};
        file[at] ^= flips[i % PACED_COUNT(flips)];
        write_bytes(file, size);
        enum paced_err err = paced_safetensors_read(path, &weights);
        if (err == PACED_OK)
            wrong += damaged_size(&weights) != size - 8 - length;
        else
            wrong += err != PACED_INVALID || at >= 8 + length || weights.entries != NULL;
        paced_weights_finish(&weights);
        file[at] = kept;
    }
    for (size_t cut = 0; cut < size; ++cut) {
        struct paced_weights weights = {0};
        write_bytes(file, cut);
        wrong += paced_safetensors_read(path, &weights) != PACED_INVALID;
        paced_weights_finish(&weights);
    }
    capture_end(&capture);
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_replaces),    cmocka_unit_test(test_set_adds_a_view_of_itself),
        cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_layout_of_the_file),
        cmocka_unit_test(test_empty_set),       cmocka_unit_test(test_golden),
        cmocka_unit_test(test_hostile_headers), cmocka_unit_test(test_hostile_lengths),
        cmocka_unit_test(test_deep_header),     cmocka_unit_test(test_failure_leaves_the_set),
        cmocka_unit_test(test_missing_file),    cmocka_unit_test(test_names_that_cannot_be_written),
        cmocka_unit_test(test_damaged_bytes),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
