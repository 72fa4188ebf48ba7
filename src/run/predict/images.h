/* The images that a command line names, one by one or by folder, and a walk over them. */
#ifndef PACED_RUN_IMAGES_H
#define PACED_RUN_IMAGES_H

#include "paced/data.h"
#include "paced/run.h"

struct images {
    char **paths;
    size_t count;
    size_t masks; /* passed over in folders */
};

/* The names of one image's results below --output: <stem><ending> for each of these. */
struct result_endings {
    const char *const *ending;
    size_t count;
};
char *result_path(const char *output, const char *image, const char *ending); /* free() it */

/* All names of the command line but the first, CONFIG. A folder stands for the PNG and JPEG files in it, without those
 * in folders below it and without masks: "x_mask.png", "x_mask_1.png"... beside an image x. A file that is named alone
 * always is an image. PACED_INVALID for a folder without images, for two images with results of one name, and where a
 * result would replace an image. Starts as {0}. */
enum paced_err images_list(struct images *images, const struct paced_arguments *arguments,
                           struct result_endings results);
void images_finish(struct images *images);

/* Drops the images that are done. */
void images_drop(struct images *images, bool (*is_done)(const void *context, const char *path), const void *context);

/* Reads one after another, the next while the present one is worked on, and hands it to `visit`, which may change its
 * pixels. An image that fails with PACED_INVALID was named by its error; it is dropped from the list and passed over,
 * and the result tells. Ctrl-C ends the walk with PACED_STOPPED. */
typedef enum paced_err images_visitor(void *context, const char *path, const struct paced_image *image);
enum paced_err images_visit(struct images *images, const char *label, images_visitor *visit, void *context);

#endif
