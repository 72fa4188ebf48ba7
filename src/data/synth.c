/* Common functions of the synthetic sets. Speckle is the magnitude of a complex Gaussian field (Rayleigh: Burckhardt
 * 1978), blurred to a small grain; LOOKS fields are averaged in power, as in a compounding scanner. */
#include "src/data/synth.h"

#include <stdlib.h>

enum { LATTICE = NOISE_LATTICE, LOOKS = 3 };
enum { MIN_COUNT = 5, MAX_COUNT = 1000000, MIN_SIZE = 16, MAX_SIZE = 4096 };

/* ---- smooth random fields ------------------------------------------------------------------------------------ */

void noise_fill(struct noise *n, struct paced_rng *rng) {
    for (int y = 0; y < LATTICE; ++y)
        for (int x = 0; x < LATTICE; ++x) n->value[y][x] = (float)between(rng, -1, 1);
}

double noise_at(const struct noise *n, double x, double y) {
    double left = floor(x), top = floor(y);
    unsigned x0 = (unsigned)(int)left % LATTICE, y0 = (unsigned)(int)top % LATTICE;
    unsigned x1 = (x0 + 1) % LATTICE, y1 = (y0 + 1) % LATTICE;
    double u = smooth_step(0, 1, x - left), v = smooth_step(0, 1, y - top);
    return mix(mix(n->value[y0][x0], n->value[y0][x1], u), mix(n->value[y1][x0], n->value[y1][x1], u), v);
}

double noise_clouds(const struct noise *n, double x, double y) {
    return (noise_at(n, x, y) + 0.5 * noise_at(n, 2 * x + 17, 2 * y + 5) + 0.25 * noise_at(n, 4 * x + 3, 4 * y + 29)) /
           1.4;
}

double noise_lines(const struct noise *n, double x, double y, double thickness) {
    return bell(noise_at(n, x, y) + 0.35 * noise_at(n, 2 * x + 11, 2 * y + 7), thickness);
}

/* ---- speckle ------------------------------------------------------------------------------------------------- */

/* Blurs a line of `n` values, `step` apart, with a Gaussian. Preserves the variance of white noise. */
static void blur_line(float *values, int n, size_t step, const double *kernel, int radius, float *line) {
    for (int i = 0; i < n; ++i) line[i] = values[(size_t)i * step];
    for (int i = 0; i < n; ++i) {
        double sum = 0;
        for (int k = -radius; k <= radius; ++k) sum += kernel[k + radius] * line[(i + k + n) % n];
        values[(size_t)i * step] = (float)sum;
    }
}

enum { MAX_RADIUS = 7 };

static int make_kernel(double *kernel, double sigma, int size) {
    int radius = (int)ceil(2.5 * sigma);
    if (radius > MAX_RADIUS) radius = MAX_RADIUS;
    if (radius > size / 2) radius = size / 2;
    double power = 0;
    for (int k = -radius; k <= radius; ++k) {
        kernel[k + radius] = exp(-0.5 * k * k / (sigma * sigma));
        power += kernel[k + radius] * kernel[k + radius];
    }
    for (int k = 0; k <= 2 * radius; ++k) kernel[k] /= sqrt(power);
    return radius;
}

void speckle_make(float *power, int size, struct paced_rng *rng) {
    const size_t side = (size_t)size, count = side * side;
    const double scale = size / 170.0;
    double across[2 * MAX_RADIUS + 1], along[2 * MAX_RADIUS + 1];
    const int across_radius = make_kernel(across, fmin(2.8, fmax(0.55, 1.1 * scale)), size);
    const int along_radius = make_kernel(along, fmin(2.8, fmax(0.40, 0.6 * scale)), size);
    float *field = paced_alloc(count, sizeof *field), *line = paced_alloc(side, sizeof *line);
    for (size_t i = 0; i < count; ++i) power[i] = 0;
    for (int part = 0; part < 2 * LOOKS; ++part) { /* real and imaginary parts */
        for (size_t i = 0; i < count; ++i) field[i] = (float)paced_rng_normal(rng);
        for (size_t y = 0; y < side; ++y) blur_line(field + y * side, size, 1, across, across_radius, line);
        for (size_t x = 0; x < side; ++x) blur_line(field + x, size, side, along, along_radius, line);
        for (size_t i = 0; i < count; ++i) power[i] += field[i] * field[i] / (2 * LOOKS);
    }
    free(line);
    free(field);
}

