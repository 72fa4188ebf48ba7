/* measures: the one table of a run's measures, and the one place that divides sums by counts. */
#include <math.h>

#include "paced/metrics.h"

enum { HIGHER, LOWER };
enum { BOTH, TRAIN };
#define MEAN(sum) PACED_FROM_SUM, PACED_SUM_##sum
#define METRIC(metric) PACED_FROM_METRIC, PACED_##metric
#define GIVEN PACED_FROM_TRAINER, 0

#define ROW(id, name, source, title, unit, better, rows, train_tag, val_tag) \
    [PACED_MEASURE_##id] = {#name, source, title, unit, better == LOWER, rows == TRAIN, {train_tag, val_tag}},
const struct paced_measure_row paced_measure_table[PACED_MEASURES] = {PACED_MEASURE_LIST(ROW)};

void paced_pass_add(struct paced_pass_sums *sums, const struct paced_loss_sums *batch, int images) {
    for (int k = 0; k < PACED_SUMS; ++k) sums->loss.of[k] += batch->of[k];
    sums->loss.pixels += batch->pixels;
    sums->images += (uint64_t)images;
    sums->batches += 1;
}

double paced_pass_mean(const struct paced_pass_sums *sums, enum paced_sum sum) {
    return sums->loss.of[sum] / sums->loss.pixels;
}

void paced_pass_clear(struct paced_pass_sums *sums) {
    paced_scores_clear(sums->scores);
    *sums = (struct paced_pass_sums){.scores = sums->scores};
}

struct paced_measures paced_pass_measures(const struct paced_pass_sums *sums) {
    struct paced_metrics set = paced_scores_mean(sums->scores, 0, false, NULL);
    struct paced_measures measures;
    for (int m = 0; m < PACED_MEASURES; ++m) {
        const struct paced_measure_row *row = &paced_measure_table[m];
        measures.of[m] = row->source == PACED_FROM_SUM      ? paced_pass_mean(sums, (enum paced_sum)row->index)
                         : row->source == PACED_FROM_METRIC ? set.of[row->index]
                                                            : NAN;
    }
    measures.seconds = sums->seconds;
    measures.images_per_second = (double)sums->images / sums->seconds;
    return measures;
}

enum paced_measure paced_select_measure(int select) {
    static const enum paced_measure measures[] = {
        [PACED_SELECT_LOSS] = PACED_MEASURE_CE, [PACED_SELECT_DICE] = PACED_MEASURE_DICE};
    return measures[select];
}
