/* Images that a command line names, as files or folders. */
#ifndef PACED_RUN_IMAGES_H
#define PACED_RUN_IMAGES_H

#include "paced/config.h"
#include "paced/data.h"
#include "paced/run.h"

struct images {
    char **paths;
    size_t count;
    size_t masks; /* skipped in folders */
    struct paced_value_range range;
};

/* Endings of the names of an image's results, --output/<stem><ending>. */
struct result_endings {
    const char *const *ending;
    size_t count;
};
char *result_path(const char *output, const char *image, const char *ending); /* free() it */

/* Lists all positional arguments but the first, CONFIG. A folder stands for its PNG and JPEG files, without subfolders
 * and without masks ("x_mask.png", "x_mask_1.png"... next to an image x). A file named by itself is always an image.
 * PACED_INVALID for a folder without images, for two images with equal names of results, and for a result that would
 * replace an image, a mask, CONFIG or the weights. Starts as {0}. */
enum paced_err images_list(struct images *images, const struct paced_arguments *arguments, const char *weights,
                           struct result_endings results);
void images_finish(struct images *images);

/* Sets the range of values for the images that the weights are applied to. */
enum paced_err images_set_range(struct images *images, const struct paced_config *config, const char *weights);

/* Drops the images that are done. */
void images_drop(struct images *images, bool (*is_done)(const void *context, const char *path), const void *context);

/* Reads the images in order, each during the visit of the previous one, and calls `visit`, which may change the pixels.
 * An image that fails with PACED_INVALID is reported, dropped from the list and skipped; the result is then
 * PACED_INVALID. Other errors end the visit. PACED_STOPPED after Ctrl-C before the last image. */
typedef enum paced_err images_visitor(void *context, const char *path, const struct paced_image *image);
enum paced_err images_visit(struct images *images, const char *label, images_visitor *visit, void *context);

#endif
