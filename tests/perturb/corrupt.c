/* corrupt NAME SEVERITY SIZE SEED COUNT <image >images: applies a corruption to raw float rgb[SIZE][SIZE][3], COUNT
 * times, with the seeds SEED, SEED + 1, ... Used by scripts that compare implementations. */
#include "paced/perturb.h"

#include <stdlib.h>
#include <string.h>

static enum paced_err corrupt_all(size_t corruption, int severity, int size, uint64_t seed, size_t count) {
    const size_t pixels = (size_t)size * (size_t)size;
    float *image = paced_alloc(3 * pixels, sizeof *image), *rgb = paced_alloc(3 * pixels, sizeof *rgb);
    struct paced_sample sample = {{size, size}, rgb, paced_alloc(pixels, 1)};
    enum paced_err err = PACED_OK;
    if (fread(image, 3 * sizeof *image, pixels, stdin) != pixels)
        err = paced_error(PACED_INVALID, "stdin: less than one image of %d x %d", size, size);
    for (size_t i = 0; i < count && !err; ++i) {
        struct paced_rng rng;
        paced_rng_seed(&rng, seed + i, 0);
        memcpy(rgb, image, 3 * pixels * sizeof *rgb);
        err = paced_corrupt(corruption, severity, &rng, &sample);
        if (!err && fwrite(rgb, 3 * sizeof *rgb, pixels, stdout) != pixels)
            err = paced_error(PACED_FAILED, "stdout: cannot be written");
    }
    free(sample.label);
    free(rgb);
    free(image);
    return err;
}

int main(int argc, char **argv) {
    size_t corruption;
    int64_t severity, size, seed, count;
    if (argc != 6 || !paced_parse_int(argv[2], &severity) || severity < 1 || severity > PACED_SEVERITIES ||
        !paced_parse_int(argv[3], &size) || size < 1 || size > 4096 || !paced_parse_int(argv[4], &seed) ||
        !paced_parse_int(argv[5], &count) || count < 1)
        return (int)paced_error(PACED_INVALID, "usage: corrupt NAME SEVERITY SIZE SEED COUNT <image >images");
    if (!paced_corruption_find(argv[1], &corruption))
        return (int)paced_error(PACED_INVALID, "%s: no such corruption; see src/perturb/corruptions.c", argv[1]);
    return (int)corrupt_all(corruption, (int)severity, (int)size, (uint64_t)seed, (size_t)count);
}
