/* digital: brightness, contrast and saturation; artefacts of storage and transmission. */
#include "src/perturb/corruptions.h"

#include <math.h>
#include <stdlib.h>
#include <turbojpeg.h>

/* ---- colour -------------------------------------------------------------------------------------------------- */

/* V = max(r, g, b) and S = 1 - min(r, g, b) / V are those of HSV. At a fixed hue, r, g, b are proportional to V, and
 * their distance from V to S, so the hue is not needed. */
static float brightest(const float *rgb) {
    return fmaxf(rgb[0], fmaxf(rgb[1], rgb[2]));
}

static float darkest(const float *rgb) {
    return fminf(rgb[0], fminf(rgb[1], rgb[2]));
}

/* Replaces V by min(V + c, 1). Black has no hue and becomes grey. */
enum paced_err corrupt_brightness(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const float added[PACED_SEVERITIES] = {.1F, .2F, .3F, .4F, .5F};
    float *rgb = sample->rgb;
    for (size_t i = 0; i < sample_pixels(sample); ++i, rgb += 3) {
        const float value = brightest(rgb), brighter = fminf(value + added[severity], 1);
        for (int c = 0; c < 3; ++c) rgb[c] = value > 0 ? rgb[c] / value * brighter : brighter;
    }
    return PACED_OK;
}

/* Scales each channel's difference from its mean over the image. */
enum paced_err corrupt_contrast(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const float factor[PACED_SEVERITIES] = {.4F, .3F, .2F, .1F, .05F};
    const size_t pixels = sample_pixels(sample);
    for (int c = 0; c < 3; ++c) {
        float *rgb = sample->rgb + c;
        double sum = 0;
        for (size_t i = 0; i < pixels; ++i) sum += (double)rgb[3 * i];
        const float mean = (float)(sum / (double)pixels);
        for (size_t i = 0; i < pixels; ++i) rgb[3 * i] = (rgb[3 * i] - mean) * factor[severity] + mean;
    }
    return PACED_OK;
}

/* Replaces S by a S + b, within 0 to 1. Grey has no hue and counts as red, as in HSV: it stays grey only if b = 0. */
enum paced_err corrupt_saturate(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const struct {
        float factor, added;
    } constants[PACED_SEVERITIES] = {{.3F, 0}, {.1F, 0}, {2, 0}, {5, .1F}, {20, .2F}};
    float *rgb = sample->rgb;
    for (size_t i = 0; i < sample_pixels(sample); ++i, rgb += 3) {
        const float value = brightest(rgb), spread = value - darkest(rgb);
        if (value <= 0) continue;
        const float saturation = spread / value;
        const float wanted = fminf(saturation * constants[severity].factor + constants[severity].added, 1);
        for (int c = 0; c < 3; ++c) {
            const float place = spread > 0 ? (value - rgb[c]) / spread : c == 0 ? 0.0F : 1.0F;
            rgb[c] = value - value * wanted * place;
        }
    }
    return PACED_OK;
}

/* ---- storage and transmission -------------------------------------------------------------------------------- */

static void to_bytes(uint8_t *bytes, const float *values, size_t count) {
    for (size_t i = 0; i < count; ++i) bytes[i] = (uint8_t)lrintf(values[i] * 255);
}

/* Compresses bytes[height][width][3] to JPEG and decompresses them in place. Chroma at half resolution and the exact
 * transform are libjpeg's defaults. */
static bool jpeg_round_trip(uint8_t *bytes, struct paced_extent extent, int quality) {
    unsigned char *file = NULL; /* TurboJPEG allocates it */
    unsigned long length = 0;
    tjhandle to = tjInitCompress(), from = tjInitDecompress();
    bool done = to && from &&
                !tjCompress2(to, bytes, extent.width, 0, extent.height, TJPF_RGB, &file, &length, TJSAMP_420, quality,
                             TJFLAG_ACCURATEDCT) &&
                !tjDecompress2(from, file, length, bytes, extent.width, 0, extent.height, TJPF_RGB, TJFLAG_ACCURATEDCT);
    tjFree(file);
    if (from) tjDestroy(from);
    if (to) tjDestroy(to);
    return done;
}

enum paced_err corrupt_jpeg_compression(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const int quality[PACED_SEVERITIES] = {25, 18, 15, 10, 7};
    const size_t values = 3 * sample_pixels(sample);
    uint8_t *bytes = paced_alloc(values, 1);
    to_bytes(bytes, sample->rgb, values);
    const bool done = jpeg_round_trip(bytes, sample->extent, quality[severity]);
    for (size_t i = 0; i < values && done; ++i) sample->rgb[i] = (float)bytes[i] / 255;
    free(bytes);
    if (done) return PACED_OK;
    return paced_error(PACED_FAILED, "jpeg_compression of %d x %d pixels: %s", sample->extent.width,
                       sample->extent.height, tjGetErrorStr2(NULL));
}

/* The mean of pixels [top, bottom) x [left, right) for each channel. */
static void box_mean(const struct paced_sample *sample, int top, int bottom, int left, int right, float mean[3]) {
    double sum[3] = {0, 0, 0};
    for (int y = top; y < bottom; ++y)
        for (int x = left; x < right; ++x)
            for (int c = 0; c < 3; ++c)
                sum[c] += (double)sample->rgb[((size_t)y * (size_t)sample->extent.width + (size_t)x) * 3 + (size_t)c];
    for (int c = 0; c < 3; ++c) mean[c] = (float)(sum[c] / ((bottom - top) * (right - left)));
}

/* Borders of `cells` cells along an axis of `size` pixels; the result has cells + 1 elements. Release with free(). */
static int *cell_borders(int size, int cells) {
    int *border = paced_alloc((size_t)cells + 1, sizeof *border);
    for (int i = 0; i <= cells; ++i) border[i] = (int)((double)i * size / cells + 0.5);
    return border;
}

/* Downsamples each side to max(factor * side, 1) by the mean of the pixels whose centres are in a cell; upsamples by
 * repetition. */
enum paced_err corrupt_pixelate(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double factor[PACED_SEVERITIES] = {.6, .5, .4, .3, .25};
    const int height = sample->extent.height, width = sample->extent.width;
    const int rows = (int)fmax(height * factor[severity], 1), columns = (int)fmax(width * factor[severity], 1);
    int *down = cell_borders(height, rows), *across = cell_borders(width, columns);
    float *cells = paced_alloc((size_t)rows * (size_t)columns * 3, sizeof *cells), *rgb = sample->rgb;
    for (int y = 0; y < rows; ++y)
        for (int x = 0; x < columns; ++x)
            box_mean(sample, down[y], down[y + 1], across[x], across[x + 1], cells + 3 * (y * columns + x));
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x, rgb += 3) {
            const int cell = (2 * y + 1) * rows / (2 * height) * columns + (2 * x + 1) * columns / (2 * width);
            for (int c = 0; c < 3; ++c) rgb[c] = cells[3 * cell + c];
        }
    free(cells);
    free(across);
    free(down);
    return PACED_OK;
}
