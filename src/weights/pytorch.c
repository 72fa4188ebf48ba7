/* pytorch: reads PyTorch's files: <root>/data.pkl describes the tensors, <root>/data/<key> has the elements of a
 * storage, uncompressed, in the byte order of <root>/byteorder (absent: little). A tensor is a view of a storage,
 *
 *   x[i, j, ...] = storage[offset + i stride_0 + j stride_1 + ...]
 *
 * and several may share one. Files are untrusted: every index is checked against the storage, a storage's bytes against
 * its elements, and the tensors' total size against the file's, so that a small file cannot request much memory. */
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "src/weights/pickle.h"
#include "src/weights/set.h"

enum { MAX_TENSORS = 10000, MAX_PICKLE_BYTES = 64 << 20 };
/* The largest ratio of the tensors' total size to the file's, which shared storages can raise above 1. */
enum { MAX_SHARING = 16 };

#define FETCH_AGAIN "the file is damaged, save or download it again"

/* ---- elements ------------------------------------------------------------------------------------------------ */

static void copy4(const uint8_t *from, uint8_t *to) {
    memcpy(to, from, 4);
}

static void copy8(const uint8_t *from, uint8_t *to) {
    memcpy(to, from, 8);
}

static void from_double(const uint8_t *from, uint8_t *to) {
    double wide;
    memcpy(&wide, from, sizeof(wide));
    float value = (float)wide;
    memcpy(to, &value, sizeof(value));
}

/* bfloat16 is the upper half of a float32. */
static void from_bfloat16(const uint8_t *from, uint8_t *to) {
    const uint8_t bytes[4] = {0, 0, from[0], from[1]};
    memcpy(to, bytes, sizeof(bytes));
}

/* float16: sign, exponent (5 bits, bias 15; 31: infinity or NaN), mantissa (10 bits). float32: 8 (127; 255), 23. */
static void from_half(const uint8_t *from, uint8_t *to) {
    uint32_t half = (uint32_t)from[1] << 8 | from[0], exponent = half >> 10 & 31, mantissa = half & 1023;
    uint32_t sign = (half & 0x8000) << 16, bits = mantissa << 13;
    if (exponent == 31) {
        bits |= 255u << 23;
    } else if (exponent > 0) {
        bits |= (exponent + 112) << 23;
    } else {
        float small = (float)mantissa * 0x1p-24f; /* zero or subnormal in float16, normal in float32 */
        memcpy(&bits, &small, sizeof(bits));
    }
    bits |= sign;
    memcpy(to, &bits, sizeof(bits));
}

static const struct element {
    const char *type, *name; /* the storage's type, the element's */
    size_t bytes;            /* in the file, little-endian */
    enum paced_dtype dtype;  /* after conversion */
    void (*read)(const uint8_t *from, uint8_t *to);
    bool converts;
} elements[] = {
    {"FloatStorage", "float32", 4, PACED_F32, copy4, false},
    {"LongStorage", "int64", 8, PACED_I64, copy8, false},
    {"DoubleStorage", "float64", 8, PACED_F32, from_double, true},
    {"HalfStorage", "float16", 2, PACED_F32, from_half, true},
    {"BFloat16Storage", "bfloat16", 2, PACED_F32, from_bfloat16, true},
};

struct storage {
    const char *key; /* owned by a value */
    uint8_t *data;
    uint64_t bytes;
};

struct archive {
    const char *path;
    uint64_t bytes;
    zip_t *zip;
    char *root;
    struct storage *storages;
    size_t storage_count;
    uint64_t storage_bytes, tensor_bytes; /* totals so far */
    unsigned converted;                   /* bits of `elements` whose conversion was logged */
};

/* ---- the archive --------------------------------------------------------------------------------------------- */

static enum paced_err open_archive(struct archive *archive, const uint8_t *file, size_t size) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(file, size, 0, &error);
    archive->zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
    enum paced_err err = PACED_OK;
    if (!archive->zip) {
        zip_source_free(source);
        err = paced_error_at(PACED_INVALID, archive->path, "not a complete zip archive (%s); " FETCH_AGAIN,
                             zip_error_strerror(&error));
    }
    zip_error_fini(&error);
    return err;
}

/* Finds the directory of data.pkl. */
static enum paced_err find_root(struct archive *archive) {
    for (zip_int64_t i = 0; i < zip_get_num_entries(archive->zip, 0); ++i) {
        const char *name = zip_get_name(archive->zip, (zip_uint64_t)i, 0), *slash = name ? strchr(name, '/') : NULL;
        if (!slash || strcmp(slash, "/data.pkl") != 0) continue;
        archive->root = paced_format("%.*s", (int)(slash - name), name);
        return PACED_OK;
    }
    return paced_error_at(PACED_INVALID, archive->path,
                          "a zip archive without data.pkl; give a file that torch.save wrote");
}

