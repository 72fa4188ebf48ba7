/* One image of any size through a trained network, as [predict] says: the whole image squeezed to the network's size
 * and its logits stretched back (nearest neighbour), or overlapping windows at the image's own resolution. What
 * overlaps, and with predict.flip what the mirrored views give, is averaged as logits; the softmax comes after. */
#ifndef PACED_RUN_SEGMENT_H
#define PACED_RUN_SEGMENT_H

#include "paced/config.h"

struct segmenter;

/* The configured device and network with the weights of a file. Memory of the device and of the host does not grow with
 * the images' height. */
enum paced_err segmenter_open(struct segmenter **segmenter, const struct paced_config *config, const char *weights);
void segmenter_close(struct segmenter *segmenter); /* NULL: nothing */

/* Takes the rows of a segmented image from its top to its bottom: label[width], the likeliest classes (the first of
 * equals), and probability[width][classes], or NULL where they are not wanted. Valid during the call. */
struct segment_rows {
    bool probabilities; /* wanted */
    enum paced_err (*take)(void *context, int y, const uint8_t *label, const float *probability);
    void *context;
};

/* rgb[height][width][3]. PACED_STOPPED, between two batches, once paced_stop_asked(). One image at a time. */
enum paced_err segmenter_run(struct segmenter *segmenter, const uint8_t *rgb, int width, int height,
                             const struct segment_rows *rows);

/* The same into arrays: label[height][width], probability[height][width][classes] (NULL: not wanted). */
enum paced_err segmenter_fill(struct segmenter *segmenter, const uint8_t *rgb, int width, int height, uint8_t *label,
                              float *probability);

/* predict.mode = resize: the last image's logits [size][size][classes]; NULL of windows. */
const float *segmenter_logits(const struct segmenter *segmenter);

#endif
