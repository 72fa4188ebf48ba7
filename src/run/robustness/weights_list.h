/* Several weights files, with a short name for each. */
#ifndef PACED_RUN_WEIGHTS_LIST_H
#define PACED_RUN_WEIGHTS_LIST_H

#include "paced/config.h"

struct weights_list {
    char **paths, **names;
    size_t count;
};

/* Of a list "a, b, c" whose items are "best" or "last" of the configuration's run, or files. A name is that of the run
 * directory for best.safetensors and last.safetensors, else the file's stem; names that would be the same get as much
 * of their paths before them as tells them apart. PACED_INVALID for an empty list, or a file that is there twice;
 * whether the files are there is not asked. */
enum paced_err weights_list_read(struct weights_list *list, const struct paced_config *config, const char *text);
void weights_list_finish(struct weights_list *list);

#endif
