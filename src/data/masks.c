/* Mask readers. The kinds of data set differ only in the encoding of masks: one row each in the table below.
 *
 * Invariant: readers check every pixel of the file, so errors and counts do not depend on data.size. */
#include "src/data/masks.h"

#include "src/data/formats/format.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- readers ------------------------------------------------------------------------------------------------- */

/* Samples as displayed, where the lowest value is stored as white. */
static enum paced_err turn_black(const char *path, const char *context, struct paced_raster *raster) {
    if (raster->sample == PACED_REALS)
        return paced_error_at(PACED_INVALID, context,
                              "%s: shows its lowest value as white and has no 8 or 16 bits; "
                              "convert it",
                              path);
    size_t count = (size_t)raster->info.width * (size_t)raster->info.height * (size_t)raster->info.channels;
    for (size_t i = 0; i < count; ++i) {
        if (raster->sample == PACED_BYTES)
            ((uint8_t *)raster->value)[i] ^= UINT8_MAX;
        else
            ((uint16_t *)raster->value)[i] ^= UINT16_MAX;
    }
    return PACED_OK;
}

/* Reads a raster and allocates the mask of its size. */
static enum paced_err start_mask(const char *path, const char *context, enum paced_samples samples,
                                 struct paced_raster *raster, struct paced_mask *mask) {
    *mask = (struct paced_mask){0};
    PACED_TRY(paced_raster_read(path, context, samples, raster));
    if (samples == PACED_COLOURS && raster->info.inverted) {
        enum paced_err err = turn_black(path, context, raster);
        if (err) free(raster->value);
        if (err) return err;
    }
    *mask = (struct paced_mask){.width = raster->info.width, .height = raster->info.height};
    mask->label = paced_alloc((size_t)mask->width * (size_t)mask->height, 1);
    return PACED_OK;
}

static enum paced_err finish_mask(enum paced_err err, struct paced_raster *raster, struct paced_mask *mask) {
    free(raster->value);
    if (!err) return PACED_OK;
    free(mask->label);
    *mask = (struct paced_mask){0};
    return err;
}

static enum paced_err refuse_pixel(const char *path, const char *context, const struct paced_mask *mask, size_t i,
                                   const char *what) {
    size_t width = (size_t)mask->width;
    return paced_error_at(PACED_INVALID, context, "%s: row %zu, column %zu %s", path, i / width, i % width, what);
}

/* The greatest channel of each pixel, because masks are drawn in any of them: value[pixels]; free() it. */
static float *brightest(const struct paced_raster *raster, size_t pixels) {
    const size_t channels = (size_t)raster->info.channels;
    float *value = paced_alloc(pixels, sizeof *value);
    for (size_t i = 0, at = 0; i < pixels; ++i) {
        value[i] = (float)paced_raster_at(raster, at++);
        for (size_t c = 1; c < channels; ++c) {
            const float other = (float)paced_raster_at(raster, at++);
            if (other > value[i]) value[i] = other;
        }
    }
    return value;
}

/* White of the values other than `ignore`. */
static float white_of(const float *value, size_t pixels, double ignore) {
    float max = 0, white = 255;
    for (size_t i = 0; i < pixels; ++i)
        if (value[i] > max && (double)value[i] != ignore) max = value[i];
    if (max <= 1) return max > 0;
    while (white < max) white = 2 * white + 1;
    return white;
}

/* Label and census of one value of a binary mask. `seen` marks its grey level. */
static uint8_t divide(const struct paced_masks *masks, struct paced_mask *mask, double value, bool seen[256]) {
    if (value == masks->ignore) return PACED_IGNORED;
    if (value == 0 || value == mask->white) return value > 0;
    ++mask->unmapped;
    seen[(int)(value / mask->white * 255)] = true;
    return value >= masks->threshold * mask->white;
}

