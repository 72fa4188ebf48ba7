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

enum paced_err paced_histogram_add(struct paced_histogram *h, const float *uncertainty, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        float u = uncertainty[i];
        if (isnan(u))
            return paced_error(PACED_INVALID,
                               "the uncertainty of a pixel is NaN: the teacher's logits are not finite; use other "
                               "weights");
        int bin = u >= 1 ? BINS - 1 : u > 0 ? (int)(u * BINS) : 0;
        h->bins[bin] += 1;
        if (h->bins[bin] == 1 || u > h->max[bin]) h->max[bin] = u;
    }
    h->count += count;
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

bool paced_pacing_needs_histogram(const struct paced_config *config, const struct paced_objective *objective) {
    return objective->weighting != PACED_WEIGHT_NONE && config->pacing.function != PACED_PACING_STEP &&
           config->pacing.function != PACED_PACING_NONE;
}

/* mu of the step schedule. Updates are added one by one, which rounds as the reference does. */
static double step_mu(const struct paced_config *config, bool curriculum, int epoch) {
    double mu = config->pacing.mu;
    for (int done = 0; done < epoch; ++done) {
        int64_t number = curriculum ? done : done + 1;
        if (number % config->pacing.mu_update_every == 0)
            mu = fmin(mu + config->pacing.mu_update, config->pacing.mu_max);
    }
    return mu;
}

double paced_pacing_mu(const struct paced_config *config, const struct paced_objective *objective, int epoch,
                       const struct paced_histogram *histogram) {
    double start = config->pacing.start;
    double t = fmin(1, epoch / (config->pacing.end * (double)config->train.epochs));
    double first, last;
    switch ((enum paced_pacing)config->pacing.function) {
    case PACED_PACING_STEP:
        return step_mu(config, objective->curriculum, epoch);
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

double paced_pacing_sigma(const struct paced_config *config, int epoch) {
    return config->uncertainty.sigma * pow(config->uncertainty.sigma_decay, epoch);
}
