/* Distances between pixels, as text. */
#include <math.h>
#include <stdlib.h>

#include "paced/data.h"

enum paced_err paced_spacing_parse(double spacing_mm[2], const char *where, const char *text) {
    char *end;
    spacing_mm[0] = spacing_mm[1] = 0;
    if (!text || !*text) return PACED_OK;
    const double rows = strtod(text, &end);
    bool valid = end != text;
    double columns = rows;
    if (valid && *end == 'x') {
        const char *second = end + 1;
        columns = strtod(second, &end);
        valid = end != second;
    }
    if (!valid || *end || !(rows > 0 && columns > 0) || !isfinite(rows) || !isfinite(columns))
        return paced_error(PACED_INVALID,
                           "%s: '%s' is not a spacing; give the distance between pixels in mm, such as 0.2, or between "
                           "rows and columns, 0.2x0.1",
                           where, text);
    spacing_mm[0] = rows;
    spacing_mm[1] = columns;
    return PACED_OK;
}
