/* report: figures and files for people, from host arrays only.
 *
 * Metrics per image and class 1..C-1 with TP, |P|, |G| counted over pixels:
 *   dice = (2 TP + 1e-4) / (|P| + |G| + 1e-4), iou = TP / (|P| + |G| - TP), precision = TP / |P|, recall = TP / |G|,
 *   each of the last three 1 where it is 0/0. An image's figure is the mean over its classes, a set's the mean over its
 *   images; f1 comes from the mean precision and the mean recall of whatever is averaged.
 *   hd95 (pixels) and nsd compare outlines, as MONAI defines them (src/report/surface.h).
 * Metrics per image: nll, ece and brier of the probabilities, a set's ece being that of all its pixels together;
 *   angle_error (degrees^2) and distance_error (pixels^2) of a needle's line. */
#ifndef PACED_REPORT_H
#define PACED_REPORT_H

#include "paced/config.h"
#include "paced/weights.h"

/* In the order of enum paced_metric. NaN: not measured. */
struct paced_metrics {
    double dice, iou, precision, recall, f1, hd95, nsd, ece, brier, nll, angle_error, distance_error;
};
const char *paced_metric_name(enum paced_metric metric);

/* ---- calibration --------------------------------------------------------------------------------------------- */

/* Sums over pixels of softmax(logits / tau), in 15 equal bins of the greatest probability; starts as {0}. */
enum { PACED_BINS = 15 };
struct paced_reliability {
    double confidence[PACED_BINS], right[PACED_BINS]; /* of the greatest probability; pixels whose class it names */
    uint64_t count[PACED_BINS], pixels;
    double nll, brier;
};
/* reliability.csv: bin,confidence,accuracy,count: a row per bin from 1, means empty where there is no pixel. */
enum paced_err paced_reliability_write_csv(const struct paced_reliability *sum, const char *path);

/* Negative log-likelihood, expected calibration error, Brier score (mean over pixels of the sum over classes). */
struct paced_calibration {
    double nll, ece, brier;
};
struct paced_calibration paced_calibration_of(const struct paced_reliability *sum);
/* logits [pixels][classes], labels [pixels] */
struct paced_calibration paced_calibration_measure(const float *logits, const uint8_t *labels, size_t pixels,
                                                   int classes, double tau);
/* The tau of least NLL in this range, to six digits; a warning where it is an end of it. PACED_STOPPED, without it,
 * after Ctrl-C. */
#define PACED_LEAST_TAU 1e-4
#define PACED_MOST_TAU 1e4
enum paced_err paced_temperature_fit(const float *logits, const uint8_t *labels, size_t pixels, int classes,
                                     double *tau);

/* ---- scores -------------------------------------------------------------------------------------------------- */

/* Collects images one by one, in any number. */
struct paced_scores;
struct paced_scores *paced_scores_create(int classes);
void paced_scores_destroy(struct paced_scores *scores);
void paced_scores_clear(struct paced_scores *scores);

/* One image: prediction[pixels], label[pixels]; name (may be NULL) goes into metrics.csv. */
void paced_scores_add(struct paced_scores *scores, const char *name, const uint8_t *prediction, const uint8_t *label,
                      size_t pixels);
size_t paced_scores_count(const struct paced_scores *scores);

/* More about the image that was added last: a metric beyond the five, of a class, or (class 0) of the image. What is
 * noted of one image must be noted of all. */
void paced_scores_note(struct paced_scores *scores, int class_index, enum paced_metric metric, double value);
/* ... and its probabilities, which a set's ece is made of. */
void paced_scores_note_reliability(struct paced_scores *scores, const struct paced_reliability *sums);

/* One image: class 0: mean over classes, and what is the image's own; else that class alone. */
struct paced_metrics paced_scores_image(const struct paced_scores *scores, size_t image, int class_index);

/* Means over all images (class 0: mean over classes; else that class alone), or over the images whose label map is not
 * all background. *images (may be NULL): how many. Without images every figure is NaN. */
