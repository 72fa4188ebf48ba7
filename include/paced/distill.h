/* distill: what the student learns from: the loss and its gradient, per pixel.
 *
 * s are the student's logits, y the labels, N = n h w pixels; the objective is the mean over all pixels of the batch:
 *   CE = log sum_c exp(s_c) - s_y */
#ifndef PACED_DISTILL_H
#define PACED_DISTILL_H

#include "paced/graph.h"

/* Sums over the pixels of one batch. */
struct paced_loss_sums {
    double loss, ce;
};

struct paced_loss;

/* For up to `batch` samples of size x size pixels. */
enum paced_err paced_loss_create(struct paced_loss **loss, struct paced_device *device, int batch, int size,
                                 int classes);
void paced_loss_destroy(struct paced_loss *loss);

/* uint8 [n][h][w]: written before paced_loss_run. */
struct paced_buffer *paced_loss_labels(struct paced_loss *loss);

/* Values, and the objective's gradient into dlogits unless NULL, for `count` samples of logits [n][h][w][classes]. Only
 * enqueues: the sums are fetched by _read_later and complete after paced_loss_wait. Two reads may be under way. */
enum paced_err paced_loss_run(struct paced_loss *loss, const struct paced_buffer *logits, int count,
                              struct paced_buffer *dlogits);
enum paced_err paced_loss_read_later(struct paced_loss *loss, int count);
enum paced_err paced_loss_wait(struct paced_loss *loss, struct paced_loss_sums *sums);

#endif
