/* A dataset: the pairs of one split, decoded on demand to rgb[S][S][3] and label[S][S], both resized with NEAREST.
 *
 * The kinds of dataset differ only in how a mask file becomes classes: one row each in the table below.
 *
 * Law: paced_dataset_load is safe from several threads. Decoding runs without the lock; a sample's cache slot is set
 * once, under the lock, and is constant from then on until the dataset closes. Two threads may decode the same sample
 * at the same time: the second result is dropped. */
#include "src/data/masks.h"
#include "src/data/split.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Bound of the decoded pairs kept in memory, per dataset. */
static const size_t cache_limit_bytes = (size_t)1 << 30;

enum { MAX_CLASSES = 256 }; /* labels are bytes */

struct dataset_kind {
    const char *name;
    paced_mask_reader *read_mask;
    int classes; /* that such masks can hold; 0: any */
};

static const struct dataset_kind kinds[] = {
    [PACED_DATA_BUS] = {"bus", paced_mask_read_bus, 2},
    [PACED_DATA_FOLDER] = {"folder", paced_mask_read_folder, 0},
};

struct paced_dataset {
    const struct dataset_kind *kind;
    char *root;
    struct paced_split split;
    int size, classes;

    pthread_mutex_t lock;
    uint8_t **cache;    /* [count]: rgb, then label; NULL: not kept */
    size_t cache_bytes; /* in use */

    bool *seen; /* [count]: decoded before, its mask is counted */
    size_t seen_count;
    size_t between;       /* mask pixels strictly between 0 and 255, over all samples seen */
    size_t first_between; /* the first sample of the split that has some */
};

static size_t pixel_count(const struct paced_dataset *d) {
    return (size_t)d->size * (size_t)d->size;
}

/* ---- open and close ------------------------------------------------------------------------------------------ */

static bool is_unset(const char *value) {
    return value == NULL || value[0] == '\0';
}

static enum paced_err check_config(const struct paced_config *config, const char *split, const char *key) {
    const struct dataset_kind *kind = &kinds[config->data.dataset];
    const int64_t classes = config->data.classes;
    if (is_unset(config->data.root))
        return paced_error(PACED_INVALID, "data.root is not set; give the folder that holds the images");
    if (is_unset(split)) return paced_error(PACED_INVALID, "data.%s is not set; give the JSON file of the split", key);
    if (!paced_path_is_dir(config->data.root))
        return paced_error(PACED_INVALID, "%s: data.root is no directory; give the folder that holds the images",
                           config->data.root);
    if (kind->classes != 0 && classes != kind->classes)
        return paced_error(PACED_INVALID, "data.classes = %lld, but the dataset %s has %d; set data.classes = %d",
                           (long long)classes, kind->name, kind->classes, kind->classes);
    if (classes < 1 || classes > MAX_CLASSES)
        return paced_error(PACED_INVALID, "data.classes = %lld is out of range; 1 to %d classes are possible",
                           (long long)classes, MAX_CLASSES);
    if (config->data.size < 1 || config->data.size > 16384)
        return paced_error(PACED_INVALID, "data.size = %lld is out of range; 1 to 16384 is possible",
                           (long long)config->data.size);
    return PACED_OK;
}

enum paced_err paced_dataset_open(struct paced_dataset **dataset, const struct paced_config *config,
                                  enum paced_phase phase) {
    *dataset = NULL;
    const char *split = phase == PACED_TRAIN ? config->data.train : config->data.val;
    PACED_TRY(check_config(config, split, phase == PACED_TRAIN ? "train" : "val"));
    struct paced_split pairs;
    PACED_TRY(paced_split_read(&pairs, split));

    struct paced_dataset *d = paced_alloc(1, sizeof *d);
    d->kind = &kinds[config->data.dataset];
    d->root = paced_strdup(config->data.root);
    d->split = pairs;
    d->size = (int)config->data.size;
    d->classes = (int)config->data.classes;
    pthread_mutex_init(&d->lock, NULL);
    d->cache = paced_alloc(pairs.count, sizeof *d->cache);
    d->seen = paced_alloc(pairs.count, sizeof *d->seen);
    *dataset = d;
    return PACED_OK;
}

