/* The ends of an axis and its marks. Private to the report room. */
#ifndef PACED_REPORT_AXIS_H
#define PACED_REPORT_AXIS_H

/* Marks stand at whole multiples of `step`, 1, 2 or 5 times a power of ten: first * step, ..., last * step. */
struct axis {
    double min, max, step;
    long first, last;
};
/* The axis from min to max, min < max, as it is. */
struct axis axis_over(double min, double max, int most);
/* The axis that has all of least..most between two of its marks; a lone value gets zero for company. */
struct axis axis_around(double least, double most, int most_marks);

/* What values lie between; NaN is none. */
struct range {
    double least, most;
};
struct range range_empty(void);
void range_add(struct range *range, double value);
/* The axis of figures from 0 to 1 that several plots share: the tenths around all of them. One tenth alone gets the
 * next below for company, 0 the next above; so does a range without values, which counts as 0. */
struct axis axis_tenths(struct range range);

#endif
