/* metrics: the table of all metrics, in the order of enum paced_metric. */
#include "src/report/metrics.h"

static const struct {
    const char *name;
    bool of_image;
} table[PACED_METRICS] = {
    {"dice", false}, {"iou", false},  {"precision", false},  {"recall", false},
    {"f1", false},   {"hd95", false}, {"nsd", false},        {"ece", true},
    {"brier", true}, {"nll", true},   {"angle_error", true}, {"distance_error", true},
};

const char *paced_metric_name(enum paced_metric metric) {
    return table[metric].name;
}

double paced_metric_value(const struct paced_metrics *metrics, enum paced_metric metric) {
    return metric_value(metrics, metric);
}

bool metric_is_of_image(enum paced_metric metric) {
    return table[metric].of_image;
}

double metrics_f1(double precision, double recall) {
    double sum = precision + recall;
    return sum == 0 ? 0 : 2 * precision * recall / sum; /* NaN stays NaN */
}

struct paced_metrics metrics_filled(double value) {
    struct paced_metrics metrics;
    for (int m = 0; m < PACED_METRICS; m++) *metric_field(&metrics, (enum paced_metric)m) = value;
    return metrics;
}