/* Says once what the masks held beside 0 and 255: when every sample has been seen, else at the end. */
static void warn_between(struct paced_dataset *d) {
    if (d->between == 0) return;
    paced_log(PACED_LOG_WARN,
              "%s: %zu mask pixels are neither 0 nor 255 and count as background, first in %s; masks should be binary",
              d->split.path, d->between, d->split.pairs[d->first_between].mask);
    d->between = 0;
}

void paced_dataset_close(struct paced_dataset *d) {
    if (d == NULL) return;
    warn_between(d);
    for (size_t i = 0; i < d->split.count; i++) free(d->cache[i]);
    free(d->cache);
    free(d->seen);
    pthread_mutex_destroy(&d->lock);
    paced_split_finish(&d->split);
    free(d->root);
    free(d);
}

size_t paced_dataset_count(const struct paced_dataset *d) {
    return d->split.count;
}

int paced_dataset_size(const struct paced_dataset *d) {
    return d->size;
}

const char *paced_dataset_image_name(const struct paced_dataset *d, size_t i) {
    return d->split.pairs[i].image;
}

/* ---- load ---------------------------------------------------------------------------------------------------- */

/* Copies a kept sample; false where there is none. */
static bool load_cached(struct paced_dataset *d, size_t i, uint8_t *rgb, uint8_t *label) {
    pthread_mutex_lock(&d->lock);
    const uint8_t *kept = d->cache[i];
    pthread_mutex_unlock(&d->lock);
    if (kept == NULL) return false;
    memcpy(rgb, kept, 3 * pixel_count(d));
    memcpy(label, kept + 3 * pixel_count(d), pixel_count(d));
    return true;
}

/* Keeps a sample while there is room, and counts its mask the first time. */
static void remember(struct paced_dataset *d, size_t i, const uint8_t *rgb, const uint8_t *label, size_t between) {
    const size_t pixels = pixel_count(d), bytes = 4 * pixels;
    pthread_mutex_lock(&d->lock);
    if (d->cache[i] == NULL && d->cache_bytes + bytes <= cache_limit_bytes) {
        d->cache_bytes += bytes;
        d->cache[i] = paced_alloc(bytes, 1);
        memcpy(d->cache[i], rgb, 3 * pixels);
        memcpy(d->cache[i] + 3 * pixels, label, pixels);
    }
    if (!d->seen[i]) {
        d->seen[i] = true;
        d->seen_count++;
        if (between > 0 && (d->between == 0 || i < d->first_between)) d->first_between = i;
        d->between += between;
        if (d->seen_count == d->split.count) warn_between(d);
    }
    pthread_mutex_unlock(&d->lock);
}

enum paced_err paced_mask_read(enum paced_dataset_kind kind, const char *path, const char *context, int classes,
                               struct paced_mask *mask) {
    return kinds[kind].read_mask(path, context, classes, mask);
}

static enum paced_err decode(struct paced_dataset *d, size_t i, const char *context, uint8_t *rgb, uint8_t *label) {
    const struct paced_pair *pair = &d->split.pairs[i];
    struct paced_image image = {0};
    struct paced_mask mask = {0};
    char *image_path = paced_path_join(d->root, pair->image), *mask_path = paced_path_join(d->root, pair->mask);

    enum paced_err err = paced_png_read(image_path, context, &image);
    if (err == PACED_OK) err = d->kind->read_mask(mask_path, context, d->classes, &mask);
    if (err != PACED_OK) goto out;
    if (image.width != mask.width || image.height != mask.height) {
        err = paced_error(PACED_INVALID,
                          "%s: %s is %d x %d but its mask %s is %d x %d; image and mask must have the same size",
                          context, pair->image, image.width, image.height, pair->mask, mask.width, mask.height);
        goto out;
    }
    paced_resize_nearest(image.rgb, image.width, image.height, 3, rgb, d->size, d->size);
    paced_resize_nearest(mask.label, mask.width, mask.height, 1, label, d->size, d->size);
    remember(d, i, rgb, label, mask.between);
out:
    free(mask.label);
    free(image.rgb);
    free(mask_path);
    free(image_path);
    return err;
}

enum paced_err paced_dataset_load(struct paced_dataset *d, size_t i, uint8_t *rgb, uint8_t *label) {
    if (load_cached(d, i, rgb, label)) return PACED_OK;
    char *context = paced_format("%s: entry %zu", d->split.path, i + 1);
    enum paced_err err = decode(d, i, context, rgb, label);
    free(context);
    return err;
}