struct paced_metrics paced_scores_mean(const struct paced_scores *scores, int class_index, bool non_empty,
                                       size_t *images);

/* The ends of the 95 % interval of each of these means: 2.5th and 97.5th percentile of the means of 10,000 sets of as
 * many images, drawn with replacement (bootstrap). The same seed gives the same bits. */
void paced_scores_interval(const struct paced_scores *scores, int class_index, bool non_empty, uint64_t seed,
                           struct paced_metrics *low, struct paced_metrics *high);

/* The probabilities of all images together; false where none were noted. */
bool paced_scores_reliability(const struct paced_scores *scores, struct paced_reliability *sum);

/* The counts as an int64 tensor [images][1 + 3 classes] (without the names and what was noted), so that a pass that was
 * stopped half-way can go on. paced_scores_load replaces what is there; PACED_INVALID where the tensor does not fit. */
void paced_scores_save(const struct paced_scores *scores, const char *tensor, struct paced_weights *weights);
enum paced_err paced_scores_load(struct paced_scores *scores, const char *tensor, const struct paced_weights *weights,
                                 const char *path);

/* metrics.csv: image,class,dice,iou,precision,recall,f1, what was noted, labelled: a row per image and class. What is
 * the image's own stands in each of its rows. `labelled`: pixels of this class in the label map. */
enum paced_err paced_scores_write_csv(const struct paced_scores *scores, const char *path);
/* summary.csv: set,class,images,dice,iou,precision,recall,f1, what was noted: all/mean, non-empty/mean, then
 * all/<class> rows, where what is the image's own is empty. */
enum paced_err paced_scores_write_summary(const struct paced_scores *scores, const char *path);
/* intervals.csv: set,class,images,metric,mean,low,high: a row per metric of each row of the summary. */
enum paced_err paced_scores_write_intervals(const struct paced_scores *scores, uint64_t seed, const char *path);
/* The summary for a terminal, with the interval of its first row. class_names[classes] (NULL: their numbers). */
void paced_scores_print(const struct paced_scores *scores, const char *const *class_names, uint64_t seed, FILE *out);

/* An image that stands for others. */
struct paced_case {
    const char *kind; /* "best" | "median" | "worst" */
    int number;       /* among its kind, from 1 */
    size_t image;
    double dice;
};
/* Up to `wanted` images, a third each from the top, the middle and the end of a ranking by the images' dice (of equal
 * ones the earlier image comes first): cases[wanted], the best first, then the median ones, then the worst first. An
 * image without foreground in mask and prediction shows nothing and is ranked only where there are too few others.
 * Returns how many. */
size_t paced_cases_choose(const struct paced_scores *scores, size_t wanted, struct paced_case *cases);
/* The name of its picture, <kind>_<number>.png; free() it. And the table of them: file,case,image,dice. */
char *paced_case_file(const struct paced_case *c);
enum paced_err paced_cases_write_csv(const struct paced_scores *scores, const struct paced_case *cases, size_t count,
                                     const char *path);

/* ---- one image ----------------------------------------------------------------------------------------------- */

/* Grades predictions by [test]: cleans them (postprocess), counts, and measures what `metrics` asks for. */
struct paced_examiner;
/* PACED_INVALID: postprocess = needle for other than two classes. */
enum paced_err paced_examiner_create(struct paced_examiner **examiner, const struct paced_config *config);
void paced_examiner_destroy(struct paced_examiner *examiner);
/* Does it need the logits? */
bool paced_examiner_needs_logits(const struct paced_examiner *examiner);
/* Cleans prediction[size][size], of logits[size][size][classes], in place. */
void paced_examiner_clean(struct paced_examiner *examiner, uint8_t *prediction, const float *logits);
/* prediction[size][size] is cleaned in place; logits[size][size][classes] may be NULL where they are not needed. */
void paced_examine(struct paced_examiner *examiner, const char *name, uint8_t *prediction, const float *logits,
                   const uint8_t *label, struct paced_scores *scores);