static bool has_entry(const struct archive *archive, const char *part) {
    char *name = paced_format("%s/%s", archive->root, part);
    bool there = zip_name_locate(archive->zip, name, 0) >= 0;
    free(name);
    return there;
}

/* Reads all bytes. libzip checks the checksum only when a read reaches the end. */
static bool read_all(zip_file_t *entry, uint8_t *data, uint64_t bytes) {
    uint64_t used = 0;
    zip_int64_t got;
    uint8_t beyond;
    while (used < bytes && (got = zip_fread(entry, data + used, bytes - used)) > 0) used += (uint64_t)got;
    return used == bytes && zip_fread(entry, &beyond, 1) == 0;
}

static enum paced_err read_entry(struct archive *archive, const char *part, uint64_t most_bytes, uint8_t **data,
                                 uint64_t *bytes) {
    const zip_uint64_t needed = ZIP_STAT_INDEX | ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    enum paced_err err = PACED_OK;
    zip_stat_t info;
    zip_file_t *entry = NULL;
    char *name = paced_format("%s/%s", archive->root, part);
    *data = NULL;
    if (zip_stat(archive->zip, name, 0, &info) != 0 || (info.valid & needed) != needed) {
        err = paced_error_at(PACED_INVALID, archive->path, "there is no %s in the archive; " FETCH_AGAIN, part);
    } else if (info.comp_method != ZIP_CM_STORE || info.encryption_method != ZIP_EM_NONE) {
        err = paced_error_at(PACED_INVALID, archive->path,
                             "%s is compressed or encrypted; give the file as torch.save wrote it", part);
    } else if (info.size > most_bytes || info.size > archive->bytes) {
        err = paced_error_at(PACED_INVALID, archive->path, "%s has an impossible size of %llu bytes; " FETCH_AGAIN,
                             part, (unsigned long long)info.size);
    } else {
        *bytes = info.size;
        *data = paced_alloc(info.size, 1);
        entry = zip_fopen_index(archive->zip, info.index, 0);
        if (!entry || !read_all(entry, *data, info.size))
            err = paced_error_at(PACED_INVALID, archive->path,
                                 "%s cannot be read completely, or its checksum is wrong; " FETCH_AGAIN, part);
    }
    if (entry) zip_fclose(entry);
    free(name);
    return err;
}

static enum paced_err check_byte_order(struct archive *archive) {
    uint8_t *order;
    uint64_t bytes;
    if (!has_entry(archive, "byteorder")) return PACED_OK;
    enum paced_err err = read_entry(archive, "byteorder", 64, &order, &bytes);
    if (err == PACED_OK && (bytes != 6 || memcmp(order, "little", 6) != 0))
        err = paced_error_at(PACED_INVALID, archive->path,
                             "its bytes are not in little-endian order; save it again on this machine");
    free(order);
    return err;
}

/* ---- a tensor ------------------------------------------------------------------------------------------------ */

struct layout {
    const char *name;
    const struct element *element;
    const char *key;
    int64_t storage_count; /* elements of the whole storage */
    int64_t offset;
    int rank;
    int64_t shape[PACED_MAX_RANK], stride[PACED_MAX_RANK];
    size_t count;
};

static enum paced_err refuse(const struct archive *archive, const char *name, const char *what) {
    return paced_error_at(PACED_INVALID, archive->path, "tensor '%s': %s; " FETCH_AGAIN, name, what);
}

static enum paced_err read_storage_value(const struct archive *archive, const struct value *storage,
                                         struct layout *layout) {
    if (storage->kind != VALUE_STORAGE || storage->items[1]->kind != VALUE_TYPE ||
        storage->items[2]->kind != VALUE_TEXT || storage->items[4]->kind != VALUE_INTEGER)
        return refuse(archive, layout->name, "its storage is not described correctly");
    layout->key = storage->items[2]->text;
    layout->storage_count = storage->items[4]->integer;
    for (size_t i = 0; i < PACED_COUNT(elements); ++i)
        if (strcmp(elements[i].type, storage->items[1]->text) == 0) layout->element = &elements[i];
    if (layout->element) return PACED_OK;
    return paced_error_at(PACED_INVALID, archive->path,
                          "tensor '%s': elements of a %.40s are not supported; save it as float32 (or float64, "
                          "float16, bfloat16, int64)",
                          layout->name, storage->items[1]->text);
}

/* Reads integers from 0. Returns false for other values. */
static bool read_numbers(const struct value *tuple, int64_t *numbers) {
    for (size_t i = 0; i < tuple->count; ++i) {
        numbers[i] = tuple->items[i]->integer;
        if (tuple->items[i]->kind != VALUE_INTEGER || numbers[i] < 0) return false;
    }
    return true;
}

