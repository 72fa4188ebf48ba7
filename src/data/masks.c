/* Mask readers.
 *
 *   bus:    label = 1 where the red channel, expanded to 8 bit, is 255; else 0. Values strictly between 0 and 255 (a
 *           mask that was interpolated or compressed with loss) become 0 too, and are counted.
 *   folder: label = the stored value itself (palette index, grey value, or red channel).
 *
 * Law: both look at every pixel of the file, so what is found does not depend on the size trained at. */
#include "src/data/masks.h"

#include <stdlib.h>

enum paced_err paced_mask_read_bus(const char *path, const char *context, int classes, struct paced_mask *mask) {
    (void)classes;
    struct paced_image image;
    *mask = (struct paced_mask){0};
    PACED_TRY(paced_png_read(path, context, &image));
    const size_t count = (size_t)image.width * (size_t)image.height;
    *mask = (struct paced_mask){.width = image.width, .height = image.height, .label = paced_alloc(count, 1)};
    for (size_t i = 0; i < count; i++) {
        const uint8_t red = image.rgb[3 * i];
        mask->label[i] = red == 255;
        mask->between += red > 0 && red < 255;
    }
    free(image.rgb);
    return PACED_OK;
}

enum paced_err paced_mask_read_folder(const char *path, const char *context, int classes, struct paced_mask *mask) {
    struct paced_plane plane;
    *mask = (struct paced_mask){0};
    PACED_TRY(paced_png_read_plane(path, context, &plane));
    const size_t width = (size_t)plane.width, count = width * (size_t)plane.height;
    enum paced_err err = PACED_OK;
    uint8_t *label = paced_alloc(count, 1);
    for (size_t i = 0; i < count; i++) {
        if (plane.value[i] >= classes) {
            err =
                paced_error(PACED_INVALID,
                            "%s: %s: row %zu, column %zu holds %d, outside the classes 0 to %d; check data.classes and "
                            "the mask",
                            context, path, i / width, i % width, plane.value[i], classes - 1);
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
