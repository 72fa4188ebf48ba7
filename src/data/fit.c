/* Placement of images in the network's input: data.fit. */
#include <string.h>

#include "paced/data.h"

PACED_NAMES(paced_fit_name, [PACED_FIT_STRETCH] = "stretch", [PACED_FIT_PAD] = "pad", [PACED_FIT_CROP] = "crop")

/* round(a b / c), at least 1 */
static int scale(int a, int b, int c) {
    int64_t scaled = ((int64_t)a * b + c / 2) / c;
    return scaled > 1 ? (int)scaled : 1;
}

struct paced_placement paced_fit_place(int fit, struct paced_extent image, struct paced_extent input) {
    struct paced_placement p = {.size = input};
    bool wider = (int64_t)image.width * input.height > (int64_t)input.width * image.height; /* than the input */
    if (fit != PACED_FIT_STRETCH && wider == (fit == PACED_FIT_PAD))
        p.size.height = scale(image.height, input.width, image.width);
    else if (fit != PACED_FIT_STRETCH)
        p.size.width = scale(image.width, input.height, image.height);
    p.top = (input.height - p.size.height) / 2;
    p.left = (input.width - p.size.width) / 2;
    return p;
}

int paced_fit_index(int i, int length, int start, int size) {
    return start + paced_nearest_index(i, size, length);
}

void paced_fit_nearest(int fit, const uint8_t *pixels, struct paced_extent image, int channels, uint8_t border,
                       uint8_t *out, struct paced_extent input) {
    if (fit == PACED_FIT_STRETCH) {
        paced_resize_nearest(pixels, image.width, image.height, channels, out, input.width, input.height);
        return;
    }
    const struct paced_placement p = paced_fit_place(fit, image, input);
    const size_t c = (size_t)channels;
    memset(out, border, paced_extent_pixels(input) * c);
    for (int y = 0; y < input.height; ++y) {
        if (y < p.top || y >= p.top + p.size.height) continue;
        const size_t row = (size_t)paced_nearest_index(y - p.top, image.height, p.size.height) * (size_t)image.width;
        for (int x = 0; x < input.width; ++x) {
            if (x < p.left || x >= p.left + p.size.width) continue;
            const size_t from = row + (size_t)paced_nearest_index(x - p.left, image.width, p.size.width);
            memcpy(out + ((size_t)y * (size_t)input.width + (size_t)x) * c, pixels + from * c, c);
        }
    }
}
