/* distill: the loss per pixel, the teacher's confidence, the uncertainty and pacing.
 *
 * s: the student's logits; t: the teacher's logits; y: the labels; C: the number of classes. The objective is the mean
 * over the pixels of the batch that are not ignored (PACED_IGNORED) of
 *   (c0 + c1 w) CE + (k0 + k1 w) KLD
 *   CE  = - sum_c y'_c log softmax(s)_c            y' = target: hard, smoothed uniformly, or smoothed by SVLS
 *   KLD = T^2 / C sum_c p_c (log p_c - log q_c)    p = softmax(t / T), q = softmax(s / T)
 *   w   = 1 if the pixel is admitted, else a low weight: 0 (hard) or min(1, mu + 0.1) (soft)
 * with c0, c1, k0, k1 from a row of the table of losses. A pixel is admitted if its uncertainty u <= mu:
 *   u_p = 1 - f[y] or 1 - max_c f_c, f = softmax(t / tau);   u_b = 1 - svls(y)[y];   u fuses both.
 * The reference's own losses use its comparison, f >= 1 - mu. Sources: the reference implementation; P-CBLS
 * (temperature scaling, quantile pacing); SVLS (boundary smoothing). Fusion and u_b are this project's interpretation
 * of the paper, whose public code has neither. */
#ifndef PACED_DISTILL_H
#define PACED_DISTILL_H

#include "paced/graph.h"

/* ---- options ------------------------------------------------------------------------------------------------- */

enum { PACED_MAX_KERNEL = 31 }; /* side of an SVLS kernel, pixels */

enum paced_method { PACED_METHOD_IID, PACED_METHOD_KD, PACED_METHOD_CPL, PACED_METHOD_TPL, PACED_METHOD_PCD };
enum paced_mix { PACED_MIX_AUTO, PACED_MIX_ALPHA, PACED_MIX_SUM };
enum paced_prediction { PACED_PREDICTION_LABEL, PACED_PREDICTION_MAX };
enum paced_boundary { PACED_BOUNDARY_SVLS, PACED_BOUNDARY_NONE };
enum paced_fuse {
    PACED_FUSE_PRODUCT,
    PACED_FUSE_MEAN,
    PACED_FUSE_MAX,
    PACED_FUSE_WEIGHTED,
    PACED_FUSE_PREDICTION,
    PACED_FUSE_BOUNDARY
};
enum paced_target { PACED_TARGET_HARD, PACED_TARGET_UNIFORM, PACED_TARGET_SVLS };
enum paced_pacing {
    PACED_PACING_STEP,
    PACED_PACING_QUANTILE,
    PACED_PACING_LINEAR,
    PACED_PACING_EXPONENTIAL,
    PACED_PACING_ROOT,
    PACED_PACING_NONE
};
enum paced_order { PACED_ORDER_EASY, PACED_ORDER_HARD };
enum paced_admission { PACED_ADMISSION_AUTO, PACED_ADMISSION_HARD, PACED_ADMISSION_SOFT };

/* Names of these choices, and of the reference implementation's losses after "" (by method). */
paced_names paced_method_name, paced_loss_name, paced_mix_name, paced_prediction_name, paced_boundary_name,
    paced_fuse_name, paced_target_name, paced_pacing_name, paced_order_name, paced_admission_name;

/* The sections [distill], [uncertainty] and [pacing]; docs/configuration.md explains the keys. */
struct paced_distill_options {
    char *teacher, *teacher_arch; /* empty: no teacher; empty: the student's */
    int64_t teacher_width;        /* 0: the student's */
    int method, loss, mix;        /* enum paced_method; row of paced_loss_name, 0: by method; enum paced_mix */
    double alpha, temperature;
    int64_t cache_mb;
};
struct paced_uncertainty_options {
    double temperature;                     /* NaN: fitted */
    int prediction, boundary, fuse, target; /* enums paced_prediction, _boundary, _fuse, _target */
    int64_t kernel;
    double sigma, sigma_decay, beta, smoothing;
};
struct paced_pacing_options {
    int function; /* enum paced_pacing */
    double mu, mu_update;
    int64_t mu_update_every;
    double mu_max, start, end;
    int order, admission; /* enums paced_order, paced_admission */
};

/* ---- the objective ------------------------------------------------------------------------------------------- */

/* The quantity that determines a pixel's weight. */
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
    bool soft;       /* weight of pixels that are not admitted: min(1, mu + 0.1), else 0 */
    bool curriculum; /* the step schedule counts as in the reference's curriculum runs */
    bool needs_teacher;
    bool hard_first;   /* anti-curriculum: admits the most uncertain pixels first (u is replaced by 1 - u) */
    bool by_quantile;  /* mu is a quantile of u: compares u <= mu, which admits pixels at the quantile, too */
    float temperature; /* T */
    float tau;         /* the caller sets it if it is fitted */
    int prediction, boundary, fuse, target; /* enums as in the options */
    int kernel;
    float beta, smoothing;
};

/* Plain cross entropy, for evaluation. */
struct paced_objective paced_objective_plain(void);

/* The objective that the options select. PACED_INVALID for a loss that needs a teacher without one. */
enum paced_err paced_objective_init(struct paced_objective *objective, const struct paced_distill_options *distill,
                                    const struct paced_uncertainty_options *uncertainty,
                                    const struct paced_pacing_options *pacing);

