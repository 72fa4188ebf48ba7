/* metrics: measures of segmentation, computed from host arrays and from the tables of earlier tests.
 *
 * Metrics per image and class 1..C-1, with TP, |P| and |G| counted over pixels:
 *   dice = (2 TP + 1e-4) / (|P| + |G| + 1e-4), iou = TP / (|P| + |G| - TP), precision = TP / |P|, recall = TP / |G|,
 *   the last three are 1 for 0/0. An image's value is the mean over its classes, a set's value the mean over its
 *   images; f1 is computed from the mean precision and the mean recall. With more than two classes, a class with no
 *   pixel in the mask and the prediction of an image is left out of both means (enum paced_absent).
 *   hd95 (pixels, or the unit of the spacing) and nsd compare outlines as defined by MONAI (src/metrics/parts.h).
 * Metrics per image: nll, ece and brier of the probabilities (the ece of a set is computed over all its pixels);
 *   angle_error (degrees^2) and distance_error (pixels^2) of a needle's line. */
#ifndef PACED_METRICS_H
#define PACED_METRICS_H

#include "paced/distill.h"
#include "paced/optim.h"
#include "paced/weights.h"

/* ---- the list of metrics ------------------------------------------------------------------------------------- */

/* METRIC(ID, name, unit, basis, scope, better): a metric is an enumerator, a field, a column, a word of test.metrics
 * (but for those of NEEDLE, which come last and are measured with PACED_POSTPROCESS_NEEDLE) and a row of
 * paced_metric_table. Those of PIXELS, PACED_PIXEL_METRICS in number, come first and are always measured. */
#define PACED_METRIC_LIST(METRIC)                                       \
    METRIC(DICE, dice, "0 to 1", PIXELS, CLASS, HIGHER)                 \
    METRIC(IOU, iou, "0 to 1", PIXELS, CLASS, HIGHER)                   \
    METRIC(PRECISION, precision, "0 to 1", PIXELS, CLASS, HIGHER)       \
    METRIC(RECALL, recall, "0 to 1", PIXELS, CLASS, HIGHER)             \
    METRIC(F1, f1, "0 to 1", PIXELS, CLASS, HIGHER)                     \
    METRIC(HD95, hd95, "pixels or mm", OUTLINES, CLASS, LOWER)          \
    METRIC(NSD, nsd, "0 to 1", OUTLINES, CLASS, HIGHER)                 \
    METRIC(ECE, ece, "0 to 1", PROBABILITIES, IMAGE, LOWER)             \
    METRIC(BRIER, brier, "0 to 2", PROBABILITIES, IMAGE, LOWER)         \
    METRIC(NLL, nll, "nats", PROBABILITIES, IMAGE, LOWER)               \
    METRIC(ANGLE_ERROR, angle_error, "degrees^2", NEEDLE, IMAGE, LOWER) \
    METRIC(DISTANCE_ERROR, distance_error, "pixels^2", NEEDLE, IMAGE, LOWER)

#define PACED_METRIC_ID(id, ...) PACED_##id,
#define PACED_METRIC_FIELD(id, name, ...) double name;
enum paced_metric { PACED_METRIC_LIST(PACED_METRIC_ID) PACED_METRICS, PACED_PIXEL_METRICS = PACED_F1 + 1 };
enum paced_postprocess { PACED_POSTPROCESS_NONE, PACED_POSTPROCESS_LARGEST, PACED_POSTPROCESS_NEEDLE };
enum paced_absent { PACED_ABSENT_SKIP, PACED_ABSENT_PERFECT };
enum paced_metric_basis { PACED_OF_PIXELS, PACED_OF_OUTLINES, PACED_OF_PROBABILITIES, PACED_OF_NEEDLE };

/* Names of the metrics that test.metrics may choose, of the post-processing, and of the treatment of absent classes. */
const char *paced_metric_choice(int metric);
const char *paced_postprocess_name(int postprocess);
const char *paced_absent_name(int absent);

/* Value of a class's metric where mask and prediction have no pixel of it. */
double paced_metric_perfect(enum paced_metric metric);

extern const struct paced_metric_row {
    const char *name, *unit; /* unit, or the range of a dimensionless metric */
    enum paced_metric_basis basis;
    bool of_image; /* computed per image, not per class */
    bool lower_is_better;
} paced_metric_table[PACED_METRICS];

