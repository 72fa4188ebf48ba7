/* font: the glyphs of printable ASCII for pictures, 5 wide. Private to the report room. */
#ifndef PACED_SRC_REPORT_FONT_H
#define PACED_SRC_REPORT_FONT_H

#include <stdint.h>

enum { FONT_WIDTH = 5, FONT_HEIGHT = 9 }; /* the last two rows hang below the line */

/* Rows from the top, the left column in bit 4. What is not printable ASCII is drawn as '?'. */
const uint8_t *font_glyph(char character);

#endif
