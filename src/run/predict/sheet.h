/* The picture that `paced uncertainty` makes of an image: six panels side by side. */
#ifndef PACED_RUN_SHEET_H
#define PACED_RUN_SHEET_H

#include "paced/report.h"

struct sheet {
    const char *title, *settings; /* two lines of text above */
    const char *fusion;           /* how u came about, a word */
    int size, classes;
    int width, height;    /* the image's own */
    const uint8_t *rgb;   /* [size][size][3] */
    const uint8_t *label; /* [size][size]; NULL: no mask */
    const float *u_p;     /* [size][size], as the others */
    const float *u_b;     /* NULL: not known */
    const float *u, *weight;
};

enum paced_err sheet_write(const struct sheet *sheet, const char *path);

#endif
