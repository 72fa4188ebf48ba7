/* Images that a command line names, as files or folders. */
#ifndef PACED_RUN_IMAGES_H
#define PACED_RUN_IMAGES_H

#include "paced/config.h"
#include "paced/data.h"
#include "paced/run.h"

/* An image of the list. */
struct item {
    const char *path;
    int slices; /* of the NIfTI volume whose slices, this one among them, are all in the list, in order; else 0 */
};

struct images {
    char **paths; /* of files, or of slices, "vol.nii.gz#07" */
    size_t count;
    size_t masks; /* skipped in folders */
    struct paced_value_range range;
    int *slices;         /* as in struct item; NULL: all 0 */
    struct item visited; /* the image of the running visit */
};

struct item images_item(const struct images *images, size_t i);

/* Endings of the names of an image's results, --output/<stem><ending>. The stem of slice 7 of vol.tif is vol_7, or, if
 * all slices are listed, vol_07 with as many digits as needed. */
struct result_endings {
    const char *const *ending;
    size_t count;
    bool volumes; /* the last result of the slices of a volume is one file, --output/<stem of the file>.nii.gz */
};
int image_slice(const char *path);
/* Without the folder. Release with free(), as the following ones. */
char *image_stem(const char *path);
/* The mask beside an image, with its slice: "<stem>_mask" with the ending of an existing file, else .png. */
char *image_mask(const char *path, bool *exists);
char *result_path(const char *output, const char *image, const char *ending);
/* Result e of an image. */
char *item_result(const char *output, const struct item *item, struct result_endings endings, size_t e);

/* Lists all positional arguments but the first, CONFIG. A folder stands for its images, without subfolders
 * and without masks ("x_mask.png", "x_mask_1.png"... next to an image x). A file named by itself is always an image.
 * A file with several slices stands for all of them.
 * PACED_INVALID for a folder without images, for two images with equal names of results, and for a result that would
 * replace an image, a mask, CONFIG or the weights. Starts as {0}. */
enum paced_err images_list(struct images *images, const struct paced_arguments *arguments, const char *weights,
                           struct result_endings results);
void images_finish(struct images *images);

/* Sets the range of values for the images that the weights are applied to. */
enum paced_err images_set_range(struct images *images, const struct paced_config *config, const char *weights);

/* Drops the images that are done; of a volume, all slices or none. */
void images_drop(struct images *images, bool (*is_done)(const void *context, const struct item *item),
                 const void *context);

/* Reads the images in order, each during the visit of the previous one, and calls `visit`, which may change the pixels.
 * An image that fails with PACED_INVALID is reported, dropped from the list and skipped; the result is then
 * PACED_INVALID. With an unreadable slice, the rest of the volume is dropped. Other errors end the visit. PACED_STOPPED
 * after Ctrl-C before the last image. */
typedef enum paced_err images_visitor(void *context, const char *path, const struct paced_image *image);
enum paced_err images_visit(struct images *images, const char *label, images_visitor *visit, void *context);

#endif
