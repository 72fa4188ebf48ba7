/* Dataset: the pairs of one split, decoded on demand to rgb[height][width][3] and label[height][width], both resized
 * with NEAREST.
 *
 * Invariant: paced_dataset_load is thread-safe. Decoding runs without the lock; a sample's cache slot is set once,
 * under the lock, and stays constant until the dataset closes. If two threads decode the same sample at the same time,
 * the second result is dropped. */
#include "src/data/dataset.h"
#include "src/data/census.h"
#include "src/data/formats/format.h"
#include "src/data/measure.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Memory bound of the caches of all data sets of the process, and the bytes in use. */
static const size_t cache_limit_bytes = (size_t)1 << 30;
static atomic_size_t cache_used_bytes;

struct paced_dataset {
    struct paced_masks *masks;
    const char *folder; /* folder of the phase below data.root; "": none */
    char *root;         /* folder to which the split's paths are relative */
    struct paced_split split;
    struct paced_extent extent;
    int fit;              /* enum paced_fit */
    double spacing_mm[2]; /* data.spacing; 0: that of the files */
    pthread_mutex_t range_lock;
    bool measured;
    struct paced_value_range range; /* after range_of */

    pthread_mutex_t lock;
    uint8_t **cache;     /* [count]: rgb, then label; NULL: not cached */
    size_t cached_bytes; /* of this data set */

    bool *seen; /* [count]: decoded before, so it is part of the census */
    struct paced_census census;
};

/* Decoded files of a pair, at their original size. */
struct pair {
    struct paced_image image;
    struct paced_mask mask;
    struct paced_image_info info;
    double low, high; /* least and greatest value of the image, if measured */
    double outside;   /* fraction of the image's values outside the range */
    char fault[sizeof((struct paced_raster *)0)->warning];
};

static size_t pixel_count(const struct paced_dataset *d) {
    return paced_extent_pixels(d->extent);
}

/* ---- open and close ------------------------------------------------------------------------------------------ */

static bool is_unset(const char *value) {
    return !value || !*value;
}

static enum paced_err check_options(const struct paced_data_options *options) {
    if (is_unset(options->root))
        return paced_error(PACED_INVALID, "data.root is not set; give the folder that holds the images");
    if (!paced_path_is_dir(options->root))
        return paced_error_at(PACED_INVALID, options->root,
                              "data.root is not a directory; give the folder that holds the images");
    return PACED_OK;
}

/* Opens the pairs of the split at `path`, or of the whole root if `path` is NULL. */
static enum paced_err open_pairs(struct paced_dataset *d, const struct paced_data_options *options, const char *path,
                                 enum paced_phase phase) {
    PACED_TRY(paced_masks_open(&d->masks, options));
    const char *folder = path ? d->masks->kind->folder[phase] : NULL;
    d->folder = folder ? folder : "";
    d->root = paced_path_join(options->root, d->folder);
    d->extent = options->size;
    d->fit = options->fit;
    PACED_TRY(path ? split_read(&d->split, path, d->root, folder ? 1 : 0)
                   : split_find(&d->split, options->root, options->pairs));
    PACED_TRY(split_expand(&d->split, d->root));
    d->cache = paced_alloc(d->split.count, sizeof *d->cache);
    d->seen = paced_alloc(d->split.count, sizeof *d->seen);
    PACED_TRY(paced_spacing_parse(d->spacing_mm, "data.spacing", options->spacing));
    return paced_value_range_parse(&d->range, "data.range", options->range);
}

static enum paced_err open_dataset(struct paced_dataset **dataset, const struct paced_data_options *options,
                                   const char *path, enum paced_phase phase) {
    PACED_TRY(check_options(options));
    struct paced_dataset *d = paced_alloc(1, sizeof *d);
    pthread_mutex_init(&d->lock, NULL);
    pthread_mutex_init(&d->range_lock, NULL);
    enum paced_err err = open_pairs(d, options, path, phase);
    if (!err) *dataset = d;
    if (err) paced_dataset_close(d);
    return err;
}

enum paced_err paced_dataset_open(struct paced_dataset **dataset, const struct paced_data_options *options,
                                  enum paced_phase phase) {
    const char *split = phase == PACED_TRAIN ? options->train : options->val;
    *dataset = NULL;
    if (is_unset(options->root)) return check_options(options);
    if (is_unset(split))
        return paced_error(PACED_INVALID, "data.%s is not set; give the JSON file of the split",
                           phase == PACED_TRAIN ? "train" : "val");
    return open_dataset(dataset, options, split, phase);
}

