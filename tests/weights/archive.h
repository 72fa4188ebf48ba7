/* Files in the format of torch.save, built from a pickle and data, in the `path` of scratch.h. */
#ifndef PACED_TESTS_WEIGHTS_ARCHIVE_H
#define PACED_TESTS_WEIGHTS_ARCHIVE_H

#include "tests/weights/scratch.h"

#include <stdint.h>
#include <zip.h>

struct part {
    const char *name;
    const void *bytes;
    size_t size;
    int method; /* compression method */
};

static inline void write_archive(const struct part *parts, size_t count) {
    int error = 0;
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &error);
    assert_non_null(zip);
    for (size_t i = 0; i < count; ++i) {
        zip_source_t *source = zip_source_buffer(zip, parts[i].bytes, parts[i].size, 0);
        zip_int64_t index = zip_file_add(zip, parts[i].name, source, 0);
        assert_true(index >= 0);
        assert_int_equal(zip_set_file_compression(zip, (zip_uint64_t)index, parts[i].method, 0), 0);
    }
    assert_int_equal(zip_close(zip), 0);
}

static const uint8_t elements[48] = {1, 2, 3};

/* Writes a file with a storage "0" of 48 bytes. */
static inline void write_pickle(const void *bytes, size_t size) {
    write_archive((struct part[]){{"a/data.pkl", bytes, size, ZIP_CM_STORE},
                                  {"a/data/0", elements, sizeof(elements), ZIP_CM_STORE}},
                  2);
}

#endif
