/* tables: results of tests as CSV files and for the terminal. */
#include "paced/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one test ------------------------------------------------------------------------------------------------ */

/* Writes ",name" of each of the metrics. */
static void write_names(FILE *out, uint64_t which) {
    for (int m = 0; m < PACED_METRICS; ++m)
        if (which & PACED_METRIC_BIT(m)) fprintf(out, ",%s", paced_metric_table[m].name);
}

/* Writes ",value" of each of the metrics. */
static void write_metrics(FILE *out, const struct paced_metrics *metrics, uint64_t which) {
    for (int m = 0; m < PACED_METRICS; ++m)
        if (which & PACED_METRIC_BIT(m)) paced_csv_write_reals(out, &metrics->of[m], 1);
}

static void write_image_name(FILE *out, const struct paced_scores *scores, size_t image) {
    const char *name = paced_scores_name(scores, image);
    if (name)
        paced_csv_write_text(out, name);
    else
        fprintf(out, "%zu", image + 1); /* an image without a name is numbered from 1 */
}

/* Metrics of a class, together with the per-image metrics. */
static struct paced_metrics row_metrics(const struct paced_scores *scores, size_t image, int class_index) {
    struct paced_metrics own = paced_scores_image(scores, image, 0);
    struct paced_metrics metrics = paced_scores_image(scores, image, class_index);
    for (int m = 0; m < PACED_METRICS; ++m)
        if (paced_metric_table[m].of_image) metrics.of[m] = own.of[m];
    return metrics;
}

enum paced_err paced_scores_write_csv(const struct paced_scores *scores, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("image,class", file.stream);
    write_names(file.stream, paced_scores_metrics(scores));
    fputs(",labelled\n", file.stream);
    for (size_t i = 0; i < paced_scores_count(scores); ++i)
        for (int c = 1; paced_scores_has_pixels(scores, i) && c < paced_scores_classes(scores); ++c) {
            struct paced_metrics m = row_metrics(scores, i, c);
            write_image_name(file.stream, scores, i);
            fprintf(file.stream, ",%d", c);
            write_metrics(file.stream, &m, paced_scores_metrics(scores));
            fprintf(file.stream, ",%llu\n", (unsigned long long)paced_scores_pixels(scores, i, c).labelled);
        }
    return paced_atomic_commit(&file);
}

/* ---- the summary --------------------------------------------------------------------------------------------- */

/* Summary of one row. Row 0: all images; row 1: images with a foreground; then all images, class by class. */
struct summary {
    const char *set;
    char class_name[16];
    int class_index; /* 0: mean over classes */
    size_t images;
    struct paced_metrics metrics;
};

static size_t summary_rows(const struct paced_scores *scores) {
    return 2 + (size_t)paced_scores_classes(scores) - 1;
}

static struct summary summary_row(const struct paced_scores *scores, size_t row) {
    struct summary s = {.set = row == 1 ? "non-empty" : "all", .class_name = "mean"};
    s.class_index = row < 2 ? 0 : (int)row - 1;
    if (s.class_index > 0) snprintf(s.class_name, sizeof(s.class_name), "%d", s.class_index);
    s.metrics = paced_scores_mean(scores, s.class_index, row == 1, &s.images);
    return s;
}

enum paced_err paced_scores_write_summary(const struct paced_scores *scores, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("set,class,images", file.stream);
    write_names(file.stream, paced_scores_metrics(scores));
    fputc('\n', file.stream);
    for (size_t row = 0; row < summary_rows(scores); ++row) {
        struct summary s = summary_row(scores, row);
        fprintf(file.stream, "%s,%s,%zu", s.set, s.class_name, s.images);
        write_metrics(file.stream, &s.metrics, paced_scores_metrics(scores));
        fputc('\n', file.stream);
    }
    return paced_atomic_commit(&file);
}

