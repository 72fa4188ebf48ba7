/* warp: composition of moves, displacement fields, and interpolation of the moved image. */
#include "src/perturb/warp.h"
#include "src/perturb/corruptions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- moves --------------------------------------------------------------------------------------------------- */

void warp_init(struct warp *warp) {
    *warp = (struct warp){.xx = 1, .yy = 1};
}

void warp_finish(struct warp *warp) {
    free(warp->dx);
    free(warp->dy);
    warp_init(warp);
}

/* Appends a linear move: M becomes M [xx xy; yx yy]. */
static void append_linear(struct warp *w, double xx, double xy, double yx, double yy) {
    const struct warp old = *w;
    w->xx = old.xx * xx + old.xy * yx;
    w->xy = old.xx * xy + old.xy * yy;
    w->yx = old.yx * xx + old.yy * yx;
    w->yy = old.yx * xy + old.yy * yy;
}

void warp_flip(struct warp *warp, bool horizontally, bool vertically) {
    append_linear(warp, horizontally ? -1 : 1, 0, 0, vertically ? -1 : 1);
}

/* Quarter turns are separate from the rest, so that they are exact: no sine of a rounded pi. */
void warp_rotate(struct warp *warp, double degrees) {
    static const double cosines[] = {1, 0, -1, 0};
    double quarters = round(degrees / 90), rest = (degrees - 90 * quarters) * M_PI / 180;
    int quarter = (int)(((long)quarters % 4 + 4) % 4);
    double c = cosines[quarter], s = cosines[(quarter + 3) % 4];
    append_linear(warp, c, -s, s, c);
    append_linear(warp, cos(rest), -sin(rest), sin(rest), cos(rest));
}

void warp_scale(struct warp *warp, double factor) {
    append_linear(warp, 1 / factor, 0, 0, 1 / factor);
}

void warp_shift(struct warp *warp, double x, double y) {
    warp->x -= warp->xx * x + warp->xy * y;
    warp->y -= warp->yx * x + warp->yy * y;
}

/* ---- elastic deformation ------------------------------------------------------------------------------------- */

/* A smooth random displacement field for soft tissue:
 *
 *     d = alpha gauss(U(-0.005 side, 0.005 side)), gauss of stddev 0.01 side, for x and for y
 *
 * as in the package imagecorruptions, a later form of ImageNet-C: no affine jitter before, the Gaussian is truncated at
 * 3 stddev, fields and image are mirrored at the border. The stddev of d is about alpha * 0.08 pixels for all sides
 * from 32, because the blur reduces the amplitude as the side increases it. side: the geometric mean of both sides. The
 * field is drawn and smoothed as its transpose, column by column, as in the reference. */
static float *draw_field(double alpha, struct paced_rng *rng, struct paced_extent extent) {
    struct paced_extent turned = {extent.width, extent.height};
    double side = sqrt((double)paced_extent_pixels(extent));
    size_t height = (size_t)extent.height, width = (size_t)extent.width;
    float *columns = paced_alloc(height * width, sizeof *columns), *field = paced_alloc(height * width, sizeof *field);
    for (size_t i = 0; i < height * width; ++i)
        columns[i % width * height + i / width] = (float)(alpha * 0.01 * side * (paced_rng_uniform(rng) - 0.5));
    filter_smooth_within(columns, turned, 1, 0.01 * side, (int)(3 * 0.01 * side + 0.5), BORDER_DOUBLED);
    for (size_t i = 0; i < height * width; ++i) field[i] = columns[i % width * height + i / width];
    free(columns);
    return field;
}

void warp_elastic(struct warp *warp, double alpha, struct paced_rng *rng, struct paced_extent extent) {
    free(warp->dx);
    free(warp->dy);
    warp->dx = draw_field(alpha, rng, extent);
    warp->dy = draw_field(alpha, rng, extent);
}

/* ---- interpolation ------------------------------------------------------------------------------------------- */

static const float *pixel_at(const struct paced_sample *from, int x, int y, enum border border) {
    static const float black[3];
    int column = border_index(x, from->extent.width, border), row = border_index(y, from->extent.height, border);
    if (column < 0 || row < 0) return black;
    return from->rgb + ((size_t)row * (size_t)from->extent.width + (size_t)column) * 3;
}

static void read_bilinear(const struct paced_sample *from, double x, double y, enum border border, float *rgb) {
    int left = (int)floor(x), top = (int)floor(y);
    float right_fraction = (float)(x - left), lower_fraction = (float)(y - top);
    const float *upper[] = {pixel_at(from, left, top, border), pixel_at(from, left + 1, top, border)};
    const float *lower[] = {pixel_at(from, left, top + 1, border), pixel_at(from, left + 1, top + 1, border)};
    for (int c = 0; c < 3; ++c) {
        float above = (1 - right_fraction) * upper[0][c] + right_fraction * upper[1][c];
        float below = (1 - right_fraction) * lower[0][c] + right_fraction * lower[1][c];
        rgb[c] = (1 - lower_fraction) * above + lower_fraction * below;
    }
}

static uint8_t read_nearest(const struct paced_sample *from, double x, double y, enum border border) {
    int column = border_index((int)floor(x + 0.5), from->extent.width, border),
        row = border_index((int)floor(y + 0.5), from->extent.height, border);
    return column < 0 || row < 0 ? from->outside
                                 : from->label[(size_t)row * (size_t)from->extent.width + (size_t)column];
}

static bool is_identity(const struct warp *w) {
    return w->xx == 1 && w->xy == 0 && w->yx == 0 && w->yy == 1 && w->x == 0 && w->y == 0 && !w->dx;
}

void warp_apply(const struct warp *w, enum border border, struct paced_sample *sample) {
    if (is_identity(w)) return;
    size_t pixels = sample_pixels(sample), width = (size_t)sample->extent.width;
    struct paced_sample from = {sample->extent, paced_alloc(pixels * 3, sizeof(float)), paced_alloc(pixels, 1),
                                sample->outside};
    memcpy(from.rgb, sample->rgb, pixels * 3 * sizeof(float));
    memcpy(from.label, sample->label, pixels);
    double centre_x = (sample->extent.width - 1) / 2.0, centre_y = (sample->extent.height - 1) / 2.0;
    for (size_t i = 0; i < pixels; ++i) {
        double u = (double)(i % width) - centre_x, v = (double)(i / width) - centre_y;
        if (w->dx) {
            u += (double)w->dx[i];
            v += (double)w->dy[i];
        }
        double x = w->xx * u + w->xy * v + w->x + centre_x, y = w->yx * u + w->yy * v + w->y + centre_y;
        read_bilinear(&from, x, y, border, sample->rgb + i * 3);
        sample->label[i] = read_nearest(&from, x, y, border);
    }
    free(from.rgb);
    free(from.label);
}