enum paced_err paced_dataset_find(struct paced_dataset **dataset, const struct paced_data_options *options) {
    *dataset = NULL;
    return open_dataset(dataset, options, NULL, PACED_TRAIN);
}

void paced_dataset_close(struct paced_dataset *d) {
    if (!d) return;
    for (size_t i = 0; d->cache && i < d->split.count; ++i) free(d->cache[i]);
    atomic_fetch_sub(&cache_used_bytes, d->cached_bytes);
    free(d->cache);
    free(d->seen);
    pthread_mutex_destroy(&d->lock);
    pthread_mutex_destroy(&d->range_lock);
    split_finish(&d->split);
    paced_masks_close(d->masks);
    free(d->root);
    free(d);
}

size_t paced_dataset_count(const struct paced_dataset *d) {
    return d->split.count;
}

struct paced_extent paced_dataset_extent(const struct paced_dataset *d) {
    return d->extent;
}

const char *paced_dataset_image_name(const struct paced_dataset *d, size_t i) {
    return d->split.pairs[i].image;
}

/* Removes "." and "folder/.." from a relative path. */
static char *simplify(const char *path) {
    struct paced_text out = {0};
    paced_text_add(&out, "%s", "");
    for (const char *part = path; *part;) {
        size_t length = strcspn(part, "/");
        if (length == 2 && strncmp(part, "..", 2) == 0) {
            char *slash = strrchr(out.data, '/');
            out.size = slash ? (size_t)(slash - out.data) : 0;
            out.data[out.size] = '\0';
        } else if (length > 0 && !(length == 1 && *part == '.')) {
            paced_text_add(&out, "%s%.*s", out.size > 0 ? "/" : "", (int)length, part);
        }
        part += length + (part[length] == '/');
    }
    return out.data;
}

char *dataset_path_below_root(const struct paced_dataset *d, const char *name) {
    char *path = paced_path_join(d->folder, name), *simple = simplify(path);
    free(path);
    return simple;
}

char *paced_dataset_image_path(const struct paced_dataset *d, size_t i) {
    return dataset_path_below_root(d, d->split.pairs[i].image);
}

char *paced_dataset_stratum(const struct paced_dataset *d, size_t i) {
    if (!d->masks->kind->by_folder) return paced_strdup("");
    char *path = paced_dataset_image_path(d, i), *dir = paced_path_dir(path);
    free(path);
    return dir;
}

char *dataset_path_for(const struct paced_dataset *d, const char *name, enum paced_phase phase) {
    const char *folder = d->masks->kind->folder[phase];
    char *path = dataset_path_below_root(d, name);
    if (!folder) return path;
    size_t length = strlen(folder);
    bool inside = strncmp(path, folder, length) == 0 && path[length] == '/';
    char *result = inside ? paced_strdup(path + length + 1) : paced_format("../%s", path);
    free(path);
    return result;
}

const char *dataset_mask_name(const struct paced_dataset *d, size_t i) {
    return d->split.pairs[i].mask;
}

const char *paced_dataset_class_name(const struct paced_dataset *d, int class) {
    return paced_masks_class_name(d->masks, class);
}

const struct paced_masks *paced_dataset_masks(const struct paced_dataset *d) {
    return d->masks;
}

/* ---- before loading ------------------------------------------------------------------------------------------ */

static enum paced_err check_file(const struct paced_dataset *d, size_t i, const char *name) {
    char *slice = paced_path_join(d->root, name), *path = image_file(slice);
    enum paced_err err = PACED_OK;
    if (access(path, R_OK) != 0)
        err = paced_error_at(PACED_INVALID, d->split.path, "entry %zu: %s: cannot open: %s; check the path",
                             d->split.pairs[i].entry, path, strerror(errno));
    free(path);
    free(slice);
    return err;
}

enum paced_err paced_dataset_check_files(const struct paced_dataset *d) {
    for (size_t i = 0; i < d->split.count; ++i) {
        PACED_TRY(check_file(d, i, d->split.pairs[i].image));
        PACED_TRY(check_file(d, i, d->split.pairs[i].mask));
    }
    return PACED_OK;
}

uint64_t paced_dataset_hash(const struct paced_dataset *d) {
    uint64_t hash = PACED_HASH_START;
    for (size_t i = 0; i < d->split.count; ++i) {
        const struct paced_pair *pair = &d->split.pairs[i];
        hash = paced_hash(hash, pair->image, strlen(pair->image) + 1);
        hash = paced_hash(hash, pair->mask, strlen(pair->mask) + 1);
    }
    return hash;
}