enum paced_err paced_scores_write_intervals(const struct paced_scores *scores, uint64_t seed, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("set,class,images,metric,mean,low,high\n", file.stream);
    for (size_t row = 0; row < summary_rows(scores); ++row) {
        struct summary s = summary_row(scores, row);
        struct paced_metrics low, high;
        paced_scores_interval(scores, s.class_index, row == 1, seed, &low, &high);
        for (int m = 0; m < PACED_METRICS; ++m) {
            bool of_row = s.class_index == 0 || !paced_metric_table[m].of_image;
            if (!of_row || !(paced_scores_metrics(scores) & PACED_METRIC_BIT(m))) continue;
            fprintf(file.stream, "%s,%s,%zu,%s", s.set, s.class_name, s.images, paced_metric_table[m].name);
            paced_csv_write_reals(file.stream, (const double[]){s.metrics.of[m], low.of[m], high.of[m]}, 3);
            fputc('\n', file.stream);
        }
    }
    return paced_atomic_commit(&file);
}

enum paced_err paced_reliability_write_csv(const struct paced_reliability *sum, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("bin,confidence,accuracy,count\n", file.stream);
    for (int b = 0; b < PACED_BINS; ++b) {
        double n = (double)sum->count[b]; /* without pixels the means are NaN, written as empty */
        fprintf(file.stream, "%d", b + 1);
        paced_csv_write_reals(file.stream, (const double[]){sum->confidence[b] / n, sum->right[b] / n}, 2);
        fprintf(file.stream, ",%llu\n", (unsigned long long)sum->count[b]);
    }
    return paced_atomic_commit(&file);
}

enum paced_err paced_cases_write_csv(const struct paced_scores *scores, const struct paced_case *cases, size_t count,
                                     const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("file,case,image,dice\n", file.stream);
    for (size_t i = 0; i < count; ++i) {
        char *name = paced_case_file(&cases[i]);
        fprintf(file.stream, "%s,%s,", name, cases[i].kind);
        paced_csv_write_text(file.stream, paced_scores_name(scores, cases[i].image));
        paced_csv_write_reals(file.stream, &cases[i].dice, 1);
        fputc('\n', file.stream);
        free(name);
    }
    return paced_atomic_commit(&file);
}

/* ---- the terminal -------------------------------------------------------------------------------------------- */

enum { MIN_WIDTH = 9 }; /* of a column of numbers, characters */

/* Prints two blanks and the value, `width` wide; "-" for NaN. */
static void print_real(FILE *out, double value, int width) {
    if (isnan(value))
        fprintf(out, "  %*s", width, "-");
    else
        fprintf(out, "  %*.4f", width, value);
}

static int column_width(int metric) {
    int width = (int)strlen(paced_metric_table[metric].name);
    return width < MIN_WIDTH ? MIN_WIDTH : width;
}

static void print_figures(FILE *out, const struct paced_metrics *metrics, uint64_t which) {
    for (int m = 0; m < PACED_METRICS; ++m)
        if (which & PACED_METRIC_BIT(m)) print_real(out, metrics->of[m], column_width(m));
    fputc('\n', out);
}

static int class_width(const struct paced_scores *scores, const char *const *class_names) {
    size_t width = strlen("class");
    for (int c = 1; class_names && c < paced_scores_classes(scores); ++c)
        if (strlen(class_names[c]) > width) width = strlen(class_names[c]);
    return (int)width;
}

void paced_scores_print(const struct paced_scores *scores, const char *const *class_names, uint64_t seed, FILE *out) {
    uint64_t which = paced_scores_metrics(scores);
    int width = class_width(scores, class_names);
    struct paced_metrics low, high;
    fprintf(out, "%-9s  %*s  %6s", "set", width, "class", "images");
    for (int m = 0; m < PACED_METRICS; ++m)
        if (which & PACED_METRIC_BIT(m)) fprintf(out, "  %*s", column_width(m), paced_metric_table[m].name);
    fputc('\n', out);
    for (size_t row = 0; row < summary_rows(scores); ++row) {
        struct summary s = summary_row(scores, row);
        const char *name = class_names && s.class_index > 0 ? class_names[s.class_index] : s.class_name;
        fprintf(out, "%-9s  %*s  %6zu", s.set, width, name, s.images);
        print_figures(out, &s.metrics, which);
    }
    paced_scores_interval(scores, 0, false, seed, &low, &high);
    fprintf(out, "%-*s", 9 + 2 + width + 2 + 6, "95% of all, from");
    print_figures(out, &low, which);
    fprintf(out, "%*s", 9 + 2 + width + 2 + 6, "to");
    print_figures(out, &high, which);
}

