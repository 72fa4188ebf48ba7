/* labels: a label table, which says what the colours of a mask mean. Private to the data room. */
#ifndef PACED_SRC_DATA_LABELS_H
#define PACED_SRC_DATA_LABELS_H

#include "paced/config.h"

struct labels {
    char *path;       /* of the JSON file */
    int classes;      /* ids are 0..classes-1 */
    char **names;     /* [classes] */
    int ignore;       /* the class of colours that no entry has; -1: such a colour is an error */
    size_t colours;   /* entries that have one */
    uint32_t *colour; /* [colours]: red << 16 | green << 8 | blue */
    uint8_t *class;   /* [colours] */
};

/* PACED_INVALID, and *labels = {0}, for bad JSON, an entry without name, class or (where `coloured`) colour, a colour
 * that is there twice, and class numbers that leave one out. */
enum paced_err labels_read(struct labels *labels, const char *path, bool coloured);
void labels_finish(struct labels *labels);

/* The class of a colour, or -1. *last (0 at first) remembers where it was found: neighbours mostly share it. */
int labels_find(const struct labels *labels, uint32_t colour, size_t *last);

#endif
