/* The images that a command line names, one by one or by folder, and a walk over them. */
#ifndef PACED_RUN_IMAGES_H
#define PACED_RUN_IMAGES_H

#include "paced/data.h"
#include "paced/run.h"

struct images {
    char **paths;
    size_t count;
};

/* Which PNG files of a folder are meant; a file that is named alone always is. */
enum images_choice { IMAGES_ALL, IMAGES_NO_MASKS /* not "x_mask.png", "x_mask_1.png"... beside "x.png" */ };

/* All names of the command line but the first, CONFIG. PACED_INVALID for a folder without images, for two images whose
 * results would have one name, and where DIR/<stem>.png (DIR = --output) is an image itself. Starts as {0}. */
enum paced_err images_list(struct images *images, const struct paced_arguments *arguments, enum images_choice choice);
void images_finish(struct images *images);

/* Reads one after another and hands it to `visit`. An image that fails with PACED_INVALID was named by its error; it is
 * dropped from the list and passed over, and the result tells. Ctrl-C ends the walk with PACED_STOPPED. */
typedef enum paced_err images_visitor(void *context, const char *path, const struct paced_image *image);
enum paced_err images_visit(struct images *images, const char *label, images_visitor *visit, void *context);

#endif
