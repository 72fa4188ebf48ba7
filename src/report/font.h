/* font: bitmap glyphs of printable ASCII. Private to the report module. */
#ifndef PACED_REPORT_FONT_H
#define PACED_REPORT_FONT_H

#include <stdint.h>

enum { FONT_WIDTH = 5, FONT_HEIGHT = 9 }; /* the last two rows are descenders */

/* Rows of a glyph from the top, the left column in bit 4. Bytes that are not printable ASCII give '?'. */
const uint8_t *font_glyph(char character);

#endif
