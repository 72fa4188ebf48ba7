/* labels: label maps drawn on a picture as tinted areas and outlines.
 *
 * In greyscale a colour may match the image below it. A coloured outline therefore has a dark casing, and the second
 * outline is dashed black and white, so that both are visible on any background. Ignored pixels have stripes instead of
 * a colour and an outline. */
#include "paced/report.h"

#include <math.h>

#define CASING 0x101010u

enum {
    DASH_X = 3, /* unequal, so that diagonals are dashed too */
    DASH_Y = 4,
    STRIPE = 4,
};

/* Palette of Okabe and Ito, "Color Universal Design" (2008), without black, from class 1 on. */
static const uint32_t palette[] = {0xe69f00, 0x56b4e9, 0x009e73, 0xf0e442, 0xd55e00, 0xcc79a7, 0x0072b2};

/* Colours beyond the palette: HSV hues a golden section of the circle apart, at constant saturation and two alternating
 * values. */
uint32_t paced_class_colour(int class_index) {
    size_t i = class_index > 0 ? (size_t)class_index - 1 : 0;
    if (i < PACED_COUNT(palette)) return palette[i];
    double turn = fmod((double)i * 0.6180339887498949, 1), value = i % 2 ? 1 : 0.7;
    uint32_t colour = 0;
    for (int channel = 0; channel < 3; ++channel) {
        double fraction = fabs(6 * fmod(turn + (3 - channel) / 3.0, 1) - 3) - 1;
        colour = colour << 8 | (uint32_t)lround(255 * value * (0.2 + 0.8 * fmin(fmax(fraction, 0), 1)));
    }
    return colour;
}

uint32_t paced_stripes(int x, int y) {
    return (x + y) / STRIPE % 2 ? 0xc0c0c0 : 0x404040;
}

/* A label map addressed in canvas pixels, so that lines stay thin at any scale. */
struct map {
    const uint8_t *label;
    int width, height, scale;
};

/* Label at a canvas pixel; background outside the map. */
static uint8_t label_at(const struct map *m, int u, int v) {
    if (u < 0 || v < 0 || u >= m->width * m->scale || v >= m->height * m->scale) return 0;
    return m->label[(size_t)(v / m->scale) * (size_t)m->width + (size_t)(u / m->scale)];
}

/* The same, and background for ignored pixels. */
static uint8_t class_at(const struct map *m, int u, int v) {
    uint8_t label = label_at(m, u, v);
    return label == PACED_IGNORED ? 0 : label;
}

/* True if another class lies within about `line` pixels. Lines of one pixel test the four neighbours, wider lines eight
 * directions. */
static bool is_edge(const struct map *m, int u, int v, int line) {
    static const int steps[][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}, {-1, -1}, {1, -1}, {-1, 1}, {1, 1}};
    uint8_t own = class_at(m, u, v);
    for (size_t i = 0; i < (line > 1 ? PACED_COUNT(steps) : 4); ++i) {
        int along = i < 4 ? line : line * 5 / 7; /* 5/7 is about 1/sqrt(2): the same distance on a diagonal */
        if (class_at(m, u + steps[i][0] * along, v + steps[i][1] * along) != own) return true;
    }
    return false;
}

void paced_canvas_outlines(struct paced_canvas *canvas, int x, int y, int scale, const uint8_t *label, int width,
                           int height, const uint32_t *colours, int line) {
    const struct map m = {label, width, height, scale};
    for (int v = 0; v < height * scale; ++v)
        for (int u = 0; u < width * scale; ++u) {
            uint8_t own = class_at(&m, u, v);
            if (!is_edge(&m, u, v, line) || (!own && !colours)) continue;
            uint32_t dash = (u / DASH_X + v / DASH_Y) % 2 ? 0x000000u : 0xffffffu;
            paced_canvas_fill(canvas, x + u, y + v, 1, 1, !own ? CASING : colours ? colours[own] : dash);
        }
}

static uint32_t mix(uint32_t from, uint32_t to, double fraction, int shift) {
    double a = from >> shift & 0xff, b = to >> shift & 0xff;
    return (uint32_t)lround(a + (b - a) * fraction) << shift;
}

void paced_canvas_tint(struct paced_canvas *canvas, int x, int y, int scale, const uint8_t *label, int width,
                       int height, const uint32_t *colours, double fraction) {
    const struct map m = {label, width, height, scale};
    for (int v = 0; v < height * scale; ++v)
        for (int u = 0; u < width * scale; ++u) {
            uint8_t own = label_at(&m, u, v);
            bool inside = x + u >= 0 && x + u < canvas->width && y + v >= 0 && y + v < canvas->height;
            if (!own || !inside) continue;
            const uint8_t *at = canvas->rgb + ((size_t)(y + v) * (size_t)canvas->width + (size_t)(x + u)) * 3;
            uint32_t is = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2],
                     to = own == PACED_IGNORED ? paced_stripes(u, v) : colours[own];
            paced_canvas_fill(canvas, x + u, y + v, 1, 1,
                              mix(is, to, fraction, 16) | mix(is, to, fraction, 8) | mix(is, to, fraction, 0));
        }
}
