/* element: the element types of PyTorch's storages. Private to the weights module. */
#ifndef PACED_WEIGHTS_ELEMENT_H
#define PACED_WEIGHTS_ELEMENT_H

#include "paced/weights.h"

struct element {
    const char *type, *name; /* the storage's type, the element's */
    size_t bytes;            /* in the file, little-endian */
    enum paced_dtype dtype;  /* after conversion */
    void (*read)(const uint8_t *from, uint8_t *to);
    bool converts;
};
enum { ELEMENTS = 5 };
extern const struct element elements[ELEMENTS];

#endif
