/* pacing: the growth of the threshold mu, and with it the fraction of admitted pixels, over the epochs. */
#include <math.h>
#include <stdlib.h>

#include "paced/distill.h"

/* ---- quantiles of the uncertainty ---------------------------------------------------------------------------- */

/* Bins of equal width over [0, 1]. Each stores its maximum, so that a quantile is one of the values. */
enum { BINS = 1 << 20 };

struct paced_histogram {
    uint64_t count, bins[BINS];
    float max[BINS];
};

struct paced_histogram *paced_histogram_create(void) {
    return paced_alloc(1, sizeof(struct paced_histogram));
}

void paced_histogram_destroy(struct paced_histogram *h) {
    free(h);
}

enum paced_err paced_histogram_add(struct paced_histogram *h, const float *uncertainty, const uint8_t *label,
                                   size_t count) {
    for (size_t i = 0; i < count; ++i) {
        float u = uncertainty[i];
        if (label[i] == PACED_IGNORED) continue;
        if (isnan(u))
            return paced_error(PACED_INVALID,
                               "the uncertainty of a pixel is NaN: the teacher's logits are not finite; use other "
                               "weights");
        int bin = u >= 1 ? BINS - 1 : u > 0 ? (int)(u * BINS) : 0;
        h->bins[bin] += 1;
        if (h->bins[bin] == 1 || u > h->max[bin]) h->max[bin] = u;
        h->count += 1;
    }
    return PACED_OK;
}

double paced_histogram_quantile(const struct paced_histogram *h, double fraction) {
    uint64_t below = 0;
    double wanted = fraction * (double)h->count * (1 - 1e-12); /* rounding up must not include one more value */
    for (int bin = 0; bin < BINS; ++bin) {
        below += h->bins[bin];
        if (below > 0 && (double)below >= wanted) return (double)h->max[bin];
    }
    return 1;
}

/* ---- mu ------------------------------------------------------------------------------------------------------ */

bool paced_pacing_needs_histogram(const struct paced_pacing_options *options, const struct paced_objective *objective) {
    return objective->weighting != PACED_WEIGHT_NONE && options->function != PACED_PACING_STEP &&
           options->function != PACED_PACING_NONE;
}

/* mu of the step schedule. Updates are added one by one, which rounds as the reference does. */
static double step_mu(const struct paced_pacing_options *options, bool curriculum, int epoch) {
    double mu = options->mu;
    for (int done = 0; done < epoch; ++done) {
        int64_t number = curriculum ? done : done + 1;
        if (number % options->mu_update_every == 0) mu = fmin(mu + options->mu_update, options->mu_max);
    }
    return mu;
}

double paced_pacing_mu(const struct paced_pacing_options *options, const struct paced_objective *objective, int epoch,
                       int64_t epochs, const struct paced_histogram *histogram) {
    double start = options->start;
    double t = fmin(1, epoch / (options->end * (double)epochs));
    double first, last;
    switch ((enum paced_pacing)options->function) {
    case PACED_PACING_STEP:
        return step_mu(options, objective->curriculum, epoch);
    case PACED_PACING_QUANTILE:
        first = paced_histogram_quantile(histogram, start);
        last = paced_histogram_quantile(histogram, 1);
        return t < 1 ? first + (last - first) * t : last;
    case PACED_PACING_LINEAR:
        return paced_histogram_quantile(histogram, start + (1 - start) * t);
    case PACED_PACING_EXPONENTIAL:
        return paced_histogram_quantile(histogram, pow(start, 1 - t));
    case PACED_PACING_ROOT:
        return paced_histogram_quantile(histogram, sqrt(start * start + (1 - start * start) * t));
    case PACED_PACING_NONE:
        return 1;
    }
    return 1;
}

double paced_pacing_sigma(const struct paced_uncertainty_options *options, int epoch) {
    return options->sigma * pow(options->sigma_decay, epoch);
}

PACED_NAMES(paced_pacing_name, [PACED_PACING_STEP] = "step", [PACED_PACING_QUANTILE] = "quantile",
            [PACED_PACING_LINEAR] = "linear", [PACED_PACING_EXPONENTIAL] = "exponential", [PACED_PACING_ROOT] = "root",
            [PACED_PACING_NONE] = "none")
PACED_NAMES(paced_order_name, [PACED_ORDER_EASY] = "easy", [PACED_ORDER_HARD] = "hard")
PACED_NAMES(paced_admission_name, [PACED_ADMISSION_AUTO] = "auto", [PACED_ADMISSION_HARD] = "hard",
            [PACED_ADMISSION_SOFT] = "soft")