/* Values by name, or by index. NaN: not measured. */
struct paced_metrics {
    union {
        struct {
            PACED_METRIC_LIST(PACED_METRIC_FIELD)
        };
        double of[PACED_METRICS]; /* [enum paced_metric] */
    };
};

/* Sets of metrics: bit m for enum paced_metric m. */
#define PACED_METRIC_BIT(metric) (UINT64_C(1) << (metric))
#define PACED_METRICS_ALWAYS (PACED_METRIC_BIT(PACED_PIXEL_METRICS) - 1)

/* Pixels on which predictions are measured: those of the network's input, or those of the mask's file. */
enum paced_resolution { PACED_RESOLUTION_INPUT, PACED_RESOLUTION_ORIGINAL };
const char *paced_resolution_name(int resolution);

/* Options of a test. */
struct paced_test_options {
    char *weights;
    uint64_t metrics; /* bit set */
    double nsd_tolerance;
    int postprocess; /* enum paced_postprocess */
    int absent;      /* enum paced_absent */
    int resolution;  /* enum paced_resolution */
    int64_t overlays;
};

/* ---- measures of a run --------------------------------------------------------------------------------------- */

/* MEASURE(ID, name, source, title, unit, better, rows, train tag, val tag): a measure of one pass over a data set is an
 * enumerator, a field, a column of log.csv (in this order), a chart of the report if it has a title, and a scalar of
 * TensorBoard in the rows that have a tag. source: MEAN of a sum over pixels, METRIC of the scores, or GIVEN by the
 * trainer. rows: BOTH, or TRAIN if the validation row has no value of its own. */
// clang-format off
#define PACED_MEASURE_LIST(MEASURE) \
    MEASURE(LOSS, loss, MEAN(LOSS), "objective", "nats per pixel", LOWER, BOTH, "logs/train_objective", "logs/val_objective") \
    MEASURE(CE, ce, MEAN(CE), "cross entropy", "nats per pixel", LOWER, BOTH, "logs/train_loss", "logs/val_loss") \
    MEASURE(KLD, kld, MEAN(KLD), "KLD", "scaled nats per pixel", LOWER, BOTH, NULL, NULL) \
    MEASURE(LR, lr, GIVEN, "learning rate", "per step", HIGHER, TRAIN, "logs/lr", NULL) \
    MEASURE(MU, mu, GIVEN, "mu", "uncertainty, 0 to 1", HIGHER, TRAIN, "ckd/mu", NULL) \
    MEASURE(ADMITTED, admitted, MEAN(ADMITTED), "admitted", "fraction of training pixels", HIGHER, TRAIN, \
            "spl/data_in_train", NULL) \
    MEASURE(DICE, dice, METRIC(DICE), "dice", "0 to 1", HIGHER, BOTH, NULL, "logs/metric_dice") \
    MEASURE(IOU, iou, METRIC(IOU), "iou", "0 to 1", HIGHER, BOTH, NULL, "logs/metric_iou") \
    MEASURE(PRECISION, precision, METRIC(PRECISION), "precision", "0 to 1", HIGHER, BOTH, NULL, "logs/metric_precision") \
    MEASURE(RECALL, recall, METRIC(RECALL), "recall", "0 to 1", HIGHER, BOTH, NULL, "logs/metric_recall") \
    MEASURE(F1, f1, METRIC(F1), "f1", "0 to 1", HIGHER, BOTH, NULL, "logs/metric_f1") \
    MEASURE(SECONDS, seconds, GIVEN, NULL, "s", LOWER, BOTH, NULL, NULL) \
    MEASURE(SPEED, images_per_second, GIVEN, NULL, "images/s", HIGHER, BOTH, NULL, NULL)
// clang-format on

#define PACED_MEASURE_ID(id, ...) PACED_MEASURE_##id,
#define PACED_MEASURE_FIELD(id, name, ...) double name;
enum paced_measure { PACED_MEASURE_LIST(PACED_MEASURE_ID) PACED_MEASURES };

enum paced_measure_source { PACED_FROM_SUM, PACED_FROM_METRIC, PACED_FROM_TRAINER };
extern const struct paced_measure_row {
    const char *name;
    enum paced_measure_source source;
    int index; /* enum paced_sum or paced_metric */
    const char *title, *unit;
    bool lower_is_better, of_training;
    const char *tags[2]; /* of the training and the validation row; NULL: none */
} paced_measure_table[PACED_MEASURES];

