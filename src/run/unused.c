/* Unused files of a data set. */
#include "src/run/unused.h"

#include <stdlib.h>
#include <string.h>

static enum paced_err find(const struct paced_data_options *options, struct paced_unused *unused) {
    struct paced_dataset *sets[2] = {NULL};
    enum paced_err err = PACED_OK;
    if (*options->train) err = paced_dataset_open(&sets[PACED_TRAIN], options, PACED_TRAIN);
    if (!err && *options->val) err = paced_dataset_open(&sets[PACED_VAL], options, PACED_VAL);
    if (!err) err = paced_data_unused(options, sets, PACED_COUNT(sets), unused);
    for (size_t i = 0; i < PACED_COUNT(sets); ++i) paced_dataset_close(sets[i]);
    return err;
}

enum paced_err unused_report(const struct paced_data_options *options) {
    static char *said;
    struct paced_unused unused = {0};
    enum paced_err err = find(options, &unused);
    if (!err && unused.count > 0) {
        char *text = paced_format("%s: %zu of %zu files are in neither split: %s", options->root, unused.count,
                                  unused.files, unused.names);
        bool again = said && strcmp(said, text) == 0;
        if (!again) paced_log(PACED_LOG_INFO, "%s", text);
        free(said);
        said = text;
    }
    free(unused.names);
    return err;
}
