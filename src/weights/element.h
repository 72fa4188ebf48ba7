/* The kinds of elements that storages of PyTorch's files hold. Private to the weights room. */
#ifndef PACED_WEIGHTS_ELEMENT_H
#define PACED_WEIGHTS_ELEMENT_H

#include "paced/weights.h"

struct element {
    const char *type, *name; /* of the storage, of an element */
    size_t bytes;            /* in the file, little-endian */
    enum paced_dtype dtype;  /* that it is read as */
    void (*read)(const uint8_t *from, uint8_t *to);
    bool converts;
};
enum { ELEMENTS = 5 };
extern const struct element elements[ELEMENTS];

#endif