static enum paced_err read_layout(const struct archive *archive, const struct value *tensor, struct layout *layout) {
    PACED_TRY(read_storage_value(archive, tensor->items[0], layout));
    const struct value *offset = tensor->items[1], *shape = tensor->items[2], *stride = tensor->items[3];
    if (offset->kind != VALUE_INTEGER || offset->integer < 0 || shape->kind != VALUE_TUPLE ||
        stride->kind != VALUE_TUPLE || shape->count != stride->count)
        return refuse(archive, layout->name, "its offset, sizes or strides are not described correctly");
    if (shape->count > PACED_MAX_RANK)
        return paced_error_at(PACED_INVALID, archive->path, "tensor '%s': %zu dimensions; at most %d are supported",
                              layout->name, shape->count, PACED_MAX_RANK);
    layout->offset = offset->integer;
    layout->rank = (int)shape->count;
    layout->count = 1;
    if (!read_numbers(shape, layout->shape) || !read_numbers(stride, layout->stride))
        return refuse(archive, layout->name, "a size or stride is not a whole number from 0");
    for (int i = 0; i < layout->rank; ++i) {
        if (layout->shape[i] == 1) layout->stride[i] = 0; /* has no effect, and may have any value */
        if (__builtin_mul_overflow(layout->count, (size_t)layout->shape[i], &layout->count))
            return refuse(archive, layout->name, "the sizes are too large");
    }
    return PACED_OK;
}

/* True if the last element's index is in the storage. */
static bool is_inside(const struct layout *layout) {
    int64_t last = layout->offset, reach;
    if (layout->count == 0) return true;
    for (int i = 0; i < layout->rank; ++i)
        if (__builtin_mul_overflow(layout->shape[i] - 1, layout->stride[i], &reach) ||
            __builtin_add_overflow(last, reach, &last))
            return false;
    return last < layout->storage_count;
}

/* True if no elements overlap: each stride exceeds the reach of all smaller ones. */
static bool is_disjoint(const struct layout *layout) {
    int order[PACED_MAX_RANK], count = 0; /* dimensions by ascending stride */
    for (int i = 0; i < layout->rank; ++i) {
        if (layout->shape[i] == 1) continue;
        int at = count++;
        for (; at > 0 && layout->stride[order[at - 1]] > layout->stride[i]; --at) order[at] = order[at - 1];
        order[at] = i;
    }
    int64_t reach = 1;
    for (int i = 0; i < count && layout->count > 0; ++i) {
        if (layout->stride[order[i]] < reach) return false;
        reach += layout->stride[order[i]] * (layout->shape[order[i]] - 1);
    }
    return true;
}

static enum paced_err check_layout(struct archive *archive, const struct layout *layout) {
    uint64_t bytes;
    if (!is_inside(layout)) return refuse(archive, layout->name, "it reaches beyond its storage");
    if (!is_disjoint(layout))
        return paced_error_at(PACED_INVALID, archive->path,
                              "tensor '%s': its elements overlap (an expanded view); save its clone()", layout->name);
    if (__builtin_mul_overflow(layout->count, dtype_bytes(layout->element->dtype), &bytes) ||
        __builtin_add_overflow(bytes, archive->tensor_bytes, &archive->tensor_bytes) ||
        archive->tensor_bytes > MAX_SHARING * archive->bytes)
        return refuse(archive, layout->name, "the tensors are far larger than the file");
    return PACED_OK;
}

/* Finds or reads a storage. The archive owns it, because other tensors may share it. */
static enum paced_err find_storage(struct archive *archive, const struct layout *layout, struct storage *storage) {
    bool known = false;
    for (size_t i = 0; i < archive->storage_count && !known; ++i) {
        known = strcmp(archive->storages[i].key, layout->key) == 0;
        if (known) *storage = archive->storages[i];
    }
    if (!known) {
        char *part = paced_format("data/%s", layout->key);
        storage->key = layout->key;
        enum paced_err err =
            read_entry(archive, part, archive->bytes - archive->storage_bytes, &storage->data, &storage->bytes);
        free(part);
        archive->storages = paced_grow(archive->storages, archive->storage_count + 1, sizeof(*storage));
        archive->storages[archive->storage_count++] = *storage;
        PACED_TRY(err);
        archive->storage_bytes += storage->bytes;
    }
    uint64_t bytes;
    if (__builtin_mul_overflow((uint64_t)layout->storage_count, layout->element->bytes, &bytes) ||
        bytes != storage->bytes)
        return refuse(archive, layout->name, "its storage's size does not match its number of elements");
    return PACED_OK;
}

