/* interval: bootstrap intervals of the means over images (Efron, 1979). */
#include "src/report/scores.h"
#include "src/report/statistics.h"

#include <math.h>
#include <stdlib.h>

void paced_scores_interval(const struct paced_scores *scores, int class_index, bool non_empty, uint64_t seed,
                           struct paced_metrics *low, struct paced_metrics *high) {
    struct scores_sample sample = scores_sample(scores, class_index, non_empty);
    struct paced_metrics *means = paced_alloc(RESAMPLES, sizeof *means);
    double *values = paced_alloc(RESAMPLES, sizeof *values);
    uint32_t *draw = paced_alloc(sample.count + 1, sizeof *draw);
    struct paced_rng rng;
    paced_rng_seed(&rng, seed, PACED_STREAM_BOOTSTRAP);
    for (size_t i = 0; i < RESAMPLES; ++i) {
        statistics_draw(&rng, draw, sample.count);
        means[i] = scores_sample_mean(&sample, draw);
    }
    *low = *high = metrics_filled(NAN);
    for (int m = 0; m < PACED_METRICS; ++m) {
        for (size_t i = 0; i < RESAMPLES; ++i) values[i] = metric_value(&means[i], (enum paced_metric)m);
        if (isnan(values[0])) continue; /* not measured, or no images */
        statistics_sort(values, RESAMPLES);
        *metric_field(low, (enum paced_metric)m) = statistics_quantile(values, RESAMPLES, INTERVAL_LOW);
        *metric_field(high, (enum paced_metric)m) = statistics_quantile(values, RESAMPLES, INTERVAL_HIGH);
    }
    free(draw);
    free(values);
    free(means);
    scores_sample_finish(&sample);
}
