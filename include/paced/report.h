/* report: metrics, tables, plots and report pages, computed from host arrays only.
 *
 * Metrics per image and class 1..C-1, with TP, |P| and |G| counted over pixels:
 *   dice = (2 TP + 1e-4) / (|P| + |G| + 1e-4), iou = TP / (|P| + |G| - TP), precision = TP / |P|, recall = TP / |G|,
 *   the last three are 1 for 0/0. An image's value is the mean over its classes, a set's value the mean over its
 *   images; f1 is computed from the mean precision and the mean recall.
 *   hd95 (pixels) and nsd compare outlines as defined by MONAI (src/report/surface.h).
 * Metrics per image: nll, ece and brier of the probabilities (the ece of a set is computed over all its pixels);
 *   angle_error (degrees^2) and distance_error (pixels^2) of a needle's line.
 * Pointers returned as char * are owned by the caller and released with free(). */
#ifndef PACED_REPORT_H
#define PACED_REPORT_H

#include "paced/config.h"
#include "paced/weights.h"

/* Metrics in the order of enum paced_metric. NaN: not measured. */
struct paced_metrics {
    double dice, iou, precision, recall, f1, hd95, nsd, ece, brier, nll, angle_error, distance_error;
};
const char *paced_metric_name(enum paced_metric metric);

/* ---- calibration --------------------------------------------------------------------------------------------- */

/* Sums over pixels of softmax(logits / tau), in 15 equal bins of the maximum probability. Initialised with {0}. */
enum { PACED_BINS = 15 };
struct paced_reliability {
    double confidence[PACED_BINS], right[PACED_BINS]; /* sum of maximum probabilities; correctly classified pixels */
    uint64_t count[PACED_BINS], pixels;
    double nll, brier;
};
/* Writes reliability.csv (bin,confidence,accuracy,count): one row per bin, numbered from 1. The means of a bin
 * without pixels are empty. */
enum paced_err paced_reliability_write_csv(const struct paced_reliability *sum, const char *path);

/* Negative log-likelihood, expected calibration error, Brier score (mean over pixels of the sum over classes). */
struct paced_calibration {
    double nll, ece, brier;
};
struct paced_calibration paced_calibration_of(const struct paced_reliability *sum);
/* logits [pixels][classes], labels [pixels] */
struct paced_calibration paced_calibration_measure(const float *logits, const uint8_t *labels, size_t pixels,
                                                   int classes, double tau);
/* Temperature fit: the tau of minimum NLL within the range below, to six digits. Warns if tau is at a limit of the
 * range. PACED_STOPPED after Ctrl-C; *tau is then not set. */
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

/* Adds one image: prediction[pixels], label[pixels]. The name, which may be NULL, is copied for metrics.csv. */
void paced_scores_add(struct paced_scores *scores, const char *name, const uint8_t *prediction, const uint8_t *label,
                      size_t pixels);
size_t paced_scores_count(const struct paced_scores *scores);

/* Records a further metric of the last added image: of one class, or of the image as a whole (class 0). A metric
 * recorded for one image must be recorded for all. */
void paced_scores_note(struct paced_scores *scores, int class_index, enum paced_metric metric, double value);
/* Records the reliability sums of the last added image, from which the ece of a set is computed. */
void paced_scores_note_reliability(struct paced_scores *scores, const struct paced_reliability *sums);

/* Metrics of one image. Class 0: mean over classes and the per-image metrics; otherwise that class only. */
struct paced_metrics paced_scores_image(const struct paced_scores *scores, size_t image, int class_index);

/* Means over all images, or over the images whose label map has a foreground (non_empty). Class 0: mean over classes;
 * otherwise that class only. *images (may be NULL) receives their number. Without images every metric is NaN. */
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

/* Writes metrics.csv (image,class,dice,iou,precision,recall,f1, recorded metrics, labelled): one row per image and
 * class. Per-image metrics are repeated in each row of the image. `labelled`: pixels of the class in the label map. */
enum paced_err paced_scores_write_csv(const struct paced_scores *scores, const char *path);
/* Writes summary.csv (set,class,images,dice,iou,precision,recall,f1, recorded metrics): the rows all/mean and
 * non-empty/mean, then all/<class>, where per-image metrics are empty. */
enum paced_err paced_scores_write_summary(const struct paced_scores *scores, const char *path);
/* Writes intervals.csv (set,class,images,metric,mean,low,high): one row per metric of each row of the summary. */
enum paced_err paced_scores_write_intervals(const struct paced_scores *scores, uint64_t seed, const char *path);
/* Prints the summary for a terminal, with the interval of its first row. class_names[classes]; NULL prints numbers. */
void paced_scores_print(const struct paced_scores *scores, const char *const *class_names, uint64_t seed, FILE *out);

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
/* Writes the table of cases (file,case,image,dice). */
enum paced_err paced_cases_write_csv(const struct paced_scores *scores, const struct paced_case *cases, size_t count,
                                     const char *path);

