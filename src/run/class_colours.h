/* The colours of classes, the same in all pictures. */
#ifndef PACED_RUN_CLASS_COLOURS_H
#define PACED_RUN_CLASS_COLOURS_H

#include "paced/data.h"

enum { CLASS_COLOURS = 256 };

/* A class has the colour that the label table gives it, else the program's own. masks NULL: no table. */
void class_colours(const struct paced_masks *masks, uint32_t colours[CLASS_COLOURS]);

#endif
