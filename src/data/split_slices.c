/* Slices of a split: an entry ["vol.nii.gz", "vol_mask.nii.gz"] stands for the pairs "vol.nii.gz#0",
 * "vol_mask.nii.gz#0" and so on. */
#include <stdlib.h>

#include "paced/data.h"
#include "src/data/split.h"

static int count_slices(const char *root, const char *name) {
    char *path = paced_path_join(root, name);
    int slices = paced_image_slices(path);
    free(path);
    return slices;
}

static enum paced_err refuse(const struct paced_split *split, const struct paced_pair *pair, int images, int masks) {
    return paced_error_at(PACED_INVALID, split->path,
                          "entry %zu: %s has %d %s, but its mask %s has %d; name files with as many, or pick a slice "
                          "of each, as in \"%s#0\"",
                          pair->entry, pair->image, images, paced_plural((uint64_t)images, "slice", "slices"),
                          pair->mask, masks, images > 1 ? pair->image : pair->mask);
}

/* Appends the slices of a pair, or the pair itself, whose strings then pass to `split`. */
static void append(struct paced_split *split, struct paced_pair *pair, int slices) {
    size_t count = slices > 1 ? (size_t)slices : 1;
    split->pairs = paced_grow(split->pairs, split->count + count, sizeof *split->pairs);
    if (slices <= 1) {
        split->pairs[split->count++] = *pair;
        *pair = (struct paced_pair){0};
        return;
    }
    for (int k = 0; k < slices; ++k)
        split->pairs[split->count++] = (struct paced_pair){paced_format("%s#%d", pair->image, k),
                                                           paced_format("%s#%d", pair->mask, k), pair->entry};
}

enum paced_err split_expand(struct paced_split *split, const char *root) {
    struct paced_split out = {.path = split->path, .depth = split->depth};
    enum paced_err err = PACED_OK;
    for (size_t i = 0; i < split->count && !err; ++i) {
        struct paced_pair *pair = &split->pairs[i];
        pair->entry = i + 1;
        int images = count_slices(root, pair->image), masks = images > 0 ? count_slices(root, pair->mask) : 0;
        if (masks > 0 && images != masks) err = refuse(split, pair, images, masks);
        if (!err) append(&out, pair, masks > 0 ? images : 1);
    }
    split->path = NULL; /* handed over */
    split_finish(split);
    *split = out;
    return err;
}