static enum paced_err read_binary(const struct paced_masks *masks, const char *path, const char *context,
                                  struct paced_mask *mask) {
    struct paced_raster raster;
    enum paced_err err = PACED_OK;
    PACED_TRY(start_mask(path, context, PACED_COLOURS, &raster, mask));
    size_t count = (size_t)mask->width * (size_t)mask->height;
    float *value = brightest(&raster, count);
    bool seen[256] = {false};
    mask->white = (double)white_of(value, count, masks->ignore);
    for (size_t i = 0; i < count && !err; ++i) {
        if (value[i] >= 0 && isfinite(value[i]))
            mask->label[i] = divide(masks, mask, (double)value[i], seen);
        else
            err = refuse_pixel(path, context, mask, i, "holds no number from 0 up; binary masks have no other values");
    }
    for (size_t v = 0; v < PACED_COUNT(seen); ++v) mask->greys += seen[v];
    free(value);
    return finish_mask(err, &raster, mask);
}
static int byte_at(const struct paced_raster *raster, size_t pixel, size_t channel) {
    size_t channels = (size_t)raster->info.channels;
    double value = paced_raster_at(raster, pixel * channels + (channels == 3 ? channel : 0));
    return raster->sample == PACED_WORDS ? (int)value >> 8 : (int)value;
}

static enum paced_err read_coloured(const struct paced_masks *masks, const char *path, const char *context,
                                    struct paced_mask *mask) {
    struct paced_raster raster;
    enum paced_err err = PACED_OK;
    size_t last = 0;
    PACED_TRY(start_mask(path, context, PACED_COLOURS, &raster, mask));
    if (raster.sample == PACED_REALS)
        err = paced_error_at(PACED_INVALID, context, "%s: its values are no colours of 8 or 16 bits; convert it", path);
    for (size_t i = 0; i < (size_t)mask->width * (size_t)mask->height && !err; ++i) {
        const int red = byte_at(&raster, i, 0), green = byte_at(&raster, i, 1), blue = byte_at(&raster, i, 2);
        int class = labels_find(&masks->labels, (uint32_t)(red << 16 | green << 8 | blue), &last);
        if (class < 0 && masks->labels.ignore < 0) {
            char *what = paced_format("has the colour (%d, %d, %d), which %s does not name; add it there, or an entry "
                                      "\"ignore\"",
                                      red, green, blue, masks->labels.path);
            err = refuse_pixel(path, context, mask, i, what);
            free(what);
        }
        mask->unmapped += class < 0;
        mask->label[i] = (uint8_t)(class < 0 ? masks->labels.ignore : class);
    }
    return finish_mask(err, &raster, mask);
}

/* True if the channels of a pixel have different values other than 0. */
static bool is_coloured(const struct paced_raster *raster, size_t i, double value) {
    size_t channels = (size_t)raster->info.channels;
    if (channels == 1) return false;
    for (size_t c = 0; c < channels; ++c) {
        double other = paced_raster_at(raster, i * channels + c);
        if (other != 0 && other != value) return true;
    }
    return false;
}

/* True if all values are 0 or 255. */
static bool is_binary(const struct paced_raster *raster, size_t pixels) {
    for (size_t i = 0; i < pixels * (size_t)raster->info.channels; ++i) {
        double value = paced_raster_at(raster, i);
        if (value != 0 && value != 255) return false;
    }
    return true;
}

/* Remedy for a value outside the classes. */
static const char *advise(const struct paced_masks *masks, const struct paced_raster *raster, size_t pixels,
                          double value) {
    if (masks->classes == 2 && is_binary(raster, pixels)) return "masks of 0 and 255 are read by data.dataset = bus";
    if (value == 255) return "if 255 marks pixels without a class, set data.ignore = 255";
    return "check data.classes and the mask";
}

static enum paced_err read_numbered(const struct paced_masks *masks, const char *path, const char *context,
                                    struct paced_mask *mask) {
    struct paced_raster raster;
    enum paced_err err = PACED_OK;
    PACED_TRY(start_mask(path, context, PACED_VALUES, &raster, mask));
    size_t count = (size_t)mask->width * (size_t)mask->height;
    float *values = brightest(&raster, count);
    for (size_t i = 0; i < count && !err; ++i) {
        const double value = (double)values[i];
        const bool ignored = value == masks->ignore;
        char *what = NULL;
        if (is_coloured(&raster, i, value))
            what = paced_format("has a colour; colours are read by data.dataset = robo with data.labels");
        else if (!ignored && !(value >= 0 && value < masks->classes && value == floor(value)))
            what = paced_format("holds %g, outside the classes 0 to %d; %s", value, masks->classes - 1,
                                advise(masks, &raster, count, value));
        else
            mask->label[i] = ignored ? PACED_IGNORED : (uint8_t)value;
        if (what) err = refuse_pixel(path, context, mask, i, what);
        free(what);
    }
    free(values);
    return finish_mask(err, &raster, mask);
}

