/* Access to scores for tables and intervals. Private to the report module. */
#ifndef PACED_REPORT_SCORES_H
#define PACED_REPORT_SCORES_H

#include "src/report/metrics.h"

int scores_classes(const struct paced_scores *scores);
uint64_t scores_metrics(const struct paced_scores *scores);               /* bit set of the measured metrics */
const char *scores_name(const struct paced_scores *scores, size_t image); /* may be NULL */
uint64_t scores_labelled(const struct paced_scores *scores, size_t image, int class_index);
uint64_t scores_predicted(const struct paced_scores *scores, size_t image, int class_index);

/* Images that a mean is taken over. */
struct scores_sample {
    uint64_t metrics;
    size_t count;
    struct paced_metrics *images;                 /* [count] */
    const struct paced_reliability **reliability; /* [count]; NULL: not recorded */
};
struct scores_sample scores_sample(const struct paced_scores *scores, int class_index, bool non_empty);
void scores_sample_finish(struct scores_sample *sample);

/* Mean over images draw[count], or over each image once (NULL). */
struct paced_metrics scores_sample_mean(const struct scores_sample *sample, const uint32_t *draw);

#endif
