/* weather: fog between the camera and the scene, and drops of water or mud on the lens. */
#include "src/perturb/corruptions.h"
#include "src/perturb/filter.h"

#include <math.h>
#include <stdlib.h>

/* ---- fog: clouds of all scales -------------------------------------------------------------------------------- */

/* The element (y, x) of map[side][side], continued periodically; side is a power of two. */
static double *place(double *map, size_t side, size_t y, size_t x) {
    return &map[(y & (side - 1)) * side + (x & (side - 1))];
}

static double neighbours_mean(double *map, size_t side, size_t y, size_t x, size_t d, bool diagonal) {
    static const int steps[2][4][2] = {{{-1, 0}, {1, 0}, {0, -1}, {0, 1}}, {{-1, -1}, {-1, 1}, {1, -1}, {1, 1}}};
    double sum = 0;
    for (int k = 0; k < 4; ++k)
        sum += *place(map, side, y + (size_t)steps[diagonal][k][0] * d, x + (size_t)steps[diagonal][k][1] * d);
    return sum / 4;
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
                    neighbours_mean(map, side, y, x, half, true) + amplitude * (2 * paced_rng_uniform(rng) - 1);
        for (size_t y = 0; y < side; y += half)
            for (size_t x = y % step ? 0 : half; x < side; x += step)
                *place(map, side, y, x) =
                    neighbours_mean(map, side, y, x, half, false) + amplitude * (2 * paced_rng_uniform(rng) - 1);
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

/* Adds the upper left corner of a fractal, whose side is the smallest power of two >= the image's sides and 4. The sum
 * is scaled so that the image's maximum with full fog is unchanged. */
enum paced_err corrupt_fog(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const struct {
        double amount, decay;
    } constants[PACED_SEVERITIES] = {{1.5, 2}, {2, 2}, {2.5, 1.7}, {2.5, 1.5}, {3, 1.4}};
    const double amount = constants[severity].amount;
    const size_t height = (size_t)sample->extent.height, width = (size_t)sample->extent.width;
    size_t side = 4;
    while (side < height || side < width) side *= 2;
    double *map = paced_alloc(side * side, sizeof *map);
    grow_fractal(map, side, constants[severity].decay, rng);
    normalise(map, side * side);
    float *rgb = sample->rgb, brightest = 0;
    for (size_t i = 0; i < 3 * sample_pixels(sample); ++i)
        if (rgb[i] > brightest) brightest = rgb[i];
    const double scale = (double)brightest / ((double)brightest + amount);
    for (size_t y = 0; y < height; ++y)
        for (size_t x = 0; x < width; ++x)
            for (int c = 0; c < 3; ++c, ++rgb) *rgb = (float)(((double)*rgb + amount * map[y * side + x]) * scale);
    free(map);
    return PACED_OK;
}

/* ---- outlines and distances as OpenCV computes them, because the reference shades its drops with these two ------- */

/* The gradient of a pixel; strength = |dx| + |dy|. */
struct gradient {
    int dx, dy, strength;
};

/* The gradients of grey[height][width] with a border of zeros, [height + 2][width + 2], to be freed. */
static struct gradient *find_gradients(const uint8_t *grey, struct paced_extent extent) {
    const size_t h = (size_t)extent.height, w = (size_t)extent.width, pitch = w + 2;
    float *values = paced_alloc(h * w, sizeof *values);
    for (size_t i = 0; i < h * w; ++i) values[i] = grey[i];
    float *padded = filter_pad(values, extent, 1, 1, BORDER_NEAREST);
    struct gradient *gradients = paced_alloc((h + 2) * pitch, sizeof *gradients);
    for (size_t y = 1; y <= h; ++y)
        for (size_t x = 1; x <= w; ++x) {
            const float *at = padded + y * pitch + x, *up = at - pitch, *down = at + pitch;
            const int dx = (int)(up[1] - up[-1] + 2 * (at[1] - at[-1]) + down[1] - down[-1]);
            const int dy = (int)(down[-1] - up[-1] + 2 * (down[0] - up[0]) + down[1] - up[1]);
            gradients[y * pitch + x] = (struct gradient){dx, dy, abs(dx) + abs(dy)};
        }
    free(padded);
    free(values);
    return gradients;
}

/* True if the gradient's strength is a local maximum along its direction, quantised to four. On an axis, the first of
 * two equal pixels counts. */
static bool is_ridge(const struct gradient *g, size_t pitch) {
    const double slope = tan(M_PI / 8), across = abs(g->dx), along = abs(g->dy);
    const int strength = g->strength;
    if (along < across * slope) return strength > g[-1].strength && strength >= g[1].strength;
    if (across < along * slope) return strength > (g - pitch)->strength && strength >= g[pitch].strength;
    const ptrdiff_t diagonal = (ptrdiff_t)pitch + ((g->dx ^ g->dy) < 0 ? -1 : 1);
    return strength > g[-diagonal].strength && strength > g[diagonal].strength;
}

enum { NOTHING, FAINT, EDGE };

/* edge[height][width]: 1 on the outlines of grey[height][width], else 0 (Canny, 1986). Outlines are ridges of the
 * gradient (Sobel, |dx| + |dy|) above `low` that are connected to a value above `high`. */
static void find_edges(const uint8_t *grey, struct paced_extent extent, int low, int high, uint8_t *edge) {
    const size_t h = (size_t)extent.height, w = (size_t)extent.width, pitch = w + 2;
    struct gradient *gradients = find_gradients(grey, extent);
    uint8_t *state = paced_alloc((h + 2) * pitch, 1);
    size_t *todo = paced_alloc(h * w, sizeof *todo), count = 0; /* edges whose neighbours are not checked yet */
    for (size_t y = 1; y <= h; ++y)
        for (size_t x = 1; x <= w; ++x) {
            const size_t i = y * pitch + x;
            if (gradients[i].strength <= low || !is_ridge(&gradients[i], pitch)) continue;
            state[i] = gradients[i].strength > high ? EDGE : FAINT;
            if (state[i] == EDGE) todo[count++] = i;
        }
    while (count > 0) {
        const size_t corner = todo[--count] - pitch - 1;
        for (size_t k = 0; k < 9; ++k) {
            const size_t i = corner + k / 3 * pitch + k % 3;
            if (state[i] != FAINT) continue;
            state[i] = EDGE;
            todo[count++] = i;
        }
    }
    for (size_t i = 0; i < h * w; ++i) edge[i] = state[(i / w + 1) * pitch + i % w + 1] == EDGE;
    free(todo);
    free(state);
    free(gradients);
}

/* The distance of pixel i, also through the neighbours that the scan visited before: above and left of it for direction
 * 1, below and right of it for -1. */
static float by_neighbours(const float *distance, struct paced_extent extent, int i, int direction) {
    static const struct {
        int dy, dx;
        float length;
    } steps[] = {{0, -1, 1},        {-1, 0, 1},       {-1, -1, 1.4F},    {-1, 1, 1.4F},
                 {-1, -2, 2.1969F}, {-1, 2, 2.1969F}, {-2, -1, 2.1969F}, {-2, 1, 2.1969F}};
    float nearest = distance[i];
    for (size_t k = 0; k < PACED_COUNT(steps); ++k) {
        const int row = i / extent.width + direction * steps[k].dy, column = i % extent.width + direction * steps[k].dx;
        if (row < 0 || row >= extent.height || column < 0 || column >= extent.width) continue;
        nearest = fminf(nearest, distance[row * extent.width + column] + steps[k].length);
    }
    return nearest;
}

/* distance[height][width] to the nearest edge, at most `max` pixels: chamfer distance with a 5 x 5 neighbourhood
 * (Borgefors, 1986). */
static void find_distance(const uint8_t *edge, struct paced_extent extent, float max, float *distance) {
    const int count = extent.height * extent.width;
    for (int i = 0; i < count; ++i) distance[i] = edge[i] ? 0 : max;
    for (int i = 0; i < count; ++i) distance[i] = by_neighbours(distance, extent, i, 1);
    for (int i = count - 1; i >= 0; --i) distance[i] = by_neighbours(distance, extent, i, -1);
}

/* ---- drops, where a smoothed random field exceeds a threshold ------------------------------------------------- */

struct liquid {
    double mean, stddev, sigma; /* of the random field; sigma smooths it */
    float threshold;            /* the field above it is liquid */
    float strength;             /* water: brightness of the brightest drop; mud: sigma that smooths its rim */
    bool mud;
};

static float *pour(const struct liquid *liquid, struct paced_extent extent, struct paced_rng *rng) {
    const size_t pixels = paced_extent_pixels(extent);
    float *layer = paced_alloc(pixels, sizeof *layer);
    for (size_t i = 0; i < pixels; ++i) layer[i] = (float)(liquid->mean + liquid->stddev * paced_rng_normal(rng));
    filter_smooth(layer, extent, 1, liquid->sigma);
    return layer;
}

static uint8_t to_byte(float value) {
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Equalises grey[count] to 0 to 255 by the cumulative histogram, without the darkest value's count. */
static void equalise(uint8_t *grey, size_t count) {
    size_t histogram[256] = {0}, below = 0;
    uint8_t table[256] = {0};
    for (size_t i = 0; i < count; ++i) ++histogram[grey[i]];
    int darkest = 0;
    while (histogram[darkest] == 0) ++darkest;
    if (histogram[darkest] == count) return;
    const double scale = 255.0 / (double)(count - histogram[darkest]);
    for (int value = darkest + 1; value < 256; ++value) {
        below += histogram[value];
        table[value] = (uint8_t)lrint((double)below * scale);
    }
    for (size_t i = 0; i < count; ++i) grey[i] = table[grey[i]];
}

/* The shading of drops, 0 to 255: a relief of the distances from their outlines, lit from one side. Intermediate
 * results are bytes, because the reference truncates there. Means of 3 x 3 are thus sums, exact in floats, divided
 * by 9. */
static void shade(const uint8_t *layer, struct paced_extent extent, float *shading) {
    static const float sum[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, relief[9] = {-2, -1, 0, -1, 1, 1, 0, 1, 2};
    const size_t pixels = paced_extent_pixels(extent);
    uint8_t *bytes = paced_alloc(pixels, 1);
    find_edges(layer, extent, 50, 150, bytes);
    find_distance(bytes, extent, 20, shading);
    filter_correlate(shading, extent, 1, sum, 1);
    for (size_t i = 0; i < pixels; ++i) bytes[i] = to_byte(shading[i] / 9);
    equalise(bytes, pixels);
    for (size_t i = 0; i < pixels; ++i) shading[i] = bytes[i];
    filter_correlate(shading, extent, 1, relief, 1);
    for (size_t i = 0; i < pixels; ++i) shading[i] = to_byte(shading[i]);
    filter_correlate(shading, extent, 1, sum, 1);
    for (size_t i = 0; i < pixels; ++i) shading[i] = rintf(shading[i] / 9);
    free(bytes);
}

/* Adds pale turquoise, with weight `strength` at the brightest drop. */
static void add_water(const struct liquid *liquid, float *layer, struct paced_sample *sample) {
    static const float turquoise[3] = {175 / 255.0F, 238 / 255.0F, 238 / 255.0F};
    const size_t pixels = sample_pixels(sample);
    uint8_t *height = paced_alloc(pixels, 1);
    for (size_t i = 0; i < pixels; ++i) height[i] = layer[i] < liquid->threshold ? 0 : to_byte(layer[i] * 255);
    shade(height, sample->extent, layer);
    float max = 0;
    for (size_t i = 0; i < pixels; ++i) {
        layer[i] *= height[i];
        max = fmaxf(max, layer[i]);
    }
    for (size_t i = 0; i < pixels && max > 0; ++i)
        for (size_t c = 0; c < 3; ++c) sample->rgb[3 * i + c] += layer[i] / max * liquid->strength * turquoise[c];
    free(height);
}

/* Blends in brown, without mud's thin rim. */
static void add_mud(const struct liquid *liquid, float *layer, struct paced_sample *sample) {
    static const float brown[3] = {63 / 255.0F, 42 / 255.0F, 20 / 255.0F};
    const size_t pixels = sample_pixels(sample);
    for (size_t i = 0; i < pixels; ++i) layer[i] = layer[i] > liquid->threshold ? 1 : 0;
    filter_smooth(layer, sample->extent, 1, (double)liquid->strength);
    for (size_t i = 0; i < pixels; ++i)
        for (size_t c = 0; c < 3 && layer[i] >= 0.8F; ++c) {
            float *value = sample->rgb + 3 * i + c;
            *value += (brown[c] - *value) * layer[i];
        }
}

enum paced_err corrupt_spatter(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const struct liquid liquids[PACED_SEVERITIES] = {{.65, .3, 4, .69F, .6F, false},
                                                            {.65, .3, 3, .68F, .6F, false},
                                                            {.65, .3, 2, .68F, .5F, false},
                                                            {.65, .3, 1, .65F, 1.5F, true},
                                                            {.67, .4, 1, .65F, 1.5F, true}};
    const struct liquid *liquid = &liquids[severity];
    float *layer = pour(liquid, sample->extent, rng);
    (liquid->mud ? add_mud : add_water)(liquid, layer, sample);
    free(layer);
    return PACED_OK;
}
