/* Colours of classes. */
#include "src/run/class_colours.h"

#include "paced/report.h"

void class_colours(const struct paced_masks *masks, uint32_t colours[CLASS_COLOURS]) {
    for (int c = 0; c < CLASS_COLOURS; ++c)
        if (!masks || !paced_masks_class_colour(masks, c, &colours[c])) colours[c] = paced_class_colour(c);
}