/* ---- one image ----------------------------------------------------------------------------------------------- */

/* Evaluator of predictions, configured by [test]: postprocesses, counts pixels and computes the requested metrics. */
struct paced_evaluator;
/* PACED_INVALID if postprocess = needle and the number of classes is not two. */
enum paced_err paced_evaluator_create(struct paced_evaluator **evaluator, const struct paced_config *config);
void paced_evaluator_destroy(struct paced_evaluator *evaluator);
/* True if paced_evaluate needs logits. */
bool paced_evaluator_needs_logits(const struct paced_evaluator *evaluator);
/* Postprocesses prediction[size][size], computed from logits[size][size][classes], in place. */
void paced_evaluator_clean(struct paced_evaluator *evaluator, uint8_t *prediction, const float *logits);
/* Postprocesses prediction[size][size] in place and adds its scores. logits[size][size][classes] may be NULL if not
 * needed. */
void paced_evaluate(struct paced_evaluator *evaluator, const char *name, uint8_t *prediction, const float *logits,
                    const uint8_t *label, struct paced_scores *scores);

/* ---- two runs on the same images ----------------------------------------------------------------------------- */

/* p-value of the two-sided Wilcoxon signed-rank test: zeros are dropped, ties get their mean rank, and the statistic is
 * approximated as normal with tie-corrected variance. 1 if every difference is zero; NaN if count is 0. */
double paced_wilcoxon(const double *differences, size_t count);

/* Differences per image, second minus first (an image's value is the mean over its classes): the mean, its 95 %
 * bootstrap interval and p of the Wilcoxon test. NaN if the metric is not in both files. */
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
/* Writes stage,set,images,dice,iou,precision,recall,f1,dice_difference,dice_low,dice_high,dice_p: one row per stage
 * and set (all, non-empty). */
enum paced_err paced_comparison_write_csv(const struct paced_comparison *comparison, const char *path);
/* Writes stage,against,set,images,metric,difference,low,high,p: all metrics of every stage except the first. */
enum paced_err paced_comparison_write_differences(const struct paced_comparison *comparison, const char *path);
/* Prints one line per stage: the metrics of all images, the Dice of the non-empty ones, and the difference of the Dice
 * of all images from the first stage. */
void paced_comparison_print(const struct paced_comparison *comparison, FILE *out);

/* ---- robustness ---------------------------------------------------------------------------------------------- */

/* Scores of the same images, clean and under each corruption at each severity, for one or several weights. All scores
 * have the same number of classes. The drop of a metric is (clean - mean over the severities) / clean. */
struct paced_robustness {
    const char *const *weights, *const *corruptions; /* names: [weight_count], [corruption_count] */
    const int *severities;                           /* [severity_count], ascending, from 1, at most 5 of them */
    size_t weight_count, corruption_count, severity_count;
    struct paced_scores **clean;  /* [weight_count] */
    struct paced_scores **scores; /* [weight_count][corruption_count][severity_count] */
};

/* Writes robustness.csv (weights,image,corruption,severity,class,dice,iou,precision,recall,f1): corruption "clean"
 * at severity 0, then the others. class is "mean" (over the classes), followed by each class if there are more than
 * two. */
enum paced_err paced_robustness_write_csv(const struct paced_robustness *robustness, const char *path);
/* Writes robustness_summary.csv (weights,corruption,metric,clean,severity_1,...,mean,drop): means of the set, one
 * row per metric and corruption; the last corruption, "mean", is the mean over all corruptions. */
enum paced_err paced_robustness_write_summary(const struct paced_robustness *robustness, const char *path);
/* Prints one row per corruption with the mean dice over the severities and its drop for each of the weights; the last
 * row is the mean over all corruptions. */
void paced_robustness_print(const struct paced_robustness *robustness, FILE *out);
/* Draws DIR/robustness_<metric>.png for each metric: one panel per corruption, one line per weights. */
enum paced_err paced_robustness_plot(const struct paced_robustness *robustness, const char *dir);

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

/* Writes one row per network: the labels; images; each metric with its interval (<metric>,<metric>_low,<metric>_high);
 * the same for the non-empty images (non_empty_<metric>...); corrupted_<metric>; drop_<metric>. For averages: the
 * labels; runs; <metric>,<metric>_sd and so on. */
enum paced_err paced_outcomes_write_csv(const struct paced_outcomes *outcomes, const char *path);
void paced_outcomes_print(const struct paced_outcomes *outcomes, FILE *out);
/* Plots Dice against the only numeric label, one line per combination of the other labels. Without a numeric label, or
 * with several, one row per network. Bars show intervals or standard deviations. */
