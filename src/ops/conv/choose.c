/* Which algorithm computes a convolution, by its shape and direction: F(4x4,3x3) wherever it multiplies less, which was
 * seen to be faster from 3 to 512 channels and from 7 to 224 pixels a side, once to five times. The environment
 * variable PACED_CONV (im2col, pointwise, winograd2 or winograd4) names one for all convolutions that it can compute.
 */
#include <stdlib.h>
#include <string.h>

#include "src/ops/conv/conv.h"

static const struct conv_algorithm *const algorithms[] = {&conv_im2col, &conv_pointwise, &conv_winograd2,
                                                          &conv_winograd4};

static bool applies(const struct conv_algorithm *algorithm, const struct conv *v) {
    if (algorithm == &conv_im2col) return true;
    if (algorithm == &conv_pointwise) return v->size == 1 && v->stride == 1 && v->pad == 0 && v->k < PACED_GEMM_TILE;
    return v->size == 3 && v->stride == 1 && v->dilation == 1 && v->pad <= 2;
}

static const struct conv_algorithm *forced(void) {
    const char *name = getenv("PACED_CONV");
    for (size_t i = 0; name && i < PACED_COUNT(algorithms); ++i)
        if (strcmp(name, algorithms[i]->name) == 0) return algorithms[i];
    return NULL;
}

/* 36 products for each tile of 4 x 4 outputs, however few of them are real, against 9 for an output. */
static bool saves_products(const struct conv *v, bool backward) {
    int h = backward ? v->h : v->oh, w = backward ? v->w : v->ow;
    return 36 * ((h + 3) / 4) * ((w + 3) / 4) < 9 * h * w;
}

/* In training the forward pass decides which ReLUs let through, and one that flips by rounding moves the whole gradient
 * by 1e-3. In a large network some flip whatever the sum is taken by; in a small one, where F(4x4) gains little, none
 * need to: there F(2x2), which is as accurate as a plain sum, keeps a gradient exact. */
enum { FEW_VALUES = 1 << 16 };

const struct conv_algorithm *conv_choose(const struct conv *v, enum conv_direction direction) {
    const struct conv_algorithm *named = forced();
    if (named && applies(named, v)) return named;
    if (applies(&conv_pointwise, v)) return &conv_pointwise;
    /* All taps of an image's three channels fill less than two tiles of one product; apart, each would be padded. */
    bool forward = direction == CONV_FORWARD || direction == CONV_FORWARD_TRAINING;
    bool saves = applies(&conv_winograd4, v) && saves_products(v, direction == CONV_BACKWARD_DATA);
    if (!saves || (forward && v->c < 8)) return &conv_im2col;
    return direction == CONV_FORWARD_TRAINING && v->oh * v->ow * v->k < FEW_VALUES ? &conv_winograd2 : &conv_winograd4;
}

uint64_t conv_workspace_bytes(const struct conv *v, int samples, uint64_t limit) {
    uint64_t most = 0;
    for (size_t i = 0; i < PACED_COUNT(algorithms); ++i) {
        uint64_t bytes = applies(algorithms[i], v) ? algorithms[i]->workspace_bytes(v, samples, limit) : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}
