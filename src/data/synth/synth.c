/* Common functions of the synthetic sets. Speckle is the magnitude of a complex Gaussian field (Rayleigh: Burckhardt
 * 1978), blurred to a small grain; LOOKS fields are averaged in power, as in a compounding scanner. */
#include "src/data/synth/synth.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define RANGE_DB 60.0 /* from black to white */

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

/* Fills power[size * size] with speckle of mean 1. The grain is wider than tall, like a scanner's resolution cell. */
static void make_speckle(float *power, int size, struct paced_rng *rng) {
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

void synth_render(const struct synth_ultrasound *view, const void *scene, struct paced_rng *rng,
                  struct synth_pair *pair) {
    const int size = pair->size;
    float *power = paced_alloc((size_t)size * (size_t)size, sizeof *power);
    make_speckle(power, size, rng);
    for (int i = 0; i < size * size; ++i) {
        const double x = (i % size + 0.5) / size, y = (i / size + 0.5) / size;
        const double grey = 255 * (1 + (view->level(scene, x, y) + 10 * log10(power[i] + 1e-4)) / RANGE_DB);
        pair->image[i] = (uint8_t)(grey < 0 ? 0 : grey > 255 ? 255 : grey + 0.5);
        pair->mask[i] = view->is_object(scene, x, y) ? 255 : 0;
    }
    free(power);
}

/* ---- files --------------------------------------------------------------------------------------------------- */

static enum paced_err check(int64_t count, int64_t size) {
    if (count < MIN_COUNT || count > MAX_COUNT)
        return paced_error(PACED_INVALID, "a synthetic set of %lld images is not possible; --count must be %d to %d",
                           (long long)count, MIN_COUNT, MAX_COUNT);
    if (size < MIN_SIZE || size > MAX_SIZE)
        return paced_error(PACED_INVALID, "synthetic images of size %lld are not possible; --size must be %d to %d",
                           (long long)size, MIN_SIZE, MAX_SIZE);
    return PACED_OK;
}

static const char *const split_names[] = {[PACED_TRAIN] = "train.json", [PACED_VAL] = "val.json"};

/* Record that the files of a directory are synthetic. It is the first file of a set, so that a set that is incomplete
 * can be generated again. */
#define RECORD ".paced.synth"             /* hidden, because it is no image of the set */
static const char mark[] = "paced synth"; /* its start */

static bool is_synthetic(const char *dir) {
    char *path = paced_path_join(dir, RECORD);
    bool is = paced_file_begins(path, mark);
    free(path);
    return is;
}

static enum paced_err write_record(const char *dir, const char *text) {
    PACED_TRY(paced_make_dirs(dir));
    char *path = paced_path_join(dir, RECORD);
    enum paced_err err = paced_file_write(path, text, strlen(text));
    free(path);
    return err;
}

static enum paced_err check_link(const char *dir, const char *name) {
    char *path = paced_path_join(dir, name);
    enum paced_err err = paced_link_check(path);
    free(path);
    return err;
}

/* Refuses a symbolic link in the place of a file beside the folders of images. */
static enum paced_err check_links(const char *dir) {
    PACED_TRY(check_link(dir, RECORD));
    PACED_TRY(check_link(dir, LABELS));
    for (size_t i = 0; i < PACED_COUNT(split_names); ++i) PACED_TRY(check_link(dir, split_names[i]));
    return PACED_OK;
}

enum paced_err paced_synth_claim(const char *dir, int64_t count, int64_t size) {
    PACED_TRY(check(count, size));
    PACED_TRY(check_links(dir));
    return write_record(dir, mark);
}

static enum paced_err refuse_file(const char *dir, const char *name) {
    char *path = paced_path_join(dir, name);
    enum paced_err err = PACED_OK;
    if (paced_path_exists(path))
        err = paced_error_at(PACED_INVALID, path,
                             "was not written by `paced synth`; choose another --output, or replace such files with "
                             "--overwrite");
    free(path);
    return err;
}

/* Returns the first error of the check of a folder's files, in the order of their names. */
static enum paced_err check_folder(const char *dir, const char *folder,
                                   enum paced_err (*check_file)(const char *dir, const char *name)) {
    char *path = paced_path_join(dir, folder);
    struct dirent **entries;
    enum paced_err err = PACED_OK;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; ++i) {
        const char *name = entries[i]->d_name;
        if (!err && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) err = check_file(path, name);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
    free(path);
    return err;
}

/* Refuses links, and to mix a set with files of other origin. */
static enum paced_err check_files(const struct synth_set *set, const char *dir) {
    PACED_TRY(check_links(dir));
    for (size_t i = 0; i < set->folder_count; ++i) PACED_TRY(check_folder(dir, set->folders[i], check_link));
    if (is_synthetic(dir)) return PACED_OK;
    PACED_TRY(refuse_file(dir, RECORD));
    for (size_t i = 0; i < set->folder_count; ++i) PACED_TRY(check_folder(dir, set->folders[i], refuse_file));
    if (set->write_labels) PACED_TRY(refuse_file(dir, LABELS));
    for (size_t i = 0; i < PACED_COUNT(split_names); ++i) PACED_TRY(refuse_file(dir, split_names[i]));
    return PACED_OK;
}

/* Creates the folders and removes the splits of an earlier set, whose images will be replaced. */
static enum paced_err begin(const struct synth_set *set, const char *dir, const char *record) {
    PACED_TRY(check_files(set, dir));
    enum paced_err err = write_record(dir, record);
    for (size_t i = 0; err == PACED_OK && i < set->folder_count; ++i) {
        char *path = paced_path_join(dir, set->folders[i]);
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

/* Shows progress before image i; PACED_STOPPED after Ctrl-C. */
static enum paced_err show_progress(int i, int count) {
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

static enum paced_err write_png(const char *dir, const char *name, int size, int channels, const uint8_t *pixels) {
    char *path = paced_path_join(dir, name);
    enum paced_err err = paced_png_write(path, size, size, channels, pixels);
    free(path);
    return err;
}

static enum paced_err write_pair(const struct synth_set *set, const char *dir, struct synth_pair *pair,
                                 struct paced_text *split) {
    const char *image = pair->image_name, *mask = pair->mask_name;
    enum paced_err err = write_png(dir, image, pair->size, set->channels, pair->image);
    if (err == PACED_OK) err = write_png(dir, mask, pair->size, set->channels, pair->mask);
    if (set->lists_base_names) {
        image = strrchr(image, '/') + 1;
        mask = strrchr(mask, '/') + 1;
    }
    paced_text_add(split, "%s\n  [\"%s\", \"%s\"]", split->size == 0 ? "[" : ",", image, mask);
    free(pair->image_name);
    free(pair->mask_name);
    return err;
}

static enum paced_err write_split(const char *dir, const char *name, struct paced_text *split) {
    paced_text_add(split, "\n]\n");
    char *path = paced_path_join(dir, name);
    enum paced_err err = paced_file_write(path, split->data, split->size);
    free(path);
    return err;
}

enum paced_err synth_write(const struct synth_set *set, const char *dir, int64_t count, int64_t size, uint64_t seed) {
    PACED_TRY(check(count, size));
    char *record = paced_format("%s: %lld images of %lld x %lld pixels, seed %llu\n", mark, (long long)count,
                                (long long)size, (long long)size, (unsigned long long)seed);
    enum paced_err err = begin(set, dir, record);
    free(record);
    if (err) return err;
    const size_t bytes = (size_t)(size * size * set->channels);
    struct synth_pair pair = {.size = (int)size, .image = paced_alloc(bytes, 1), .mask = paced_alloc(bytes, 1)};
    struct paced_text splits[2] = {{0}};
    void *scene = paced_alloc(1, set->scene_bytes);
    if (set->write_labels) err = set->write_labels(dir);
    for (int i = 0; i < count && err == PACED_OK; ++i) {
        struct paced_rng rng;
        err = show_progress(i, (int)count);
        if (err != PACED_OK) break;
        paced_rng_seed(&rng, seed, set->stream + (uint64_t)i);
        pair.phase = i % 5 == 4 ? PACED_VAL : PACED_TRAIN;
        set->draw(scene, seed, i, &rng, &pair);
        err = write_pair(set, dir, &pair, &splits[pair.phase]);
    }
    paced_log_status(NULL);
    for (int phase = 0; phase < 2; ++phase) {
        if (err == PACED_OK) err = write_split(dir, split_names[phase], &splits[phase]);
        free(splits[phase].data);
    }
    free(scene);
    free(pair.mask);
    free(pair.image);
    return err;
}