enum paced_err paced_outcomes_plot(const struct paced_outcomes *outcomes, const char *path);

/* ---- the training log ---------------------------------------------------------------------------------------- */

/* One row of log.csv. NaN: not applicable; written as an empty field. */
struct paced_log_row {
    int epoch;         /* from 1 */
    const char *phase; /* "train" | "val" */
    double loss, ce, kld, lr, mu, admitted;
    struct paced_metrics metrics;
    double seconds, images_per_second;
};

struct paced_run_log {
    struct paced_log_row *rows;
    size_t count;
};

void paced_run_log_add(struct paced_run_log *log, const struct paced_log_row *row);
void paced_run_log_finish(struct paced_run_log *log);
/* Writes log.csv with the header
 * epoch,phase,loss,ce,kld,lr,mu,admitted,dice,iou,precision,recall,f1,seconds,images_per_second. Nine significant
 * digits preserve every float32 value. */
enum paced_err paced_run_log_write(const struct paced_run_log *log, const char *path);
/* Reads log.csv, rows of epochs up to last_epoch only. PACED_INVALID, with *log unchanged, if it is malformed. */
enum paced_err paced_run_log_read(struct paced_run_log *log, const char *path, int last_epoch);
/* Writes losses.json: {"train": [ce...], "val": [ce...]}. */
enum paced_err paced_run_log_write_losses(const struct paced_run_log *log, const char *path);
/* Prints the validation metrics of the best and the last epoch, and the training time. Prints nothing if the log has no
 * validation row. */
void paced_run_log_print(const struct paced_run_log *log, int best_epoch, FILE *out);

/* ---- pictures ------------------------------------------------------------------------------------------------ */

/* RGB canvas, rgb[height][width][3]. Colours are 0xRRGGBB; positions are pixels from the upper left corner. Drawing is
 * clipped to the canvas and cannot fail. `scale` is an integer factor, from 1. */
struct paced_canvas {
    int width, height;
    uint8_t *rgb;
};

#define PACED_COLOUR_PAPER 0xffffffu
#define PACED_COLOUR_TEXT 0x202020u
#define PACED_COLOUR_FAINT 0x6c6c6cu   /* secondary text */
#define PACED_COLOUR_UNKNOWN 0xd8d8d8u /* map pixels without a value */
#define PACED_TEXT_HEIGHT 7            /* height of capitals and digits at scale 1; descenders take two more rows */

struct paced_canvas paced_canvas_create(int width, int height, uint32_t colour);
void paced_canvas_finish(struct paced_canvas *canvas);
enum paced_err paced_canvas_write(const struct paced_canvas *canvas, const char *path); /* PNG */
/* Encodes a PNG in memory; the caller releases *png with free(). */
enum paced_err paced_canvas_encode(const struct paced_canvas *canvas, uint8_t **png, size_t *size);

void paced_canvas_fill(struct paced_canvas *canvas, int x, int y, int width, int height, uint32_t colour);
/* Draws a line of one pixel around the rectangle, outside it. */
void paced_canvas_frame(struct paced_canvas *canvas, int x, int y, int width, int height, uint32_t colour);
void paced_canvas_image(struct paced_canvas *canvas, int x, int y, int scale, const uint8_t *rgb, int width,
                        int height);

/* Colour of a value, clamped to 0..1; 0 is darkest. PACED_COLOUR_UNKNOWN for NaN. */
uint32_t paced_colour_map(double value);
/* Draws values[height][width] with the colours of value / max. */
void paced_canvas_map(struct paced_canvas *canvas, int x, int y, int scale, const float *values, int width, int height,
                      double max);
/* Draws the legend of a map within width x height: 0, the colours, max. */
void paced_canvas_colour_bar(struct paced_canvas *canvas, int x, int y, int width, int height, double max);

/* Tints an image that is already drawn: mixes colours[class] into the pixels of each class except 0 of
 * label[height][width]. fraction: 0 to 1. */
void paced_canvas_tint(struct paced_canvas *canvas, int x, int y, int scale, const uint8_t *label, int width,
                       int height, const uint32_t *colours, double fraction);
/* Draws the outline of each class of label[height][width]: pixels within `line` pixels of another class or of the edge
 * of the map, in the colour of their class with a dark casing. colours NULL: dashed, black and white. */
void paced_canvas_outlines(struct paced_canvas *canvas, int x, int y, int scale, const uint8_t *label, int width,
                           int height, const uint32_t *colours, int line);
/* Downscaling from size x size to side x side pixels, side <= size. Images and maps: mean over boxes. Labels: the most
 * frequent class of a box; 0 only if the box has no other class. */