/* Values by name, or by index. NaN: not applicable. */
struct paced_measures {
    union {
        struct {
            PACED_MEASURE_LIST(PACED_MEASURE_FIELD)
        };
        double of[PACED_MEASURES]; /* [enum paced_measure] */
    };
};

/* Sums of a pass over a data set. Everything before the log row is a sum and a count. */
struct paced_scores;
struct paced_pass_sums {
    struct paced_loss_sums loss;
    uint64_t images, batches;
    double seconds;
    struct paced_scores *scores; /* owned by the caller */
};

/* Adds the sums of a batch of `images`. */
void paced_pass_add(struct paced_pass_sums *sums, const struct paced_loss_sums *batch, int images);
/* Mean over the pixels so far. */
double paced_pass_mean(const struct paced_pass_sums *sums, enum paced_sum sum);
/* Empties the sums; the scores stay allocated. */
void paced_pass_clear(struct paced_pass_sums *sums);
/* The measures of the pass; those given by the trainer are NaN, except for the times. */
struct paced_measures paced_pass_measures(const struct paced_pass_sums *sums);

/* The measure of the validation images that selects the best weights (train.select). */
enum paced_measure paced_select_measure(int select);

/* ---- calibration --------------------------------------------------------------------------------------------- */

/* Sums over pixels of softmax(logits / tau), in 15 equal bins of the maximum probability. Initialised with {0}. */
enum { PACED_BINS = 15 };
struct paced_reliability {
    double confidence[PACED_BINS], right[PACED_BINS]; /* sum of maximum probabilities; correctly classified pixels */
    uint64_t count[PACED_BINS], pixels;
    double nll, brier;
};
/* logits [pixels][classes], labels [pixels]; probabilities at temperature tau. Ignored pixels are not counted. */
void paced_reliability_add(struct paced_reliability *sum, const float *logits, const uint8_t *labels, size_t pixels,
                           int classes, double tau);

/* nll, ece and brier: negative log-likelihood, expected calibration error, Brier score (mean over pixels of the sum
 * over classes). */
struct paced_metrics paced_calibration_of(const struct paced_reliability *sum);
/* logits [pixels][classes], labels [pixels] */
struct paced_metrics paced_calibration_measure(const float *logits, const uint8_t *labels, size_t pixels, int classes,
                                               double tau);
/* Temperature fit: the tau of minimum NLL within the range below, to six digits. Warns if tau is at a limit of the
 * range. PACED_INVALID if all pixels are ignored; PACED_STOPPED after Ctrl-C; *tau is then not set. */
#define PACED_TAU_MIN 1e-4
#define PACED_TAU_MAX 1e4
enum paced_err paced_temperature_fit(const float *logits, const uint8_t *labels, size_t pixels, int classes,
                                     double *tau);

/* ---- scores -------------------------------------------------------------------------------------------------- */

/* Scores of any number of images, added one by one. classes: 2 to 256, background included. */
struct paced_scores;
struct paced_scores *paced_scores_create(int classes);
void paced_scores_destroy(struct paced_scores *scores);
void paced_scores_clear(struct paced_scores *scores);
/* Sets the treatment of a class that has no pixel in the mask and the prediction of an image. SKIP (the default): it
 * has no value and enters no mean; an image without any foreground class has the perfect values as its mean. PERFECT:
 * it has the perfect values, as in the reference. With two classes both are the same: the only class is perfect. */
void paced_scores_set_absent(struct paced_scores *scores, enum paced_absent absent);

/* Adds one image: prediction[pixels], label[pixels]. Ignored pixels (PACED_IGNORED) are not counted, whatever is
 * predicted there. The name, which may be NULL, is copied for metrics.csv. */
void paced_scores_add(struct paced_scores *scores, const char *name, const uint8_t *prediction, const uint8_t *label,
                      size_t pixels);
size_t paced_scores_count(const struct paced_scores *scores);
int paced_scores_classes(const struct paced_scores *scores);
uint64_t paced_scores_metrics(const struct paced_scores *scores);               /* bit set of the measured metrics */
const char *paced_scores_name(const struct paced_scores *scores, size_t image); /* NULL: none */
/* Pixels of a class of an image. */
struct paced_pixels {
    uint64_t both, predicted, labelled; /* TP, |P|, |G| */
};
struct paced_pixels paced_scores_pixels(const struct paced_scores *scores, size_t image, int class_index);

