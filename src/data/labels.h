/* labels: the label table, which maps the colours of a mask to classes. Private to the data module. */
#ifndef PACED_DATA_LABELS_H
#define PACED_DATA_LABELS_H

#include "paced/data.h"

struct labels {
    char *path;       /* path of the JSON file */
    int classes;      /* ids are 0..classes-1 */
    char **names;     /* [classes] */
    int ignore;       /* class of colours that no entry has; -1: such a colour is an error */
    size_t colours;   /* entries with a colour */
    uint32_t *colour; /* [colours]: red << 16 | green << 8 | blue */
    uint8_t *class;   /* [colours] */
};

/* Reads a label table. PACED_INVALID, with *labels = {0}, for invalid JSON, an entry without name, class or (if
 * `coloured`) colour, a duplicate colour, and a gap in the class numbers. */
enum paced_err labels_read(struct labels *labels, const char *path, bool coloured);
void labels_finish(struct labels *labels);

/* Class of a colour, or -1. *last (initially 0) caches the index found, because neighbouring pixels mostly share a
 * colour. */
int labels_find(const struct labels *labels, uint32_t colour, size_t *last);

#endif
