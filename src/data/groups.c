/* Groups of images as a disjoint-set forest: each image refers to another image of its group or to itself. All chains
 * end at the least index of the group. */
#include "paced/data.h"

static size_t root_of(size_t *group, size_t i) {
    while (group[i] != i) i = group[i] = group[group[i]];
    return i;
}

void paced_groups_join(size_t *group, size_t i, size_t j) {
    size_t a = root_of(group, i), b = root_of(group, j);
    group[a > b ? a : b] = a > b ? b : a;
}

void paced_groups_settle(size_t *group, size_t count) {
    for (size_t i = 0; i < count; ++i) group[i] = root_of(group, i);
}
