/* comparison: the summaries of several tests in one table.
 *
 * The metrics are read from each test's summary.csv, whose first rows are "all,mean" and "non-empty,mean", so an
 * earlier test and a resumed one give the same table; nine digits are preserved. Differences from the first test are
 * computed per image from both tests' metrics.csv. Rows of a group are consecutive. */
#include "paced/metrics.h"

#include <math.h>
#include <stdlib.h>

static enum paced_err take_rows(struct paced_comparison_row *row, const struct paced_csv *csv) {
    static const char *const sets[] = {"all", "non-empty"};
    for (size_t i = 0; i < PACED_COUNT(sets); ++i) {
        int64_t images;
        if (i >= csv->rows || !paced_csv_is(csv, i, "set", sets[i]) || !paced_csv_is(csv, i, "class", "mean"))
            return paced_csv_error(csv, i, "is not the row %s,mean of a summary", sets[i]);
        PACED_TRY(paced_csv_take_count(csv, i, "images", 0, INT64_MAX, &images));
        row->images[i] = (size_t)images;
        for (int m = 0; m < PACED_METRICS; ++m) {
            row->metrics[i].of[m] = NAN;
            if (m < PACED_PIXEL_METRICS)
                PACED_TRY(paced_csv_take_real(csv, i, paced_metric_table[m].name, &row->metrics[i].of[m]));
        }
    }
    return PACED_OK;
}

static enum paced_err take_summary(struct paced_comparison_row *row, const char *path) {
    struct paced_csv csv;
    PACED_TRY(paced_csv_read(&csv, path, "set,class,images", "run the test again"));
    enum paced_err err = take_rows(row, &csv);
    paced_csv_finish(&csv);
    return err;
}

enum paced_err paced_comparison_add(struct paced_comparison *comparison, const char *name, const char *summary_path,
                                    const char *metrics_path, uint64_t seed) {
    struct paced_comparison_row row = {0};
    PACED_TRY(take_summary(&row, summary_path));
    for (int set = 0; comparison->first && set < 2; ++set)
        PACED_TRY(paced_differences_read(&row.against_first[set], comparison->first, metrics_path, set == 1, seed));
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
