/* Where overlapping windows lie along one axis of an image, and what each counts there. Those of a plane are the pairs
 * of a window down and one across; their shares multiply. */
#ifndef PACED_RUN_WINDOWS_H
#define PACED_RUN_WINDOWS_H

struct windows {
    int length, size, count;
    int *start;   /* [count], rising: window i covers the pixels start[i] ... start[i] + size - 1 */
    float *share; /* [count][size]: of its pixels; the shares of all windows in a pixel make 1; 0 outside the axis */
};

/* Windows of `size` pixels over `length` of them, from one end to the other in even steps, neighbours overlapping by at
 * least the share `overlap` (0 to below 1). An axis shorter than a window has one, around its middle. */
void windows_lay_out(struct windows *windows, int length, int size, double overlap);
void windows_finish(struct windows *windows);

/* The pixel of 0 ... length - 1 that shows in place i where the axis is mirrored in its end pixels, again and again. */
int windows_mirror(int i, int length);

#endif
