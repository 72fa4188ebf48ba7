/* Calibration of per-pixel probabilities softmax(logits / tau), and the temperature that serves them best.
 *
 *   NLL   = mean of -log p[y];  Brier = mean of sum_c (p_c - [c = y])^2
 *   ECE   = sum over 15 equal bins of max_c p_c of |bin| / N |accuracy - mean confidence|
 *   tau   = argmin NLL (Guo et al., 2017)
 *
 * In b = 1 / tau the NLL is convex, with slope mean(E_p[z] - z_y) and curvature mean(Var_p[z]): Newton's steps, kept
 * inside a bracket that is halved (in log b) where they leave it or do not halve from one to the next. */
#include "src/report/calibration.h"

#include <math.h>

#include "src/report/csv.h"

enum { MAX_STEPS = 100 };
#define PRECISION 1e-7 /* of tau, relative */
#define AT_END 1e-6    /* the same: what counts as an end of the range */

/* Probabilities of one pixel; returns log p[y]. */
static double softmax(const float *z, int classes, double scale, int label, double *p) {
    double largest = (double)z[0] * scale, sum = 0;
    for (int c = 1; c < classes; ++c) largest = fmax(largest, (double)z[c] * scale);
    for (int c = 0; c < classes; ++c) sum += p[c] = exp((double)z[c] * scale - largest);
    for (int c = 0; c < classes; ++c) p[c] /= sum;
    return (double)z[label] * scale - largest - log(sum);
}

void reliability_add(struct paced_reliability *sum, const float *logits, const uint8_t *labels, size_t pixels,
                     int classes, double tau) {
    double p[PACED_MOST_CLASSES];
    for (size_t i = 0; i < pixels; ++i) {
        sum->nll -= softmax(logits + i * (size_t)classes, classes, 1 / tau, labels[i], p);
        int best = 0;
        for (int c = 0; c < classes; ++c) {
            double d = p[c] - (c == labels[i]);
            sum->brier += d * d;
            if (p[c] > p[best]) best = c;
        }
        int bin = (int)ceil(p[best] * PACED_BINS) - 1; /* bins are (a, b] */
        bin = bin < 0 ? 0 : bin >= PACED_BINS ? PACED_BINS - 1 : bin;
        sum->confidence[bin] += p[best];
        sum->right[bin] += best == labels[i];
        sum->count[bin]++;
    }
    sum->pixels += pixels;
}

void reliability_merge(struct paced_reliability *sum, const struct paced_reliability *more) {
    for (int b = 0; b < PACED_BINS; ++b) {
        sum->confidence[b] += more->confidence[b];
        sum->right[b] += more->right[b];
        sum->count[b] += more->count[b];
    }
    sum->pixels += more->pixels;
    sum->nll += more->nll;
    sum->brier += more->brier;
}

struct paced_calibration paced_calibration_of(const struct paced_reliability *sum) {
    double n = (double)sum->pixels, ece = 0;
    for (int b = 0; b < PACED_BINS; ++b) ece += fabs(sum->right[b] - sum->confidence[b]);
    return (struct paced_calibration){sum->nll / n, ece / n, sum->brier / n};
}

struct paced_calibration paced_calibration_measure(const float *logits, const uint8_t *labels, size_t pixels,
                                                   int classes, double tau) {
    struct paced_reliability sum = {0};
    reliability_add(&sum, logits, labels, pixels, classes, tau);
    return paced_calibration_of(&sum);
}

enum paced_err paced_reliability_write_csv(const struct paced_reliability *sum, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("bin,confidence,accuracy,count\n", file.stream);
    for (int b = 0; b < PACED_BINS; ++b) {
        double n = (double)sum->count[b];
        fprintf(file.stream, "%d,", b + 1);
        paced_csv_write_real(file.stream, sum->confidence[b] / n); /* NaN, thus empty, without pixels */
        fputc(',', file.stream);
        paced_csv_write_real(file.stream, sum->right[b] / n);
        fprintf(file.stream, ",%llu\n", (unsigned long long)sum->count[b]);
    }
    return paced_atomic_commit(&file);
}

/* First and second derivative of the mean NLL with respect to b = 1 / tau, from logits relative to the label's: so
 * nothing cancels in a pixel that is right and sure. */
static void derivatives(const float *logits, const uint8_t *labels, size_t pixels, int classes, double b, double *slope,
                        double *curvature) {
    double p[PACED_MOST_CLASSES], first = 0, second = 0;
    for (size_t i = 0; i < pixels; ++i) {
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
    *slope = first / (double)pixels;
    *curvature = second / (double)pixels;
}

static void warn_at_end(double tau) {
    bool at_end = tau < PACED_LEAST_TAU * (1 + AT_END) || tau > PACED_MOST_TAU * (1 - AT_END);
    if (at_end)
        paced_log(PACED_LOG_WARN,
                  "tau = %.6g is an end of the range %g to %g, in which none fits best; check the weights and the "
                  "validation set",
                  tau, PACED_LEAST_TAU, PACED_MOST_TAU);
}

enum paced_err paced_temperature_fit(const float *logits, const uint8_t *labels, size_t pixels, int classes,
                                     double *tau) {
    double low = 1 / PACED_MOST_TAU, high = 1 / PACED_LEAST_TAU, b = 1, last_step = high;
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
        /* Far from its goal Newton creeps. */
        if (!inside || fabs(next - b) > last_step / 2) next = sqrt(low * high);
        last_step = fabs(next - b);
        b = next;
    }
    *tau = 1 / b;
    warn_at_end(*tau);
    return PACED_OK;
}
