/* A division of images into training and validation.
 *
 * Groups are gone through once, the large ones first and in random order among equals. Of the images of trait t (a
 * class that is present, a folder) that have come so far, s, the part share * s shall be in validation. With v of them
 * there, the division costs sum_t (v - share * s)^2 / T, T the images of t in all (the statistic of a chi-squared test,
 * so that rare traits count as much as common ones); each group goes to validation where that lowers the cost. */
#include <stdlib.h>

#include "paced/data.h"

struct division {
    const struct paced_traits *traits;
    double share;
    double *total, *seen, *chosen; /* [traits]: T, s and v */
    double *gain;                  /* [traits]: what the group at hand has of each */
};

struct bundle {
    size_t first, size; /* of its images in the list by groups */
    uint32_t draw;      /* random */
};

static int compare_bundles(const void *a, const void *b) {
    const struct bundle *x = a, *y = b;
    if (x->size != y->size) return x->size > y->size ? -1 : 1;
    return x->draw < y->draw ? -1 : x->draw > y->draw;
}

static bool lowers_cost(struct division *d, const size_t *images, size_t count) {
    const struct paced_traits *traits = d->traits;
    double change = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = traits->first[images[i]]; k < traits->first[images[i] + 1]; k++) {
            d->gain[traits->trait[k]]++;
            d->seen[traits->trait[k]]++;
        }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = traits->first[images[i]]; k < traits->first[images[i] + 1]; k++) {
            const uint32_t t = traits->trait[k];
            const double n = d->gain[t]; /* 0 where this trait was counted already */
            change += n * (2 * (d->chosen[t] - d->share * d->seen[t]) + n) / d->total[t];
            d->gain[t] = 0;
        }
    }
    return change < 0;
}

static void choose(struct division *d, const size_t *images, size_t count, bool *val) {
    const struct paced_traits *traits = d->traits;
    for (size_t i = 0; i < count; i++) {
        val[images[i]] = true;
        for (size_t k = traits->first[images[i]]; k < traits->first[images[i] + 1]; k++) d->chosen[traits->trait[k]]++;
    }
}

/* The images of each group side by side, and where each group is; returns how many there are. group[i] <= i. */
static size_t gather(size_t count, const size_t *group, size_t *images, struct bundle *bundles) {
    size_t *number = paced_alloc(count + 1, sizeof *number), groups = 0, at = 0;
    for (size_t i = 0; i < count; i++) {
        if (group[i] == i) number[i] = groups++;
        bundles[number[group[i]]].size++;
    }
    for (size_t g = 0; g < groups; g++) {
        bundles[g].first = at;
        at += bundles[g].size;
        bundles[g].size = 0;
    }
    for (size_t i = 0; i < count; i++) {
        struct bundle *b = &bundles[number[group[i]]];
        images[b->first + b->size++] = i;
    }
    free(number);
    return groups;
}

static void shuffle(struct bundle *bundles, size_t count, uint64_t seed) {
    struct paced_rng rng;
    uint32_t *draws = paced_alloc(count + 1, sizeof *draws);
    for (size_t g = 0; g < count; g++) draws[g] = (uint32_t)g;
    paced_rng_seed(&rng, seed, PACED_STREAM_SHUFFLE);
    paced_rng_shuffle(&rng, draws, count);
    for (size_t g = 0; g < count; g++) bundles[g].draw = draws[g];
    free(draws);
    qsort(bundles, count, sizeof *bundles, compare_bundles);
}

void paced_divide(size_t count, const size_t *group, const struct paced_traits *traits, double share, uint64_t seed,
                  bool *val) {
    double *memory = paced_alloc(4 * (traits->traits + 1), sizeof *memory);
    struct division d = {
        traits, share, memory, memory + traits->traits, memory + 2 * traits->traits, memory + 3 * traits->traits};
    for (size_t k = 0; k < traits->first[count]; k++) d.total[traits->trait[k]]++;

    size_t *images = paced_alloc(count + 1, sizeof *images);
    struct bundle *bundles = paced_alloc(count + 1, sizeof *bundles);
    const size_t groups = gather(count, group, images, bundles);
    shuffle(bundles, groups, seed);
    for (size_t i = 0; i < count; i++) val[i] = false;
    for (size_t g = 0; g < groups; g++) {
        const size_t *members = images + bundles[g].first;
        if (lowers_cost(&d, members, bundles[g].size)) choose(&d, members, bundles[g].size, val);
    }
    free(bundles);
    free(images);
    free(memory);
}