static const struct mask_kind kinds[] = {
    [PACED_DATA_BUS] = {"bus", "none", read_binary, 2, .class_names = {"background", "lesion"}, .by_folder = true},
    [PACED_DATA_NEEDLE] = {"needle", "hflip", read_binary, 2, .class_names = {"background", "needle"}},
    [PACED_DATA_ROBO] = {"robo", "none", read_coloured, 0, .coloured = true, .folder = {"train", "val"}},
    [PACED_DATA_FOLDER] = {"folder", "none", read_numbered, 0, .by_folder = true},
    [PACED_DATA_BINARY] = {"binary", "none", read_binary, 2, .class_names = {"background", "foreground"},
                           .by_folder = true},
    [PACED_DATA_INDEX] = {"index", "none", read_numbered, 0, .by_folder = true},
    [PACED_DATA_COLOUR] = {"colour", "none", read_coloured, 0, .coloured = true, .folder = {"train", "val"}},
};

const char *paced_dataset_kind_name(int kind) {
    return kind >= 0 && (size_t)kind < PACED_COUNT(kinds) ? kinds[kind].name : NULL;
}

const char *paced_dataset_kind_augment(int kind) {
    return kinds[kind].augment;
}

/* ---- several masks of one image ------------------------------------------------------------------------------ */

char *masks_numbered_path(const char *path, int number) {
    size_t stem = paced_image_stem_length(path);
    return paced_format("%.*s_%d%s", (int)stem, path, number, path + stem);
}

static enum paced_err add_mask(const struct paced_masks *masks, const char *path, const char *context,
                               struct paced_mask *mask) {
    struct paced_mask more;
    PACED_TRY(masks->kind->read(masks, path, context, &more));
    enum paced_err err = PACED_OK;
    size_t count = (size_t)mask->width * (size_t)mask->height;
    if (more.width != mask->width || more.height != mask->height)
        err = paced_error_at(PACED_INVALID, context, "%s is %d x %d, but the image's first mask is %d x %d", path,
                             more.width, more.height, mask->width, mask->height);
    for (size_t i = 0; i < count && !err; ++i) mask->label[i] |= more.label[i];
    mask->unmapped += more.unmapped;
    mask->white = fmax(mask->white, more.white);
    if (more.greys > mask->greys) mask->greys = more.greys;
    free(more.label);
    return err;
}

static enum paced_err merge(const struct paced_masks *masks, const char *path, const char *context,
                            struct paced_mask *mask) {
    enum paced_err err = PACED_OK;
    bool more = true;
    for (int number = 1; more && !err; ++number) {
        char *next = masks_numbered_path(path, number), *file = image_file(next);
        more = paced_path_exists(file);
        free(file);
        if (more) err = add_mask(masks, next, context, mask);
        free(next);
    }
    return err;
}

/* ---- open, read and close ------------------------------------------------------------------------------------ */

static enum paced_err check_classes(const struct paced_masks *masks, const struct paced_data_options *options) {
    const struct mask_kind *kind = masks->kind;
    const int64_t classes = options->classes;
    if (kind->classes != 0 && classes != kind->classes)
        return paced_error(PACED_INVALID, "data.classes = %lld, but the dataset %s has %d; set data.classes = %d",
                           (long long)classes, kind->name, kind->classes, kind->classes);
    if (masks->labels.classes != 0 && classes != masks->labels.classes)
        return paced_error(PACED_INVALID, "data.classes = %lld, but %s has %d %s; set data.classes = %d",
                           (long long)classes, masks->labels.path, masks->labels.classes,
                           paced_plural((uint64_t)masks->labels.classes, "class", "classes"), masks->labels.classes);
    if (kind->coloured && !isnan(masks->ignore))
        return paced_error(PACED_INVALID,
                           "data.ignore is a value, but the masks of the dataset %s have colours; set it to none",
                           kind->name);
    if (masks->merge && kind->classes != 2)
        return paced_error(PACED_INVALID,
                           "data.merge_masks joins masks of one foreground class, not of the dataset %s; set it to no",
                           kind->name);
    return PACED_OK;
}

