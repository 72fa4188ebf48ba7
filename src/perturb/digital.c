/* digital: artefacts of storage and transmission. */
#include "src/perturb/corruptions.h"

#include <math.h>
#include <stdlib.h>
#include <turbojpeg.h>

static void to_bytes(uint8_t *bytes, const float *values, size_t count) {
    for (size_t i = 0; i < count; ++i) bytes[i] = (uint8_t)lrintf(values[i] * 255);
}

/* Compresses bytes[size][size][3] to JPEG and decompresses them in place. Chroma at half resolution and the exact
 * transform are libjpeg's defaults. */
static bool jpeg_round_trip(uint8_t *bytes, int size, int quality) {
    unsigned char *file = NULL; /* TurboJPEG allocates it */
    unsigned long length = 0;
    tjhandle to = tjInitCompress(), from = tjInitDecompress();
    bool done =
        to && from &&
        !tjCompress2(to, bytes, size, 0, size, TJPF_RGB, &file, &length, TJSAMP_420, quality, TJFLAG_ACCURATEDCT) &&
        !tjDecompress2(from, file, length, bytes, size, 0, size, TJPF_RGB, TJFLAG_ACCURATEDCT);
    tjFree(file);
    if (from) tjDestroy(from);
    if (to) tjDestroy(to);
    return done;
}

enum paced_err paced_jpeg_compression(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const int quality[PACED_SEVERITIES] = {25, 18, 15, 10, 7};
    (void)rng;
    const size_t values = 3 * paced_sample_pixels(sample);
    uint8_t *bytes = paced_alloc(values, 1);
    to_bytes(bytes, sample->rgb, values);
    const bool done = jpeg_round_trip(bytes, sample->size, quality[severity]);
    for (size_t i = 0; i < values && done; ++i) sample->rgb[i] = (float)bytes[i] / 255;
    free(bytes);
    if (done) return PACED_OK;
    return paced_error(PACED_FAILED, "jpeg_compression of %d x %d pixels: %s", sample->size, sample->size,
                       tjGetErrorStr2(NULL));
}

/* The mean of pixels [top, bottom) x [left, right) for each channel. */
static void box_mean(const struct paced_sample *sample, int top, int bottom, int left, int right, float mean[3]) {
    double sum[3] = {0, 0, 0};
    for (int y = top; y < bottom; ++y)
        for (int x = left; x < right; ++x)
            for (int c = 0; c < 3; ++c)
                sum[c] += (double)sample->rgb[((size_t)y * (size_t)sample->size + (size_t)x) * 3 + (size_t)c];
    for (int c = 0; c < 3; ++c) mean[c] = (float)(sum[c] / ((bottom - top) * (right - left)));
}

/* Downsamples to side = max(factor * size, 1) by the mean of the pixels whose centres are in a cell; upsamples by
 * repetition. */
enum paced_err paced_pixelate(int severity, struct paced_rng *rng, struct paced_sample *sample) {
    static const double factor[PACED_SEVERITIES] = {.6, .5, .4, .3, .25};
    (void)rng;
    const int size = sample->size, side = size * factor[severity] < 1 ? 1 : (int)(size * factor[severity]);
    int *border = paced_alloc((size_t)side + 1, sizeof *border); /* of the cells along one axis */
    float *cells = paced_alloc((size_t)side * (size_t)side * 3, sizeof *cells), *rgb = sample->rgb;
    for (int i = 0; i <= side; ++i) border[i] = (int)((double)i * size / side + 0.5);
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x)
            box_mean(sample, border[y], border[y + 1], border[x], border[x + 1], cells + 3 * (y * side + x));
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x, rgb += 3) {
            const int cell = (2 * y + 1) * side / (2 * size) * side + (2 * x + 1) * side / (2 * size);
            for (int c = 0; c < 3; ++c) rgb[c] = cells[3 * cell + c];
        }
    free(cells);
    free(border);
    return PACED_OK;
}
