/* metrics: the table of all metrics, in the order of enum paced_metric. */
#include "src/report/metrics.h"

#include <math.h>

static const struct {
    const char *name, *unit;
    bool of_image, is_error;
} table[PACED_METRICS] = {
    {"dice", "0 to 1", false, false},         {"iou", "0 to 1", false, false},
    {"precision", "0 to 1", false, false},    {"recall", "0 to 1", false, false},
    {"f1", "0 to 1", false, false},           {"hd95", "pixels", false, true},
    {"nsd", "0 to 1", false, false},          {"ece", "0 to 1", true, true},
    {"brier", "0 to 2", true, true},          {"nll", "nats", true, true},
    {"angle_error", "degrees^2", true, true}, {"distance_error", "pixels^2", true, true},
};

const char *paced_metric_name(enum paced_metric metric) {
    return table[metric].name;
}

bool metric_is_of_image(enum paced_metric metric) {
    return table[metric].of_image;
}

const char *metric_unit(enum paced_metric metric) {
    return table[metric].unit;
}

bool metric_is_error(enum paced_metric metric) {
    return table[metric].is_error;
}

void metric_print(FILE *out, double value, int width) {
    if (isnan(value))
        fprintf(out, "  %*s", width, "-");
    else
        fprintf(out, "  %*.4f", width, value);
}

double metrics_f1(double precision, double recall) {
    double sum = precision + recall;
    return sum == 0 ? 0 : 2 * precision * recall / sum; /* NaN stays NaN */
}

struct paced_metrics metrics_filled(double value) {
    struct paced_metrics metrics;
    for (int m = 0; m < PACED_METRICS; ++m) *metric_field(&metrics, (enum paced_metric)m) = value;
    return metrics;
}
