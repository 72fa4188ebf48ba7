/* Positions and weights of overlapping windows along one axis of an image. The windows of a plane are the pairs of a
 * window down and one across; their weights multiply. */
#ifndef PACED_RUN_WINDOWS_H
#define PACED_RUN_WINDOWS_H

struct windows {
    int length, size, count;
    int *start; /* [count], ascending: window i covers the pixels start[i] ... start[i] + size - 1 */
    float
        *share; /* [count][size]: weights of the pixels; those of all windows sum to 1 per pixel; 0 outside the axis */
};

/* Lays windows of `size` pixels over an axis of `length` pixels in even steps; neighbours overlap by at least the
 * fraction `overlap`, 0 <= overlap < 1. An axis shorter than a window has a single one, centred. */
void windows_lay_out(struct windows *windows, int length, int size, double overlap);
void windows_finish(struct windows *windows);

/* Pixel, 0 ... length - 1, that position i shows if the axis is mirrored repeatedly at its end pixels. */
int windows_mirror(int i, int length);

#endif
