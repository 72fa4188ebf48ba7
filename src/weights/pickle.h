/* A reader of pickles that tensors are described in. Nothing is ever called: what a pickle names is looked up in a
 * table of what tensors need, and what is not there is refused by its name. */
#ifndef PACED_WEIGHTS_PICKLE_H
#define PACED_WEIGHTS_PICKLE_H

#include "paced/base.h"

enum value_kind {
    VALUE_OTHER, /* None, a truth value, a real number: no part of a tensor's description that counts */
    VALUE_INTEGER,
    VALUE_TEXT,
    VALUE_TUPLE,
    VALUE_LIST,
    VALUE_DICT,
    VALUE_TYPE,     /* of a storage's elements, `text` "FloatStorage" */
    VALUE_STORAGE,  /* items: "storage", type, key, device, number of elements; of any kind */
    VALUE_TENSOR,   /* items: storage, offset, sizes, strides; of any kind */
    VALUE_FUNCTION, /* `integer` says which */
    VALUE_MARK,     /* only on the machine's stack */
};

struct value {
    enum value_kind kind;
    int64_t integer;
    char *text;           /* without zeros inside */
    struct value **items; /* a dictionary's are key, value, key, value... */
    size_t count;
};

/* All values of a pickle, which may refer to each other in any way. Starts as {0}. */
struct pickle {
    struct value **values;
    size_t count;
    const struct value *root;
};

/* `path` is for messages. PACED_INVALID for what is damaged, absurdly large, or not needed for tensors. */
enum paced_err pickle_read(struct pickle *pickle, const char *path, const uint8_t *bytes, size_t size);
void pickle_finish(struct pickle *pickle);

/* The value of a text key, or NULL; the last where there are several. */
const struct value *pickle_find(const struct value *dictionary, const char *key);

#endif
