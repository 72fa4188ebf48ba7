/* Nearest-neighbour resizing with PyTorch's rule, interpolate(mode="nearest"): per axis,
 *
 *   source(i) = min(floor(fl(i * fl(in / out))), in - 1),   fl = rounding to float32
 *
 * The float32 rounding is part of the rule: for 200 -> 48 it selects other pixels than exact arithmetic. The rule has
 * no sum that a compiler could contract into a fused operation; the named intermediate values fix each rounding. */
#include "paced/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int paced_nearest_index(int i, int in, int out) {
    float scale = (float)in / (float)out;
    float source = (float)i * scale;
    int index = (int)floorf(source);
    return index < in - 1 ? index : in - 1;
}

void paced_resize_nearest(const uint8_t *pixels, int width, int height, int channels, uint8_t *out, int out_width,
                          int out_height) {
    size_t c = (size_t)channels, row_bytes = (size_t)width * c;
    size_t *column = paced_alloc((size_t)out_width, sizeof *column);
    for (int x = 0; x < out_width; ++x) column[x] = (size_t)paced_nearest_index(x, width, out_width) * c;

    for (int y = 0; y < out_height; ++y) {
        const uint8_t *row = pixels + (size_t)paced_nearest_index(y, height, out_height) * row_bytes;
        for (int x = 0; x < out_width; ++x, out += c) memcpy(out, row + column[x], c);
    }
    free(column);
}
