/* weights: files of named tensors. Host arrays only.
 *
 * safetensors (github.com/huggingface/safetensors): 8 bytes little-endian header length, a JSON header
 * {"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {string: string}}, then the raw little-endian data.
 *
 * PyTorch's files (torch.save since 1.6): a zip archive with a pickle that describes the tensors, and with their data.
 * They can only be read. */
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

/* A set of named tensors and string metadata, which owns its contents. Starts as {0}. Insertion order is file order. */
struct paced_weights {
    struct paced_entry *entries;
    size_t count;
    char **keys, **values; /* metadata pairs */
    size_t metadata_count;
};

/* Copies the data. Replaces an existing tensor of that name. */
void paced_weights_add(struct paced_weights *weights, const char *name, enum paced_dtype dtype, int rank,
                       const int64_t *shape, const void *data);
void paced_weights_add_metadata(struct paced_weights *weights, const char *key, const char *value);
const struct paced_entry *paced_weights_find(const struct paced_weights *weights, const char *name); /* or NULL */
const char *paced_weights_metadata(const struct paced_weights *weights, const char *key);            /* or NULL */
void paced_weights_finish(struct paced_weights *weights);

/* True if the network has a tensor of this name. */
typedef bool paced_weights_known(const void *network, const char *name);
/* Removes a prefix that ends in a dot and that all names share, such as "module." of PyTorch's DataParallel: the
 * shortest one after which the most names are known, if these are more than without. known NULL: "module.",
 * "_orig_mod.", "model." and "net.", in any order and number. Returns the removed prefix, to be released with free(),
 * or NULL. */
char *paced_weights_unwrap(struct paced_weights *weights, paced_weights_known *known, const void *network);

/* Reads either format, which the first bytes determine. A PyTorch file is a state dictionary, or a dictionary that has
 * one as "state_dict", "model_state_dict" or "model". float64, float16 and bfloat16 become float32. The log reports
 * these choices. PACED_INVALID, naming file and tensor, for damaged files, tensors of other types, and objects that do
 * not describe tensors: no code in the file is ever run. */
enum paced_err paced_weights_read(const char *path, struct paced_weights *weights);

/* Read: PACED_INVALID, naming file and tensor, for a header longer than the file or than 100 MB, invalid JSON, an
 * unknown dtype, offsets that overlap, leave gaps or exceed the file, or a shape that does not match the number of
 * bytes. */
enum paced_err paced_safetensors_read(const char *path, struct paced_weights *weights);
enum paced_err paced_safetensors_write(const char *path, const struct paced_weights *weights);

#endif
