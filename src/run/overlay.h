/* Picture of an image, its mask, a prediction and its uncertainty, side by side. */
#ifndef PACED_RUN_OVERLAY_H
#define PACED_RUN_OVERLAY_H

#include "paced/report.h"
#include "src/run/example.h"

/* Draws the four panels and a legend of the classes that occur. `title` and `settings` are two lines of text above.
 * Release with paced_canvas_finish. */
struct paced_canvas overlay_draw(const struct example *example, const struct paced_dataset *dataset, const char *title,
                                 const char *settings);

#endif
