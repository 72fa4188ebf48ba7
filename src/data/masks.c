/* Mask readers. The kinds of data set differ only in the encoding of masks: one row each in the table below.
 *
 *   bus, needle: label = 1 where the red channel, expanded to 8 bit, is 255; else 0. Values strictly between 0 and 255
 *                (interpolation or lossy compression) also become 0 and count as unmapped.
 *   robo:        label = the class of the colour in the label table. A colour missing from the table is an error, or
 *                receives the class of the table's entry "ignore" and counts as unmapped.
 *   folder:      label = the stored value (palette index, grey value or red channel).
 *
 * Invariant: readers check every pixel of the file, so errors and counts do not depend on data.size. */
#include "src/data/masks.h"

#include <stdlib.h>
#include <string.h>

/* ---- readers ------------------------------------------------------------------------------------------------- */

static enum paced_err read_binary(const struct paced_masks *masks, const char *path, const char *context,
                                  struct paced_mask *mask) {
    (void)masks;
    struct paced_image image;
    PACED_TRY(paced_image_read_exact(path, context, &image));
    size_t count = (size_t)image.width * (size_t)image.height;
    *mask = (struct paced_mask){.width = image.width, .height = image.height, .label = paced_alloc(count, 1)};
    for (size_t i = 0; i < count; ++i) {
        uint8_t red = image.rgb[3 * i];
        mask->label[i] = red == 255;
        mask->unmapped += red > 0 && red < 255;
    }
    free(image.rgb);
    return PACED_OK;
}

static enum paced_err read_coloured(const struct paced_masks *masks, const char *path, const char *context,
                                    struct paced_mask *mask) {
    struct paced_image image;
    PACED_TRY(paced_image_read_exact(path, context, &image));
    size_t width = (size_t)image.width, count = width * (size_t)image.height;
    enum paced_err err = PACED_OK;
    uint8_t *label = paced_alloc(count, 1);
    size_t last = 0, unmapped = 0;
    for (size_t i = 0; i < count; ++i) {
        const uint8_t *rgb = image.rgb + 3 * i;
        int class = labels_find(&masks->labels, (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2], &last);
        if (class < 0 && masks->labels.ignore < 0) {
            err = paced_error_at(PACED_INVALID, context,
                                 "%s: row %zu, column %zu has the colour (%d, %d, %d), which %s does not name; add it "
                                 "there, or an entry \"ignore\"",
                                 path, i / width, i % width, rgb[0], rgb[1], rgb[2], masks->labels.path);
            goto out;
        }
        unmapped += class < 0;
        label[i] = (uint8_t)(class < 0 ? masks->labels.ignore : class);
    }
    *mask = (struct paced_mask){.width = image.width, .height = image.height, .label = label, .unmapped = unmapped};
    label = NULL; /* handed over */
out:
    free(label);
    free(image.rgb);
    return err;
}

static enum paced_err read_numbered(const struct paced_masks *masks, const char *path, const char *context,
                                    struct paced_mask *mask) {
    struct paced_plane plane;
    PACED_TRY(paced_plane_read(path, context, &plane));
    size_t width = (size_t)plane.width, count = width * (size_t)plane.height;
    enum paced_err err = PACED_OK;
    uint8_t *label = paced_alloc(count, 1);
    for (size_t i = 0; i < count; ++i) {
        if (plane.value[i] >= masks->classes) {
            bool binary = masks->classes == 2 && plane.value[i] == 255;
            err = paced_error_at(
                PACED_INVALID, context, "%s: row %zu, column %zu holds %d, outside the classes 0 to %d; %s", path,
                i / width, i % width, plane.value[i], masks->classes - 1,
                binary ? "masks of 0 and 255 are read by data.dataset = bus" : "check data.classes and the mask");
            goto out;
        }
        label[i] = (uint8_t)plane.value[i];
    }
    *mask = (struct paced_mask){.width = plane.width, .height = plane.height, .label = label};
    label = NULL; /* handed over */
out:
    free(label);
    free(plane.value);
    return err;
}

static const struct mask_kind kinds[] = {
    [PACED_DATA_BUS] = {"bus", "none", read_binary, 2, .class_names = {"background", "lesion"}, .by_folder = true},
    [PACED_DATA_NEEDLE] = {"needle", "hflip", read_binary, 2, .class_names = {"background", "needle"}},
    [PACED_DATA_ROBO] = {"robo", "none", read_coloured, 0, .coloured = true, .folder = {"train", "val"}},
    [PACED_DATA_FOLDER] = {"folder", "none", read_numbered, 0, .by_folder = true},
};

const char *paced_dataset_kind_name(int kind) {
    return kind >= 0 && (size_t)kind < PACED_COUNT(kinds) ? kinds[kind].name : NULL;
}

const char *paced_dataset_kind_augment(int kind) {
    return kinds[kind].augment;
}

/* ---- several masks of one image ------------------------------------------------------------------------------ */

/* "a_mask.png" -> "a_mask_2.png" */
static char *numbered_path(const char *path, int number) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    if (!dot || (slash && dot < slash)) dot = path + strlen(path);
    return paced_format("%.*s_%d%s", (int)(dot - path), path, number, dot);
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
    free(more.label);
    return err;
}

static enum paced_err merge(const struct paced_masks *masks, const char *path, const char *context,
                            struct paced_mask *mask) {
    enum paced_err err = PACED_OK;
    bool more = true;
    for (int number = 1; more && !err; ++number) {
        char *next = numbered_path(path, number);
        more = paced_path_exists(next);
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
    if (masks->merge && kind->classes != 2)
        return paced_error(PACED_INVALID,
                           "data.merge_masks joins masks of one foreground class, not of the dataset %s; set it to no",
                           kind->name);
    return PACED_OK;
}

enum paced_err paced_masks_open(struct paced_masks **masks, const struct paced_data_options *options) {
    const char *labels = options->labels;
    bool named = labels && *labels;
    *masks = NULL;
    struct paced_masks *m = paced_alloc(1, sizeof *m);
    m->kind = &kinds[options->dataset];
    m->classes = (int)options->classes;
    m->merge = options->merge_masks;
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

char *paced_masks_unmapped_text(const struct paced_masks *masks, size_t unmapped) {
    if (masks->kind->coloured)
        return paced_format("%zu mask %s a colour that %s does not name and %s as its class \"ignore\"", unmapped,
                            paced_plural(unmapped, "pixel has", "pixels have"), masks->labels.path,
                            paced_plural(unmapped, "counts", "count"));
    return paced_format("%zu mask %s neither 0 nor 255 and %s as background", unmapped,
                        paced_plural(unmapped, "pixel is", "pixels are"), paced_plural(unmapped, "counts", "count"));
}
