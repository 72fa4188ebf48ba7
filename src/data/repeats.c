/* Images that two splits share, or that one split lists twice, by their paths. */
#include <stdlib.h>
#include <string.h>

#include "src/data/dataset.h"

/* Paths of the images, sorted; of equal ones, the earlier entry first. */
struct entry {
    char *path;
    size_t index;
};

static int compare(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static struct entry *sort_images(const struct paced_dataset *d) {
    const size_t count = paced_dataset_count(d);
    struct entry *entries = paced_alloc(count + 1, sizeof *entries);
    for (size_t i = 0; i < count; ++i)
        entries[i] = (struct entry){dataset_path_below_root(d, paced_dataset_image_name(d, i)), i};
    qsort(entries, count, sizeof *entries, compare);
    return entries;
}

static void free_entries(struct entry *entries, size_t count) {
    for (size_t i = 0; i < count; ++i) free(entries[i].path);
    free(entries);
}

static void note(struct paced_occurrences *o, size_t i) {
    if (o->count == 0 || i < o->first) o->first = i;
    ++o->count;
}

struct paced_occurrences paced_dataset_shared(const struct paced_dataset *a, const struct paced_dataset *b) {
    const size_t counts[] = {paced_dataset_count(a), paced_dataset_count(b)};
    struct entry *sides[] = {sort_images(a), sort_images(b)};
    struct paced_occurrences shared = {0};
    for (size_t i = 0, k = 0; k < counts[1]; ++k) {
        while (i < counts[0] && strcmp(sides[0][i].path, sides[1][k].path) < 0) ++i;
        if (i < counts[0] && strcmp(sides[0][i].path, sides[1][k].path) == 0) note(&shared, sides[1][k].index);
    }
    for (int s = 0; s < 2; ++s) free_entries(sides[s], counts[s]);
    return shared;
}

struct paced_occurrences paced_dataset_repeated(const struct paced_dataset *d) {
    const size_t count = paced_dataset_count(d);
    struct entry *entries = sort_images(d);
    struct paced_occurrences repeated = {0};
    for (size_t i = 1; i < count; ++i)
        if (strcmp(entries[i - 1].path, entries[i].path) == 0) note(&repeated, entries[i].index);
    free_entries(entries, count);
    return repeated;
}