/* ---- load ---------------------------------------------------------------------------------------------------- */

/* Copies a cached sample; false if it is not cached. */
static bool load_cached(struct paced_dataset *d, size_t i, uint8_t *rgb, uint8_t *label) {
    pthread_mutex_lock(&d->lock);
    const uint8_t *cached = d->cache[i];
    pthread_mutex_unlock(&d->lock);
    if (!cached) return false;
    memcpy(rgb, cached, 3 * pixel_count(d));
    memcpy(label, cached + 3 * pixel_count(d), pixel_count(d));
    return true;
}

/* Reserves bytes of the shared memory bound; false if too few are left. */
static bool reserve(size_t bytes) {
    size_t used = atomic_load(&cache_used_bytes);
    do {
        if (bytes > cache_limit_bytes - used) return false;
    } while (!atomic_compare_exchange_weak(&cache_used_bytes, &used, used + bytes));
    return true;
}

/* Caches a sample if the memory bound permits it. */
static void store_cached(struct paced_dataset *d, size_t i, const uint8_t *rgb, const uint8_t *label) {
    size_t pixels = pixel_count(d), bytes = 4 * pixels;
    pthread_mutex_lock(&d->lock);
    if (!d->cache[i] && reserve(bytes)) {
        d->cached_bytes += bytes;
        d->cache[i] = paced_alloc(bytes, 1);
        memcpy(d->cache[i], rgb, 3 * pixels);
        memcpy(d->cache[i] + 3 * pixels, label, pixels);
    }
    pthread_mutex_unlock(&d->lock);
}

/* Adds a pair to the census when it is first read. */
static void count(struct paced_dataset *d, size_t i, const struct pair *pair, const uint8_t *label) {
    pthread_mutex_lock(&d->lock);
    if (!d->seen[i]) {
        d->seen[i] = true;
        if (pair->info.orientation > 1) census_note(&d->census.rotated, i);
        if (pair->outside > paced_value_range_tolerance(&d->range)) census_note(&d->census.clipped, i);
        if (*pair->fault) census_note(&d->census.faulty, i);
        if (*pair->fault && d->census.faulty.first == i) strcpy(d->census.fault, pair->fault);
        census_add(&d->census, i, &pair->mask, label, pixel_count(d));
        if (d->census.images == d->split.count) {
            paced_log(PACED_LOG_DEBUG, "%s: all %zu images are decoded", d->split.path, d->split.count);
            census_report(&d->census, d->masks, &d->split, d->extent, &d->range);
        }
    }
    pthread_mutex_unlock(&d->lock);
}

/* The range of all images; the first call measures it. */
static const struct paced_value_range *range_of(struct paced_dataset *d) {
    pthread_mutex_lock(&d->range_lock);
    if (!d->measured) measure_range(&d->range, &d->split, d->root);
    d->measured = true;
    pthread_mutex_unlock(&d->range_lock);
    return &d->range;
}

struct paced_value_range paced_dataset_range(struct paced_dataset *d) {
    return *range_of(d);
}

const struct paced_census *paced_dataset_census(const struct paced_dataset *d) {
    return &d->census;
}

static enum paced_err check_same_size(const char *context, const struct paced_pair *names, const struct pair *pair) {
    const struct paced_image *image = &pair->image;
    const struct paced_mask *mask = &pair->mask;
    if (image->width == mask->width && image->height == mask->height) return PACED_OK;
    return paced_error_at(PACED_INVALID, context,
                          "%s is %d x %d but its mask %s is %d x %d; image and mask must have the same size",
                          names->image, image->width, image->height, names->mask, mask->width, mask->height);
}

static void release(struct pair *pair) {
    free(pair->image.rgb);
    free(pair->mask.label);
    *pair = (struct pair){0};
}

