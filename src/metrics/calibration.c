/* calibration: metrics of per-pixel probabilities softmax(logits / tau), and the temperature of minimum NLL.
 *
 *   NLL   = mean of -log p[y];  Brier = mean of sum_c (p_c - [c = y])^2
 *   ECE   = sum over 15 equal bins of max_c p_c of |bin| / N |accuracy - mean confidence|
 *   tau   = argmin NLL (Guo et al., 2017)
 *
 * The NLL is convex in b = 1 / tau, with slope mean(E_p[z] - z_y) and curvature mean(Var_p[z]). The fit takes Newton
 * steps within a bracket, and bisects the bracket (in log b) if a step leaves it or is more than half the last one. */
#include "paced/metrics.h"

#include <math.h>

enum { MAX_STEPS = 100, MAX_CLASSES = 256 };
#define PRECISION 1e-7       /* relative precision of tau */
#define LIMIT_TOLERANCE 1e-6 /* relative distance within which tau counts as at a limit of the range */

/* Computes the probabilities of one pixel; returns log p[y]. */
static double softmax(const float *z, int classes, double scale, int label, double *p) {
    double largest = (double)z[0] * scale, sum = 0;
    for (int c = 1; c < classes; ++c) largest = fmax(largest, (double)z[c] * scale);
    for (int c = 0; c < classes; ++c) sum += p[c] = exp((double)z[c] * scale - largest);
    for (int c = 0; c < classes; ++c) p[c] /= sum;
    return (double)z[label] * scale - largest - log(sum);
}

void paced_reliability_add(struct paced_reliability *sum, const float *logits, const uint8_t *labels, size_t pixels,
                           int classes, double tau) {
    double p[MAX_CLASSES];
    for (size_t i = 0; i < pixels; ++i) {
        if (labels[i] == PACED_IGNORED) continue;
        sum->nll -= softmax(logits + i * (size_t)classes, classes, 1 / tau, labels[i], p);
        int best = 0;
        for (int c = 0; c < classes; ++c) {
            double d = p[c] - (c == labels[i]);
            sum->brier += d * d;
            if (p[c] > p[best]) best = c;
        }
        int bin = (int)ceil(p[best] * PACED_BINS) - 1; /* bins are half-open, (a, b] */
        bin = bin < 0 ? 0 : bin >= PACED_BINS ? PACED_BINS - 1 : bin;
        sum->confidence[bin] += p[best];
        sum->right[bin] += best == labels[i];
        ++sum->count[bin];
    }
    sum->pixels += paced_counted(labels, pixels);
}

struct paced_metrics paced_calibration_of(const struct paced_reliability *sum) {
    double n = (double)sum->pixels, ece = 0;
    for (int b = 0; b < PACED_BINS; ++b) ece += fabs(sum->right[b] - sum->confidence[b]);
    return (struct paced_metrics){.nll = sum->nll / n, .ece = ece / n, .brier = sum->brier / n};
}

struct paced_metrics paced_calibration_measure(const float *logits, const uint8_t *labels, size_t pixels, int classes,
                                               double tau) {
    struct paced_reliability sum = {0};
    paced_reliability_add(&sum, logits, labels, pixels, classes, tau);
    return paced_calibration_of(&sum);
}

/* First and second derivative of the mean NLL with respect to b = 1 / tau. Logits are taken relative to the logit of
 * the label, which avoids cancellation in confident correct pixels. */
static void derivatives(const float *logits, const uint8_t *labels, size_t pixels, int classes, double b, double *slope,
                        double *curvature) {
    double p[MAX_CLASSES], first = 0, second = 0;
    for (size_t i = 0; i < pixels; ++i) {
        if (labels[i] == PACED_IGNORED) continue;
        const float *z = logits + i * (size_t)classes;
        softmax(z, classes, b, labels[i], p);
        double mean = 0, square = 0;
        for (int c = 0; c < classes; ++c) {
            double d = (double)z[c] - (double)z[labels[i]];
            mean += p[c] * d;
            square += p[c] * d * d;
        }
        first += mean;
        second += square - mean * mean;
    }
    double counted = (double)paced_counted(labels, pixels);
    *slope = first / counted;
    *curvature = second / counted;
}

static void warn_at_limit(double tau) {
    bool at_limit = tau < PACED_TAU_MIN * (1 + LIMIT_TOLERANCE) || tau > PACED_TAU_MAX * (1 - LIMIT_TOLERANCE);
    if (at_limit)
        paced_log(PACED_LOG_WARN,
                  "tau = %.6g is a limit of the range %g to %g, which has no minimum inside; check the weights and the "
                  "validation set",
                  tau, PACED_TAU_MIN, PACED_TAU_MAX);
}

enum paced_err paced_temperature_fit(const float *logits, const uint8_t *labels, size_t pixels, int classes,
                                     double *tau) {
    if (paced_counted(labels, pixels) == 0)
        return paced_error(PACED_INVALID, "the temperature cannot be fitted: the masks ignore every pixel; use images "
                                          "with labelled pixels");
    double low = 1 / PACED_TAU_MAX, high = 1 / PACED_TAU_MIN, b = 1, last_step = high;
    for (int step = 0; step < MAX_STEPS && high / low > 1 + PRECISION; ++step) {
        double slope, curvature;
        if (paced_stop_asked()) return PACED_STOPPED;
        derivatives(logits, labels, pixels, classes, b, &slope, &curvature);
        if (slope > 0)
            high = b;
        else
            low = b;
        double next = b - slope / curvature; /* NaN where both are 0 */
        bool inside = next >= low && next <= high;
        if (inside && fabs(next - b) <= PRECISION * b) break;
        /* Newton converges slowly far from the minimum. */
        if (!inside || fabs(next - b) > last_step / 2) next = sqrt(low * high);
        last_step = fabs(next - b);
        b = next;
    }
    *tau = 1 / b;
    warn_at_limit(*tau);
    return PACED_OK;
}
