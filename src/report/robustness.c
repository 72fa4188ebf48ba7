/* robustness: effect of corruptions on the metrics, as tables.
 *
 * Means over severities and over corruptions average the means of the set. */
#include "paced/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEVERITIES = 5 };

/* A Dice without any overlap is below this, the smoothing constant of its definition. */
#define LEAST_CLEAN 1e-4

static double set_mean(const struct paced_scores *scores, enum paced_metric figure) {
    return paced_scores_mean(scores, 0, false, NULL).of[figure];
}

static const struct paced_scores *scores_of(const struct paced_robustness *r, size_t weights, size_t corruption,
                                            size_t severity) {
    return r->scores[(weights * r->corruption_count + corruption) * r->severity_count + severity];
}

/* ---- the summary --------------------------------------------------------------------------------------------- */

/* One metric of one of the weights under one corruption. */
struct row {
    double clean, at[SEVERITIES], mean, drop;
};

/* Row of a corruption; corruption_count gives the mean over all corruptions. */
static struct row summarise(const struct paced_robustness *r, size_t weights, size_t corruption,
                            enum paced_metric figure) {
    struct row row = {.clean = set_mean(r->clean[weights], figure)};
    bool all = corruption == r->corruption_count;
    size_t first = all ? 0 : corruption, end = all ? r->corruption_count : corruption + 1;
    for (size_t s = 0; s < r->severity_count; ++s) {
        for (size_t c = first; c < end; ++c) row.at[s] += set_mean(scores_of(r, weights, c, s), figure);
        row.at[s] /= (double)(end - first);
        row.mean += row.at[s];
    }
    row.mean /= (double)r->severity_count;
    row.drop = row.clean >= LEAST_CLEAN ? (row.clean - row.mean) / row.clean : NAN;
    return row;
}

static const char *corruption_name(const struct paced_robustness *r, size_t corruption) {
    return corruption < r->corruption_count ? r->corruptions[corruption] : "mean";
}

static void write_row(const struct paced_robustness *r, size_t weights, size_t corruption, enum paced_metric figure,
                      FILE *out) {
    struct row row = summarise(r, weights, corruption, figure);
    paced_csv_write_text(out, r->weights[weights]);
    fprintf(out, ",%s,%s", corruption_name(r, corruption), paced_metric_table[figure].name);
    paced_csv_write_reals(out, &row.clean, 1);
    paced_csv_write_reals(out, row.at, r->severity_count);
    paced_csv_write_reals(out, (const double[]){row.mean, row.drop}, 2);
    fputc('\n', out);
}

enum paced_err paced_robustness_write_summary(const struct paced_robustness *r, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("weights,corruption,metric,clean", file.stream);
    for (size_t s = 0; s < r->severity_count; ++s) fprintf(file.stream, ",severity_%d", r->severities[s]);
    fputs(",mean,drop\n", file.stream);
    for (size_t w = 0; w < r->weight_count; ++w)
        for (size_t c = 0; c <= r->corruption_count; ++c)
            for (enum paced_metric f = 0; f < PACED_PIXEL_METRICS; ++f) write_row(r, w, c, f, file.stream);
    return paced_atomic_commit(&file);
}

/* ---- every image --------------------------------------------------------------------------------------------- */

static void write_images(FILE *out, const char *weights, const char *corruption, int severity,
                         const struct paced_scores *scores) {
    int classes = paced_scores_classes(scores);
    for (size_t i = 0; i < paced_scores_count(scores); ++i)
        for (int c = 0; paced_scores_has_pixels(scores, i) && c < (classes > 2 ? classes : 1); ++c) {
            const char *name = paced_scores_name(scores, i);
            struct paced_metrics metrics = paced_scores_image(scores, i, c);
            paced_csv_write_text(out, weights);
            fputc(',', out);
            paced_csv_write_text(out, name ? name : "");
            fprintf(out, ",%s,%d,", corruption, severity);
            if (c == 0)
                fputs("mean", out);
            else
                fprintf(out, "%d", c);
            paced_csv_write_reals(out, metrics.of, PACED_PIXEL_METRICS);
            fputc('\n', out);
        }
}

enum paced_err paced_robustness_write_csv(const struct paced_robustness *r, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("weights,image,corruption,severity,class", file.stream);
    for (int m = 0; m < PACED_PIXEL_METRICS; ++m) fprintf(file.stream, ",%s", paced_metric_table[m].name);
    fputc('\n', file.stream);
    for (size_t w = 0; w < r->weight_count; ++w) {
        write_images(file.stream, r->weights[w], "clean", 0, r->clean[w]);
        for (size_t c = 0; c < r->corruption_count; ++c)
            for (size_t s = 0; s < r->severity_count; ++s)
                write_images(file.stream, r->weights[w], r->corruptions[c], r->severities[s], scores_of(r, w, c, s));
    }
    return paced_atomic_commit(&file);
}

/* ---- a terminal ---------------------------------------------------------------------------------------------- */

static int longest(const char *const *names, size_t count, int min) {
    int width = min;
    for (size_t i = 0; i < count; ++i)
        if ((int)strlen(names[i]) > width) width = (int)strlen(names[i]);
    return width;
}

enum { CELL = 16 };

/* Writes a value to `text`, "-" for NaN. */
static const char *value_text(char text[CELL], const char *format, double value) {
    if (isnan(value))
        snprintf(text, CELL, "-");
    else
        snprintf(text, CELL, format, value);
    return text;
}

static void print_row(const struct paced_robustness *r, size_t corruption, int first, int width, FILE *out) {
    fprintf(out, "%-*s", first, corruption_name(r, corruption));
    for (size_t w = 0; w < r->weight_count; ++w) {
        struct row row = summarise(r, w, corruption, PACED_DICE);
        char mean[CELL], drop[CELL], text[2 * CELL + 2];
        snprintf(text, sizeof text, "%s  %7s", value_text(mean, "%.4f", row.mean),
                 value_text(drop, "%+6.1f%%", 0 - 100 * row.drop));
        fprintf(out, "  %*s", width, text);
    }
    fputc('\n', out);
}

void paced_robustness_print(const struct paced_robustness *r, FILE *out) {
    int first = longest(r->corruptions, r->corruption_count, (int)strlen("corruption"));
    int width = longest(r->weights, r->weight_count, (int)strlen("0.1234  -100.0%"));
    fprintf(out, "%-*s", first, "corruption");
    for (size_t w = 0; w < r->weight_count; ++w) fprintf(out, "  %*s", width, r->weights[w]);
    fprintf(out, "\n%-*s", first, "clean");
    for (size_t w = 0; w < r->weight_count; ++w) {
        char clean[CELL];
        fprintf(out, "  %*s%*s", width - 9, value_text(clean, "%.4f", set_mean(r->clean[w], PACED_DICE)),
                w + 1 < r->weight_count ? 9 : 0, "");
    }
    fputc('\n', out);
    for (size_t c = 0; c <= r->corruption_count; ++c) print_row(r, c, first, width, out);
}