/* Reads both files of pair i at their original size; `measured`: with the extreme values of the image. */
static enum paced_err read_pair(struct paced_dataset *d, size_t i, bool measured, struct pair *pair) {
    const struct paced_value_range *range = range_of(d);
    const struct paced_pair *names = &d->split.pairs[i];
    char *image_path = paced_path_join(d->root, names->image), *mask_path = paced_path_join(d->root, names->mask);
    char *context = paced_format("%s: entry %zu", d->split.path, names->entry);
    struct paced_raster raster;
    *pair = (struct pair){0};
    enum paced_err err = paced_raster_read(image_path, context, PACED_SHOWN, &raster);
    if (!err) {
        pair->info = raster.info;
        pair->low = INFINITY;
        pair->high = -INFINITY;
        if (measured) paced_value_range_measure(&raster, &pair->low, &pair->high);
        strcpy(pair->fault, raster.warning);
        pair->outside = paced_value_range_outside(&raster, range);
        pair->image = paced_image_from(&raster, range);
        err = paced_masks_read(d->masks, mask_path, context, &pair->mask);
    }
    if (!err) err = check_same_size(context, names, pair);
    if (err) release(pair);
    free(context);
    free(mask_path);
    free(image_path);
    return err;
}

static void fit_mask(const struct paced_dataset *d, const struct paced_mask *mask, uint8_t *label) {
    const struct paced_extent extent = {mask->height, mask->width};
    paced_fit_nearest(d->fit, mask->label, extent, 1, PACED_IGNORED, label, d->extent);
}

enum paced_err paced_dataset_load(struct paced_dataset *d, size_t i, uint8_t *rgb, uint8_t *label) {
    struct pair pair;
    if (load_cached(d, i, rgb, label)) return PACED_OK;
    PACED_TRY(read_pair(d, i, false, &pair));
    const struct paced_extent extent = {pair.image.height, pair.image.width};
    paced_fit_nearest(d->fit, pair.image.rgb, extent, 3, 0, rgb, d->extent);
    fit_mask(d, &pair.mask, label);
    store_cached(d, i, rgb, label);
    count(d, i, &pair, label);
    release(&pair);
    return PACED_OK;
}

enum paced_err paced_dataset_pair_stats(struct paced_dataset *d, size_t i, struct paced_pair_stats *stats) {
    struct pair pair;
    PACED_TRY(read_pair(d, i, true, &pair));
    *stats = (struct paced_pair_stats){.image = pair.info, .low = pair.low, .high = pair.high};
    if (d->spacing_mm[0] > 0) memcpy(stats->image.spacing_mm, d->spacing_mm, sizeof d->spacing_mm);
    stats->pixels = paced_alloc((size_t)d->masks->classes, sizeof *stats->pixels);
    stats->print = paced_alloc(PACED_FINGERPRINT_VALUES, sizeof *stats->print);
    size_t pixels = (size_t)pair.image.width * (size_t)pair.image.height;
    for (size_t k = 0; k < pixels; ++k)
        if (pair.mask.label[k] != PACED_IGNORED) ++stats->pixels[pair.mask.label[k]];
    paced_fingerprint_take(&pair.image, stats->print);
    uint8_t *label = paced_alloc(pixel_count(d), 1);
    fit_mask(d, &pair.mask, label);
    count(d, i, &pair, label);
    free(label);
    release(&pair);
    return PACED_OK;
}

enum paced_err paced_dataset_load_mask(const struct paced_dataset *d, size_t i, struct paced_mask *mask) {
    char *path = paced_path_join(d->root, d->split.pairs[i].mask);
    char *context = paced_format("%s: entry %zu", d->split.path, i + 1);
    enum paced_err err = paced_masks_read(d->masks, path, context, mask);
    free(context);
    free(path);
    return err;
}

enum paced_err paced_dataset_describe(const struct paced_dataset *d, size_t i, struct paced_image_info *info) {
    const struct paced_pair *names = &d->split.pairs[i];
    char *image = paced_path_join(d->root, names->image), *mask = paced_path_join(d->root, names->mask);
    char *context = paced_format("%s: entry %zu", d->split.path, i + 1);
    struct paced_image_info other;
    enum paced_err err = paced_image_describe(image, context, info);
    if (!err && !(info->spacing_mm[0] > 0)) {
        err = paced_image_describe(mask, context, &other);
        if (!err) memcpy(info->spacing_mm, other.spacing_mm, sizeof info->spacing_mm);
    }
    if (d->spacing_mm[0] > 0) memcpy(info->spacing_mm, d->spacing_mm, sizeof info->spacing_mm);
    free(context);
    free(mask);
    free(image);
    return err;
}

int paced_dataset_fit(const struct paced_dataset *d) {
    return d->fit;
}

void paced_pair_stats_finish(struct paced_pair_stats *stats) {
    free(stats->pixels);
    free(stats->print);
    *stats = (struct paced_pair_stats){0};
}
