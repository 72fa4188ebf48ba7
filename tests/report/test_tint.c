/* Classes on an image: where the tint is, that outlines part the classes, and that they stand out in grey. */
#include "paced/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { W = 24, H = 16 };

static double grey(const uint8_t *pixel) {
    return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

/* A rectangle of `class` on an even grey. */
static struct paced_canvas tinted(uint8_t background, uint8_t class, uint8_t label[H][W]) {
    struct paced_canvas canvas = paced_canvas_create(W, H, background * 0x010101u);
    memset(label, 0, H * W);
    for (int y = 4; y < 12; ++y) memset(&label[y][6], class, 12);
    paced_canvas_tint(&canvas, &label[0][0]);
    return canvas;
}

static const uint8_t *at(const struct paced_canvas *canvas, int x, int y) {
    return canvas->rgb + 3 * (y * canvas->width + x);
}

/* Elsewhere the image is as it was; within, it is part of the colour; the outline is all of it. */
static void test_places(void **state) {
    (void)state;
    uint8_t label[H][W];
    struct paced_canvas canvas = tinted(100, 1, label);
    const uint8_t *outside = at(&canvas, 2, 2), *around = at(&canvas, 5, 8), *edge = at(&canvas, 6, 8),
                  *inside = at(&canvas, 12, 8);
    assert_true(outside[0] == 100 && outside[1] == 100 && outside[2] == 100);
    assert_true(around[0] == 0 && around[1] == 0 && around[2] == 0);
    assert_true(edge[0] == 0xe6 && edge[1] == 0x9f && edge[2] == 0);
    for (int c = 0; c < 3; ++c) assert_float_equal(inside[c], 100 + 0.3 * (edge[c] - 100), 1);
    paced_canvas_finish(&canvas);
}

static void test_outline_stands_out_in_grey(void **state) {
    (void)state;
    uint8_t label[H][W];
    for (int background = 0; background < 256; background += 15)
        for (uint8_t class = 1; class <= 7; ++class) {
            struct paced_canvas canvas = tinted((uint8_t)background, class, label);
            double edge = grey(at(&canvas, 6, 8)), around = grey(at(&canvas, 5, 8));
            assert_true(edge - around > 80);
            paced_canvas_finish(&canvas);
        }
}

/* Neighbouring classes, all of them other colours. */
static void test_classes_differ(void **state) {
    (void)state;
    uint8_t label[H][W], colour[7][3];
    for (uint8_t class = 1; class <= 7; ++class) {
        struct paced_canvas canvas = tinted(128, class, label);
        memcpy(colour[class - 1], at(&canvas, 6, 8), 3);
        paced_canvas_finish(&canvas);
        for (int other = 0; other < class - 1; ++other) assert_memory_not_equal(colour[other], colour[class - 1], 3);
    }
}

/* Masks that fill the image, and images of a pixel. */
static void test_edges(void **state) {
    (void)state;
    struct paced_canvas dot = paced_canvas_create(1, 1, 0x808080);
    paced_canvas_tint(&dot, (const uint8_t[]){1});
    assert_true(dot.rgb[0] > dot.rgb[2]); /* tinted, without an outline */
    assert_true(dot.rgb[0] < 0xe6);
    paced_canvas_finish(&dot);
    struct paced_canvas large = paced_canvas_create(1300, 1200, 0x808080);
    uint8_t *label = calloc(1300, 1200);
    label[600 * 1300 + 650] = 255; /* one pixel of the last class */
    paced_canvas_tint(&large, label);
    assert_int_equal(large.rgb[3 * (600 * 1300 + 646)], 0); /* the outline is as wide as the image wants it */
    assert_int_equal(large.rgb[3 * (600 * 1300 + 640)], 0x80);
    free(label);
    paced_canvas_finish(&large);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_outline_stands_out_in_grey),
        cmocka_unit_test(test_classes_differ),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
