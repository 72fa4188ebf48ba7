/* axis: round numbers. A billionth of a step is what rounding may have added or lost. */
#include "src/report/axis.h"

#include <math.h>
#include <stddef.h>

/* The step of at most `most` marks over a range above 0. */
static double axis_step(double range, int most) {
    double power = pow(10, floor(log10(range / most)));
    for (;; power *= 10)
        for (size_t i = 0; i < 3; ++i) {
            double step = power * (const double[]){1, 2, 5}[i];
            if (range / step <= most + 1e-9) return step;
        }
}

struct axis axis_over(double min, double max, int most) {
    double step = axis_step(max - min, most);
    return (struct axis){min, max, step, lround(ceil(min / step - 1e-9)), lround(floor(max / step + 1e-9))};
}

static struct axis axis_between(double least, double most, double step) {
    long first = lround(floor(least / step + 1e-9)), last = lround(ceil(most / step - 1e-9));
    return (struct axis){(double)first * step, (double)last * step, step, first, last};
}

struct axis axis_around(double least, double most, int most_marks) {
    if (least == most) {
        least = fmin(least, 0);
        most = most > 0 || least < 0 ? fmax(most, 0) : 1;
    }
    return axis_between(least, most, axis_step(most - least, most_marks));
}

struct range range_empty(void) {
    return (struct range){INFINITY, -INFINITY};
}

void range_add(struct range *range, double value) {
    range->least = fmin(range->least, value);
    range->most = fmax(range->most, value);
}

struct axis axis_tenths(struct range range) {
    const double tenth = 0.1;
    if (range.least > range.most) range = (struct range){0, 0};
    struct axis axis = axis_between(range.least, range.most, tenth);
    if (axis.first < axis.last) return axis;
    if (axis.first > 0) return axis_between(axis.min - tenth, axis.max, tenth);
    return axis_between(axis.min, axis.max + tenth, tenth);
}
