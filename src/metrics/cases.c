/* cases: selection of representative images of a test set. */
#include "paced/metrics.h"

#include <stdlib.h>

/* True if the mask or the prediction has any foreground. */
static bool shows_something(const struct paced_scores *scores, size_t image) {
    for (int c = 1; c < paced_scores_classes(scores); ++c) {
        struct paced_pixels n = paced_scores_pixels(scores, image, c);
        if (n.labelled || n.predicted) return true;
    }
    return false;
}

/* Descending Dice; ties in the order of the set. */
static int compare(const void *a, const void *b) {
    const struct paced_case *first = a, *second = b;
    if (first->dice != second->dice) return first->dice > second->dice ? -1 : 1;
    return first->image < second->image ? -1 : first->image > second->image;
}

static size_t at_most(size_t value, size_t limit) {
    return value < limit ? value : limit;
}

/* Images ranked by Dice; those without foreground are included only if there are fewer than `wanted` others. */
static struct paced_case *rank(const struct paced_scores *scores, size_t wanted, size_t *count) {
    size_t images = paced_scores_count(scores);
    struct paced_case *ranking = paced_alloc(images + 1, sizeof *ranking);
    *count = 0;
    for (int shows = 1; shows >= 0; --shows)
        for (size_t i = 0; i < images && (shows || *count < wanted); ++i)
            if (paced_scores_has_pixels(scores, i) && shows_something(scores, i) == shows)
                ranking[(*count)++] = (struct paced_case){.image = i, .dice = paced_scores_image(scores, i, 0).dice};
    qsort(ranking, *count, sizeof *ranking, compare);
    return ranking;
}

static struct paced_case named(struct paced_case ranked, const char *kind, size_t index) {
    return (struct paced_case){kind, (int)index + 1, ranked.image, ranked.dice};
}

size_t paced_cases_choose(const struct paced_scores *scores, size_t wanted, struct paced_case *cases) {
    size_t count, chosen = 0;
    struct paced_case *ranking = rank(scores, wanted, &count);
    wanted = at_most(wanted, count);
    const size_t of_kind[] = {(wanted + 2) / 3, wanted / 3, (wanted + 1) / 3}; /* sum: wanted */
    size_t middle = (count - of_kind[1]) / 2, end = count - of_kind[2] - of_kind[1];
    middle = middle < of_kind[0] ? of_kind[0] : at_most(middle, end);
    for (size_t i = 0; i < of_kind[0]; ++i) cases[chosen++] = named(ranking[i], "best", i);
    for (size_t i = 0; i < of_kind[1]; ++i) cases[chosen++] = named(ranking[middle + i], "median", i);
    for (size_t i = 0; i < of_kind[2]; ++i) cases[chosen++] = named(ranking[count - 1 - i], "worst", i);
    free(ranking);
    return chosen;
}

char *paced_case_file(const struct paced_case *c) {
    return paced_format("%s_%02d.png", c->kind, c->number);
}
