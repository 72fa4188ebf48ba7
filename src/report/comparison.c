/* comparison: the summaries of several tests in one table.
 *
 * Metrics are read from each test's summary.csv, whose first rows are "all,mean" and "non-empty,mean", so an earlier
 * test and a resumed one give the same table; nine digits are preserved. Differences from the first test are computed
 * per image from both tests' metrics.csv. Rows of a group are consecutive. */
#include "src/report/csv.h"
#include "src/report/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALL, NON_EMPTY, SETS, FIGURES = 5, LARGEST_SUMMARY = 1 << 24 };

static const char *const set_names[SETS] = {"all", "non-empty"};
static const char header[] = "set,class,images,dice,iou,precision,recall,f1";

/* Parses a "SET,mean,IMAGES,..." line; an empty field means not applicable. */
static bool take_row(char *line, const char *set, size_t *images, struct paced_metrics *metrics) {
    int64_t count;
    const char *field = paced_csv_take_field(&line);
    if (!field || strcmp(field, set) != 0) return false;
    field = paced_csv_take_field(&line);
    if (!field || strcmp(field, "mean") != 0) return false;
    field = paced_csv_take_field(&line);
    if (!field || !paced_parse_int(field, &count) || count < 0) return false;
    *images = (size_t)count;
    *metrics = metrics_filled(NAN);
    for (int m = 0; m < FIGURES; ++m) {
        field = paced_csv_take_field(&line);
        if (!field || (*field && !paced_parse_real(field, metric_field(metrics, (enum paced_metric)m)))) return false;
    }
    return true;
}

static enum paced_err take_rows(char *text, const char *path, struct paced_comparison_row *row) {
    const char *first = paced_csv_take_row(&text);
    if (!first || strncmp(first, header, strlen(header)) != 0)
        return paced_error(PACED_INVALID, "%s:1: is not a summary; its header must begin with %s", path, header);
    for (int i = 0; i < SETS; ++i) {
        char *line = paced_csv_take_row(&text);
        if (!line || !take_row(line, set_names[i], &row->images[i], &row->metrics[i]))
            return paced_error_at_line(PACED_INVALID, path, i + 2,
                                       "is not the row %s,mean of a summary; run the test again", set_names[i]);
    }
    return PACED_OK;
}

static enum paced_err take_summary(struct paced_comparison_row *row, const char *path) {
    char *text;
    PACED_TRY(paced_file_read_text(path, LARGEST_SUMMARY, &text));
    enum paced_err err = take_rows(text, path, row);
    free(text);
    return err;
}

enum paced_err paced_comparison_add(struct paced_comparison *comparison, const char *name, const char *summary_path,
                                    const char *metrics_path, uint64_t seed) {
    struct paced_comparison_row row = {0};
    PACED_TRY(take_summary(&row, summary_path));
    for (int set = 0; comparison->first && set < SETS; ++set)
        PACED_TRY(
            paced_differences_read(&row.against_first[set], comparison->first, metrics_path, set == NON_EMPTY, seed));
    row.first = comparison->first ? comparison->rows[comparison->count - 1].first : comparison->count;
    if (!comparison->first) comparison->first = paced_strdup(metrics_path);
    row.name = paced_strdup(name);
    comparison->rows = paced_grow(comparison->rows, comparison->count + 1, sizeof *comparison->rows);
    comparison->rows[comparison->count++] = row;
    return PACED_OK;
}

void paced_comparison_regroup(struct paced_comparison *comparison) {
    free(comparison->first);
    comparison->first = NULL;
}

void paced_comparison_finish(struct paced_comparison *comparison) {
    if (!comparison) return;
    for (size_t i = 0; i < comparison->count; ++i) free(comparison->rows[i].name);
    free(comparison->rows);
    free(comparison->first);
    *comparison = (struct paced_comparison){0};
}

/* ---- files --------------------------------------------------------------------------------------------------- */

/* Writes ",difference,low,high,p". */
static void write_difference(FILE *out, const struct paced_difference *d) {
    const double values[] = {d->mean, d->low, d->high, d->p};
    for (size_t i = 0; i < PACED_COUNT(values); ++i) {
        fputc(',', out);
        paced_csv_write_real(out, values[i]);
    }
}

enum paced_err paced_comparison_write_csv(const struct paced_comparison *comparison, const char *path) {
    static const struct paced_difference none = {NAN, NAN, NAN, NAN};
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("stage,set,images,dice,iou,precision,recall,f1,dice_difference,dice_low,dice_high,dice_p\n", file.stream);
    for (size_t i = 0; i < comparison->count; ++i) {
        const struct paced_comparison_row *row = &comparison->rows[i];
        for (int set = 0; set < SETS; ++set) {
            paced_csv_write_text(file.stream, row->name);
            fprintf(file.stream, ",%s,%zu", set_names[set], row->images[set]);
            paced_csv_write_metrics(file.stream, &row->metrics[set], METRICS_ALWAYS);
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
        fprintf(out, ",%s,%zu,%s", set_names[set], differences->images, paced_metric_name((enum paced_metric)m));
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

/* ---- the terminal -------------------------------------------------------------------------------------------- */

void paced_comparison_print(const struct paced_comparison *comparison, FILE *out) {
    int width = (int)strlen("stage");
    for (size_t i = 0; i < comparison->count; ++i)
        if ((int)strlen(comparison->rows[i].name) > width) width = (int)strlen(comparison->rows[i].name);
    fprintf(out, "%-*s  %6s  %9s  %9s  %9s  %9s  %9s  %16s  %16s  %9s\n", width, "stage", "images", "dice", "iou",
            "precision", "recall", "f1", "dice (non-empty)", "dice - first's", "p");
    for (size_t i = 0; i < comparison->count; ++i) {
        const struct paced_comparison_row *row = &comparison->rows[i];
        const struct paced_difference *dice = &row->against_first[ALL].metrics[PACED_DICE];
        fprintf(out, "%-*s  %6zu", width, row->name, row->images[0]);
        for (int m = 0; m < FIGURES; ++m) metric_print(out, metric_value(&row->metrics[ALL], (enum paced_metric)m), 9);
        metric_print(out, row->metrics[NON_EMPTY].dice, 16);
        metric_print(out, i > row->first ? dice->mean : NAN, 16);
        metric_print(out, i > row->first ? dice->p : NAN, 9);
        fputc('\n', out);
    }
}
