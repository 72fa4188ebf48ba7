/* Report about both splits. */
#include "src/run/splits.h"

#include <stdlib.h>
#include <string.h>

static const char *path_of(const struct paced_data_options *options, int phase) {
    return phase == PACED_TRAIN ? options->train : options->val;
}

/* ---- images in several places -------------------------------------------------------------------------------- */

static void report_repeated(const struct paced_data_options *options, struct paced_dataset *const *sets) {
    for (int phase = 0; phase < 2; ++phase) {
        if (!sets[phase]) continue;
        struct paced_occurrences repeated = paced_dataset_repeated(sets[phase]);
        if (repeated.count > 0)
            paced_log(PACED_LOG_WARN, "%s: %zu %s listed more than once and %s as often, first entry %zu, %s",
                      path_of(options, phase), repeated.count, paced_plural(repeated.count, "image is", "images are"),
                      paced_plural(repeated.count, "counts", "count"), repeated.first + 1,
                      paced_dataset_image_name(sets[phase], repeated.first));
    }
}

static void report_shared(const struct paced_data_options *options, struct paced_dataset *const *sets) {
    if (!sets[PACED_TRAIN] || !sets[PACED_VAL]) return;
    struct paced_occurrences shared = paced_dataset_shared(sets[PACED_TRAIN], sets[PACED_VAL]);
    if (shared.count > 0)
        paced_log(PACED_LOG_WARN,
                  "%s: %zu of %zu images are in data.train, too, first %s; figures on them do not tell how the network "
                  "does on new images",
                  options->val, shared.count, paced_dataset_count(sets[PACED_VAL]),
                  paced_dataset_image_name(sets[PACED_VAL], shared.first));
}

/* ---- depths -------------------------------------------------------------------------------------------------- */

/* Bits of the first image; 0 if it cannot be read, which loading reports. */
static int depth_of(const struct paced_dataset *set) {
    struct paced_image_info info = {0};
    struct paced_failures failures = {0};
    struct paced_failures *before = paced_errors_collect(&failures);
    if (paced_dataset_describe(set, 0, &info) != PACED_OK) info.bits = 0;
    paced_errors_collect(before);
    paced_failures_finish(&failures);
    return info.bits;
}

static void report_depths(const struct paced_data_options *options, struct paced_dataset *const *sets) {
    if (!sets[PACED_TRAIN] || !sets[PACED_VAL]) return;
    const int train = depth_of(sets[PACED_TRAIN]), val = depth_of(sets[PACED_VAL]);
    if (train == 0 || val == 0 || (train > 8) == (val > 8)) return;
    paced_log(PACED_LOG_WARN,
              "%s: its images have %d bits, those of data.train %d; check that they show the same, or set data.range",
              options->val, val, train);
}

/* ---- unused files -------------------------------------------------------------------------------------------- */

static enum paced_err report_unused(const struct paced_data_options *options, struct paced_dataset *const *sets) {
    struct paced_unused unused = {0};
    PACED_TRY(paced_data_unused(options, sets, 2, &unused));
    if (unused.count > 0)
        paced_log(PACED_LOG_INFO, "%s: %zu of %zu files are in neither split: %s", options->root, unused.count,
                  unused.files, unused.names);
    free(unused.names);
    return PACED_OK;
}

void splits_warn(const struct paced_data_options *options, struct paced_dataset *const sets[2]) {
    report_repeated(options, sets);
    report_shared(options, sets);
    report_depths(options, sets);
}

/* ---- report -------------------------------------------------------------------------------------------------- */

static enum paced_err report(const struct paced_data_options *options) {
    struct paced_dataset *sets[2] = {NULL};
    enum paced_err err = PACED_OK;
    for (int phase = 0; phase < 2 && !err; ++phase)
        if (*path_of(options, phase)) err = paced_dataset_open(&sets[phase], options, (enum paced_phase)phase);
    if (!err) {
        splits_warn(options, sets);
        err = report_unused(options, sets);
    }
    for (int phase = 0; phase < 2; ++phase) paced_dataset_close(sets[phase]);
    return err;
}

enum paced_err splits_report(const struct paced_data_options *options) {
    static char *last; /* splits of the last report */
    char *splits = paced_format("%s\n%s\n%s", options->root, options->train, options->val);
    const bool again = last && strcmp(last, splits) == 0;
    free(last);
    last = splits;
    return again ? PACED_OK : report(options);
}