/* False if all pixels of the image are ignored: it enters no mean, no table and no selection of cases. */
bool paced_scores_has_pixels(const struct paced_scores *scores, size_t image);

/* Records a further metric of the last added image: of one class, or of the image as a whole (class 0). A metric
 * recorded for one image must be recorded for all. */
void paced_scores_note(struct paced_scores *scores, int class_index, enum paced_metric metric, double value);
/* Records the reliability sums of the last added image, from which the ece of a set is computed. */
void paced_scores_note_reliability(struct paced_scores *scores, const struct paced_reliability *sums);

/* Metrics of one image. Class 0: mean over classes and the per-image metrics; otherwise that class only, all NaN if it
 * is absent and skipped. */
struct paced_metrics paced_scores_image(const struct paced_scores *scores, size_t image, int class_index);

/* Means over all images, or over the images whose label map has a foreground (non_empty). Class 0: mean over classes;
 * otherwise that class only, over the images in which it has a value. *images (may be NULL) receives their number.
 * Without images every metric is NaN. */
struct paced_metrics paced_scores_mean(const struct paced_scores *scores, int class_index, bool non_empty,
                                       size_t *images);

/* Limits of the 95 % bootstrap interval of these means: 2.5th and 97.5th percentile of the means of 10,000 resampled
 * sets of the same size, drawn with replacement. The same seed gives the same bits. */
void paced_scores_interval(const struct paced_scores *scores, int class_index, bool non_empty, uint64_t seed,
                           struct paced_metrics *low, struct paced_metrics *high);

/* Reliability sums over all images; false if none were recorded. */
bool paced_scores_reliability(const struct paced_scores *scores, struct paced_reliability *sum);

/* State of an interrupted pass: the counts as an int64 tensor [images][1 + 3 classes], without names and recorded
 * metrics. paced_scores_load replaces the contents of `scores`; PACED_INVALID if the tensor is missing or malformed. */
void paced_scores_save(const struct paced_scores *scores, const char *tensor, struct paced_weights *weights);
enum paced_err paced_scores_load(struct paced_scores *scores, const char *tensor, const struct paced_weights *weights,
                                 const char *path);

/* A representative image. */
struct paced_case {
    const char *kind; /* "best" | "median" | "worst" */
    int number;       /* within its kind, from 1 */
    size_t image;
    double dice;
};
/* Chooses up to `wanted` images, one third each from the top, the middle and the end of a ranking by dice; ties are
 * ranked in the order of the images. cases[wanted]: best first, then median, then worst first. Images without
 * foreground in mask and prediction are ranked only if there are too few others. Returns the number of cases. */
size_t paced_cases_choose(const struct paced_scores *scores, size_t wanted, struct paced_case *cases);
/* Name of the picture of a case: <kind>_<number>.png. */
char *paced_case_file(const struct paced_case *c);

/* ---- one image ----------------------------------------------------------------------------------------------- */

/* Evaluator of predictions: postprocesses, counts pixels and computes the requested metrics. */
struct paced_evaluator;
/* PACED_INVALID if postprocess = needle and the number of classes is not two. */
enum paced_err paced_evaluator_create(struct paced_evaluator **evaluator, const struct paced_test_options *options,
                                      struct paced_extent extent, int classes);
void paced_evaluator_destroy(struct paced_evaluator *evaluator);
/* Sets the extent of the next maps, and the distances between their rows and between their columns (at first 1). */
void paced_evaluator_set_grid(struct paced_evaluator *evaluator, struct paced_extent extent, const double spacing[2]);
/* True if paced_evaluate needs logits. */
bool paced_evaluator_needs_logits(const struct paced_evaluator *evaluator);
/* Postprocesses prediction[height][width], computed from logits[height][width][classes], in place. */
void paced_evaluator_clean(struct paced_evaluator *evaluator, uint8_t *prediction, const float *logits);
/* Postprocesses prediction[height][width] in place, sets it to background where the label is ignored, and adds its
 * scores. logits[height][width][classes] may be NULL if not needed. */
void paced_evaluate(struct paced_evaluator *evaluator, const char *name, uint8_t *prediction, const float *logits,
                    const uint8_t *label, struct paced_scores *scores);

/* ---- two runs on the same images ----------------------------------------------------------------------------- */