/* ---- several tests ------------------------------------------------------------------------------------------- */

enum { ALL, NON_EMPTY, SETS };
static const char *const set_names[SETS] = {"all", "non-empty"};

/* Writes ",difference,low,high,p". */
static void write_difference(FILE *out, const struct paced_difference *d) {
    paced_csv_write_reals(out, (const double[]){d->mean, d->low, d->high, d->p}, 4);
}

enum paced_err paced_comparison_write_csv(const struct paced_comparison *comparison, const char *path) {
    static const struct paced_difference none = {NAN, NAN, NAN, NAN};
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("stage,set,images", file.stream);
    write_names(file.stream, PACED_METRICS_ALWAYS);
    fputs(",dice_difference,dice_low,dice_high,dice_p\n", file.stream);
    for (size_t i = 0; i < comparison->count; ++i) {
        const struct paced_comparison_row *row = &comparison->rows[i];
        for (int set = 0; set < SETS; ++set) {
            paced_csv_write_text(file.stream, row->name);
            fprintf(file.stream, ",%s,%zu", set_names[set], row->images[set]);
            paced_csv_write_reals(file.stream, row->metrics[set].of, PACED_PIXEL_METRICS);
            write_difference(file.stream, i > row->first ? &row->against_first[set].metrics[PACED_DICE] : &none);
            fputc('\n', file.stream);
        }
    }
    return paced_atomic_commit(&file);
}

static void write_differences(FILE *out, const struct paced_comparison *comparison, size_t i, int set) {
    const struct paced_comparison_row *row = &comparison->rows[i];
    const struct paced_differences *differences = &row->against_first[set];
    for (int m = 0; m < PACED_METRICS; ++m) {
        if (isnan(differences->metrics[m].mean)) continue;
        paced_csv_write_text(out, row->name);
        fputc(',', out);
        paced_csv_write_text(out, comparison->rows[row->first].name);
        fprintf(out, ",%s,%zu,%s", set_names[set], differences->images, paced_metric_table[m].name);
        write_difference(out, &differences->metrics[m]);
        fputc('\n', out);
    }
}

enum paced_err paced_comparison_write_differences(const struct paced_comparison *comparison, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("stage,against,set,images,metric,difference,low,high,p\n", file.stream);
    for (size_t i = 0; i < comparison->count; ++i)
        for (int set = 0; i > comparison->rows[i].first && set < SETS; ++set)
            write_differences(file.stream, comparison, i, set);
    return paced_atomic_commit(&file);
}

void paced_comparison_print(const struct paced_comparison *comparison, FILE *out) {
    int width = (int)strlen("stage");
    for (size_t i = 0; i < comparison->count; ++i)
        if ((int)strlen(comparison->rows[i].name) > width) width = (int)strlen(comparison->rows[i].name);
    fprintf(out, "%-*s  %6s", width, "stage", "images");
    for (int m = 0; m < PACED_PIXEL_METRICS; ++m) fprintf(out, "  %9s", paced_metric_table[m].name);
    fprintf(out, "  %16s  %16s  %9s\n", "dice (non-empty)", "dice - first's", "p");
    for (size_t i = 0; i < comparison->count; ++i) {
        const struct paced_comparison_row *row = &comparison->rows[i];
        const struct paced_difference *dice = &row->against_first[ALL].metrics[PACED_DICE];
        fprintf(out, "%-*s  %6zu", width, row->name, row->images[0]);
        for (int m = 0; m < PACED_PIXEL_METRICS; ++m) print_real(out, row->metrics[ALL].of[m], 9);
        print_real(out, row->metrics[NON_EMPTY].dice, 16);
        print_real(out, i > row->first ? dice->mean : NAN, 16);
        print_real(out, i > row->first ? dice->p : NAN, 9);
        fputc('\n', out);
    }
}
