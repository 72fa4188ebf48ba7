/* Dataset: the pairs of one split, decoded on demand to rgb[height][width][3] and label[height][width], both resized
 * with NEAREST.
 *
 * Invariant: paced_dataset_load is thread-safe. Decoding runs without the lock; a sample's cache slot is set once,
 * under the lock, and stays constant until the dataset closes. If two threads decode the same sample at the same time,
 * the second result is dropped. */
#include "src/data/dataset.h"
#include "src/data/masks.h"
#include "src/data/split.h"

#include <errno.h>
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

    pthread_mutex_t lock;
    uint8_t **cache;     /* [count]: rgb, then label; NULL: not cached */
    size_t cached_bytes; /* of this data set */

    bool *seen; /* [count]: decoded before, so its mask is counted */
    size_t seen_count;
    size_t unmapped;       /* unmapped mask pixels of all samples seen */
    size_t first_unmapped; /* first sample of the split with unmapped pixels */
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
    PACED_TRY(path ? split_read(&d->split, path, folder ? 1 : 0) : split_find(&d->split, options->root));
    d->cache = paced_alloc(d->split.count, sizeof *d->cache);
    d->seen = paced_alloc(d->split.count, sizeof *d->seen);
    return PACED_OK;
}

static enum paced_err open_dataset(struct paced_dataset **dataset, const struct paced_data_options *options,
                                   const char *path, enum paced_phase phase) {
    PACED_TRY(check_options(options));
    struct paced_dataset *d = paced_alloc(1, sizeof *d);
    pthread_mutex_init(&d->lock, NULL);
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

/* Warns once about unmapped mask pixels: when every sample has been seen, else on close. */
static void warn_unmapped(struct paced_dataset *d) {
    if (d->unmapped == 0) return;
    char *text = paced_masks_unmapped_text(d->masks, d->unmapped);
    paced_log(PACED_LOG_WARN, "%s: %s, first in %s", d->split.path, text, d->split.pairs[d->first_unmapped].mask);
    free(text);
    d->unmapped = 0;
}

void paced_dataset_close(struct paced_dataset *d) {
    if (!d) return;
    warn_unmapped(d);
    for (size_t i = 0; d->cache && i < d->split.count; ++i) free(d->cache[i]);
    atomic_fetch_sub(&cache_used_bytes, d->cached_bytes);
    free(d->cache);
    free(d->seen);
    pthread_mutex_destroy(&d->lock);
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

/* Path below data.root of a file named in the split. */
static char *full_path(const struct paced_dataset *d, const char *name) {
    if (strncmp(name, "../", 3) == 0 && *d->folder) return paced_strdup(name + 3);
    return paced_path_join(d->folder, name);
}

char *paced_dataset_stratum(const struct paced_dataset *d, size_t i) {
    if (!d->masks->kind->by_folder) return paced_strdup("");
    char *path = full_path(d, d->split.pairs[i].image), *dir = paced_path_dir(path);
    free(path);
    return dir;
}

char *dataset_path_for(const struct paced_dataset *d, const char *name, enum paced_phase phase) {
    const char *folder = d->masks->kind->folder[phase];
    char *path = full_path(d, name);
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

bool paced_dataset_fits_memory(const struct paced_dataset *d) {
    size_t others = atomic_load(&cache_used_bytes) - d->cached_bytes;
    return d->split.count <= (cache_limit_bytes - others) / (4 * pixel_count(d));
}

static enum paced_err check_file(const struct paced_dataset *d, size_t i, const char *name) {
    char *path = paced_path_join(d->root, name);
    enum paced_err err = PACED_OK;
    if (access(path, R_OK) != 0)
        err = paced_error_at(PACED_INVALID, d->split.path, "entry %zu: %s: cannot open: %s; check the path", i + 1,
                             path, strerror(errno));
    free(path);
    return err;
}

enum paced_err paced_dataset_check_files(const struct paced_dataset *d) {
    for (size_t i = 0; i < d->split.count; ++i) {
        PACED_TRY(check_file(d, i, d->split.pairs[i].image));
        PACED_TRY(check_file(d, i, d->split.pairs[i].mask));
    }
    return PACED_OK;
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

/* Counts the unmapped pixels of a mask when it is first read. */
static void count_unmapped(struct paced_dataset *d, size_t i, size_t unmapped) {
    pthread_mutex_lock(&d->lock);
    if (!d->seen[i]) {
        d->seen[i] = true;
        ++d->seen_count;
        if (unmapped > 0 && (d->unmapped == 0 || i < d->first_unmapped)) d->first_unmapped = i;
        d->unmapped += unmapped;
        if (d->seen_count == d->split.count) {
            paced_log(PACED_LOG_DEBUG, "%s: all %zu images are decoded", d->split.path, d->split.count);
            warn_unmapped(d);
        }
    }
    pthread_mutex_unlock(&d->lock);
}

/* Reads both files of pair i at their original size. On an error neither holds anything to release. */
static enum paced_err read_pair(struct paced_dataset *d, size_t i, struct paced_image *image, struct paced_mask *mask) {
    const struct paced_pair *pair = &d->split.pairs[i];
    char *image_path = paced_path_join(d->root, pair->image), *mask_path = paced_path_join(d->root, pair->mask);
    char *context = paced_format("%s: entry %zu", d->split.path, i + 1);
    *image = (struct paced_image){0};
    *mask = (struct paced_mask){0};

    enum paced_err err = paced_image_read(image_path, context, image);
    if (!err) err = paced_masks_read(d->masks, mask_path, context, mask);
    if (!err && (image->width != mask->width || image->height != mask->height))
        err = paced_error_at(PACED_INVALID, context,
                             "%s is %d x %d but its mask %s is %d x %d; image and mask must have the same size",
                             pair->image, image->width, image->height, pair->mask, mask->width, mask->height);
    if (err) {
        free(image->rgb);
        free(mask->label);
    }
    free(context);
    free(mask_path);
    free(image_path);
    return err;
}

enum paced_err paced_dataset_load(struct paced_dataset *d, size_t i, uint8_t *rgb, uint8_t *label) {
    struct paced_image image;
    struct paced_mask mask;
    if (load_cached(d, i, rgb, label)) return PACED_OK;
    PACED_TRY(read_pair(d, i, &image, &mask));
    paced_resize_nearest(image.rgb, image.width, image.height, 3, rgb, d->extent.width, d->extent.height);
    paced_resize_nearest(mask.label, mask.width, mask.height, 1, label, d->extent.width, d->extent.height);
    store_cached(d, i, rgb, label);
    count_unmapped(d, i, mask.unmapped);
    free(mask.label);
    free(image.rgb);
    return PACED_OK;
}

enum paced_err paced_dataset_pair_stats(struct paced_dataset *d, size_t i, struct paced_pair_stats *stats) {
    struct paced_image image;
    struct paced_mask mask;
    PACED_TRY(read_pair(d, i, &image, &mask));
    *stats = (struct paced_pair_stats){.width = image.width, .height = image.height};
    stats->pixels = paced_alloc((size_t)d->masks->classes, sizeof *stats->pixels);
    stats->print = paced_alloc(PACED_FINGERPRINT_VALUES, sizeof *stats->print);
    size_t count = (size_t)image.width * (size_t)image.height;
    for (size_t k = 0; k < count; ++k) ++stats->pixels[mask.label[k]];
    paced_fingerprint_take(&image, stats->print);
    count_unmapped(d, i, mask.unmapped);
    free(mask.label);
    free(image.rgb);
    return PACED_OK;
}

void paced_pair_stats_finish(struct paced_pair_stats *stats) {
    free(stats->pixels);
    free(stats->print);
    *stats = (struct paced_pair_stats){0};
}