/* ---- two runs on the same images ----------------------------------------------------------------------------- */

/* Of the Wilcoxon signed-rank test, two-sided: zeros are left out, equal amounts share their ranks, and the statistic
 * is taken for normal, its variance corrected for ties. 1 where every difference is zero; NaN without any. */
double paced_wilcoxon(const double *differences, size_t count);

/* Second minus first, image by image (an image's figure is the mean over its classes): the mean, its 95 % bootstrap
 * interval, and p of the Wilcoxon test. NaN where the metric is not in both files. */
struct paced_difference {
    double mean, low, high, p;
};
struct paced_differences {
    size_t images; /* that both files name */
    struct paced_difference metrics[PACED_METRICS];
};
/* From two metrics.csv; images are matched by name. non_empty: only images whose first label map has a foreground. */
enum paced_err paced_differences_read(struct paced_differences *differences, const char *first, const char *second,
                                      bool non_empty, uint64_t seed);

/* ---- comparison ---------------------------------------------------------------------------------------------- */

/* What several tests measured, side by side, and how far each is from the first of its group; starts as {0}. */
struct paced_comparison_row {
    char *name;
    size_t images[2]; /* all, non-empty */
    struct paced_metrics metrics[2];
    size_t first;                              /* the row that is its group's first */
    struct paced_differences against_first[2]; /* of the first itself: not set */
};
struct paced_comparison {
    struct paced_comparison_row *rows;
    size_t count;
    char *first; /* the metrics.csv of the group's first test; NULL: the next one is it */
};

/* Takes the first two rows of a test's summary.csv, and its metrics.csv. PACED_INVALID where it is none. */
enum paced_err paced_comparison_add(struct paced_comparison *comparison, const char *name, const char *summary_path,
                                    const char *metrics_path, uint64_t seed);
/* The next test is the first of another group. */
void paced_comparison_regroup(struct paced_comparison *comparison);
void paced_comparison_finish(struct paced_comparison *comparison);
/* stage,set,images,dice,iou,precision,recall,f1,dice_difference,dice_low,dice_high,dice_p: a row per stage and set
 * (all, non-empty). */
enum paced_err paced_comparison_write_csv(const struct paced_comparison *comparison, const char *path);
/* stage,against,set,images,metric,difference,low,high,p: all metrics of every stage but the first. */
enum paced_err paced_comparison_write_differences(const struct paced_comparison *comparison, const char *path);
/* For a terminal: a line per stage with the figures of all images, the Dice of the non-empty ones, and how far the Dice
 * of all is from the first stage's. */
void paced_comparison_print(const struct paced_comparison *comparison, FILE *out);

/* ---- robustness ---------------------------------------------------------------------------------------------- */

/* The same images, clean and under each corruption at each severity, with one or several weights. All scores have the
 * same number of classes. The drop of a metric is (clean - mean over the severities) / clean. */
struct paced_robustness {
    const char *const *weights, *const *corruptions; /* names: [weight_count], [corruption_count] */
    const int *severities;                           /* [severity_count], rising, above 0, at most 5 of them */
    size_t weight_count, corruption_count, severity_count;
    struct paced_scores **clean;  /* [weight_count] */
    struct paced_scores **scores; /* [weight_count][corruption_count][severity_count] */
};

/* robustness.csv: weights,image,corruption,severity,class,dice,iou,precision,recall,f1: severity 0 of the corruption
 * "clean", then the others. class is "mean" (over the classes) and, of more than two, then each class as well. */
enum paced_err paced_robustness_write_csv(const struct paced_robustness *robustness, const char *path);
/* robustness_summary.csv: weights,corruption,metric,clean,severity_1,...,mean,drop: the set's means; a row for each
 * metric of each corruption, at last of "mean", the mean over all corruptions. */
enum paced_err paced_robustness_write_summary(const struct paced_robustness *robustness, const char *path);
/* A table for people: a row for each corruption, for each of the weights the mean dice over the severities and what it
 * lost; the last row is the mean over all corruptions. */
