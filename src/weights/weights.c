/* weights: a set of named host tensors and string metadata.
 *
 * The set is an array in insertion order, searched linearly: a network has a few hundred tensors, looked up once per
 * run. A tensor has shape[0] * ... * shape[rank - 1] elements, one if the rank is 0. */
#include "paced/weights.h"

#include "src/weights/set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

size_t dtype_bytes(enum paced_dtype dtype) {
    static const size_t bytes[] = {[PACED_F32] = 4, [PACED_F64] = 8, [PACED_I64] = 8, [PACED_U8] = 1};
    return bytes[dtype];
}

static void fill_entry(struct paced_entry *entry, enum paced_dtype dtype, int rank, const int64_t *shape,
                       const void *data) {
    assert(rank >= 0 && rank <= PACED_MAX_RANK);
    size_t bytes = dtype_bytes(dtype);
    for (int i = 0; i < rank; ++i) bytes *= (size_t)shape[i];
    entry->dtype = dtype;
    entry->rank = rank;
    for (int i = 0; i < PACED_MAX_RANK; ++i) entry->shape[i] = i < rank ? shape[i] : 0;
    entry->data = paced_alloc(bytes > 0 ? bytes : 1, 1);
    entry->bytes = bytes;
    if (bytes > 0) memcpy(entry->data, data, bytes);
}

void weights_append(struct paced_weights *weights, const char *name, enum paced_dtype dtype, int rank,
                    const int64_t *shape, const void *data) {
    weights->entries = paced_grow(weights->entries, weights->count + 1, sizeof(*weights->entries));
    struct paced_entry *entry = &weights->entries[weights->count++];
    entry->name = paced_strdup(name);
    fill_entry(entry, dtype, rank, shape, data);
}

static struct paced_entry *find_entry(const struct paced_weights *weights, const char *name) {
    for (size_t i = 0; i < weights->count; ++i)
        if (strcmp(weights->entries[i].name, name) == 0) return &weights->entries[i];
    return NULL;
}

void paced_weights_add(struct paced_weights *weights, const char *name, enum paced_dtype dtype, int rank,
                       const int64_t *shape, const void *data) {
    struct paced_entry *entry = find_entry(weights, name);
    if (!entry) {
        weights_append(weights, name, dtype, rank, shape, data);
        return;
    }
    void *old = entry->data; /* freed last: `data` may point into it */
    fill_entry(entry, dtype, rank, shape, data);
    free(old);
}

void paced_weights_add_metadata(struct paced_weights *weights, const char *key, const char *value) {
    char *copy = paced_strdup(value);
    for (size_t i = 0; i < weights->metadata_count; ++i) {
        if (strcmp(weights->keys[i], key) != 0) continue;
        free(weights->values[i]);
        weights->values[i] = copy;
        return;
    }
    size_t count = ++weights->metadata_count;
    weights->keys = paced_grow(weights->keys, count, sizeof(*weights->keys));
    weights->values = paced_grow(weights->values, count, sizeof(*weights->values));
    weights->keys[count - 1] = paced_strdup(key);
    weights->values[count - 1] = copy;
}

const struct paced_entry *paced_weights_find(const struct paced_weights *weights, const char *name) {
    return find_entry(weights, name);
}

const char *paced_weights_metadata(const struct paced_weights *weights, const char *key) {
    for (size_t i = 0; i < weights->metadata_count; ++i)
        if (strcmp(weights->keys[i], key) == 0) return weights->values[i];
    return NULL;
}

void paced_weights_finish(struct paced_weights *weights) {
    if (!weights) return;
    for (size_t i = 0; i < weights->count; ++i) {
        free(weights->entries[i].name);
        free(weights->entries[i].data);
    }
    for (size_t i = 0; i < weights->metadata_count; ++i) {
        free(weights->keys[i]);
        free(weights->values[i]);
    }
    free(weights->entries);
    free(weights->keys);
    free(weights->values);
    *weights = (struct paced_weights){0};
}
