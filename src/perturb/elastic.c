/* elastic: deformation of soft tissue by a smooth random displacement field:
 *
 *     d = alpha gauss(U(-0.005 side, 0.005 side)), gauss of stddev 0.01 side, for x and for y
 *
 * as in the package imagecorruptions, a later form of ImageNet-C: no affine jitter before, the Gaussian is truncated at
 * 3 stddev, fields and image are mirrored at the border. The stddev of d is about alpha * 0.08 pixels for all sides
 * from 32, because the blur reduces the amplitude as the side increases it. */
#include <stdlib.h>

#include "src/perturb/corruptions.h"
#include "src/perturb/filter.h"
#include "src/perturb/warp.h"

/* Blurs in[size][size] along its rows and writes out[size][size] transposed, so that two calls blur both directions.
 * `line` has size + 2 radius elements, for a row with its mirrored ends (radius < size). */
static void blur_rows(const float *in, float *out, int size, const float *weights, int radius, float *line) {
    for (int y = 0; y < size; ++y) {
        for (int i = -radius; i < size + radius; ++i) {
            int x = i < 0 ? -1 - i : i >= size ? 2 * size - 1 - i : i;
            line[i + radius] = in[(size_t)y * (size_t)size + (size_t)x];
        }
        for (int x = 0; x < size; ++x) {
            float sum = 0;
            for (int k = 0; k <= 2 * radius; ++k) sum += weights[k] * line[x + k];
            out[(size_t)x * (size_t)size + (size_t)y] = sum;
        }
    }
}

static float *draw_field(double alpha, struct paced_rng *rng, int size) {
    size_t pixels = (size_t)size * (size_t)size;
    float *field = paced_alloc(pixels, sizeof *field), *blurred = paced_alloc(pixels, sizeof *blurred);
    for (size_t i = 0; i < pixels; ++i) field[i] = (float)(alpha * 0.01 * size * (paced_rng_uniform(rng) - 0.5));
    int radius = (int)(3 * 0.01 * size + 0.5);
    float *weights = paced_alloc((size_t)(2 * radius + 1), sizeof *weights);
    paced_gaussian(weights, radius, 0.01 * size);
    float *line = paced_alloc((size_t)(size + 2 * radius), sizeof *line);
    blur_rows(field, blurred, size, weights, radius, line);
    blur_rows(blurred, field, size, weights, radius, line);
    free(line);
    free(weights);
    free(blurred);
    return field;
}

void paced_warp_elastic(struct paced_warp *warp, double alpha, struct paced_rng *rng, int size) {
    free(warp->dx);
    free(warp->dy);
    warp->dx = draw_field(alpha, rng, size);
    warp->dy = draw_field(alpha, rng, size);
}

enum paced_err paced_elastic(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double alpha[PACED_SEVERITIES] = {12.5, 16.25, 21.25, 25, 30};
    struct paced_warp warp;
    paced_warp_init(&warp);
    paced_warp_elastic(&warp, alpha[severity], rng, sample->size);
    paced_warp_apply(&warp, PACED_BEYOND_MIRROR, sample);
    paced_warp_finish(&warp);
    return PACED_OK;
}
