/* Range of a data set: the values of all its images with more than 8 bits. */
#include "src/data/measure.h"

#include <math.h>
#include <stdlib.h>

struct measured {
    struct paced_image_info info; /* of a file with more than 8 bits */
    size_t shallow, deep;         /* files of up to 8 bits, and of more */
    double low, high;
};

static void measure_file(struct measured *m, const char *path) {
    struct paced_image_info info;
    struct paced_raster raster;
    if (paced_image_describe(path, NULL, &info) != PACED_OK) return;
    if (info.bits <= 8 && !info.is_signed && !info.is_float) {
        ++m->shallow;
        return;
    }
    if (paced_raster_read(path, NULL, PACED_SHOWN, &raster) != PACED_OK) return;
    paced_value_range_measure(&raster, &m->low, &m->high);
    m->info = info;
    ++m->deep;
    free(raster.value);
}

static void report(const struct measured *m, const struct paced_value_range *range, const char *split) {
    paced_log(PACED_LOG_INFO,
              "%s: data.range = auto: images of %d bits with values from %g to %g; black is %g, white %g", split,
              m->info.bits, m->low, m->high, range->low, range->high);
    if (m->shallow > 0)
        paced_log(PACED_LOG_WARN, "%s: %zu %s 8 bits, the others %d; check that they show the same, or set data.range",
                  split, m->shallow, paced_plural(m->shallow, "image has", "images have"), m->info.bits);
}

void measure_range(struct paced_value_range *range, const struct paced_split *split, const char *root) {
    struct measured m = {.low = INFINITY, .high = -INFINITY};
    struct paced_failures failures = {0};
    if (range->kind != PACED_RANGE_AUTO || range->low < range->high) return;
    struct paced_failures *before = paced_errors_collect(&failures);
    for (size_t i = 0; i < split->count && !paced_stop_asked(); ++i) {
        char *path = paced_path_join(root, split->pairs[i].image);
        measure_file(&m, path);
        free(path);
    }
    paced_errors_collect(before);
    paced_failures_finish(&failures);
    if (m.deep == 0 || paced_stop_asked()) return;
    *range = paced_value_range_choose(&m.info, m.low, m.high);
    report(&m, range, split->path);
}
