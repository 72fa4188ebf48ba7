/* report: tables, plots and report pages, computed from host arrays only. Pointers returned as char * are owned by the
 * caller and released with free(). */
#ifndef PACED_REPORT_H
#define PACED_REPORT_H

#include "paced/metrics.h"

/* ---- tables of a test ---------------------------------------------------------------------------------------- */

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
/* Writes reliability.csv (bin,confidence,accuracy,count): one row per bin, numbered from 1. The means of a bin
 * without pixels are empty. */
enum paced_err paced_reliability_write_csv(const struct paced_reliability *sum, const char *path);
/* Writes the table of cases (file,case,image,dice). */
enum paced_err paced_cases_write_csv(const struct paced_scores *scores, const struct paced_case *cases, size_t count,
                                     const char *path);

/* ---- tables of several tests -------------------------------------------------------------------------------- */

/* Writes stage,set,images,dice,iou,precision,recall,f1,dice_difference,dice_low,dice_high,dice_p: one row per stage
 * and set (all, non-empty). */
enum paced_err paced_comparison_write_csv(const struct paced_comparison *comparison, const char *path);
/* Writes stage,against,set,images,metric,difference,low,high,p: all metrics of every stage except the first. */
enum paced_err paced_comparison_write_differences(const struct paced_comparison *comparison, const char *path);
/* Prints one line per stage: the metrics of all images, the Dice of the non-empty ones, and the difference of the Dice
 * of all images from the first stage. */
void paced_comparison_print(const struct paced_comparison *comparison, FILE *out);

/* Writes one row per network: the labels; images; each metric with its interval (<metric>,<metric>_low,<metric>_high);
 * the same for the non-empty images (non_empty_<metric>...); corrupted_<metric>; drop_<metric>. For averages: the
 * labels; runs; <metric>,<metric>_sd and so on. */
enum paced_err paced_outcomes_write_csv(const struct paced_outcomes *outcomes, const char *path);
void paced_outcomes_print(const struct paced_outcomes *outcomes, FILE *out);
/* Plots Dice against the only numeric label, one line per combination of the other labels. Without a numeric label, or
 * with several, one row per network. Bars show intervals or standard deviations. */
enum paced_err paced_outcomes_plot(const struct paced_outcomes *outcomes, const char *path);

/* ---- robustness ---------------------------------------------------------------------------------------------- */

/* Scores of the same images, clean and under each corruption at each severity, for one or several weights. All scores
 * have the same number of classes. The drop of a metric is (clean - mean over the severities) / clean; NaN if the clean
 * value is below 1e-4, which a Dice without any overlap is. */
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

/* ---- the training log ---------------------------------------------------------------------------------------- */

/* One row of log.csv. NaN: not applicable; written as an empty field. */
struct paced_log_row {
    int epoch;         /* from 1 */
    const char *phase; /* "train" | "val" */
    struct paced_measures measures;
};

struct paced_run_log {
    struct paced_log_row *rows;
    size_t count;
};

void paced_run_log_add(struct paced_run_log *log, const struct paced_log_row *row);
void paced_run_log_finish(struct paced_run_log *log);
/* Writes log.csv: epoch, phase and all measures. Nine significant digits preserve every float32 value. */
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
#define PACED_TEXT_HEIGHT 7            /* height of capitals and digits at scale 1 */

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
 * label[height][width], and stripes into ignored ones. fraction: 0 to 1. */
void paced_canvas_tint(struct paced_canvas *canvas, int x, int y, int scale, const uint8_t *label, int width,
                       int height, const uint32_t *colours, double fraction);
/* Draws the outline of each class of label[height][width]: pixels within `line` pixels of another class or of the edge
 * of the map, in the colour of their class with a dark casing. colours NULL: dashed, black and white. Ignored pixels
 * are background. */
void paced_canvas_outlines(struct paced_canvas *canvas, int x, int y, int scale, const uint8_t *label, int width,
                           int height, const uint32_t *colours, int line);
/* Downscaling to an extent that is not larger in any direction. Images and maps: mean over boxes. Labels: the most
 * frequent class of a box; 0 only if the box has no other class, and PACED_IGNORED only if it has no class but 0. */
void paced_shrink_image(const uint8_t *rgb, struct paced_extent from, uint8_t *out, struct paced_extent to);
void paced_shrink_map(const float *values, struct paced_extent from, float *out, struct paced_extent to);
void paced_shrink_labels(const uint8_t *label, struct paced_extent from, uint8_t *out, struct paced_extent to);
/* Default colour of a class. */
uint32_t paced_class_colour(int class_index);
/* Colour of an ignored pixel: grey diagonal stripes. x, y: from 0. */
uint32_t paced_stripes(int x, int y);

/* Draws UTF-8 text in the font DejaVu Sans, or the system's substitute; invalid bytes are drawn as '?'. x, y: left end
 * and top of the capitals. */
void paced_canvas_text(struct paced_canvas *canvas, int x, int y, int scale, uint32_t colour, const char *text);
int paced_text_width(const char *text, int scale);

/* ---- the report ----------------------------------------------------------------------------------------------- */

/* A run: its directory without a trailing '/', its configuration by keys and as the text of an INI, and its data. */
struct paced_report_run {
    const char *dir;
    const struct paced_settings *settings;
    const char *ini;
    const struct paced_data_options *data;
};

/* Runs, at least one, the defaults of their settings, and directories of experiments whose sweep is shown. */
struct paced_report_sources {
    const struct paced_report_run *runs;
    const struct paced_settings *defaults;
    const char *const *experiments;
    size_t run_count, experiment_count;
};

/* Writes OUTPUT_DIR/report.html, one self-contained file about these runs and their differences, and its figures as SVG
 * files beside it. The same input gives the same report. Input of a run: config.ini, log.csv, summary.csv,
 * intervals.csv, metrics.csv, reliability.csv, robustness_summary.csv, contact_sheet.png and overlays/overlays.csv
 * (file,case,image,dice) with its pictures; of an experiment: sweep.svg and seeds.csv, or sweep.csv without it. Missing
 * files are skipped. title NULL: the directory of the only experiment, or the name of the first run. */
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
void paced_events_begin(struct paced_events *events, double start, const struct paced_settings *parameters);
/* Adds the measures of an epoch that have a tag, with the epoch as the step. */
void paced_events_add_epoch(struct paced_events *events, double start, const struct paced_run_log *log, int epoch);
enum paced_err paced_events_add_picture(struct paced_events *events, double time, int64_t step, const char *tag,
                                        const struct paced_canvas *canvas);
/* Adds the successful end of the run. */
void paced_events_end(struct paced_events *events, double time);
/* Time at which an epoch ended: `start` plus the seconds in the log up to it. Pauses before a resume do not count, and
 * the same log gives the same times. */
double paced_events_time(double start, const struct paced_run_log *log, int epoch);

#endif
