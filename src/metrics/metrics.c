/* metrics: the table of all metrics. */
#include "paced/metrics.h"

enum { CLASS, IMAGE };
enum { HIGHER, LOWER };

#define ROW(id, name, unit, basis, scope, better) {#name, unit, PACED_OF_##basis, scope, better},
const struct paced_metric_row paced_metric_table[PACED_METRICS] = {PACED_METRIC_LIST(ROW)};

_Static_assert(sizeof(struct paced_metrics) == PACED_METRICS * sizeof(double), "one field per metric");

const char *paced_metric_choice(int metric) {
    bool chosen = metric >= 0 && metric < PACED_METRICS && paced_metric_table[metric].basis != PACED_OF_NEEDLE;
    return chosen ? paced_metric_table[metric].name : NULL;
}

double paced_metric_perfect(enum paced_metric metric) {
    return paced_metric_table[metric].lower_is_better ? 0 : 1;
}

PACED_NAMES(paced_resolution_name, [PACED_RESOLUTION_INPUT] = "input", [PACED_RESOLUTION_ORIGINAL] = "original")
PACED_NAMES(paced_absent_name, [PACED_ABSENT_SKIP] = "skip", [PACED_ABSENT_PERFECT] = "perfect")
PACED_NAMES(paced_postprocess_name, [PACED_POSTPROCESS_NONE] = "none", [PACED_POSTPROCESS_LARGEST] = "largest",
            [PACED_POSTPROCESS_NEEDLE] = "needle")
