/* Limits and ticks of an axis. Private to the report module. */
#ifndef PACED_REPORT_AXIS_H
#define PACED_REPORT_AXIS_H

/* An axis from min to max. Its ticks are first * step, ..., last * step; step is 1, 2 or 5 times a power of ten. */
struct axis {
    double min, max, step;
    long first, last;
};
/* Axis exactly from min to max, min < max, with at most max_steps intervals between ticks. */
struct axis axis_over(double min, double max, int max_steps);
/* Axis that starts and ends at a tick and covers min..max; if min equals max, it also covers zero. */
struct axis axis_around(double min, double max, int max_steps);

/* Range of values; NaN is ignored. */
struct range {
    double min, max;
};
struct range range_empty(void);
void range_add(struct range *range, double value);
/* Shared axis of several plots of values from 0 to 1, rounded out to tenths. If all values equal one tenth, the axis
 * extends to the next tenth below; if they equal 0, or there are none, to the next above. */
struct axis axis_tenths(struct range range);

#endif
