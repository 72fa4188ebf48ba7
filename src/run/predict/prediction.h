/* What `predict` writes of an image, and whether it is there already. */
#ifndef PACED_RUN_PREDICTION_H
#define PACED_RUN_PREDICTION_H

#include <time.h>

#include "src/run/class_colours.h"
#include "src/run/predict/images.h"
#include "src/run/predict/segment.h"

struct prediction {
    const char *output; /* directory */
    int size, classes;
    bool overlay, logits;
    uint32_t colours[CLASS_COLOURS]; /* with `overlay`: of the classes */
    int first_class, class_end;      /* whose probabilities are written: first_class ... class_end - 1 */
    struct result_endings results;   /* of an image; the mask, which is written last, is the last */
    char **ending;                   /* they own these */
    char *record, *settings;         /* DIR/predict.ini and what it has to hold */
    bool recorded;                   /* it does */
    struct timespec newest;          /* what results have to be newer than, besides their image */
};

/* PACED_INVALID where the options do not go together, an overlay's label table is bad, or DIR/predict.ini is a file of
 * another kind. prediction_finish
 * accepts {0}. */
enum paced_err prediction_init(struct prediction *prediction, const struct paced_config *config, const char *weights,
                               const struct paced_arguments *arguments);
void prediction_finish(struct prediction *prediction);

/* Drops the images whose results are all there, made with these settings, and newer than image and weights. */
void prediction_drop_done(struct prediction *prediction, struct images *images);
/* Makes the directory, and writes down the settings; where they were others, all results there count as old. */
enum paced_err prediction_record(const struct prediction *prediction);

/* Segments an image and writes its results; its pixels are lost with `overlay`. */
enum paced_err prediction_make(const struct prediction *prediction, struct segmenter *segmenter, const char *path,
                               const struct paced_image *image);

#endif
