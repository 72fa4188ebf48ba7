/* Colours of classes, the same in all pictures. */
#ifndef PACED_RUN_CLASS_COLOURS_H
#define PACED_RUN_CLASS_COLOURS_H

#include "paced/data.h"

enum { CLASS_COLOURS = 256 };

/* Fills colours[class], 0xRRGGBB: the label table's colour of a class, else the default one. masks NULL: no table. */
void class_colours(const struct paced_masks *masks, uint32_t colours[CLASS_COLOURS]);

#endif