void paced_robustness_print(const struct paced_robustness *robustness, FILE *out);
/* A picture DIR/robustness_<metric>.png for each metric: a panel for each corruption, a line for each of the weights.
 */
enum paced_err paced_robustness_plot(const struct paced_robustness *robustness, const char *dir);

/* ---- sweeps -------------------------------------------------------------------------------------------------- */

/* What each network of a sweep came to. Rows are told apart by their labels: the stage that trained it, and the values
 * of the swept keys. */
enum paced_outcome_part { PACED_ON_ALL, PACED_ON_NON_EMPTY, PACED_CORRUPTED, PACED_DROP, PACED_OUTCOME_PARTS };
struct paced_figure {
    double mean, low, high; /* low, high: the ends of the interval */
    double deviation;       /* over what was averaged; NaN for less than two */
};
struct paced_outcome {
    char **labels;                                                   /* [label_count] */
    size_t runs;                                                     /* that were averaged */
    double images[2];                                                /* all, non-empty */
    struct paced_figure figures[PACED_OUTCOME_PARTS][PACED_METRICS]; /* NaN: not measured */
};
struct paced_outcomes {
    const char **names; /* of the labels: "stage", "pacing.mu"... */
    size_t label_count;
    const char *averaged; /* NULL, or the label over which these are means */
    struct paced_outcome *rows;
    size_t count;
};

/* names[label_count]: the texts must outlive the outcomes. */
void paced_outcomes_init(struct paced_outcomes *outcomes, const char *const *names, size_t label_count);
void paced_outcomes_finish(struct paced_outcomes *outcomes);

/* A test's intervals.csv, for the row of these labels, which is made where it is missing. */
enum paced_err paced_outcomes_add_test(struct paced_outcomes *outcomes, const char *const *labels, const char *path);
/* A robustness_summary.csv: the mean over all corruptions. Each of the weights has a row, their name its first label.
 */
enum paced_err paced_outcomes_add_robustness(struct paced_outcomes *outcomes, const char *const *labels,
                                             const char *path);
/* The rows whose first label is `name` are of one network: their labels are emptied but where kept[label_count], and
 * rows that then have the same become one, with the first figure of each. */
void paced_outcomes_join(struct paced_outcomes *outcomes, const char *name, const bool *kept);
/* Means and deviations (n - 1) over the rows that differ in this one label, without it. */
struct paced_outcomes paced_outcomes_average(const struct paced_outcomes *outcomes, size_t label);

/* A row per network: the labels; images; each metric with the ends of its interval,
 * <metric>,<metric>_low,<metric>_high; the same of the non-empty images, non_empty_<metric>...; corrupted_<metric>;
 * drop_<metric>. Of means instead: the labels; runs; <metric>,<metric>_sd and so on. */
enum paced_err paced_outcomes_write_csv(const struct paced_outcomes *outcomes, const char *path);
void paced_outcomes_print(const struct paced_outcomes *outcomes, FILE *out);
/* Dice against the one label that is a number in all rows that have it, a line for each value of the others; where
 * there is no such label, or several, a row for each network. All with their intervals or deviations. */
enum paced_err paced_outcomes_plot(const struct paced_outcomes *outcomes, const char *path);

/* ---- the training log ---------------------------------------------------------------------------------------- */

/* One row of log.csv. NaN means "does not apply" and is written as an empty field. */
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
/* log.csv with the header
 * epoch,phase,loss,ce,kld,lr,mu,admitted,dice,iou,precision,recall,f1,seconds,images_per_second; nine significant
 * digits, so that float32 values are told apart. */
enum paced_err paced_run_log_write(const struct paced_run_log *log, const char *path);
/* Reads it back, rows of epochs up to last_epoch only. */
enum paced_err paced_run_log_read(struct paced_run_log *log, const char *path, int last_epoch);
/* losses.json: {"train": [ce...], "val": [ce...]}. */
enum paced_err paced_run_log_write_losses(const struct paced_run_log *log, const char *path);
/* For a terminal: the validation figures of the best epoch and of the last, and what the epochs took. Prints nothing
 * where the log is empty. */
