/* fog: clouds of all scales between the camera and the scene. */
#include "src/perturb/corruptions.h"

#include <stdlib.h>

/* The element (y, x) of map[side][side], continued periodically; side is a power of two. */
static double *place(double *map, size_t side, size_t y, size_t x) {
    return &map[(y & (side - 1)) * side + (x & (side - 1))];
}

static double diagonal_mean(double *map, size_t side, size_t y, size_t x, size_t d) {
    return (*place(map, side, y - d, x - d) + *place(map, side, y - d, x + d) + *place(map, side, y + d, x - d) +
            *place(map, side, y + d, x + d)) /
           4;
}

static double straight_mean(double *map, size_t side, size_t y, size_t x, size_t d) {
    return (*place(map, side, y - d, x) + *place(map, side, y + d, x) + *place(map, side, y, x - d) +
            *place(map, side, y, x + d)) /
           4;
}

/* The diamond-square fractal (Fournier, Fussell and Carpenter, 1982). Starting with one point, each round halves the
 * distance of the points. A new point is the mean of its four neighbours plus U(-1, 1) times an amplitude, which is
 * divided by decay^2 in each round: the reference multiplies two numbers that are each divided by decay. */
static void grow_fractal(double *map, size_t side, double decay, struct paced_rng *rng) {
    double amplitude = 1;
    for (size_t step = side; step >= 2; step /= 2, amplitude /= decay * decay) {
        const size_t half = step / 2;
        for (size_t y = half; y < side; y += step)
            for (size_t x = half; x < side; x += step)
                *place(map, side, y, x) =
                    diagonal_mean(map, side, y, x, half) + amplitude * (2 * paced_rng_uniform(rng) - 1);
        for (size_t y = 0; y < side; y += half)
            for (size_t x = y % step ? 0 : half; x < side; x += step)
                *place(map, side, y, x) =
                    straight_mean(map, side, y, x, half) + amplitude * (2 * paced_rng_uniform(rng) - 1);
    }
}

/* Maps the values linearly to 0 to 1. */
static void normalise(double *map, size_t count) {
    double low = map[0], high = map[0];
    for (size_t i = 1; i < count; ++i) {
        if (map[i] < low) low = map[i];
        if (map[i] > high) high = map[i];
    }
    for (size_t i = 0; i < count; ++i) map[i] = high > low ? (map[i] - low) / (high - low) : 0;
}

/* Adds the upper left corner of a fractal, whose side is the smallest power of two >= max(size, 4). The sum is scaled
 * so that the image's maximum with full fog is unchanged. */
enum paced_err paced_fog(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const struct {
        double amount, decay;
    } constants[PACED_SEVERITIES] = {{1.5, 2}, {2, 2}, {2.5, 1.7}, {2.5, 1.5}, {3, 1.4}};
    const double amount = constants[severity].amount;
    const size_t size = (size_t)sample->size;
    size_t side = 4;
    while (side < size) side *= 2;
    double *map = paced_alloc(side * side, sizeof *map);
    grow_fractal(map, side, constants[severity].decay, rng);
    normalise(map, side * side);
    float *rgb = sample->rgb, brightest = 0;
    for (size_t i = 0; i < 3 * paced_sample_pixels(sample); ++i)
        if (rgb[i] > brightest) brightest = rgb[i];
    const double scale = (double)brightest / ((double)brightest + amount);
    for (size_t y = 0; y < size; ++y)
        for (size_t x = 0; x < size; ++x)
            for (int c = 0; c < 3; ++c, ++rgb) *rgb = (float)(((double)*rgb + amount * map[y * side + x]) * scale);
    free(map);
    return PACED_OK;
}
