/* Grid of panels, the base of pictures of images. A cell has a title, a panel, and two lines of notes. Small images are
 * enlarged by a whole factor, so that pixels stay square; large images are shrunk. */
#ifndef PACED_RUN_PANELS_H
#define PACED_RUN_PANELS_H

#include "paced/report.h"

struct panels {
    struct paced_canvas canvas;
    struct paced_extent image, shown, panel; /* the image; after shrinking; after enlargement */
    int scale, cell;                         /* factor of enlargement; width of a cell, pixels */
    int bottom;                              /* y below the last row of cells */
};

enum { PANELS_MARGIN = 16 }; /* around the grid and between cells, pixels */

/* Width of the picture, pixels. */
int panels_width(struct paced_extent image, int columns);
/* `below`: additional height below the cells, pixels. */
struct panels panels_create(struct paced_extent image, int columns, int rows, int below);
void panels_finish(struct panels *panels);

/* Draws the two lines of text above the cells. */
void panels_draw_head(struct panels *panels, const char *title, const char *settings);

/* Upper left corner of a panel. */
int panels_left(const struct panels *panels, int column);
int panels_top(const struct panels *panels, int row);

/* Draws the title, and rgb[height][width][3] in the panel. */
void panels_draw_image(struct panels *panels, int column, int row, const char *title, const uint8_t *rgb);
/* Draws values[height][width] in colours from 0 to `max`, and the colour bar in place of the first note. */
void panels_draw_map(struct panels *panels, int column, int row, const char *title, const float *values, double max);
/* Draws an empty panel with the reason. */
void panels_draw_missing(struct panels *panels, int column, int row, const char *title, const char *why);
/* Draws label[height][width] over the panel: tinted by the fraction `tint` (0: not) and outlined in colours[class].
 * colours NULL: dashed outline. */
void panels_draw_labels(struct panels *panels, int column, int row, const uint8_t *label, const uint32_t *colours,
                        double tint);
/* Writes line 0 or 1 below the panel. */
void panels_draw_note(struct panels *panels, int column, int row, int line, const char *note);

/* Mean of values[height][width], and the fraction of label[height][width] that is not 0, each without the pixels that
 * label[height][width] ignores (NULL: none); 0 without pixels. */
double panels_mean(const struct panels *panels, const float *values, const uint8_t *label);
double panels_foreground(const struct panels *panels, const uint8_t *label);

#endif
