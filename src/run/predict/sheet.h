/* Picture of an image by `paced uncertainty`: six panels. */
#ifndef PACED_RUN_SHEET_H
#define PACED_RUN_SHEET_H

#include "paced/report.h"

struct sheet {
    const char *title, *settings; /* two lines of text above */
    const char *fusion;           /* name of the fusion that gives u */
    struct paced_extent extent;
    int classes;
    int width, height;    /* of the original image */
    const uint8_t *rgb;   /* [height][width][3] */
    const uint8_t *label; /* [height][width]; NULL: no mask */
    const float *u_p;     /* [height][width], as the following ones */
    const float *u_b;     /* NULL: no mask */
    const float *u, *weight;
};

enum paced_err sheet_write(const struct sheet *sheet, const char *path);

#endif
