/* dump_raster PATH shown|colours|values|describe
 *
 * Prints the header of an image as a line of JSON, then, unless it only describes, the samples: bytes, words or floats
 * of the host. For comparison with other readers. */
#include <stdlib.h>
#include <string.h>

#include "paced/data.h"

static void print_info(const struct paced_image_info *i, const char *sample) {
    printf("{\"width\": %d, \"height\": %d, \"channels\": %d, \"slices\": %d, \"bits\": %d, \"signed\": %d, "
           "\"float\": %d, \"spacing\": [%.9g, %.9g], \"window\": [%.9g, %.9g], \"inverted\": %d, \"orientation\": %d, "
           "\"sample\": \"%s\"}\n",
           i->width, i->height, i->channels, i->slices, i->bits, i->is_signed, i->is_float, i->spacing_mm[0],
           i->spacing_mm[1], i->window[0], i->window[1], i->inverted, i->orientation, sample);
}

int main(int count, char **words) {
    static const char *const kinds[] = {"shown", "colours", "values", "describe"}, *const samples[] = {
                                                                                       "uint8", "uint16", "float32"};
    static const size_t bytes[] = {1, 2, 4};
    size_t kind = 0;
    while (count == 3 && kind < PACED_COUNT(kinds) && strcmp(words[2], kinds[kind]) != 0) ++kind;
    if (count != 3 || kind == PACED_COUNT(kinds)) {
        fprintf(stderr, "usage: dump_raster PATH shown|colours|values|describe\n");
        return PACED_INVALID;
    }
    if (kind == 3) {
        struct paced_image_info info;
        PACED_TRY(paced_image_describe(words[1], NULL, &info));
        print_info(&info, "");
        return 0;
    }
    struct paced_raster raster;
    PACED_TRY(paced_raster_read(words[1], NULL, (enum paced_samples)kind, &raster));
    print_info(&raster.info, samples[raster.sample]);
    size_t values = (size_t)raster.info.width * (size_t)raster.info.height * (size_t)raster.info.channels;
    fwrite(raster.value, bytes[raster.sample], values, stdout);
    free(raster.value);
    return 0;
}
