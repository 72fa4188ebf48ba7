/* shrink: downscaling of large images for pictures.
 *
 * An output pixel covers the box of pixels [i * from / to, (i + 1) * from / to) in each direction, at least one
 * pixel. Images and maps take the mean of the box. Labels take its most frequent class, but the background only if
 * there is no other class, so that objects thinner than a box, such as a needle's shaft, remain visible. Ignored pixels
 * come between: they hide no object, and are not hidden by the background. */
#include "paced/report.h"

/* Box of input pixels of one output pixel; right and bottom are exclusive. */
struct box {
    size_t left, right, top, bottom;
};

static struct box box_of(size_t x, size_t y, struct paced_extent from, struct paced_extent to) {
    size_t width = (size_t)from.width, height = (size_t)from.height, columns = (size_t)to.width,
           rows = (size_t)to.height;
    return (struct box){x * width / columns, (x + 1) * width / columns, y * height / rows, (y + 1) * height / rows};
}

static double mean_in(const struct box *b, const float *values, size_t width) {
    double sum = 0;
    for (size_t y = b->top; y < b->bottom; ++y)
        for (size_t x = b->left; x < b->right; ++x) sum += (double)values[y * width + x];
    return sum / (double)((b->right - b->left) * (b->bottom - b->top));
}

static uint8_t channel_in(const struct box *b, const uint8_t *rgb, size_t width, size_t channel) {
    uint64_t sum = 0, count = (b->right - b->left) * (b->bottom - b->top);
    for (size_t y = b->top; y < b->bottom; ++y)
        for (size_t x = b->left; x < b->right; ++x) sum += rgb[(y * width + x) * 3 + channel];
    return (uint8_t)((sum + count / 2) / count);
}

/* Most frequent class but 0; of equally frequent ones the lowest. */
static uint8_t class_in(const struct box *b, const uint8_t *label, size_t width) {
    size_t count[256] = {0};
    int best = 0;
    for (size_t y = b->top; y < b->bottom; ++y)
        for (size_t x = b->left; x < b->right; ++x) ++count[label[y * width + x]];
    count[0] = 0;
    for (int c = 1; c < PACED_IGNORED; ++c)
        if (count[c] > count[best]) best = c;
    return best == 0 && count[PACED_IGNORED] > 0 ? PACED_IGNORED : (uint8_t)best;
}

void paced_shrink_image(const uint8_t *rgb, struct paced_extent from, uint8_t *out, struct paced_extent to) {
    for (size_t y = 0; y < (size_t)to.height; ++y)
        for (size_t x = 0; x < (size_t)to.width; ++x) {
            const struct box box = box_of(x, y, from, to);
            for (size_t channel = 0; channel < 3; ++channel)
                *out++ = channel_in(&box, rgb, (size_t)from.width, channel);
        }
}

void paced_shrink_map(const float *values, struct paced_extent from, float *out, struct paced_extent to) {
    for (size_t y = 0; y < (size_t)to.height; ++y)
        for (size_t x = 0; x < (size_t)to.width; ++x) {
            const struct box box = box_of(x, y, from, to);
            *out++ = (float)mean_in(&box, values, (size_t)from.width);
        }
}

void paced_shrink_labels(const uint8_t *label, struct paced_extent from, uint8_t *out, struct paced_extent to) {
    for (size_t y = 0; y < (size_t)to.height; ++y)
        for (size_t x = 0; x < (size_t)to.width; ++x) {
            const struct box box = box_of(x, y, from, to);
            *out++ = class_in(&box, label, (size_t)from.width);
        }
}