/* Converts the tensor's elements to a dense row-major array. */
static void gather(const struct layout *layout, const uint8_t *storage, uint8_t *out) {
    const size_t step = dtype_bytes(layout->element->dtype);
    int64_t index[PACED_MAX_RANK] = {0}, at = layout->offset;
    for (size_t i = 0; i < layout->count; ++i, out += step) {
        layout->element->read(storage + (size_t)at * layout->element->bytes, out);
        for (int d = layout->rank - 1; d >= 0; --d) {
            at += layout->stride[d];
            if (++index[d] < layout->shape[d]) break;
            at -= layout->stride[d] * layout->shape[d];
            index[d] = 0;
        }
    }
}

static void note_conversion(struct archive *archive, const struct element *element) {
    unsigned bit = 1u << (element - elements);
    if (element->converts && !(archive->converted & bit))
        paced_log(PACED_LOG_INFO, "%s: %s is read as float32", archive->path, element->name);
    archive->converted |= bit;
}

static enum paced_err add_tensor(struct archive *archive, const char *name, const struct value *tensor,
                                 struct paced_weights *weights) {
    struct layout layout = {.name = name};
    struct storage storage = {0};
    PACED_TRY(read_layout(archive, tensor, &layout));
    PACED_TRY(check_layout(archive, &layout));
    PACED_TRY(find_storage(archive, &layout, &storage));
    note_conversion(archive, layout.element);
    uint8_t *data = paced_alloc(layout.count, dtype_bytes(layout.element->dtype));
    gather(&layout, storage.data, data);
    paced_weights_add(weights, name, layout.element->dtype, layout.rank, layout.shape, data);
    free(data);
    return PACED_OK;
}

/* ---- the state dictionary ------------------------------------------------------------------------------------ */

#define WHAT_TO_SAVE "save model.state_dict(), alone or as 'state_dict', 'model_state_dict' or 'model' of a dictionary"

static const struct value *find_state(const struct archive *archive, const struct value *root) {
    static const char *const keys[] = {"state_dict", "model_state_dict", "model"};
    for (size_t i = 0; i < PACED_COUNT(keys); ++i) {
        const struct value *inner = pickle_find(root, keys[i]);
        if (!inner || inner->kind != VALUE_DICT) continue;
        paced_log(PACED_LOG_INFO, "%s: its entry '%s' is read", archive->path, keys[i]);
        return inner;
    }
    return root;
}

static bool is_name(const struct value *key) {
    if (key->kind != VALUE_TEXT || !key->text[0]) return false;
    for (const char *c = key->text; *c; ++c)
        if ((unsigned char)*c < ' ') return false;
    return true;
}

static enum paced_err read_state(struct archive *archive, const struct value *state, struct paced_weights *weights) {
    if (state->kind != VALUE_DICT || state->count == 0)
        return paced_error_at(PACED_INVALID, archive->path, "contains no named tensors; " WHAT_TO_SAVE);
    if (state->count / 2 > MAX_TENSORS)
        return paced_error_at(PACED_INVALID, archive->path,
                              "contains %zu tensors, more than any network has; " WHAT_TO_SAVE, state->count / 2);
    for (size_t i = 0; i < state->count; i += 2) {
        const struct value *name = state->items[i], *tensor = state->items[i + 1];
        if (!is_name(name))
            return paced_error_at(PACED_INVALID, archive->path, "a name in it is not a string; " WHAT_TO_SAVE);
        if (tensor->kind != VALUE_TENSOR)
            return paced_error_at(PACED_INVALID, archive->path, "'%s' is not a tensor; " WHAT_TO_SAVE, name->text);
        PACED_TRY(add_tensor(archive, name->text, tensor, weights));
    }
    return PACED_OK;
}

/* ---- the file ------------------------------------------------------------------------------------------------ */

static void close_archive(struct archive *archive) {
    for (size_t i = 0; i < archive->storage_count; ++i) free(archive->storages[i].data);
    free(archive->storages);
    free(archive->root);
    if (archive->zip) zip_discard(archive->zip);
}

enum paced_err pytorch_parse(const char *path, const uint8_t *file, size_t size, struct paced_weights *weights) {
    struct archive archive = {.path = path, .bytes = size};
    struct pickle pickle = {0};
    uint8_t *bytes = NULL;
    uint64_t pickle_bytes = 0;
    enum paced_err err = open_archive(&archive, file, size);
    if (!err) err = find_root(&archive);
    if (!err) err = check_byte_order(&archive);
    if (!err) err = read_entry(&archive, "data.pkl", MAX_PICKLE_BYTES, &bytes, &pickle_bytes);
    if (!err) err = pickle_read(&pickle, path, bytes, pickle_bytes);
    if (!err) err = read_state(&archive, find_state(&archive, pickle.root), weights);
    pickle_finish(&pickle);
    free(bytes);
    close_archive(&archive);
    return err;
}
