/* Which algorithm computes a convolution, by its shape and direction. The environment variable PACED_CONV (im2col,
 * winograd2 or winograd4) names one for all convolutions that it can compute. */
#include <stdlib.h>
#include <string.h>

#include "src/ops/conv/conv.h"

static const struct conv_algorithm *const algorithms[] = {&conv_im2col, &conv_winograd2, &conv_winograd4};

static bool applies(const struct conv_algorithm *algorithm, const struct conv *v) {
    if (algorithm == &conv_im2col) return true;
    return v->size == 3 && v->stride == 1 && v->dilation == 1 && v->pad <= 2;
}

static const struct conv_algorithm *forced(void) {
    const char *name = getenv("PACED_CONV");
    for (size_t i = 0; name && i < PACED_COUNT(algorithms); ++i)
        if (strcmp(name, algorithms[i]->name) == 0) return algorithms[i];
    return NULL;
}

const struct conv_algorithm *conv_choose(const struct conv *v, enum conv_direction direction) {
    const struct conv_algorithm *named = forced();
    if (named) return applies(named, v) ? named : &conv_im2col;
    if (!applies(&conv_winograd4, v) || v->c < 16 || v->k < 16) return &conv_im2col;
    return &conv_winograd4;
}

uint64_t conv_workspace_bytes(const struct conv *v) {
    uint64_t most = 0;
    for (int direction = 0; direction < CONV_DIRECTIONS; ++direction) {
        uint64_t bytes = conv_choose(v, (enum conv_direction)direction)->workspace_bytes(v);
        most = bytes > most ? bytes : most;
    }
    return most;
}
