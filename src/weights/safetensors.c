/* safetensors: reads and writes weights (format: github.com/huggingface/safetensors).
 *
 *   u64 n | n bytes of JSON | data
 *   JSON: {"__metadata__": {key: text}, name: {"dtype", "shape", "data_offsets": [begin, end]}, ...}
 *
 * all little-endian, offsets relative to the first byte of data. Files are untrusted: every tensor's size must match
 * its shape, and the tensors must cover the data exactly once. The header has the set's order. The data have wide
 * elements first and start at a multiple of 8, so that each tensor is aligned to its element size: readers that map the
 * file reject unaligned views. */
#include "paced/weights.h"

#include "src/weights/set.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "safetensors data are little-endian, and the host must be, too");

#define LENGTH_BYTES 8
#define MAX_HEADER_BYTES 100000000
#define METADATA "__metadata__"

static const char *const dtype_names[] = {
    [PACED_F32] = "F32", [PACED_F64] = "F64", [PACED_I64] = "I64", [PACED_U8] = "U8"};

/* Types of the format that this program does not support. */
static const char *const foreign_dtypes[] = {"BOOL",    "I8",      "I16",     "U16",     "I32",         "U32",
                                             "U64",     "F16",     "BF16",    "C64",     "F4",          "F6_E2M3",
                                             "F6_E3M2", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"};

/* A tensor as the header describes it. */
struct item {
    const char *name;
    enum paced_dtype dtype;
    int rank;
    int64_t shape[PACED_MAX_RANK];
    size_t begin, end;
};

/* A file in memory. */
struct source {
    const char *path;
    const uint8_t *header, *data;
    size_t header_bytes, data_bytes;
};

/* ---- reading ------------------------------------------------------------------------------------------------- */

static enum paced_err refuse(const struct source *source, const char *tensor, const char *what) {
    return paced_error_at(PACED_INVALID, source->path,
                          "tensor '%s': %s; the file is damaged, save or download it again", tensor, what);
}

static enum paced_err read_dtype(const struct source *source, const json_t *info, struct item *item) {
    const char *name = json_string_value(json_object_get(info, "dtype"));
    if (!name) return refuse(source, item->name, "there is no dtype");
    for (size_t i = 0; i < PACED_COUNT(dtype_names); ++i) {
        if (strcmp(name, dtype_names[i]) != 0) continue;
        item->dtype = (enum paced_dtype)i;
        return PACED_OK;
    }
    for (size_t i = 0; i < PACED_COUNT(foreign_dtypes); ++i)
        if (strcmp(name, foreign_dtypes[i]) == 0)
            return paced_error_at(PACED_INVALID, source->path,
                                  "tensor '%s': dtype %s is not supported; convert it to F32 (or F64, I64, U8)",
                                  item->name, name);
    return paced_error_at(PACED_INVALID, source->path, "tensor '%s': unknown dtype '%s'; known are F32, F64, I64, U8",
                          item->name, name);
}

/* Reads the shape; *bytes receives the size of the data. */
static enum paced_err read_shape(const struct source *source, const json_t *info, struct item *item, size_t *bytes) {
    const json_t *shape = json_object_get(info, "shape");
    if (!json_is_array(shape)) return refuse(source, item->name, "there is no shape");
    if (json_array_size(shape) > PACED_MAX_RANK)
        return paced_error_at(PACED_INVALID, source->path, "tensor '%s': %zu dimensions; at most %d are supported",
                              item->name, json_array_size(shape), PACED_MAX_RANK);
    item->rank = (int)json_array_size(shape);
    *bytes = dtype_bytes(item->dtype);
    for (int i = 0; i < item->rank; ++i) {
        const json_t *size = json_array_get(shape, (size_t)i);
        if (!json_is_integer(size) || json_integer_value(size) < 0)
            return refuse(source, item->name, "a dimension is not a whole number from 0");
        item->shape[i] = json_integer_value(size);
        if (__builtin_mul_overflow(*bytes, (size_t)item->shape[i], bytes))
            return refuse(source, item->name, "the shape is too large");
    }
    return PACED_OK;
}

static enum paced_err read_offsets(const struct source *source, const json_t *info, struct item *item, size_t bytes) {
    const json_t *offsets = json_object_get(info, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return refuse(source, item->name, "data_offsets is not [begin, end]");
    item->begin = (size_t)json_integer_value(begin);
    item->end = (size_t)json_integer_value(end);
    if (item->end > source->data_bytes) return refuse(source, item->name, "its data extend beyond the end of the file");
    if (item->end - item->begin != bytes) return refuse(source, item->name, "shape and data_offsets do not agree");
    return PACED_OK;
}

static enum paced_err read_item(const struct source *source, const char *name, const json_t *info, struct item *item) {
    size_t bytes = 0;
    item->name = name;
    if (!json_is_object(info)) return refuse(source, name, "its description is not a JSON object");
    PACED_TRY(read_dtype(source, info, item));
    PACED_TRY(read_shape(source, info, item, &bytes));
    return read_offsets(source, info, item, bytes);
}

static enum paced_err read_metadata(const struct source *source, json_t *metadata, struct paced_weights *weights) {
    const char *key;
    json_t *value;
    if (!json_is_object(metadata))
        return paced_error_at(PACED_INVALID, source->path,
                              "" METADATA " is not a JSON object; save or download the file again");
    json_object_foreach(metadata, key, value) {
        if (!json_is_string(value))
            return paced_error_at(PACED_INVALID, source->path,
                                  "" METADATA ": '%s' is not a string; save or download the file again", key);
        paced_weights_add_metadata(weights, key, json_string_value(value));
    }
    return PACED_OK;
}

static int compare_offsets(const void *a, const void *b) {
    const struct item *left = *(const struct item *const *)a, *right = *(const struct item *const *)b;
    if (left->begin != right->begin) return left->begin < right->begin ? -1 : 1;
    return left->end < right->end ? -1 : left->end > right->end;
}

/* Checks that every byte of the data belongs to exactly one tensor. */
static enum paced_err check_cover(const struct source *source, const struct item *items, size_t count) {
    enum paced_err err = PACED_OK;
    const struct item **sorted = paced_alloc(count + 1, sizeof(*sorted));
    size_t covered = 0;
    for (size_t i = 0; i < count; ++i) sorted[i] = &items[i];
    qsort(sorted, count, sizeof(*sorted), compare_offsets);
    for (size_t i = 0; i < count && err == PACED_OK; ++i) {
        if (sorted[i]->begin < covered) err = refuse(source, sorted[i]->name, "its data overlap another tensor's");
        if (sorted[i]->begin > covered) err = refuse(source, sorted[i]->name, "there is a gap before its data");
        covered = sorted[i]->end;
    }
    if (err == PACED_OK && covered != source->data_bytes)
        err = paced_error_at(PACED_INVALID, source->path,
                             "%zu %s after the last tensor '%s'; save or download the file again",
                             source->data_bytes - covered, paced_plural(source->data_bytes - covered, "byte", "bytes"),
                             count > 0 ? sorted[count - 1]->name : "");
    free(sorted);
    return err;
}

static enum paced_err read_entries(const struct source *source, json_t *root, struct paced_weights *weights) {
    enum paced_err err = PACED_OK;
    struct item *items = paced_alloc(json_object_size(root) + 1, sizeof(*items));
    size_t count = 0;
    const char *name;
    json_t *info;
    json_object_foreach(root, name, info) {
        err = strcmp(name, METADATA) == 0 ? read_metadata(source, info, weights)
                                          : read_item(source, name, info, &items[count++]);
        if (err) break;
    }
    if (!err) err = check_cover(source, items, count);
    for (size_t i = 0; i < count && !err; ++i)
        weights_append(weights, items[i].name, items[i].dtype, items[i].rank, items[i].shape,
                       source->data + items[i].begin);
    free(items);
    return err;
}

static enum paced_err split_file(const char *path, const uint8_t *file, size_t size, struct source *source) {
    uint64_t length = 0;
    if (size < LENGTH_BYTES)
        return paced_error_at(PACED_INVALID, path, "%zu %s too few for a safetensors file; check the name", size,
                              paced_plural(size, "byte is", "bytes are"));
    memcpy(&length, file, LENGTH_BYTES);
    if (length > MAX_HEADER_BYTES || length > size - LENGTH_BYTES)
        return paced_error_at(PACED_INVALID, path,
                              "a header of %" PRIu64 " bytes is impossible; the file is cut off or not safetensors",
                              length);
    source->path = path;
    source->header = file + LENGTH_BYTES;
    source->header_bytes = (size_t)length;
    source->data = source->header + length;
    source->data_bytes = size - LENGTH_BYTES - (size_t)length;
    return PACED_OK;
}

static enum paced_err parse_header(const struct source *source, json_t **root) {
    json_error_t error;
    *root = json_loadb((const char *)source->header, source->header_bytes, JSON_REJECT_DUPLICATES, &error);
    if (!*root)
        return paced_error_at(PACED_INVALID, source->path,
                              "the header is not valid JSON (byte %d: %s); the file is damaged or not safetensors",
                              error.position, error.text);
    if (!json_is_object(*root))
        return paced_error_at(PACED_INVALID, source->path,
                              "the header is not a JSON object; the file is not safetensors");
    return PACED_OK;
}

enum paced_err safetensors_parse(const char *path, const uint8_t *file, size_t size, struct paced_weights *weights) {
    struct source source = {0};
    json_t *root = NULL;
    enum paced_err err = split_file(path, file, size, &source);
    if (!err) err = parse_header(&source, &root);
    if (!err) err = read_entries(&source, root, weights);
    json_decref(root);
    return err;
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

static const size_t element_bytes[] = {8, 4, 1}; /* order of the data */

static void place_entries(const struct paced_weights *weights, size_t *begin) {
    size_t offset = 0;
    for (size_t width = 0; width < PACED_COUNT(element_bytes); ++width) {
        for (size_t i = 0; i < weights->count; ++i) {
            if (dtype_bytes(weights->entries[i].dtype) != element_bytes[width]) continue;
            begin[i] = offset;
            offset += weights->entries[i].bytes;
        }
    }
}

static json_t *describe_metadata(const struct paced_weights *weights) {
    json_t *metadata = json_object();
    for (size_t i = 0; i < weights->metadata_count; ++i) {
        if (json_object_set_new(metadata, weights->keys[i], json_string(weights->values[i])) == 0) continue;
        json_decref(metadata);
        return NULL;
    }
    return metadata;
}

static json_t *describe_entry(const struct paced_entry *entry, size_t begin) {
    json_t *shape = json_array();
    for (int i = 0; i < entry->rank; ++i) json_array_append_new(shape, json_integer(entry->shape[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_names[entry->dtype], "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)(begin + entry->bytes));
}

/* The JSON text, or NULL after reporting a name that the format does not allow. */
static char *make_header(const char *path, const struct paced_weights *weights, const size_t *begin) {
    char *text = NULL;
    json_t *root = json_object();
    if (weights->metadata_count > 0 && json_object_set_new(root, METADATA, describe_metadata(weights)) != 0) {
        paced_error_at(PACED_FAILED, path, "the metadata are not UTF-8; use names in UTF-8");
        goto out;
    }
    for (size_t i = 0; i < weights->count; ++i) {
        const struct paced_entry *entry = &weights->entries[i];
        if (strcmp(entry->name, METADATA) != 0 &&
            json_object_set_new(root, entry->name, describe_entry(entry, begin[i])) == 0)
            continue;
        paced_error_at(PACED_FAILED, path, "the format does not allow the tensor name '%s'; rename it", entry->name);
        goto out;
    }
    text = json_dumps(root, JSON_COMPACT);
out:
    json_decref(root);
    return text;
}

static void write_data(FILE *stream, const struct paced_weights *weights) {
    for (size_t width = 0; width < PACED_COUNT(element_bytes); ++width)
        for (size_t i = 0; i < weights->count; ++i)
            if (dtype_bytes(weights->entries[i].dtype) == element_bytes[width])
                fwrite(weights->entries[i].data, 1, weights->entries[i].bytes, stream);
}

enum paced_err paced_safetensors_write(const char *path, const struct paced_weights *weights) {
    enum paced_err err = PACED_FAILED;
    struct paced_atomic file = {0};
    size_t *begin = paced_alloc(weights->count + 1, sizeof(*begin));
    place_entries(weights, begin);
    char *header = make_header(path, weights, begin);
    if (!header) goto out;
    err = paced_atomic_open(&file, path);
    if (err != PACED_OK) goto out;
    size_t used = strlen(header);
    uint64_t length = (used + 7) / 8 * 8;
    fwrite(&length, 1, sizeof(length), file.stream);
    fprintf(file.stream, "%s%*s", header, (int)(length - used), "");
    write_data(file.stream, weights);
    err = paced_atomic_commit(&file); /* checks the stream's error flag */
out:
    free(header);
    free(begin);
    return err;
}
