/* weights: named tensors in files. Host arrays only.
 *
 * safetensors (github.com/huggingface/safetensors): 8 bytes little-endian header length, a JSON header
 * {"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {string: string}}, then the raw little-endian data.
 *
 * PyTorch's own files (torch.save since 1.6): a zip archive of a pickle that describes tensors, and of their data. They
 * are read only. */
#ifndef PACED_WEIGHTS_H
#define PACED_WEIGHTS_H

#include "paced/base.h"

enum paced_dtype { PACED_F32, PACED_F64, PACED_I64, PACED_U8 };

#define PACED_MAX_RANK 8

struct paced_entry {
    char *name;
    enum paced_dtype dtype;
    int rank;
    int64_t shape[PACED_MAX_RANK];
    void *data; /* dense, row-major */
    size_t bytes;
};

/* A set of named tensors and string metadata; starts as {0}. Insertion order is file order. */
struct paced_weights {
    struct paced_entry *entries;
    size_t count;
    char **keys, **values; /* metadata pairs */
    size_t metadata_count;
};

/* Copies the data. A name that is there already is replaced. */
void paced_weights_add(struct paced_weights *weights, const char *name, enum paced_dtype dtype, int rank,
                       const int64_t *shape, const void *data);
void paced_weights_add_metadata(struct paced_weights *weights, const char *key, const char *value);
const struct paced_entry *paced_weights_find(const struct paced_weights *weights, const char *name); /* or NULL */
const char *paced_weights_metadata(const struct paced_weights *weights, const char *key);            /* or NULL */
void paced_weights_finish(struct paced_weights *weights);

/* Either kind of file, told by its first bytes. A prefix "module." that all names have (PyTorch's DataParallel writes
 * it) is taken away. Of a PyTorch file: the state dictionary that it is, or holds as "state_dict", "model_state_dict"
 * or "model"; float64, float16 and bfloat16 become float32, which is noted in the log, like what was taken.
 * PACED_INVALID, naming file and tensor, for what is damaged, for tensors of other types, and for any object that is
 * not part of a tensor's description: nothing in the file is ever run. */
enum paced_err paced_weights_read(const char *path, struct paced_weights *weights);

/* PACED_INVALID, naming file and tensor, for a header that is absurd (longer than the file or than 100 MB, bad JSON,
 * unknown dtype, offsets that overlap, leave gaps or leave the file, a shape that does not fit the bytes). */
enum paced_err paced_safetensors_read(const char *path, struct paced_weights *weights);
enum paced_err paced_safetensors_write(const char *path, const struct paced_weights *weights);

#endif
