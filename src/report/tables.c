/* tables: scores as CSV files and for the terminal. */
#include "src/report/csv.h"
#include "src/report/scores.h"

#include <string.h>

static void write_image_name(FILE *out, const struct paced_scores *scores, size_t image) {
    const char *name = scores_name(scores, image);
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
        if (metric_is_of_image((enum paced_metric)m))
            *metric_field(&metrics, (enum paced_metric)m) = metric_value(&own, (enum paced_metric)m);
    return metrics;
}

enum paced_err paced_scores_write_csv(const struct paced_scores *scores, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("image,class", file.stream);
    paced_csv_write_metric_names(file.stream, scores_metrics(scores));
    fputs(",labelled\n", file.stream);
    for (size_t i = 0; i < paced_scores_count(scores); ++i)
        for (int c = 1; c < scores_classes(scores); ++c) {
            struct paced_metrics m = row_metrics(scores, i, c);
            write_image_name(file.stream, scores, i);
            fprintf(file.stream, ",%d", c);
            paced_csv_write_metrics(file.stream, &m, scores_metrics(scores));
            fprintf(file.stream, ",%llu\n", (unsigned long long)scores_labelled(scores, i, c));
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
    return 2 + (size_t)scores_classes(scores) - 1;
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
    paced_csv_write_metric_names(file.stream, scores_metrics(scores));
    fputc('\n', file.stream);
    for (size_t row = 0; row < summary_rows(scores); ++row) {
        struct summary s = summary_row(scores, row);
        fprintf(file.stream, "%s,%s,%zu", s.set, s.class_name, s.images);
        paced_csv_write_metrics(file.stream, &s.metrics, scores_metrics(scores));
        fputc('\n', file.stream);
    }
    return paced_atomic_commit(&file);
}

static void write_interval(FILE *out, const struct summary *s, enum paced_metric m, const struct paced_metrics *low,
                           const struct paced_metrics *high) {
    const double values[] = {metric_value(&s->metrics, m), metric_value(low, m), metric_value(high, m)};
    fprintf(out, "%s,%s,%zu,%s", s->set, s->class_name, s->images, paced_metric_name(m));
    for (size_t i = 0; i < PACED_COUNT(values); ++i) {
        fputc(',', out);
        paced_csv_write_real(out, values[i]);
    }
    fputc('\n', out);
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
            bool of_row = s.class_index == 0 || !metric_is_of_image((enum paced_metric)m);
            if (scores_metrics(scores) & METRIC_BIT(m) && of_row)
                write_interval(file.stream, &s, (enum paced_metric)m, &low, &high);
        }
    }
    return paced_atomic_commit(&file);
}

/* ---- the terminal -------------------------------------------------------------------------------------------- */

enum { MIN_WIDTH = 9 }; /* of a column of numbers, characters */

static int column_width(enum paced_metric metric) {
    int width = (int)strlen(paced_metric_name(metric));
    return width < MIN_WIDTH ? MIN_WIDTH : width;
}

static void print_figures(FILE *out, const struct paced_metrics *metrics, uint64_t which) {
    for (int m = 0; m < PACED_METRICS; ++m) {
        if (!(which & METRIC_BIT(m))) continue;
        enum paced_metric metric = (enum paced_metric)m;
        metric_print(out, metric_value(metrics, metric), column_width(metric));
    }
    fputc('\n', out);
}

static int class_width(const struct paced_scores *scores, const char *const *class_names) {
    size_t width = strlen("class");
    for (int c = 1; class_names && c < scores_classes(scores); ++c)
        if (strlen(class_names[c]) > width) width = strlen(class_names[c]);
    return (int)width;
}

void paced_scores_print(const struct paced_scores *scores, const char *const *class_names, uint64_t seed, FILE *out) {
    uint64_t which = scores_metrics(scores);
    int width = class_width(scores, class_names);
    struct paced_metrics low, high;
    fprintf(out, "%-9s  %*s  %6s", "set", width, "class", "images");
    for (int m = 0; m < PACED_METRICS; ++m)
        if (which & METRIC_BIT(m))
            fprintf(out, "  %*s", column_width((enum paced_metric)m), paced_metric_name((enum paced_metric)m));
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
