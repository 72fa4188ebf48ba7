/* pickle: reads pickles that describe tensors. Names in the pickle are looked up in a table of what tensors need;
 * others are rejected by name, and no foreign code is ever called. Private to the weights module. */
#ifndef PACED_WEIGHTS_PICKLE_H
#define PACED_WEIGHTS_PICKLE_H

#include "paced/base.h"

enum value_kind {
    VALUE_OTHER, /* None, a boolean or a real number, which tensors do not use */
    VALUE_INTEGER,
    VALUE_TEXT,
    VALUE_TUPLE,
    VALUE_LIST,
    VALUE_DICT,
    VALUE_TYPE,     /* a storage's type in `text`, such as "FloatStorage" */
    VALUE_STORAGE,  /* items: "storage", type, key, device, number of elements; kinds unchecked */
    VALUE_TENSOR,   /* items: storage, offset, sizes, strides; kinds unchecked */
    VALUE_FUNCTION, /* `integer`: its index */
    VALUE_MARK,     /* only on the machine's stack */
};

struct value {
    enum value_kind kind;
    int64_t integer;
    char *text;           /* contains no zero byte */
    struct value **items; /* of a dictionary: key, value, key, value, ... */
    size_t count;
};

/* All values of a pickle, which may refer to each other in any way. Starts as {0}; owns the values. */
struct pickle {
    struct value **values;
    size_t count;
    const struct value *root;
};

/* PACED_INVALID for a pickle that is damaged, too large or uses more than tensors need. `path` is for messages. */
enum paced_err pickle_read(struct pickle *pickle, const char *path, const uint8_t *bytes, size_t size);
void pickle_finish(struct pickle *pickle);

/* The value of a string key, or NULL. The last of several equal keys counts. */
const struct value *pickle_find(const struct value *dictionary, const char *key);

#endif
