/* New splits: the division of images into training and validation, and its file.
 *
 * Groups are visited once, large groups first, in random order among equal sizes. A trait t is a class that is present
 * or a folder. With s images of t visited so far, v of them in validation, and T images of t in total, the cost is
 * sum_t (v - share * s)^2 / T. This is the statistic of a chi-squared test, so rare traits count as much as common
 * ones. A group goes to validation if that lowers the cost. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "src/data/dataset.h"

struct division {
    const struct paced_traits *traits;
    double share;
    double *total, *seen, *chosen; /* [traits]: T, s and v */
    double *gain;                  /* [traits]: images of the current group */
};

struct bundle {
    size_t first, size; /* range of its images in the list by groups */
    uint32_t draw;      /* random order among equal sizes */
};

static int compare_bundles(const void *a, const void *b) {
    const struct bundle *x = a, *y = b;
    if (x->size != y->size) return x->size > y->size ? -1 : 1;
    return x->draw < y->draw ? -1 : x->draw > y->draw;
}

static bool lowers_cost(struct division *d, const size_t *images, size_t count) {
    const struct paced_traits *traits = d->traits;
    double change = 0;
    for (size_t i = 0; i < count; ++i)
        for (size_t k = traits->first[images[i]]; k < traits->first[images[i] + 1]; ++k) {
            ++d->gain[traits->trait[k]];
            ++d->seen[traits->trait[k]];
        }
    for (size_t i = 0; i < count; ++i) {
        for (size_t k = traits->first[images[i]]; k < traits->first[images[i] + 1]; ++k) {
            const uint32_t t = traits->trait[k];
            const double n = d->gain[t]; /* 0 if this trait was counted already */
            change += n * (2 * (d->chosen[t] - d->share * d->seen[t]) + n) / d->total[t];
            d->gain[t] = 0;
        }
    }
    return change < 0;
}

static void choose(struct division *d, const size_t *images, size_t count, bool *val) {
    const struct paced_traits *traits = d->traits;
    for (size_t i = 0; i < count; ++i) {
        val[images[i]] = true;
        for (size_t k = traits->first[images[i]]; k < traits->first[images[i] + 1]; ++k) ++d->chosen[traits->trait[k]];
    }
}

/* Lists the images group by group and the range of each group; returns the number of groups. Requires group[i] <= i. */
static size_t gather(size_t count, const size_t *group, size_t *images, struct bundle *bundles) {
    size_t *number = paced_alloc(count + 1, sizeof *number), groups = 0, at = 0;
    for (size_t i = 0; i < count; ++i) {
        if (group[i] == i) number[i] = groups++;
        ++bundles[number[group[i]]].size;
    }
    for (size_t g = 0; g < groups; ++g) {
        bundles[g].first = at;
        at += bundles[g].size;
        bundles[g].size = 0;
    }
    for (size_t i = 0; i < count; ++i) {
        struct bundle *b = &bundles[number[group[i]]];
        images[b->first + b->size++] = i;
    }
    free(number);
    return groups;
}

static void shuffle(struct bundle *bundles, size_t count, uint64_t seed) {
    struct paced_rng rng;
    uint32_t *draws = paced_alloc(count + 1, sizeof *draws);
    for (size_t g = 0; g < count; ++g) draws[g] = (uint32_t)g;
    paced_rng_seed(&rng, seed, PACED_STREAM_SHUFFLE);
    paced_rng_shuffle(&rng, draws, count);
    for (size_t g = 0; g < count; ++g) bundles[g].draw = draws[g];
    free(draws);
    qsort(bundles, count, sizeof *bundles, compare_bundles);
}

void paced_split_pairs(size_t count, const size_t *group, const struct paced_traits *traits, double share,
                       uint64_t seed, bool *val) {
    double *memory = paced_alloc(4 * (traits->traits + 1), sizeof *memory);
    struct division d = {
        traits, share, memory, memory + traits->traits, memory + 2 * traits->traits, memory + 3 * traits->traits};
    for (size_t k = 0; k < traits->first[count]; ++k) ++d.total[traits->trait[k]];

    size_t *images = paced_alloc(count + 1, sizeof *images);
    struct bundle *bundles = paced_alloc(count + 1, sizeof *bundles);
    size_t groups = gather(count, group, images, bundles);
    shuffle(bundles, groups, seed);
    for (size_t i = 0; i < count; ++i) val[i] = false;
    for (size_t g = 0; g < groups; ++g) {
        const size_t *members = images + bundles[g].first;
        if (lowers_cost(&d, members, bundles[g].size)) choose(&d, members, bundles[g].size, val);
    }
    free(bundles);
    free(images);
    free(memory);
}

enum paced_err paced_split_write(const char *path, enum paced_phase phase, const struct paced_choice *choices,
                                 size_t count) {
    json_t *list = json_array();
    enum paced_err err = PACED_OK;
    for (size_t i = 0; i < count && !err; ++i) {
        const struct paced_choice *c = &choices[i];
        char *image = dataset_path_for(c->dataset, paced_dataset_image_name(c->dataset, c->index), phase);
        char *mask = dataset_path_for(c->dataset, dataset_mask_name(c->dataset, c->index), phase);
        if (json_array_append_new(list, json_pack("[s, s]", image, mask)) != 0)
            err = paced_error_at(PACED_INVALID, image, "its name is not UTF-8, which JSON requires; rename it");
        free(mask);
        free(image);
    }
    char *text = json_dumps(list, JSON_INDENT(1));
    if (!err) err = paced_file_write(path, text, strlen(text));
    free(text);
    json_decref(list);
    return err;
}
