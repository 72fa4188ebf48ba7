/* PyTorch's files: those that two of its versions wrote, and hostile ones, put together here from a pickle and data. */
#include "paced/weights.h"

#include "tests/capture.h"
#include "tests/weights/scratch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

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
    for (int i = 0; i < rank; i++) assert_int_equal(entry->shape[i], shape[i]);
    assert_int_equal(entry->bytes, count * sizeof(*values));
    if (count > 0) assert_memory_equal(entry->data, values, entry->bytes);
}
#define SHAPE(...)                                              \
    (int)PACED_COUNT(((int64_t[]){__VA_ARGS__})), (int64_t[]) { \
        __VA_ARGS__                                             \
    }
#define FLOATS(...) (float[]){__VA_ARGS__}, PACED_COUNT(((float[]){__VA_ARGS__}))

/* The module of make_pth.py: tensor i of its state holds i, i + 1, ... */
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
    check_module(&weights);
    assert_non_null(strstr(capture.text, "'state_dict' is read"));
    assert_non_null(strstr(capture.text, "without their 'module.'"));
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
    static const char *const names[][2] = {{"module.a", "module.b"}, {"module.a", "b"}};
    for (size_t i = 0; i < PACED_COUNT(names); i++) {
        struct capture capture;
        for (size_t k = 0; k < 2; k++) paced_weights_add(&weights, names[i][k], PACED_U8, 0, NULL, "x");
        assert_int_equal(paced_safetensors_write(path, &weights), PACED_OK);
        capture_start(&capture);
        enum paced_err err = paced_weights_read(path, &weights);
        capture_end(&capture);
        assert_int_equal(err, PACED_OK);
        assert_string_equal(weights.entries[0].name, i == 0 ? "a" : "module.a");
        assert_string_equal(weights.entries[1].name, "b");
        paced_weights_finish(&weights);
    }
}

/* ---- files put together -------------------------------------------------------------------------------------- */

struct part {
    const char *name;
    const void *bytes;
    size_t size;
    int method; /* of compression */
};

static void write_archive(const struct part *parts, size_t count) {
    int error = 0;
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &error);
    assert_non_null(zip);
    for (size_t i = 0; i < count; i++) {
        zip_source_t *source = zip_source_buffer(zip, parts[i].bytes, parts[i].size, 0);
        zip_int64_t index = zip_file_add(zip, parts[i].name, source, 0);
        assert_true(index >= 0);
        assert_int_equal(zip_set_file_compression(zip, (zip_uint64_t)index, parts[i].method, 0), 0);
    }
    assert_int_equal(zip_close(zip), 0);
}

static const uint8_t elements[48] = {1, 2, 3};

/* With a storage "0" of 48 bytes. */
static void write_pickle(const void *bytes, size_t size) {
    write_archive((struct part[]){{"a/data.pkl", bytes, size, ZIP_CM_STORE},
                                  {"a/data/0", elements, sizeof(elements), ZIP_CM_STORE}},
                  2);
}

static void check_refused(const char *part) {
    struct paced_weights weights = {0};
    struct capture capture;
    capture_start(&capture);
    enum paced_err err = paced_weights_read(path, &weights);
    capture_end(&capture);
    if (err != PACED_INVALID || !strstr(capture.text, path) || !strstr(capture.text, part) ||
        strchr(capture.text, '\n') != capture.text + strlen(capture.text) - 1)
        fail_msg("status %d, expected '%s' in: %s", err, part, capture.text);
    assert_null(weights.entries);
}

/* Pieces of pickles. A number is BININT1 of one byte, an argument's sizes are a whole tuple. */
#define TEXT(size, text) "X" size "\0\0\0" text
#define STORAGE(type, count) "(" TEXT("\7", "storage") "ctorch\n" type "\n" TEXT("\1", "0") TEXT("\3", "cpu") count "tQ"
#define TENSOR(storage, offset, sizes, strides)                                \
    "ctorch._utils\n_rebuild_tensor_v2\n(" storage offset sizes strides "\x89" \
    "ccollections\nOrderedDict\n)RtR"