uint8_t speckle_grey(double level, double power) {
    const double grey = 255 * (1 + (level + 10 * log10(power + 1e-4)) / SYNTH_RANGE_DB);
    return (uint8_t)(grey < 0 ? 0 : grey > 255 ? 255 : grey + 0.5);
}

/* ---- files --------------------------------------------------------------------------------------------------- */

enum paced_err synth_check(int64_t count, int64_t size) {
    if (count < MIN_COUNT || count > MAX_COUNT)
        return paced_error(PACED_INVALID, "a synthetic set of %lld images is not possible; --count must be %d to %d",
                           (long long)count, MIN_COUNT, MAX_COUNT);
    if (size < MIN_SIZE || size > MAX_SIZE)
        return paced_error(PACED_INVALID, "synthetic images of size %lld are not possible; --size must be %d to %d",
                           (long long)size, MIN_SIZE, MAX_SIZE);
    return PACED_OK;
}

static const char *const split_names[] = {[PACED_TRAIN] = "train.json", [PACED_VAL] = "val.json"};

enum paced_err synth_begin(const char *dir, const char *const *folders, size_t count) {
    enum paced_err err = PACED_OK;
    for (size_t i = 0; err == PACED_OK && i < count; ++i) {
        char *path = paced_path_join(dir, folders[i]);
        err = paced_make_dirs(path);
        free(path);
    }
    for (size_t i = 0; err == PACED_OK && i < PACED_COUNT(split_names); ++i) {
        char *path = paced_path_join(dir, split_names[i]);
        err = paced_file_remove(path);
        free(path);
    }
    return err;
}

enum paced_err synth_next(int i, int count) {
    char text[64];
    if (paced_stop_asked()) {
        paced_log(PACED_LOG_INFO,
                  "stopped after %d of %d images; the set is incomplete (without %s and %s), run the same command "
                  "to generate all of it",
                  i, count, split_names[PACED_TRAIN], split_names[PACED_VAL]);
        return PACED_STOPPED;
    }
    snprintf(text, sizeof text, "synth %d/%d", i + 1, count);
    paced_log_status(text);
    return PACED_OK;
}

enum paced_phase synth_phase(int i) {
    return i % 5 == 4 ? PACED_VAL : PACED_TRAIN;
}

enum paced_err synth_write_pair(const char *dir, const char *image_name, const char *mask_name, int size, int channels,
                                const uint8_t *image, const uint8_t *mask) {
    char *image_path = paced_path_join(dir, image_name), *mask_path = paced_path_join(dir, mask_name);
    enum paced_err err = paced_png_write(image_path, size, size, channels, image);
    if (err == PACED_OK) err = paced_png_write(mask_path, size, size, channels, mask);
    free(mask_path);
    free(image_path);
    return err;
}

void synth_list_pair(struct paced_text *split, const char *image_name, const char *mask_name) {
    paced_text_add(split, "%s\n  [\"%s\", \"%s\"]", split->size == 0 ? "[" : ",", image_name, mask_name);
}

static enum paced_err write_split(const char *dir, const char *name, struct paced_text *split) {
    paced_text_add(split, "\n]\n");
    char *path = paced_path_join(dir, name);
    enum paced_err err = paced_file_write(path, split->data, split->size);
    free(path);
    return err;
}

enum paced_err synth_write_splits(const char *dir, struct paced_text splits[2], enum paced_err err) {
    paced_log_status(NULL);
    if (err == PACED_OK) err = write_split(dir, split_names[PACED_TRAIN], &splits[PACED_TRAIN]);
    if (err == PACED_OK) err = write_split(dir, split_names[PACED_VAL], &splits[PACED_VAL]);
    free(splits[PACED_TRAIN].data);
    free(splits[PACED_VAL].data);
    return err;
}
