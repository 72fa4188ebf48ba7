/* distill: what the student learns from: the loss per pixel, the teacher's confidence, uncertainty, pacing.
 *
 * s are the student's logits, t the teacher's, y the labels, C classes, N = n h w pixels. The objective is the mean
 * over all pixels of the batch of
 *   (c0 + c1 w) CE + (k0 + k1 w) KLD
 *   CE  = - sum_c y'_c log softmax(s)_c            y' the target: hard, smoothed uniformly, or smoothed by SVLS
 *   KLD = T^2 / C sum_c p_c (log p_c - log q_c)    p = softmax(t / T), q = softmax(s / T)
 *   w   = 1 where the pixel is admitted, else a low weight: 0 (hard), or min(1, mu + 0.1) (soft)
 * where c0, c1, k0, k1 are a row of the table of losses. A pixel is admitted where its uncertainty u <= mu:
 *   u_p = 1 - f[y] or 1 - max_c f_c, f = softmax(t / tau);   u_b = 1 - svls(y)[y];   u fuses the two.
 * The reference's own losses compare as the reference does, f >= 1 - mu. Sources: the reference implementation; P-CBLS
 * (temperature scaling, quantile pacing); SVLS (boundary smoothing). Fusion and u_b are this project's reading of the
 * paper, whose public code has neither. */
#ifndef PACED_DISTILL_H
#define PACED_DISTILL_H

#include "paced/config.h"
#include "paced/graph.h"

/* ---- the objective: which loss, from the configuration ------------------------------------------------------- */

/* What a pixel's weight hangs on. */
enum paced_weighting {
    PACED_WEIGHT_NONE,       /* w = 1 */
    PACED_WEIGHT_TRUE_CLASS, /* f[y] >= 1 - mu (the reference's curriculum) */
    PACED_WEIGHT_MAX,        /* max_c f_c >= 1 - mu (self-paced) */
    PACED_WEIGHT_CLASS_MEAN, /* mean_c f_c >= 1 - mu: the reference's "per image", always 1 / C */
    PACED_WEIGHT_IMAGE_MAX,  /* the image's mean of max_c f_c >= 1 - mu */
    PACED_WEIGHT_FUSED,      /* u <= mu */
};

struct paced_objective {
    const char *name;
    enum paced_weighting weighting;
    float c0, c1, k0, k1;
    bool soft;       /* not admitted: min(1, mu + 0.1), else 0 */
    bool curriculum; /* the step schedule's arithmetic of curriculum runs */
    bool needs_teacher;
    bool hard_first;   /* anti-curriculum: admits the most uncertain first (u is reversed: 1 - u) */
    bool by_quantile;  /* mu is taken from the uncertainties: compares u <= mu, so that the quantile's own count */
    float temperature; /* T */
    float tau;         /* set later where it is fitted */
    int prediction, boundary, fuse, target; /* the configuration's choices */
    int kernel;
    float beta, smoothing;
};

/* Plain cross entropy, for measuring. */
struct paced_objective paced_objective_plain(void);

/* PACED_INVALID where the configuration asks for what does not go together: a loss that needs a teacher, without one.
 */
enum paced_err paced_objective_init(struct paced_objective *objective, const struct paced_config *config);

/* ---- pacing: pure functions of the epoch --------------------------------------------------------------------- */

/* How often each uncertainty occurs among the training pixels, to take quantiles from. */
struct paced_histogram;
struct paced_histogram *paced_histogram_create(void);
void paced_histogram_destroy(struct paced_histogram *histogram);
/* PACED_INVALID for a value that is not a number. */
enum paced_err paced_histogram_add(struct paced_histogram *histogram, const float *uncertainty, size_t count);
/* The smallest value (one that occurs, to 2^-20) that at least this share of all values does not exceed; share 0: the
 * least value, 1: the greatest. 1 where nothing was added. */
double paced_histogram_quantile(const struct paced_histogram *histogram, double share);

/* Does this configuration's pacing take quantiles? */
bool paced_pacing_needs_histogram(const struct paced_config *config, const struct paced_objective *objective);

/* mu of a 0-based epoch. step: mu0 and its updates so far (curriculum kind: after 0-based epochs divisible by
 * mu_update_every, others: after 1-based ones), never above mu_max. quantile, linear, exponential, root: from the
 * histogram. none: 1. */
double paced_pacing_mu(const struct paced_config *config, const struct paced_objective *objective, int epoch,
                       const struct paced_histogram *histogram);

/* The SVLS sigma of a 0-based epoch: sigma sigma_decay^epoch. */
double paced_pacing_sigma(const struct paced_config *config, int epoch);

/* ---- SVLS ---------------------------------------------------------------------------------------------------- */

/* weights[size][size]: a Gaussian whose centre is replaced by the sum of the others, divided by the new sum: the centre
 * is 0.5 whatever sigma and size (1 for size 1); size is odd, at most PACED_MOST_KERNEL. Computed relative to the
 * nearest neighbours, so that it holds for any sigma > 0. */
void paced_svls_kernel(float *weights, int size, double sigma);

/* ---- the loss on the device ---------------------------------------------------------------------------------- */

/* Sums over the pixels of one batch; kld only with a teacher; admitted: pixels with weight 1. */
struct paced_loss_sums {
    double loss, ce, kld, admitted;
};

struct paced_loss;

/* For up to `batch` samples of size x size pixels. `teacher`: teacher logits will be given. */
enum paced_err paced_loss_create(struct paced_loss **loss, struct paced_device *device,
                                 const struct paced_objective *objective, bool teacher, int batch, int size,
                                 int classes);
void paced_loss_destroy(struct paced_loss *loss);

/* Sets what changes between epochs. */
enum paced_err paced_loss_set_epoch(struct paced_loss *loss, double mu, double sigma);

/* Written before paced_loss_run: uint8 labels [n][h][w], the teacher's logits [n][h][w][classes]. */
struct paced_buffer *paced_loss_labels(struct paced_loss *loss);
struct paced_buffer *paced_loss_teacher(struct paced_loss *loss);

/* Each pixel's uncertainty in [0, 1] as pacing sees it (reversed where hard_first), from labels and teacher, into
 * paced_loss_uncertainty: float [n][h][w]. Also the way to look at one part of it: `fuse` as in the configuration
 * (PACED_FUSE_PREDICTION, ...) or -1 for the objective's own. */
enum paced_err paced_loss_measure(struct paced_loss *loss, int count, int fuse);
struct paced_buffer *paced_loss_uncertainty(struct paced_loss *loss);

/* The weights that paced_loss_run gives to the pixels just measured (fuse -1): weights[count][size][size]. Waits. */
enum paced_err paced_loss_read_weights(struct paced_loss *loss, int count, float *weights);

/* Values, and the objective's gradient into dlogits unless NULL, for `count` samples of logits [n][h][w][classes]. Only
 * enqueues: the sums are fetched by _read_later and complete after paced_loss_wait. Two reads may be under way. */
enum paced_err paced_loss_run(struct paced_loss *loss, const struct paced_buffer *logits, int count,
                              struct paced_buffer *dlogits);
enum paced_err paced_loss_read_later(struct paced_loss *loss, int count);
enum paced_err paced_loss_wait(struct paced_loss *loss, struct paced_loss_sums *sums);

#endif