void paced_run_log_print(const struct paced_run_log *log, int best_epoch, FILE *out);

/* ---- pictures ------------------------------------------------------------------------------------------------ */

/* rgb[height][width][3]. Colours are 0xRRGGBB, positions in pixels from the upper left corner; what reaches beyond the
 * canvas is cut off, so drawing cannot fail. `scale` is a whole factor. */
struct paced_canvas {
    int width, height;
    uint8_t *rgb;
};

#define PACED_COLOUR_PAPER 0xffffffu
#define PACED_COLOUR_TEXT 0x202020u
#define PACED_COLOUR_FAINT 0x6c6c6cu   /* text of less weight */
#define PACED_COLOUR_UNKNOWN 0xd8d8d8u /* where a map has no value */
#define PACED_TEXT_HEIGHT 7            /* of capitals and digits at scale 1; two more rows hang below */

struct paced_canvas paced_canvas_create(int width, int height, uint32_t colour);
void paced_canvas_finish(struct paced_canvas *canvas);
enum paced_err paced_canvas_write(const struct paced_canvas *canvas, const char *path); /* PNG */
/* The PNG in memory, to be released with free(). */
enum paced_err paced_canvas_encode(const struct paced_canvas *canvas, uint8_t **png, size_t *size);

void paced_canvas_fill(struct paced_canvas *canvas, int x, int y, int width, int height, uint32_t colour);
/* A line of one pixel around (outside) the rectangle. */
void paced_canvas_frame(struct paced_canvas *canvas, int x, int y, int width, int height, uint32_t colour);
void paced_canvas_image(struct paced_canvas *canvas, int x, int y, int scale, const uint8_t *rgb, int width,
                        int height);

/* The colour of a value in 0..1 (cut off at the ends), darkest for 0; PACED_COLOUR_UNKNOWN for NaN. */
uint32_t paced_colour_map(double value);
/* values[height][width] in the colours of value / most. */
void paced_canvas_map(struct paced_canvas *canvas, int x, int y, int scale, const float *values, int width, int height,
                      double most);
/* Their legend within width x height: 0, the colours, most. */
void paced_canvas_colour_bar(struct paced_canvas *canvas, int x, int y, int width, int height, double most);

/* label[height][width] on an image that is drawn there already: each class but 0 mixed into it, a share 0..1 of its
 * colour (colours[class]); pixels up to `line` from another class, or the map's end, in their colour with a dark line
 * around; colours NULL: dashed, black and white. */
void paced_canvas_tint(struct paced_canvas *canvas, int x, int y, int scale, const uint8_t *label, int width,
                       int height, const uint32_t *colours, double share);
void paced_canvas_outlines(struct paced_canvas *canvas, int x, int y, int scale, const uint8_t *label, int width,
                           int height, const uint32_t *colours, int line);
/* For pictures of large images: what has `size` pixels on a side gets `side` of them, at most as many. Means over
 * boxes; of labels the class that a box has most of, 0 only where it has no other. */
void paced_shrink_image(const uint8_t *rgb, size_t size, uint8_t *out, size_t side); /* [..][..][3] */
void paced_shrink_map(const float *values, size_t size, float *out, size_t side);
void paced_shrink_labels(const uint8_t *label, size_t size, uint8_t *out, size_t side);
/* A colour for each class, for those that have none of their own. */
uint32_t paced_class_colour(int class_index);

/* Printable ASCII; others show as '?'. */
void paced_canvas_text(struct paced_canvas *canvas, int x, int y, int scale, uint32_t colour, const char *text);
int paced_text_width(const char *text, int scale);

/* ---- plots --------------------------------------------------------------------------------------------------- */

