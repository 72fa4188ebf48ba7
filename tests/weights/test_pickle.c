/* Hostile files: pickles that execute code, endless nesting and repetition, and incomplete archives. */
#include "paced/weights.h"

#include "tests/capture.h"
#include "tests/weights/archive.h"

#include <string.h>

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

/* Parts of pickles. A number is a BININT1 of one byte; the argument of sizes is a complete tuple. */
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
    const char *part; /* part of the message; NULL: the file is valid */
} pickles[] = {
#define ROW(literal, part) \
    { literal, sizeof(literal) - 1, part }
    ROW(GOOD, NULL),
    /* Code execution, in all encodings of globals. */
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
    /* Malformed opcode sequences. */
    ROW("", "it is cut off"),
    ROW("\x80", "it is cut off"),
    ROW("\x80\2N", "it is cut off"),
    ROW("\x80\6N.", "a protocol above 5"),
    ROW("\x80\2.", "the stack has too few values"),
    ROW("\x80\2(.", "the stack has too few values"),
    ROW("\x80\2NN.", "more than one value is left"),
    ROW("\x80\2t.", "no mark"),
    ROW("\x80\2u.", "no mark"),
    ROW("\x80\2(u.", "the stack has too few values"),
    ROW("\x80\2(e.", "the stack has too few values"),
    ROW("\x80\2N(NNu.", "not such a container"),
    ROW("\x80\2}(Nu.", "a key without a value"),
    ROW("\x80\2}Ns.", "the stack has too few values"),
    ROW("\x80\2NNs.", "the stack has too few values"),
    ROW("\x80\2Na.", "the stack has too few values"),
    ROW("\x80\2)Na.", "not such a container"),
    ROW("\x80\2\x85.", "the stack has too few values"),
    ROW("\x80\2(N\x86.", "the stack has too few values"),
    ROW("\x80\2q\1.", "the stack has too few values"),
    ROW("\x80\2(q\1.", "the stack has too few values"),
    ROW("\x80\2h\1.", "was not stored"),
    ROW("\x80\2j\xff\xff\xff\xff.", "was not stored"),
    ROW("\x80\2Nr\xff\xff\xff\xff.", "too large for weights"),
    ROW("\x80\2X\xff\xff\xff\xff.", "it is cut off"),
    ROW("\x80\4\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "it is cut off"),
    ROW("\x80\2X\1\0\0\0\0.", "contains a zero byte"),
    ROW("\x80\2\x8a\x09\1\1\1\1\1\1\1\1\1.", "more than 64 bits"),
    ROW("\x80\2"
        "ctorch",
        "a name without an end"),
    ROW("\x80\4NN\x93.", "whose name is not a string"),
    ROW("\x80\2N)R.", "not a function"),
    ROW("\x80\2"
        "ctorch\nFloatStorage\n)R.",
        "not a function"),
    ROW("\x80\2"
        "ccollections\nOrderedDict\nNR.",
        "not a function"),
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
    ROW("\x80\2NQ.", "not a storage"),
    ROW("\x80\2)Q.", "not a storage"),
    ROW("\x80\2)Nb.", "attributes of"),
    /* Contents other than tensors. */
    ROW("\x80\2N.", "no named tensors"),
    ROW("\x80\2}.", "no named tensors"),
    ROW("\x80\2}q\1h\1h\1s.", "a name in it is not a string"),
    ROW("\x80\2}X\1\0\0\0\nNs.", "a name in it is not a string"),
    ROW("\x80\2}X\0\0\0\0Ns.", "a name in it is not a string"),
    ROW(NAMED("N"), "'w' is not a tensor"),
    ROW(NAMED(TWELVE), "'w' is not a tensor"),
    ROW("\x80\2}q\1" TEXT("\1", "w") "h\1s.", "'w' is not a tensor"),
    /* Invalid tensors. */
    ROW(NAMED(TENSOR("N", "K\0", ")", ")")), "tensor 'w': its storage is not"),
    ROW(NAMED(TENSOR("(NNNNNtQ", "K\0", ")", ")")), "tensor 'w': its storage is not"),
    ROW(NAMED(TENSOR(STORAGE("IntStorage", "K\14"), "K\0", "K\14\x85", "K\1\x85")), "tensor 'w': elements of a IntSt"),
    ROW(NAMED(TENSOR(STORAGE("FloatStorage", "K\13"), "K\0", "K\13\x85", "K\1\x85")),
        "does not match its number of elements"),
    ROW(NAMED(TENSOR(STORAGE("DoubleStorage", "K\14"), "K\0", "K\14\x85", "K\1\x85")),
        "does not match its number of elements"),
    ROW(NAMED(TENSOR(STORAGE("FloatStorage", "\x8a\x08\14\0\0\0\0\0\0\x40"), "K\0", "K\14\x85", "K\1\x85")),
        "does not match its number of elements"),
    ROW(NAMED(TENSOR(STORAGE("FloatStorage", "J\xff\xff\xff\xff"), "K\0", ")", ")")), "reaches beyond"),
    ROW(VIEW("J\xff\xff\xff\xff", "K\1\x85", "K\1\x85"), "its offset, sizes or strides"),
    ROW(VIEW("K\0", "K\14\x85", ")"), "its offset, sizes or strides"),
    ROW(VIEW("K\0", "N", ")"), "its offset, sizes or strides"),
    ROW(VIEW("K\0", "N\x85", "K\1\x85"), "a size or stride is not"),
    ROW(VIEW("K\0", "J\xff\xff\xff\xff\x85", "K\1\x85"), "a size or stride is not"),
    ROW(VIEW("K\0", "K\2\x85", "J\xff\xff\xff\xff\x85"), "a size or stride is not"),
    ROW(VIEW("K\0", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t"), "9 dimensions"),
    ROW(VIEW("K\0", "\x8a\x08\0\0\0\0\0\0\0\x40\x8a\x08\0\0\0\0\0\0\0\x40\x86", "K\0K\0\x86"), "sizes are too large"),
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
    for (size_t i = 0; i < PACED_COUNT(pickles); ++i) {
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
        {"does not match its number of elements",
         {{"a/data.pkl", GOOD, sizeof(GOOD) - 1, ZIP_CM_STORE}, {"a/data/0", elements, 47, ZIP_CM_STORE}}},
        {"not in little-endian order",
         {{"a/data.pkl", GOOD, sizeof(GOOD) - 1, ZIP_CM_STORE},
          {"a/data/0", elements, 48, ZIP_CM_STORE},
          {"a/byteorder", "big", 3, ZIP_CM_STORE}}},
    };
    for (size_t i = 0; i < PACED_COUNT(rows); ++i) {
        size_t count = 0;
        while (count < PACED_COUNT(rows[i].parts) && rows[i].parts[count].name) count++;
        write_archive(rows[i].parts, count);
        check_refused(rows[i].part);
    }
    static const char legacy[] = "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.";
    write_bytes(legacy, sizeof(legacy));
    check_refused("format before 1.6");
    write_bytes("PK\3\4", 4);
    check_refused("not a complete zip archive");
}

/* ---- excessive repetition ------------------------------------------------------------------------------------ */

/* Writes `count` times `piece` between `head` and `tail`. */
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
    write_repeated("\x80\2)", "\x85", 1, 500000, "."); /* nested tuples */
    check_refused("no named tensors");
    write_repeated("\x80\2", "N", 1, 2000000, ".");
    check_refused("too large for weights");
    write_repeated("\x80\2", "(", 1, 2000000, ".");
    check_refused("too large for weights");
    write_repeated("\x80\2Nq\1", "h\1", 2, 2000000, ".");
    check_refused("too large for weights");
    write_repeated("\x80\2}(", TEXT("\1", "w") "N", 7, 20000, "u.");
    check_refused("20000 tensors, more than");
}

/* A small file whose tensors share one storage. */
static void test_sharing(void **state) {
    static char bytes[400000];
    static const char head[] = "\x80\2}(", tail[] = "u.", first[] = TENSOR(TWELVE, "K\0", "K\14\x85", "K\1\x85") "q\1";
    size_t used = sizeof(head) - 1;
    memcpy(bytes, head, used);
    for (int i = 0; i < 9000; ++i) {
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pickles),
        cmocka_unit_test(test_archives),
        cmocka_unit_test(test_much),
        cmocka_unit_test(test_sharing),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