/* p-value of the two-sided Wilcoxon signed-rank test: zeros are dropped, ties get their mean rank, and the statistic is
 * approximated as normal with tie-corrected variance. 1 if every difference is zero; NaN if count is 0. */
double paced_wilcoxon(const double *differences, size_t count);

/* Differences per image, second minus first (an image's value is the mean over its classes that have a value; perfect
 * if none has): the mean, its 95 % bootstrap interval and p of the Wilcoxon test. NaN if the metric is not in both
 * files. */
struct paced_difference {
    double mean, low, high, p;
};
struct paced_differences {
    size_t images; /* in both files */
    struct paced_difference metrics[PACED_METRICS];
};
/* Reads two metrics.csv and matches their images by name. non_empty: only images with a foreground in the first file.
 * PACED_INVALID if a file is not a metrics.csv. */
enum paced_err paced_differences_read(struct paced_differences *differences, const char *first, const char *second,
                                      bool non_empty, uint64_t seed);

/* ---- comparison ---------------------------------------------------------------------------------------------- */

/* Results of several tests side by side, with differences from the first test of each group. Initialised with {0}. */
struct paced_comparison_row {
    char *name;
    size_t images[2]; /* all, non-empty */
    struct paced_metrics metrics[2];
    size_t first;                              /* first row of the group */
    struct paced_differences against_first[2]; /* not set in the first row of a group */
};
struct paced_comparison {
    struct paced_comparison_row *rows;
    size_t count;
    char *first; /* path of the metrics.csv of the group's first test; NULL: the next test starts a group */
};

/* Adds a test: the first two rows of its summary.csv, and its metrics.csv. PACED_INVALID if a file is malformed. */
enum paced_err paced_comparison_add(struct paced_comparison *comparison, const char *name, const char *summary_path,
                                    const char *metrics_path, uint64_t seed);
/* Makes the next test the first of a new group. */
void paced_comparison_regroup(struct paced_comparison *comparison);
void paced_comparison_finish(struct paced_comparison *comparison);

/* ---- sweeps -------------------------------------------------------------------------------------------------- */

/* Results of each network of a sweep. A row is identified by its labels: the stage that trained the network, and the
 * values of the swept keys. */
enum paced_outcome_part { PACED_ON_ALL, PACED_ON_NON_EMPTY, PACED_CORRUPTED, PACED_DROP, PACED_OUTCOME_PARTS };
struct paced_figure {
    double mean, low, high; /* low, high: limits of the interval */
    double stddev;          /* over the averaged runs; NaN for fewer than two */
};
struct paced_outcome {
    char **labels;                                                   /* [label_count] */
    size_t runs;                                                     /* number of averaged runs */
    double images[2];                                                /* all, non-empty */
    struct paced_figure figures[PACED_OUTCOME_PARTS][PACED_METRICS]; /* NaN: not measured */
};
struct paced_outcomes {
    const char **names; /* names of the labels: "stage", "pacing.mu"... */
    size_t label_count;
    const char *averaged; /* name of the label that was averaged over, or NULL */
    struct paced_outcome *rows;
    size_t count;
};

/* names[label_count]: the strings are borrowed and must outlive the outcomes. */
void paced_outcomes_init(struct paced_outcomes *outcomes, const char *const *names, size_t label_count);
void paced_outcomes_finish(struct paced_outcomes *outcomes);

/* Adds a test's intervals.csv to the row with these labels, which is created if missing. PACED_INVALID if malformed. */
enum paced_err paced_outcomes_add_test(struct paced_outcomes *outcomes, const char *const *labels, const char *path);
/* Adds the mean over all corruptions of a robustness_summary.csv. Each of the weights has a row, with their name as its
 * first label. PACED_INVALID if malformed. */
enum paced_err paced_outcomes_add_robustness(struct paced_outcomes *outcomes, const char *const *labels,
                                             const char *path);
/* Joins the rows of one network, whose first label is `name`: their labels are emptied except where kept[label_count],
 * and rows with equal labels are merged. The first measured value of each metric is kept. */
void paced_outcomes_join(struct paced_outcomes *outcomes, const char *name, const bool *kept);
/* Means and standard deviations (n - 1) over the rows that differ only in this label, which is removed. */
struct paced_outcomes paced_outcomes_average(const struct paced_outcomes *outcomes, size_t label);

#endif
