/* The extent of a square, for tests of inputs that need not be rectangles. */
#ifndef PACED_TESTS_SQUARE_H
#define PACED_TESTS_SQUARE_H

#include "paced/base.h"

static inline struct paced_extent square(int side) {
    return (struct paced_extent){side, side};
}

#endif
