/* Classes shown on the image that they were found in. */
#include <stdlib.h>
#include <string.h>

#include "paced/report.h"

/* From Okabe and Ito, "Color Universal Design" (2008), light and dark in turn. */
static const uint32_t colours[] = {0xe69f00, 0x0072b2, 0xf0e442, 0xd55e00, 0x56b4e9, 0x009e73, 0xcc79a7};

#define TINT 0.3          /* share of the colour within a region */
#define SIDE_PER_LINE 300 /* pixels of the shorter side for one of the outline's width */

/* Is there another class within about `reach` pixels, in one of eight directions? */
static bool is_near_another(const struct paced_canvas *canvas, const uint8_t *label, int x, int y, int reach) {
    static const int steps[][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}, {-1, -1}, {1, -1}, {-1, 1}, {1, 1}};
    uint8_t own = label[(size_t)y * (size_t)canvas->width + (size_t)x];
    for (size_t i = 0; i < PACED_COUNT(steps); ++i) {
        int along = i < 4 || reach < 2 ? reach : reach * 5 / 7; /* as far on a diagonal */
        int u = x + steps[i][0] * along, v = y + steps[i][1] * along;
        if (u < 0 || v < 0 || u >= canvas->width || v >= canvas->height) continue;
        if (label[(size_t)v * (size_t)canvas->width + (size_t)u] != own) return true;
    }
    return false;
}

static void mix(uint8_t *pixel, uint32_t colour, double share) {
    for (int i = 0; i < 3; ++i) {
        double value = colour >> (16 - 8 * i) & 0xff;
        pixel[i] = (uint8_t)(pixel[i] + share * (value - pixel[i]) + 0.5);
    }
}

void paced_canvas_tint(struct paced_canvas *canvas, const uint8_t *label) {
    int side = canvas->width < canvas->height ? canvas->width : canvas->height;
    int line = side < 2 * SIDE_PER_LINE ? 1 : side / SIDE_PER_LINE;
    uint8_t *pixel = canvas->rgb;
    for (int y = 0; y < canvas->height; ++y)
        for (int x = 0; x < canvas->width; ++x, pixel += 3) {
            uint8_t class = label[(size_t)y * (size_t)canvas->width + (size_t)x];
            bool border = is_near_another(canvas, label, x, y, line);
            if (class)
                mix(pixel, colours[(class - 1U) % PACED_COUNT(colours)], border ? 1 : TINT);
            else if (border)
                mix(pixel, 0, 1);
        }
}
