/* axis: axes with round numbers. Comparisons allow a rounding error of 1e-9 steps. */
#include "src/report/chart.h"

#include <math.h>
#include <stddef.h>

/* Step that divides a range above 0 into at most `max_steps` intervals. */
static double axis_step(double range, int max_steps) {
    double power = pow(10, floor(log10(range / max_steps)));
    for (;; power *= 10)
        for (size_t i = 0; i < 3; ++i) {
            double step = power * (const double[]){1, 2, 5}[i];
            if (range / step <= max_steps + 1e-9) return step;
        }
}

struct axis axis_over(double min, double max, int max_steps) {
    double step = axis_step(max - min, max_steps);
    return (struct axis){min, max, step, lround(ceil(min / step - 1e-9)), lround(floor(max / step + 1e-9))};
}

static struct axis axis_between(double min, double max, double step) {
    long first = lround(floor(min / step + 1e-9)), last = lround(ceil(max / step - 1e-9));
    return (struct axis){(double)first * step, (double)last * step, step, first, last};
}

struct axis axis_around(double min, double max, int max_steps) {
    if (min == max) {
        min = fmin(min, 0);
        max = max > 0 || min < 0 ? fmax(max, 0) : 1;
    }
    return axis_between(min, max, axis_step(max - min, max_steps));
}

struct range range_empty(void) {
    return (struct range){INFINITY, -INFINITY};
}

void range_add(struct range *range, double value) {
    range->min = fmin(range->min, value);
    range->max = fmax(range->max, value);
}

struct axis axis_tenths(struct range range) {
    const double tenth = 0.1;
    if (range.min > range.max) range = (struct range){0, 0};
    struct axis axis = axis_between(range.min, range.max, tenth);
    if (axis.first < axis.last) return axis;
    if (axis.first > 0) return axis_between(axis.min - tenth, axis.max, tenth);
    return axis_between(axis.min, axis.max + tenth, tenth);
}