void paced_shrink_image(const uint8_t *rgb, size_t size, uint8_t *out, size_t side); /* [..][..][3] */
void paced_shrink_map(const float *values, size_t size, float *out, size_t side);
void paced_shrink_labels(const uint8_t *label, size_t size, uint8_t *out, size_t side);
/* Default colour of a class. */
uint32_t paced_class_colour(int class_index);

/* Draws printable ASCII; other bytes are drawn as '?'. */
void paced_canvas_text(struct paced_canvas *canvas, int x, int y, int scale, uint32_t colour, const char *text);
int paced_text_width(const char *text, int scale);

/* ---- plots --------------------------------------------------------------------------------------------------- */

/* A line with a mark at each point. NaN in y leaves a gap. */
struct paced_series {
    const char *name;
    const double *x, *y; /* [count], x ascending */
    size_t count;
    const double *low, *high;      /* [count], limits of the intervals, NaN: none; NULL: no intervals at all */
    size_t first_mark, mark_every; /* index of the first mark and step between marks; mark_every 0 means 1 */
};

/* A line plot. Series differ in colour (Okabe and Ito's palette, safe for colour-blind readers), mark shape and dash
 * pattern, so that they are distinguishable in greyscale too. */
struct paced_plot {
    const char *title, *x_label, *y_label;
    double x_min, x_max, y_min, y_max; /* limits of the axes; points outside are drawn beyond them */
    const struct paced_series *series;
    size_t series_count;
    const double *x_ticks; /* [x_tick_count], ascending; NULL: round numbers */
    const char *const *x_tick_names;
    size_t x_tick_count;
};

/* Draws a plot within width x height, labels included. */
void paced_canvas_plot(struct paced_canvas *canvas, int x, int y, int width, int height, const struct paced_plot *plot);
/* Draws a line sample and the name of each series, wrapped to `width`. Returns the height, pixels. canvas NULL: only
 * measures. */
int paced_canvas_legend(struct paced_canvas *canvas, int x, int y, int width, const struct paced_series *series,
                        size_t count);

/* ---- the report ----------------------------------------------------------------------------------------------- */

/* Directories without a trailing '/': runs, at least one, and experiments whose sweep is shown. */
struct paced_report_sources {
    const char *const *runs, *const *experiments;
    size_t run_count, experiment_count;
};

/* Writes OUTPUT_DIR/report.html, one self-contained file about these runs and their differences, and its figures as PNG
 * files beside it. The same input gives the same report. Input of a run: config.ini, log.csv, summary.csv,
 * intervals.csv, metrics.csv, reliability.csv, robustness_summary.csv, contact_sheet.png and overlays/overlays.csv
 * (file,case,image,dice) with its pictures; of an experiment: sweep.png and seeds.csv, or sweep.csv without it. Missing
 * files are skipped. title NULL: the directory of the only experiment, or the name of the first run. PACED_INVALID if a
 * run directory has no config.ini. */
enum paced_err paced_report_write(const struct paced_report_sources *sources, const char *title,
                                  const char *output_dir);

/* ---- TensorBoard --------------------------------------------------------------------------------------------- */

/* Part or all of an event file (events.out.tfevents.*). Initialised with {0}. Times are seconds since 1970. */
struct paced_events {
    uint8_t *bytes;
    size_t size;
};
void paced_events_finish(struct paced_events *events);
/* Adds the beginning of a file: the format version, and the run's hyper-parameters for the HPARAMS tab. */
void paced_events_begin(struct paced_events *events, double start, const struct paced_config *config);
/* Adds the scalars of an epoch, with the epoch as the step: ckd/mu, spl/data_in_train, logs/lr, logs/train_loss and
 * logs/val_loss (ce), logs/train_objective and logs/val_objective (loss), logs/metric_<name> (val). */
void paced_events_add_epoch(struct paced_events *events, double start, const struct paced_run_log *log, int epoch);
enum paced_err paced_events_add_picture(struct paced_events *events, double time, int64_t step, const char *tag,
                                        const struct paced_canvas *canvas);
/* Adds the successful end of the run. */
void paced_events_end(struct paced_events *events, double time);
/* Time at which an epoch ended: `start` plus the seconds in the log up to it. Pauses before a resume do not count, and
 * the same log gives the same times. */
double paced_events_time(double start, const struct paced_run_log *log, int epoch);

/* ---- progress ------------------------------------------------------------------------------------------------ */

/* Progress bar with loss, images/s and ETA on the terminal's status line. Draws nothing if stderr is not a terminal. */
struct paced_progress {
    char label[64];
    size_t done, total; /* images */
    double started_s, drawn_s;
};
void paced_progress_start(struct paced_progress *progress, const char *label, size_t total);
void paced_progress_step(struct paced_progress *progress, size_t images, double loss);
void paced_progress_end(struct paced_progress *progress);

#endif