/* ---- pacing: pure functions of the epoch --------------------------------------------------------------------- */

/* Histogram of the training pixels' uncertainties, for quantiles. */
struct paced_histogram;
struct paced_histogram *paced_histogram_create(void);
void paced_histogram_destroy(struct paced_histogram *histogram);
/* Adds the uncertainty[count] of pixels that label[count] does not ignore. PACED_INVALID for a NaN. */
enum paced_err paced_histogram_add(struct paced_histogram *histogram, const float *uncertainty, const uint8_t *label,
                                   size_t count);
/* The smallest value in the histogram (to 2^-20) that at least this fraction of all values does not exceed: fraction 0
 * gives the minimum, 1 the maximum. 1 if the histogram is empty. */
double paced_histogram_quantile(const struct paced_histogram *histogram, double fraction);

/* True if the pacing function uses quantiles. */
bool paced_pacing_needs_histogram(const struct paced_pacing_options *options, const struct paced_objective *objective);

/* mu of a 0-based epoch of `epochs`. step: the initial mu plus one update after every epoch whose number is divisible
 * by mu_update_every (0-based numbers for curriculum losses, else 1-based), at most mu_max. quantile, linear,
 * exponential, root: from the histogram. none: 1. */
double paced_pacing_mu(const struct paced_pacing_options *options, const struct paced_objective *objective, int epoch,
                       int64_t epochs, const struct paced_histogram *histogram);

/* The SVLS sigma of a 0-based epoch: sigma sigma_decay^epoch. */
double paced_pacing_sigma(const struct paced_uncertainty_options *options, int epoch);

/* ---- SVLS ---------------------------------------------------------------------------------------------------- */

/* weights[size][size]: a Gaussian whose centre is replaced by the sum of the others, divided by the new sum. The centre
 * is thus 0.5 for all sigma and size (1 for size 1). size: odd, at most PACED_MAX_KERNEL; sigma: any > 0. */
void paced_svls_kernel(float *weights, int size, double sigma);

/* ---- the loss on the device ---------------------------------------------------------------------------------- */

/* SUM(ID, name): a column of the loss kernel's results, an enumerator and a field. admitted counts pixels of weight 1;
 * kld is 0 without a teacher. */
#define PACED_SUM_LIST(SUM) SUM(LOSS, loss) SUM(CE, ce) SUM(KLD, kld) SUM(ADMITTED, admitted)

#define PACED_SUM_ID(id, name) PACED_SUM_##id,
#define PACED_SUM_FIELD(id, name) double name;
enum paced_sum { PACED_SUM_LIST(PACED_SUM_ID) PACED_SUMS };

/* Sums over the pixels that are not ignored, and their number. All are 0 without such a pixel. */
struct paced_loss_sums {
    union {
        struct {
            PACED_SUM_LIST(PACED_SUM_FIELD)
        };
        double of[PACED_SUMS]; /* [enum paced_sum] */
    };
    double pixels;
};

struct paced_loss;

/* A loss for up to `batch` samples of this extent. `teacher`: the caller provides teacher logits. */
enum paced_err paced_loss_create(struct paced_loss **loss, struct paced_device *device,
                                 const struct paced_objective *objective, bool teacher, int batch,
                                 struct paced_extent extent, int classes);
void paced_loss_destroy(struct paced_loss *loss);

/* Sets the values that change between epochs. */
enum paced_err paced_loss_set_epoch(struct paced_loss *loss, double mu, double sigma);

/* Writes the labels of the next `count` samples, labels[count][h][w], and counts those that are not ignored. As
 * paced_buffer_write and paced_buffer_write_later, the first waits, the second does not. */
enum paced_err paced_loss_write_labels(struct paced_loss *loss, const uint8_t *labels, int count);
enum paced_err paced_loss_write_labels_later(struct paced_loss *loss, const uint8_t *labels, int count);

/* The teacher's logits float [n][h][w][classes], owned by the loss and written by the caller; NULL without a teacher.
 */
struct paced_buffer *paced_loss_teacher(struct paced_loss *loss);

/* Computes each pixel's uncertainty in [0, 1], 1 - u if hard_first, from labels and teacher into
 * paced_loss_uncertainty: float [n][h][w], NaN for ignored pixels. `fuse`: -1 for the objective's own, or a value of
 * the configuration (PACED_FUSE_PREDICTION, ...) to inspect one component. */
enum paced_err paced_loss_measure(struct paced_loss *loss, int count, int fuse);
struct paced_buffer *paced_loss_uncertainty(struct paced_loss *loss);

/* The weights that paced_loss_run gives to the pixels just measured (fuse -1): weights[count][height][width], 0 for
 * ignored pixels. Waits for the device. */
enum paced_err paced_loss_read_weights(struct paced_loss *loss, int count, float *weights);

/* Enqueues the loss of `count` samples of logits [n][h][w][classes], and its gradient into dlogits of the same shape
 * unless that is NULL. paced_loss_read_later starts the transfer of the sums, paced_loss_wait ends the oldest one. At
 * most two transfers may be pending. */
enum paced_err paced_loss_run(struct paced_loss *loss, const struct paced_buffer *logits, int count,
                              struct paced_buffer *dlogits);
enum paced_err paced_loss_read_later(struct paced_loss *loss, int count);
enum paced_err paced_loss_wait(struct paced_loss *loss, struct paced_loss_sums *sums);

#endif