#define TWELVE STORAGE("FloatStorage", "K\14")
#define NAMED(value) "\x80\2}" TEXT("\1", "w") value "s."
#define VIEW(offset, sizes, strides) NAMED(TENSOR(TWELVE, offset, sizes, strides))
#define GOOD VIEW("K\0", "K\14\x85", "K\1\x85")

static const struct {
    const char *bytes;
    size_t size;
    const char *part; /* of the message; NULL: it is read */
} pickles[] = {
#define ROW(literal, part) \
    { literal, sizeof(literal) - 1, part }
    ROW(GOOD, NULL),
    /* What would run something, by all ways of saying so. */
    ROW("\x80\2cos\nsystem\n(X\2\0\0\0idtR.", "pickle global 'os system'"),
    ROW("cposix\nsystem\n(S'id'\ntR.", "pickle global 'posix system'"),
    ROW("\x80\2"
        "cbuiltins\neval\n(X\3\0\0\0"
        "1+1tR.",
        "pickle global 'builtins eval'"),
    ROW("c__builtin__\nexec\n.", "pickle global '__builtin__ exec'"),
    ROW("\x80\4\x8c\2os\x8c\6system\x93(X\2\0\0\0idtR.", "pickle global 'os system'"),
    ROW("\x80\2"
        "ctorch\nload\n(tR.",
        "pickle global 'torch load'"),
    ROW("\x80\2"
        "ctorch._utils\n_rebuild_tensor\n(tR.",
        "pickle global 'torch._utils _rebuild_tensor'"),
    ROW("\x80\2"
        "ctorch.os\nxStorage\n.",
        "pickle global 'torch.os xStorage'"),
    ROW("\x80\2"
        "c\x1b[31m\nx\n.",
        "pickle global '?[31m x'"),
    ROW("(X\2\0\0\0idios\nsystem\n.", "operation INST"),
    ROW("(cos\nsystem\nX\2\0\0\0ido.", "pickle global 'os system'"),
    ROW("\x80\2(ccollections\nOrderedDict\no.", "operation OBJ"),
    ROW("\x80\2"
        "ccollections\nOrderedDict\n)\x81.",
        "operation NEWOBJ"),
    ROW("\x80\4"
        "ccollections\nOrderedDict\n)}\x92.",
        "operation NEWOBJ_EX"),
    ROW("\x80\2\x82\1.", "operation EXT1"),
    ROW("\x80\2\x83\1\1.", "operation EXT2"),
    ROW("\x80\2\x84\1\1\1\1.", "operation EXT4"),
    ROW("Pmodule\n.", "operation PERSID"),
    ROW("S'os'\n.", "operation STRING"),
    ROW("\x80\5\x97.", "operation NEXT_BUFFER"),
    ROW("\x80\2}\x90.", "operation ADDITEMS"),
    ROW("\x80\2N0.", "operation POP"),
    ROW("\x80\2\xff.", "no such operation"),
    /* A machine that is led astray. */
    ROW("", "it ends too early"),
    ROW("\x80", "it ends too early"),
    ROW("\x80\2N", "it ends too early"),
    ROW("\x80\6N.", "a protocol above 5"),
    ROW("\x80\2.", "too little is on the stack"),
    ROW("\x80\2(.", "too little is on the stack"),
    ROW("\x80\2NN.", "more than its result"),
    ROW("\x80\2t.", "no mark"),
    ROW("\x80\2u.", "no mark"),
    ROW("\x80\2(u.", "too little is on the stack"),
    ROW("\x80\2(e.", "too little is on the stack"),
    ROW("\x80\2N(NNu.", "no such container"),
    ROW("\x80\2}(Nu.", "a key without a value"),
    ROW("\x80\2}Ns.", "too little is on the stack"),
    ROW("\x80\2NNs.", "too little is on the stack"),
    ROW("\x80\2Na.", "too little is on the stack"),
    ROW("\x80\2)Na.", "no such container"),
    ROW("\x80\2\x85.", "too little is on the stack"),
    ROW("\x80\2(N\x86.", "too little is on the stack"),
    ROW("\x80\2q\1.", "too little is on the stack"),
    ROW("\x80\2(q\1.", "too little is on the stack"),
    ROW("\x80\2h\1.", "was not put there"),
    ROW("\x80\2j\xff\xff\xff\xff.", "was not put there"),
    ROW("\x80\2Nr\xff\xff\xff\xff.", "larger than any weights'"),
    ROW("\x80\2X\xff\xff\xff\xff.", "it ends too early"),
    ROW("\x80\4\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "it ends too early"),
    ROW("\x80\2X\1\0\0\0\0.", "holds a zero"),
    ROW("\x80\2\x8a\x09\1\1\1\1\1\1\1\1\1.", "more than 64 bits"),
    ROW("\x80\2"
        "ctorch",
        "a name without an end"),
    ROW("\x80\4NN\x93.", "whose name is no text"),
    ROW("\x80\2N)R.", "a call of no function"),
    ROW("\x80\2"
        "ctorch\nFloatStorage\n)R.",
        "a call of no function"),
    ROW("\x80\2"
        "ccollections\nOrderedDict\nNR.",
        "a call of no function"),
    ROW("\x80\2"
        "ccollections\nOrderedDict\n(NtR.",
        "an OrderedDict that"),
    ROW("\x80\2"
        "ctorch._utils\n_rebuild_tensor_v2\n)R.",
        "a tensor without"),
    ROW("\x80\2"
        "ctorch._utils\n_rebuild_parameter\n)R.",
        "a parameter without"),
    ROW("\x80\2"
        "ctorch._utils\n_rebuild_parameter\nN\x85R.",
        "a parameter without"),
    ROW("\x80\2NQ.", "no storage"),
    ROW("\x80\2)Q.", "no storage"),
    ROW("\x80\2)Nb.", "attributes of"),
    /* Nothing of use. */
    ROW("\x80\2N.", "no named tensors"),
    ROW("\x80\2}.", "no named tensors"),
    ROW("\x80\2}q\1h\1h\1s.", "a name in it is no text"),
    ROW("\x80\2}X\1\0\0\0\nNs.", "a name in it is no text"),
    ROW("\x80\2}X\0\0\0\0Ns.", "a name in it is no text"),
    ROW(NAMED("N"), "'w' is no tensor"),
    ROW(NAMED(TWELVE), "'w' is no tensor"),
    ROW("\x80\2}q\1" TEXT("\1", "w") "h\1s.", "'w' is no tensor"),
    /* Tensors that cannot be. */
    ROW(NAMED(TENSOR("N", "K\0", ")", ")")), "tensor 'w': its storage is not"),
    ROW(NAMED(TENSOR("(NNNNNtQ", "K\0", ")", ")")), "tensor 'w': its storage is not"),
    ROW(NAMED(TENSOR(STORAGE("IntStorage", "K\14"), "K\0", "K\14\x85", "K\1\x85")), "tensor 'w': elements of a IntSt"),
    ROW(NAMED(TENSOR(STORAGE("FloatStorage", "K\13"), "K\0", "K\13\x85", "K\1\x85")), "more or fewer bytes"),
    ROW(NAMED(TENSOR(STORAGE("DoubleStorage", "K\14"), "K\0", "K\14\x85", "K\1\x85")), "more or fewer bytes"),
    ROW(NAMED(TENSOR(STORAGE("FloatStorage", "\x8a\x08\14\0\0\0\0\0\0\x40"), "K\0", "K\14\x85", "K\1\x85")),
        "more or fewer bytes"),
    ROW(NAMED(TENSOR(STORAGE("FloatStorage", "J\xff\xff\xff\xff"), "K\0", ")", ")")), "reaches beyond"),
    ROW(VIEW("J\xff\xff\xff\xff", "K\1\x85", "K\1\x85"), "its offset, sizes or strides"),
    ROW(VIEW("K\0", "K\14\x85", ")"), "its offset, sizes or strides"),
    ROW(VIEW("K\0", "N", ")"), "its offset, sizes or strides"),
    ROW(VIEW("K\0", "N\x85", "K\1\x85"), "a size or stride is not"),
    ROW(VIEW("K\0", "J\xff\xff\xff\xff\x85", "K\1\x85"), "a size or stride is not"),
    ROW(VIEW("K\0", "K\2\x85", "J\xff\xff\xff\xff\x85"), "a size or stride is not"),
    ROW(VIEW("K\0", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t"), "9 dimensions"),
    ROW(VIEW("K\0", "\x8a\x08\0\0\0\0\0\0\0\x40\x8a\x08\0\0\0\0\0\0\0\x40\x86", "K\0K\0\x86"), "too large for any"),
    ROW(VIEW("K\1", "K\14\x85", "K\1\x85"), "reaches beyond"),
    ROW(VIEW("K\14", ")", ")"), "reaches beyond"),
    ROW(VIEW("K\0", "K\2\x85", "K\14\x85"), "reaches beyond"),
    ROW(VIEW("K\0", "K\3\x85", "\x8a\x08\0\0\0\0\0\0\0\x40\x85"), "reaches beyond"),
    ROW(VIEW("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", "K\2\x85", "K\1\x85"), "reaches beyond"),
    ROW(VIEW("K\0", "K\2\x85", "K\0\x85"), "overlap"),
    ROW(VIEW("K\0", "J\0\0\0\x40\x85", "K\0\x85"), "overlap"),
    ROW(VIEW("K\0", "K\3K\2\x86", "K\1K\2\x86"), "overlap"),
    ROW(VIEW("K\0", "K\2K\3\x86", "K\1K\2\x86"), NULL),
    ROW(VIEW("K\2", "K\2K\1\x86", "K\5\x8a\x08\0\0\0\0\0\0\0\x40\x86"), NULL),
    ROW(VIEW("K\0", "K\0K\5\x86", "K\0K\0\x86"), NULL),
    ROW(VIEW("K\13", ")", ")"), NULL),
#undef ROW
};

static void test_pickles(void **state) {
    for (size_t i = 0; i < PACED_COUNT(pickles); i++) {
        write_pickle(pickles[i].bytes, pickles[i].size);
        if (pickles[i].part) {
            check_refused(pickles[i].part);
            continue;
        }
        struct paced_weights weights = {0};
        assert_int_equal(paced_weights_read(path, &weights), PACED_OK);
        assert_int_equal(weights.count, 1);
        paced_weights_finish(&weights);
    }
}

static void test_archives(void **state) {
    static const struct {
        const char *part;
        struct part parts[3];
    } rows[] = {
        {"without data.pkl", {{"a/data/0", elements, 48, ZIP_CM_STORE}}},
        {"without data.pkl", {{"data.pkl", GOOD, sizeof(GOOD) - 1, ZIP_CM_STORE}}},
        {"there is no data/0", {{"a/data.pkl", GOOD, sizeof(GOOD) - 1, ZIP_CM_STORE}}},
        {"there is no data/0",
         {{"a/data.pkl", GOOD, sizeof(GOOD) - 1, ZIP_CM_STORE}, {"b/data/0", elements, 48, ZIP_CM_STORE}}},
        {"data.pkl is compressed", {{"a/data.pkl", GOOD, sizeof(GOOD) - 1, ZIP_CM_DEFLATE}}},
        {"data/0 is compressed",
         {{"a/data.pkl", GOOD, sizeof(GOOD) - 1, ZIP_CM_STORE}, {"a/data/0", elements, 48, ZIP_CM_DEFLATE}}},
        {"more or fewer bytes",
         {{"a/data.pkl", GOOD, sizeof(GOOD) - 1, ZIP_CM_STORE}, {"a/data/0", elements, 47, ZIP_CM_STORE}}},
        {"not in little-endian order",
         {{"a/data.pkl", GOOD, sizeof(GOOD) - 1, ZIP_CM_STORE},
          {"a/data/0", elements, 48, ZIP_CM_STORE},
          {"a/byteorder", "big", 3, ZIP_CM_STORE}}},
    };
    for (size_t i = 0; i < PACED_COUNT(rows); i++) {
        size_t count = 0;
        while (count < PACED_COUNT(rows[i].parts) && rows[i].parts[count].name) count++;
        write_archive(rows[i].parts, count);
        check_refused(rows[i].part);
    }
    static const char legacy[] = "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.";
    write_bytes(legacy, sizeof(legacy));
    check_refused("format before 1.6");
    write_bytes("PK\3\4", 4);
    check_refused("not a whole zip archive");
}

/* ---- much of everything -------------------------------------------------------------------------------------- */

/* `count` times `piece` between `head` and `tail`. */
static void write_repeated(const char *head, const char *piece, size_t size, size_t count, const char *tail) {
    size_t used = strlen(head);
    char *bytes = malloc(used + size * count + strlen(tail) + 1);
    assert_non_null(bytes);
    memcpy(bytes, head, used);
    for (size_t i = 0; i < count; i++, used += size) memcpy(bytes + used, piece, size);
    memcpy(bytes + used, tail, strlen(tail));
    write_pickle(bytes, used + strlen(tail));
    free(bytes);
}

static void test_much(void **state) {
    write_repeated("\x80\2)", "\x85", 1, 500000, "."); /* a tuple in a tuple in a tuple */
    check_refused("no named tensors");
    write_repeated("\x80\2", "N", 1, 2000000, ".");
    check_refused("larger than any weights'");
    write_repeated("\x80\2", "(", 1, 2000000, ".");
    check_refused("larger than any weights'");
    write_repeated("\x80\2Nq\1", "h\1", 2, 2000000, ".");
    check_refused("larger than any weights'");
    write_repeated("\x80\2}(", TEXT("\1", "w") "N", 7, 20000, "u.");
    check_refused("20000 tensors, more than");
}

/* A small file whose tensors all share one storage. */
static void test_sharing(void **state) {
    static char bytes[400000];
    static const char head[] = "\x80\2}(", tail[] = "u.", first[] = TENSOR(TWELVE, "K\0", "K\14\x85", "K\1\x85") "q\1";
    size_t used = sizeof(head) - 1;
    memcpy(bytes, head, used);
    for (int i = 0; i < 9000; i++) {
        used += (size_t)snprintf(bytes + used, 16, "X%c", 4);
        memcpy(bytes + used, "\0\0\0", 3);
        used += 3;
        used += (size_t)snprintf(bytes + used, 16, "%04d", i);
        if (i == 0) memcpy(bytes + used, first, sizeof(first) - 1);
        if (i > 0) memcpy(bytes + used, "h\1", 2);
        used += i == 0 ? sizeof(first) - 1 : 2;
    }
    memcpy(bytes + used, tail, sizeof(tail) - 1);
    used += sizeof(tail) - 1;
    struct paced_weights weights = {0};
    write_pickle(bytes, used);
    assert_int_equal(paced_weights_read(path, &weights), PACED_OK); /* 12 floats each: 432000 bytes from 100000 */
    assert_int_equal(weights.count, 9000);
    paced_weights_finish(&weights);
}

/* ---- damage -------------------------------------------------------------------------------------------------- */

/* Reads the file in `path`; whatever is wrong with it, the answer is a refusal or a set that can be looked at. */
static bool read_quietly(void) {
    struct paced_weights weights = {0};
    enum paced_err err = paced_weights_read(path, &weights);
    size_t bytes = 0;
    for (size_t i = 0; i < weights.count; i++) {
        const volatile uint8_t *data = weights.entries[i].data;
        for (size_t k = 0; k < weights.entries[i].bytes; k++) bytes += data[k] > 0;
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
    for (size_t i = 0; i < size; i++) {
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

/* Sound archives around damaged pickles: bytes changed, exchanged, left out. */
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
    for (size_t i = 0; i < rounds; i++) {
        static uint8_t damaged[sizeof(bytes)];
        size_t left = size;
        memcpy(damaged, bytes, size);
        for (uint32_t k = paced_rng_below(&rng, 4) + 1; k > 0; k--) {
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
        cmocka_unit_test(test_pickles),         cmocka_unit_test(test_safetensors_by_the_same_door),
        cmocka_unit_test(test_archives),        cmocka_unit_test(test_much),
        cmocka_unit_test(test_sharing),         cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_damaged_pickles),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