enum paced_err paced_ignore_check(const char *where, const char *text) {
    size_t digits = strspn(text, "0123456789");
    bool none = !*text || strcmp(text, "none") == 0;
    if (none || (digits > 0 && digits <= 5 && !text[digits] && atoi(text) <= UINT16_MAX)) return PACED_OK;
    return paced_error(PACED_INVALID, "%s: '%s' is no mask value; use none or a whole number from 0 to %d", where, text,
                       UINT16_MAX);
}

/* data.ignore, or NaN. */
static double ignored_value(const struct paced_data_options *options) {
    return options->ignore && isdigit((unsigned char)*options->ignore) ? atof(options->ignore) : NAN;
}

uint8_t paced_outside_label(const struct paced_data_options *options) {
    return options->fit == PACED_FIT_PAD || !isnan(ignored_value(options)) ? PACED_IGNORED : 0;
}

enum paced_err paced_masks_open(struct paced_masks **masks, const struct paced_data_options *options) {
    const char *labels = options->labels;
    bool named = labels && *labels;
    *masks = NULL;
    struct paced_masks *m = paced_alloc(1, sizeof *m);
    m->kind = &kinds[options->dataset];
    m->classes = (int)options->classes;
    m->merge = options->merge_masks;
    m->threshold = options->threshold > 0 ? options->threshold : 0.5;
    m->ignore = ignored_value(options);
    enum paced_err err = PACED_OK;
    if (m->kind->coloured && !named)
        err = paced_error(PACED_INVALID,
                          "data.labels is not set; give the JSON file that maps the masks' colours to classes");
    if (!err && named) err = labels_read(&m->labels, labels, m->kind->coloured);
    if (!err) err = check_classes(m, options);
    if (!err) *masks = m;
    if (err) paced_masks_close(m);
    return err;
}

void paced_masks_close(struct paced_masks *masks) {
    if (!masks) return;
    labels_finish(&masks->labels);
    free(masks);
}

enum paced_err paced_masks_read(const struct paced_masks *masks, const char *path, const char *context,
                                struct paced_mask *mask) {
    *mask = (struct paced_mask){0};
    enum paced_err err = masks->kind->read(masks, path, context, mask);
    if (!err && masks->merge) err = merge(masks, path, context, mask);
    if (!err) return PACED_OK;
    free(mask->label);
    *mask = (struct paced_mask){0};
    return err;
}

uint64_t paced_masks_hash(const struct paced_masks *masks) {
    const struct labels *l = &masks->labels;
    uint64_t hash = paced_hash(PACED_HASH_START, &l->classes, sizeof l->classes);
    hash = paced_hash(hash, &l->ignore, sizeof l->ignore);
    hash = paced_hash(hash, l->colour, l->colours * sizeof *l->colour);
    return paced_hash(hash, l->class, l->colours * sizeof *l->class);
}

const char *paced_masks_class_name(const struct paced_masks *masks, int class) {
    if (class < 0 || class >= masks->classes) return NULL;
    if (masks->labels.names) return masks->labels.names[class];
    return masks->kind->classes == 2 ? masks->kind->class_names[class] : NULL;
}

bool paced_masks_class_colour(const struct paced_masks *masks, int class, uint32_t *colour) {
    const struct labels *l = &masks->labels;
    for (size_t i = 0; i < l->colours; ++i)
        if (l->class[i] == class) {
            *colour = l->colour[i];
            return true;
        }
    return false;
}

char *paced_masks_unmapped_text(const struct paced_masks *masks, uint64_t unmapped) {
    if (masks->kind->coloured)
        return paced_format("%" PRIu64 " mask %s a colour that %s does not name and %s as its class \"ignore\"",
                            unmapped, paced_plural(unmapped, "pixel has", "pixels have"), masks->labels.path,
                            paced_plural(unmapped, "counts", "count"));
    return paced_format("%" PRIu64 " mask %s neither black nor white; data.threshold = %g divides them", unmapped,
                        paced_plural(unmapped, "pixel is", "pixels are"), masks->threshold);
}
