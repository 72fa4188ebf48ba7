/* Results that `paced predict` writes for an image. */
#ifndef PACED_RUN_PREDICTION_H
#define PACED_RUN_PREDICTION_H

#include <time.h>

#include "src/run/class_colours.h"
#include "src/run/predict/images.h"
#include "src/run/predict/segment.h"

struct prediction {
    const char *output; /* directory */
    struct paced_extent extent;
    int classes;
    bool overlay, logits;
    uint32_t colours[CLASS_COLOURS]; /* of the classes; only with `overlay` */
    int first_class, class_end;      /* probabilities of first_class ... class_end - 1 are written */
    struct result_endings results;   /* of an image; the mask is last and is written last */
    char **ending;                   /* owned strings of `results` */
    char *record, *settings;         /* DIR/predict.ini and its required content */
    bool recorded;                   /* the record has that content */
    struct paced_nifti *volume;      /* of which the first slices are predicted; NULL: none */
    uint64_t hash;                   /* of the files, besides the image, that results depend on */
    struct timespec newest;          /* time of the newest of them */
};

/* PACED_INVALID if the options exclude each other, the weights cannot be read, an overlay's label table is bad, or
 * DIR/predict.ini was not written by this command. `arguments` must outlive the prediction. prediction_finish accepts
 * {0}. */
enum paced_err prediction_init(struct prediction *prediction, const struct paced_config *config, const char *weights,
                               const struct paced_arguments *arguments);
void prediction_finish(struct prediction *prediction);

/* PACED_INVALID if a result would replace a file that this command did not write: DIR has no record. */
enum paced_err prediction_check_others(const struct prediction *prediction, const struct images *images);

/* Drops the images whose results all exist, were made with these settings, and are newer than image and weights. */
void prediction_drop_done(struct prediction *prediction, struct images *images);
/* Creates the directory and records the settings. Changed settings make all existing results outdated. */
enum paced_err prediction_record(const struct prediction *prediction);

/* Segments an image and writes its results. `overlay` overwrites the pixels of the image. */
enum paced_err prediction_make(struct prediction *prediction, struct segmenter *segmenter, const struct item *item,
                               const struct paced_image *image);

#endif
