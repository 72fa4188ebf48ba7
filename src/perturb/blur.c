/* blur: blur of lenses and of motion: weighted sums of the image's pixels. */
#include "src/perturb/corruptions.h"
#include "src/perturb/filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum paced_err corrupt_gaussian_blur(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double sigma[PACED_SEVERITIES] = {1, 2, 3, 4, 6};
    filter_smooth(sample->rgb, sample->extent, 3, sigma[severity]);
    return PACED_OK;
}

/* ---- defocus -------------------------------------------------------------------------------------------------- */

enum { MAX_HALF = 10, MAX_SIDE = 2 * MAX_HALF + 1 };

/* disk[2 half + 1][2 half + 1], half >= radius: a disk of sum 1, its rim smoothed by a Gaussian of width 2 soft + 1.
 * Smoothing mirrors the disk at the array's border, as the reference does. If the disk touches the border (half =
 * radius), the sum and thus the brightness of the image become about 1 % too large. */
static void make_disk(float *disk, int half, int radius, int soft, double sigma) {
    const int side = 2 * half + 1, taps = 2 * soft + 1;
    float line[5], square[25], area = 0;
    for (int i = 0; i < side * side; ++i) {
        const int y = i / side - half, x = i % side - half;
        disk[i] = x * x + y * y <= radius * radius ? 1 : 0;
        area += disk[i];
    }
    for (int i = 0; i < side * side; ++i) disk[i] /= area;
    filter_gaussian(line, soft, sigma);
    for (int i = 0; i < taps * taps; ++i) square[i] = line[i / taps] * line[i % taps];
    filter_correlate(disk, (struct paced_extent){side, side}, 1, square, soft);
}

enum paced_err corrupt_defocus_blur(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const struct {
        int radius, half, soft;
        double sigma;
    } constants[PACED_SEVERITIES] = {{3, 8, 1, .1}, {4, 8, 1, .5}, {6, 8, 1, .5}, {8, 8, 1, .5}, {10, 10, 2, .5}};
    float disk[MAX_SIDE * MAX_SIDE];
    make_disk(disk, constants[severity].half, constants[severity].radius, constants[severity].soft,
              constants[severity].sigma);
    filter_correlate(sample->rgb, sample->extent, 3, disk, constants[severity].half);
    return PACED_OK;
}

/* ---- motion --------------------------------------------------------------------------------------------------- */

/* The weighted mean of the image and its shifts by 1, 2, ... pixels in a random direction, with decreasing weights.
 * Shifts wider than the image repeat its border. The reference, for images from 32 x 32, omits them, which darkens
 * images below 41 x 41. */
enum paced_err corrupt_motion_blur(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const struct {
        int reach;
        double sigma;
    } constants[PACED_SEVERITIES] = {{20, 3}, {30, 5}, {30, 8}, {30, 12}, {40, 15}};
    const int reach = constants[severity].reach, side = sample->extent.width + 2 * reach;
    const size_t row = 3 * (size_t)sample->extent.width;
    const double angle = (paced_rng_uniform(rng) - 0.5) * M_PI / 2;
    float *padded = filter_pad(sample->rgb, sample->extent, 3, reach, BORDER_NEAREST);
    float weights[2 * 40 + 1];
    filter_gaussian(weights, reach, constants[severity].sigma);
    double sum = 0;
    for (int i = 0; i <= reach; ++i) sum += (double)weights[reach + i];
    memset(sample->rgb, 0, (size_t)sample->extent.height * row * sizeof *sample->rgb);
    for (int i = 0; i <= reach; ++i) {
        const int down = (int)ceil(i * sin(angle) - 0.5), right = (int)ceil(i * cos(angle) - 0.5);
        const float weight = (float)((double)weights[reach + i] / sum);
        for (int y = 0; y < sample->extent.height; ++y)
            filter_add_row(sample->rgb + (size_t)y * row,
                           padded + 3 * ((size_t)(y + reach + down) * (size_t)side + (size_t)(reach + right)), weight,
                           row);
    }
    free(padded);
    return PACED_OK;
}

/* ---- zoom ----------------------------------------------------------------------------------------------------- */

/* The source of a pixel along an axis: (1 - part) first + part second. */
struct source {
    int first, second;
    float part;
};

/* Stretches the middle 1 / zoom of an axis, from its first pixel to its last, and cuts off excess pixels at the end.
 * Returns the number of pixels, at most `size`. */
static int zoom_axis(struct source *axis, int size, double zoom) {
    const int crop = (int)ceil(size / zoom), start = (size - crop) / 2, stretched = (int)rint(crop * zoom);
    const double step = stretched > 1 ? (double)(crop - 1) / (stretched - 1) : 0;
    const int count = stretched < size ? stretched : size;
    for (int i = 0; i < count; ++i) {
        const int below = (int)(i * step), last = crop - 1;
        axis[i] = (struct source){start + (below < last ? below : last), start + (below < last ? below + 1 : last),
                                  (float)(i * step - below)};
    }
    return count;
}

/* Sources of an image's rows and columns. */
struct zoom {
    struct source *y, *x;
    int rows, columns;
};

/* Adds the bilinearly zoomed image to sum[height][width][3]. */
static void add_zoomed(float *sum, const struct paced_sample *sample, const struct zoom *zoom) {
    const size_t row = (size_t)sample->extent.width * 3;
    for (int y = 0; y < zoom->rows; ++y) {
        const struct source *from = &zoom->y[y];
        const float *top = sample->rgb + (size_t)from->first * row, *bottom = sample->rgb + (size_t)from->second * row;
        float *out = sum + (size_t)y * row;
        for (int x = 0; x < zoom->columns; ++x)
            for (int c = 0; c < 3; ++c, ++out) {
                const int left = 3 * zoom->x[x].first + c, right = 3 * zoom->x[x].second + c;
                const float upper = top[left] + (top[right] - top[left]) * zoom->x[x].part;
                const float lower = bottom[left] + (bottom[right] - bottom[left]) * zoom->x[x].part;
                *out += upper + (lower - upper) * from->part;
            }
    }
}

/* The mean of the image and its zooms. */
enum paced_err corrupt_zoom_blur(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    /* Zooms 1, 1 + step, ...; the first row has one more than its stop of 1.11 implies, due to the reference's
     * rounding. */
    static const struct {
        int count;
        double step;
    } zooms[PACED_SEVERITIES] = {{12, .01}, {16, .01}, {11, .02}, {13, .02}, {11, .03}};
    const size_t values = 3 * sample_pixels(sample);
    float *sum = paced_alloc(values, sizeof *sum);
    struct zoom zoom = {.y = paced_alloc((size_t)sample->extent.height, sizeof *zoom.y),
                        .x = paced_alloc((size_t)sample->extent.width, sizeof *zoom.x)};
    memcpy(sum, sample->rgb, values * sizeof *sum);
    for (int i = 0; i < zooms[severity].count; ++i) {
        zoom.rows = zoom_axis(zoom.y, sample->extent.height, 1 + i * zooms[severity].step);
        zoom.columns = zoom_axis(zoom.x, sample->extent.width, 1 + i * zooms[severity].step);
        add_zoomed(sum, sample, &zoom);
    }
    for (size_t i = 0; i < values; ++i) sample->rgb[i] = sum[i] / (float)(zooms[severity].count + 1);
    free(zoom.x);
    free(zoom.y);
    free(sum);
    return PACED_OK;
}
