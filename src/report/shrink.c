/* shrink: large images made small, for pictures.
 *
 * An output pixel stands for the box of pixels [i * size / side, (i + 1) * size / side) in each direction, one at
 * least. Of images and maps it takes the mean; of labels the class that is there most, but the background only where
 * nothing else is: what is thinner than a box, such as a needle's shaft, is still seen. */
#include "paced/report.h"

/* The pixels that output pixel (x, y) stands for. */
struct box {
    size_t left, right, top, bottom;
};

static struct box box_of(size_t x, size_t y, size_t size, size_t side) {
    return (struct box){x * size / side, (x + 1) * size / side, y * size / side, (y + 1) * size / side};
}

static double mean_in(const struct box *b, const float *values, size_t size) {
    double sum = 0;
    for (size_t y = b->top; y < b->bottom; ++y)
        for (size_t x = b->left; x < b->right; ++x) sum += (double)values[y * size + x];
    return sum / (double)((b->right - b->left) * (b->bottom - b->top));
}

static uint8_t channel_in(const struct box *b, const uint8_t *rgb, size_t size, size_t channel) {
    uint64_t sum = 0, count = (b->right - b->left) * (b->bottom - b->top);
    for (size_t y = b->top; y < b->bottom; ++y)
        for (size_t x = b->left; x < b->right; ++x) sum += rgb[(y * size + x) * 3 + channel];
    return (uint8_t)((sum + count / 2) / count);
}

/* The first of equals. */
static uint8_t class_in(const struct box *b, const uint8_t *label, size_t size) {
    size_t count[256] = {0};
    int most = 0;
    for (size_t y = b->top; y < b->bottom; ++y)
        for (size_t x = b->left; x < b->right; ++x) ++count[label[y * size + x]];
    count[0] = 0;
    for (int c = 1; c < 256; ++c)
        if (count[c] > count[most]) most = c;
    return (uint8_t)most;
}

void paced_shrink_image(const uint8_t *rgb, size_t size, uint8_t *out, size_t side) {
    for (size_t y = 0; y < side; ++y)
        for (size_t x = 0; x < side; ++x) {
            const struct box box = box_of(x, y, size, side);
            for (size_t channel = 0; channel < 3; ++channel) *out++ = channel_in(&box, rgb, size, channel);
        }
}

void paced_shrink_map(const float *values, size_t size, float *out, size_t side) {
    for (size_t y = 0; y < side; ++y)
        for (size_t x = 0; x < side; ++x) {
            const struct box box = box_of(x, y, size, side);
            *out++ = (float)mean_in(&box, values, size);
        }
}

void paced_shrink_labels(const uint8_t *label, size_t size, uint8_t *out, size_t side) {
    for (size_t y = 0; y < side; ++y)
        for (size_t x = 0; x < side; ++x) {
            const struct box box = box_of(x, y, size, side);
            *out++ = class_in(&box, label, size);
        }
}
