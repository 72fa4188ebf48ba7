/* List of weights files, with a short name for each. */
#ifndef PACED_RUN_WEIGHTS_LIST_H
#define PACED_RUN_WEIGHTS_LIST_H

#include "paced/config.h"

struct weights_list {
    char **paths, **names;
    size_t count;
};

/* Reads a list "a, b, c" whose items are "best" or "last" of the configuration's run, or files. A name is that of the
 * run directory for best.safetensors and last.safetensors, else the stem of the file; equal names are lengthened by
 * components of their paths until they differ. PACED_INVALID for an empty list or a duplicate. The files need not
 * exist. Nothing is left to release after an error. */
enum paced_err weights_list_read(struct weights_list *list, const struct paced_config *config, const char *text);
void weights_list_finish(struct weights_list *list);

#endif
