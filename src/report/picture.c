/* picture: an RGB canvas for images, maps and bars, written as PNG.
 *
 * Invariant: drawing is clipped to the canvas and cannot fail.
 * Colour map: linear interpolation between nine points with equal steps in lightness (Oklab, L = 0.24 to 0.92), with
 * hue from violet over blue and green to yellow at the maximum chroma of sRGB. Lightness alone orders the values, so
 * that maps are readable in greyscale and by colour-blind readers. */
#include <math.h>
#include <stdlib.h>

#include "paced/data.h"
#include "paced/report.h"

static const uint32_t map_colours[] = {0x2e004d, 0x2c1b82, 0x004991, 0x026b8f, 0x008b96,
                                       0x05ab96, 0x42cb80, 0xa6dd67, 0xf5ea5c};

/* ---- the canvas ---------------------------------------------------------------------------------------------- */

struct paced_canvas paced_canvas_create(int width, int height, uint32_t colour) {
    struct paced_canvas canvas = {width, height, paced_alloc((size_t)width * (size_t)height, 3)};
    paced_canvas_fill(&canvas, 0, 0, width, height, colour);
    return canvas;
}

void paced_canvas_finish(struct paced_canvas *canvas) {
    free(canvas->rgb);
    *canvas = (struct paced_canvas){0};
}

enum paced_err paced_canvas_write(const struct paced_canvas *canvas, const char *path) {
    return paced_png_write(path, canvas->width, canvas->height, 3, canvas->rgb);
}

enum paced_err paced_canvas_encode(const struct paced_canvas *canvas, uint8_t **png, size_t *size) {
    return paced_png_encode(png, size, canvas->width, canvas->height, 3, canvas->rgb);
}

void paced_canvas_fill(struct paced_canvas *canvas, int x, int y, int width, int height, uint32_t colour) {
    int left = x < 0 ? 0 : x, right = x + width < canvas->width ? x + width : canvas->width;
    int top = y < 0 ? 0 : y, bottom = y + height < canvas->height ? y + height : canvas->height;
    for (int row = top; row < bottom; ++row)
        for (int column = left; column < right; ++column) {
            uint8_t *pixel = canvas->rgb + ((size_t)row * (size_t)canvas->width + (size_t)column) * 3;
            pixel[0] = (uint8_t)(colour >> 16);
            pixel[1] = (uint8_t)(colour >> 8);
            pixel[2] = (uint8_t)colour;
        }
}

void paced_canvas_frame(struct paced_canvas *canvas, int x, int y, int width, int height, uint32_t colour) {
    paced_canvas_fill(canvas, x - 1, y - 1, width + 2, 1, colour);
    paced_canvas_fill(canvas, x - 1, y + height, width + 2, 1, colour);
    paced_canvas_fill(canvas, x - 1, y, 1, height, colour);
    paced_canvas_fill(canvas, x + width, y, 1, height, colour);
}

/* ---- images and maps ----------------------------------------------------------------------------------------- */

void paced_canvas_image(struct paced_canvas *canvas, int x, int y, int scale, const uint8_t *rgb, int width,
                        int height) {
    for (int row = 0; row < height; ++row)
        for (int column = 0; column < width; ++column, rgb += 3)
            paced_canvas_fill(canvas, x + column * scale, y + row * scale, scale, scale,
                              (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2]);
}

static uint32_t channel_between(uint32_t from, uint32_t to, int shift, double t) {
    double a = from >> shift & 0xff, b = to >> shift & 0xff;
    return (uint32_t)lround(a + (b - a) * t) << shift;
}

uint32_t paced_colour_map(double value) {
    if (isnan(value)) return PACED_COLOUR_UNKNOWN;
    int last = (int)PACED_COUNT(map_colours) - 1;
    double place = fmin(fmax(value, 0), 1) * last;
    int i = place < last ? (int)place : last - 1;
    uint32_t from = map_colours[i], to = map_colours[i + 1];
    return channel_between(from, to, 16, place - i) | channel_between(from, to, 8, place - i) |
           channel_between(from, to, 0, place - i);
}

void paced_canvas_map(struct paced_canvas *canvas, int x, int y, int scale, const float *values, int width, int height,
                      double max) {
    for (int row = 0; row < height; ++row)
        for (int column = 0; column < width; ++column, ++values)
            paced_canvas_fill(canvas, x + column * scale, y + row * scale, scale, scale,
                              paced_colour_map((double)*values / max));
}

void paced_canvas_colour_bar(struct paced_canvas *canvas, int x, int y, int width, int height, double max) {
    char end[32];
    snprintf(end, sizeof end, "%g", max);
    int text_y = y + (height - PACED_TEXT_HEIGHT) / 2;
    int left = x + paced_text_width("0", 1) + 5, right = x + width - paced_text_width(end, 1) - 5;
    paced_canvas_text(canvas, x, text_y, 1, PACED_COLOUR_TEXT, "0");
    paced_canvas_text(canvas, right + 5, text_y, 1, PACED_COLOUR_TEXT, end);
    for (int i = left; i < right; ++i)
        paced_canvas_fill(canvas, i, y, 1, height, paced_colour_map((double)(i - left) / fmax(1, right - left - 1)));
}