/* A line with a mark at each point. Where y is NaN it has a gap. */
struct paced_series {
    const char *name;
    const double *x, *y; /* [count], x rising */
    size_t count;
    const double *low, *high;      /* [count], the ends of the points' intervals, NaN: of none; NULL: of no point */
    size_t first_mark, mark_every; /* of many points: those that get a mark; mark_every 0 is 1 */
};

/* Lines over a pair of axes. The series differ in colour (after Okabe and Ito's palette, which people with any colour
 * vision tell apart), in the shape of their marks and in their dashes, so that they differ in grey as well. */
struct paced_plot {
    const char *title, *x_label, *y_label;
    double x_min, x_max, y_min, y_max; /* the axes' ends; what lies outside is drawn beyond them */
    const struct paced_series *series;
    size_t series_count;
    const double *x_ticks; /* [x_tick_count], rising; NULL: round numbers */
    const char *const *x_tick_names;
    size_t x_tick_count;
};

/* Within width x height, labels included. */
void paced_canvas_plot(struct paced_canvas *canvas, int x, int y, int width, int height, const struct paced_plot *plot);
/* A sample and the name of each series, in as many rows as it takes within `width`. Returns the height; canvas NULL:
 * draws nothing. */
int paced_canvas_legend(struct paced_canvas *canvas, int x, int y, int width, const struct paced_series *series,
                        size_t count);

/* ---- the report ----------------------------------------------------------------------------------------------- */

/* Directories, without '/' at their ends: of runs, at least one, and of the experiments whose sweep is shown. */
struct paced_report_sources {
    const char *const *runs, *const *experiments;
    size_t run_count, experiment_count;
};

/* OUTPUT_DIR/report.html, one file that shows what the files of these run directories hold, with what differs between
 * them where there are several, and beside it its figures as PNG files. The same files give the same report. It reads
 * config.ini, log.csv, summary.csv, intervals.csv, metrics.csv, reliability.csv, robustness_summary.csv,
 * contact_sheet.png and overlays/overlays.csv (file,case,image,dice) with its pictures, and of an experiment sweep.png
 * and seeds.csv or else sweep.csv; what is not there is left out. title NULL: the only experiment's directory, or the
 * first run's name. PACED_INVALID where a run directory has no config.ini. */
enum paced_err paced_report_write(const struct paced_report_sources *sources, const char *title,
                                  const char *output_dir);

/* ---- TensorBoard --------------------------------------------------------------------------------------------- */

/* A part of an event file (events.out.tfevents.*), or all of it; starts as {0}. Times are seconds since 1970. */
struct paced_events {
    uint8_t *bytes;
    size_t size;
};
void paced_events_finish(struct paced_events *events);
/* How a file begins: the format's version, and the run's hyper-parameters for the tab HPARAMS. */
void paced_events_begin(struct paced_events *events, double start, const struct paced_config *config);
/* The scalars of an epoch, its step, from its rows of the log: ckd/mu, spl/data_in_train, logs/lr, logs/train_loss and
 * logs/val_loss (ce), logs/train_objective and logs/val_objective (loss), logs/metric_<name> (val). */
void paced_events_add_epoch(struct paced_events *events, double start, const struct paced_run_log *log, int epoch);
enum paced_err paced_events_add_picture(struct paced_events *events, double time, int64_t step, const char *tag,
                                        const struct paced_canvas *canvas);
/* The run is done. */
void paced_events_end(struct paced_events *events, double time);
/* When an epoch ended: `start` and the seconds of the log up to then, so that pauses between two parts of a run do not
 * count, and the same log gives the same times. */
double paced_events_time(double start, const struct paced_run_log *log, int epoch);

/* ---- progress ------------------------------------------------------------------------------------------------ */

/* A bar with loss, images/s and ETA on the terminal's status line; nothing when stderr is no terminal. */
struct paced_progress {
    char label[64];
    size_t done, total; /* images */
    double started_s, drawn_s;
};
void paced_progress_start(struct paced_progress *progress, const char *label, size_t total);
void paced_progress_step(struct paced_progress *progress, size_t images, double loss);
void paced_progress_end(struct paced_progress *progress);

#endif
