/* segment WEIGHTS IMAGE.png MASK.png [SECTION.KEY=VALUE]...: `paced predict` for one image, written with libpaced.
 *     cc segment.c -o segment $(pkg-config --cflags --libs paced libpng) */
#include <paced.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *what, const char *why) {
    fprintf(stderr, "segment: %s: %s\n", what, why);
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 4) return fail("usage", "segment WEIGHTS IMAGE.png MASK.png [SECTION.KEY=VALUE]...");
    struct paced_segmenter *segmenter;
    if (paced_segmenter_open(&segmenter, argv[1], (const char *const *)argv + 4) != PACED_OK)
        return fail(argv[1], paced_last_error());

    png_image png = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(&png, argv[2])) return fail(argv[2], png.message);
    png.format = PNG_FORMAT_RGB;
    uint8_t *rgb = malloc(PNG_IMAGE_SIZE(png));
    if (!rgb || !png_image_finish_read(&png, NULL, rgb, 0, NULL)) return fail(argv[2], png.message);

    size_t pixels = (size_t)png.width * png.height;
    uint8_t *labels = malloc(pixels);
    if (!labels) return fail(argv[2], "too large");
    if (paced_segmenter_run(segmenter, rgb, (int)png.width, (int)png.height, labels, NULL) != PACED_OK)
        return fail(argv[2], paced_last_error());

    if (paced_segmenter_classes(segmenter) == 2) /* black and white, as `paced predict` writes it */
        for (size_t i = 0; i < pixels; ++i) labels[i] = labels[i] ? 255 : 0;
    png.format = PNG_FORMAT_GRAY;
    if (!png_image_write_to_file(&png, argv[3], 0, labels, 0, NULL)) return fail(argv[3], png.message);

    paced_segmenter_close(segmenter);
    free(labels);
    free(rgb);
    return 0;
}
