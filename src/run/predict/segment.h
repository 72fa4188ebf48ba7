/* Segmentation of an image of any size by a trained network, as configured by [predict]: the whole image resized to the
 * network's size and its logits resized back (nearest neighbour), or overlapping windows at full resolution. Logits of
 * overlapping windows and, with predict.flip, of mirrored views are averaged before the softmax. */
#ifndef PACED_RUN_SEGMENT_H
#define PACED_RUN_SEGMENT_H

#include "paced/config.h"

struct segmenter;

/* Opens the configured device and network with the weights of a file. Device and host memory do not grow with the
 * height of the images. */
enum paced_err segmenter_open(struct segmenter **segmenter, const struct paced_config *config, const char *weights);
void segmenter_close(struct segmenter *segmenter); /* accepts NULL */

/* Receiver of the rows of a segmented image, from top to bottom: label[width], the classes of the largest logits (the
 * first of equals), and probability[width][classes], or NULL if not wanted. Both are valid during the call. */
struct segment_rows {
    bool probabilities; /* wanted */
    enum paced_err (*take)(void *context, int y, const uint8_t *label, const float *probability);
    void *context;
};

/* Segments rgb[height][width][3]. PACED_STOPPED, between two batches, once paced_stop_asked(). Not thread-safe. */
enum paced_err segmenter_run(struct segmenter *segmenter, const uint8_t *rgb, int width, int height,
                             const struct segment_rows *rows);

/* Same into arrays: label[height][width], probability[height][width][classes] (NULL: not wanted). */
enum paced_err segmenter_fill(struct segmenter *segmenter, const uint8_t *rgb, int width, int height, uint8_t *label,
                              float *probability);

/* Logits [height][width][classes] of the last image with predict.mode = resize; NULL with windows. */
const float *segmenter_logits(const struct segmenter *segmenter);

#endif
