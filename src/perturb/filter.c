/* filter: weighted sums over neighbourhoods. Each filter works on a padded copy, so that only filter_pad handles
 * borders, and adds whole rows, weight by weight. */
#include "src/perturb/filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int border_index(int i, int size, enum border border) {
    if (i >= 0 && i < size) return i;
    if (border == BORDER_BLACK) return -1;
    if (border == BORDER_NEAREST) return i < 0 ? 0 : size - 1;
    const int overlap = border == BORDER_MIRRORED; /* of an image and its mirror image, which repeat */
    const int period = size > overlap ? 2 * (size - overlap) : 1, place = (i % period + period) % period;
    return place < size ? place : period - 1 + overlap - place;
}

float *filter_pad(const float *pixels, struct paced_extent extent, int channels, int margin, enum border border) {
    const size_t pixel = (size_t)channels, row = (size_t)extent.width * pixel;
    const int height = extent.height + 2 * margin, width = extent.width + 2 * margin;
    float *padded = paced_alloc((size_t)height * (size_t)width * pixel, sizeof *padded), *out = padded;
    for (int y = 0; y < height; ++y) {
        const float *in = pixels + (size_t)border_index(y - margin, extent.height, border) * row;
        for (int x = 0; x < width; ++x, out += pixel)
            memcpy(out, in + (size_t)border_index(x - margin, extent.width, border) * pixel, pixel * sizeof *out);
    }
    return padded;
}

void filter_add_row(float *restrict out, const float *restrict in, float weight, size_t count) {
    for (size_t i = 0; i < count; ++i) out[i] += weight * in[i];
}

void filter_gaussian(float *weights, int radius, double sigma) {
    double sum = 0;
    for (int i = -radius; i <= radius; ++i) sum += exp(-0.5 * i * i / (sigma * sigma));
    for (int i = -radius; i <= radius; ++i) weights[i + radius] = (float)(exp(-0.5 * i * i / (sigma * sigma)) / sum);
}

void filter_smooth_within(float *pixels, struct paced_extent extent, int channels, double sigma, int radius,
                          enum border border) {
    const int taps = 2 * radius + 1;
    const size_t row = (size_t)extent.width * (size_t)channels,
                 padded_row = row + 2 * (size_t)radius * (size_t)channels;
    float *padded = filter_pad(pixels, extent, channels, radius, border);
    float *line = paced_alloc(padded_row, sizeof *line), *weights = paced_alloc((size_t)taps, sizeof *weights);
    filter_gaussian(weights, radius, sigma);
    for (int y = 0; y < extent.height; ++y) {
        float *out = pixels + (size_t)y * row;
        memset(line, 0, padded_row * sizeof *line);
        for (int i = 0; i < taps; ++i)
            filter_add_row(line, padded + (size_t)(y + i) * padded_row, weights[i], padded_row);
        memset(out, 0, row * sizeof *out);
        for (int i = 0; i < taps; ++i) filter_add_row(out, line + i * channels, weights[i], row);
    }
    free(weights);
    free(line);
    free(padded);
}

void filter_smooth(float *pixels, struct paced_extent extent, int channels, double sigma) {
    filter_smooth_within(pixels, extent, channels, sigma, (int)(4 * sigma + 0.5), BORDER_NEAREST);
}

void filter_correlate(float *pixels, struct paced_extent extent, int channels, const float *kernel, int radius) {
    const int taps = 2 * radius + 1;
    const size_t row = (size_t)extent.width * (size_t)channels,
                 padded_row = row + 2 * (size_t)radius * (size_t)channels;
    float *padded = filter_pad(pixels, extent, channels, radius, BORDER_MIRRORED);
    memset(pixels, 0, (size_t)extent.height * row * sizeof *pixels);
    for (int y = 0; y < extent.height; ++y) {
        float *out = pixels + (size_t)y * row;
        for (int i = 0; i < taps; ++i) {
            const float *in = padded + (size_t)(y + i) * padded_row;
            for (int j = 0; j < taps; ++j)
                if (kernel[i * taps + j] != 0) filter_add_row(out, in + j * channels, kernel[i * taps + j], row);
        }
    }
    free(padded);
}
