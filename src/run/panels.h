/* A picture of panels in rows and columns, which the program's pictures of images are made of. A cell is a title, the
 * panel, and below it two lines of notes. Small images are scaled up by a whole factor, so that a pixel stays a square;
 * large ones are made smaller. */
#ifndef PACED_RUN_PANELS_H
#define PACED_RUN_PANELS_H

#include "paced/report.h"

struct panels {
    struct paced_canvas canvas;
    int size, shown, scale; /* the image's side; that of what is drawn of it, and the factor that this is drawn by */
    int panel, cell;        /* a panel's and a cell's width in pixels */
    int bottom;             /* where the cells end */
};

enum { PANELS_MARGIN = 16 }; /* around all, and between cells */

/* The picture's width in pixels. */
int panels_width(int size, int columns);
/* `below`: room in pixels for what else there is. */
struct panels panels_create(int size, int columns, int rows, int below);
void panels_finish(struct panels *panels);

/* The two lines above the cells. */
void panels_draw_head(struct panels *panels, const char *title, const char *settings);

/* A panel's upper left corner. */
int panels_left(const struct panels *panels, int column);
int panels_top(const struct panels *panels, int row);

/* The title, and rgb[size][size][3] in the panel. */
void panels_draw_image(struct panels *panels, int column, int row, const char *title, const uint8_t *rgb);
/* values[size][size] in colours from 0 to `most`, and their legend as the first note. */
void panels_draw_map(struct panels *panels, int column, int row, const char *title, const float *values, double most);
/* An empty panel that says why. */
void panels_draw_missing(struct panels *panels, int column, int row, const char *title, const char *why);
/* label[size][size] on what the panel shows: tinted (share 0: not) and outlined in colours[class]; colours NULL: a
 * dashed outline. */
void panels_draw_labels(struct panels *panels, int column, int row, const uint8_t *label, const uint32_t *colours,
                        double tint);
/* line 0 or 1 below the panel */
void panels_draw_note(struct panels *panels, int column, int row, int line, const char *note);

/* The mean of values[size][size], and the share of label[size][size] that is not 0. */
double panels_mean(const struct panels *panels, const float *values);
double panels_foreground(const struct panels *panels, const uint8_t *label);

#endif
