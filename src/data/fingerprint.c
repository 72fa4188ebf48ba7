/* Image fingerprints, and groups of similar images.
 *
 * thumbnail   t[24][24]: grey (the mean of r, g and b), averaged over equal areas of the image
 * fingerprint p = C t C^T without its first entry, divided by its length, then a 0
 *             C[k][i] = sqrt((k ? 2 : 1) / 24) cos(pi k (2 i + 1) / 48), the orthonormal cosine transform
 *
 * C is orthonormal, so p . q is the correlation r of the thumbnails, and |p - q|^2 = 2 (1 - r). Low frequencies come
 * first and hold most of the image. So a few values distinguish different images, and images whose first values differ
 * by more than sqrt(2 (1 - r)) need no comparison. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/data.h"

enum {
    SIDE = PACED_FINGERPRINT_SIDE,
    FLAT = 2, /* offset of flat images: the largest distance between fingerprints of length 1 */
};

/* ---- fingerprint --------------------------------------------------------------------------------------------- */

static double part(int i, int size) {
    return (double)i * size / SIDE;
}

/* Means over equal parts of `size` values that are `step` apart: out[SIDE]. */
static void shrink_line(const double *values, int size, size_t step, double *out) {
    for (int i = 0; i < SIDE; ++i) {
        const double from = part(i, size), to = part(i + 1, size);
        double sum = 0;
        for (int k = (int)from; k < size && k < to; ++k) {
            const double left = k < from ? from : k, right = k + 1 > to ? to : k + 1;
            sum += (right - left) * values[(size_t)k * step];
        }
        out[i] = sum / (to - from);
    }
}

static void make_thumbnail(const struct paced_image *image, double t[SIDE][SIDE]) {
    size_t width = (size_t)image->width, height = (size_t)image->height;
    double *grey = paced_alloc(width, sizeof *grey), *narrow = paced_alloc(height * SIDE, sizeof *narrow);
    for (size_t y = 0; y < height; ++y) {
        const uint8_t *rgb = image->rgb + 3 * y * width;
        for (size_t x = 0; x < width; ++x) grey[x] = (rgb[3 * x] + rgb[3 * x + 1] + rgb[3 * x + 2]) / 3.0;
        shrink_line(grey, image->width, 1, narrow + y * SIDE);
    }
    for (int x = 0; x < SIDE; ++x) {
        double column[SIDE];
        shrink_line(narrow + x, image->height, SIDE, column);
        for (int y = 0; y < SIDE; ++y) t[y][x] = column[y];
    }
    free(narrow);
    free(grey);
}

/* Transforms the rows and transposes. Applied twice, this computes C t C^T. */
static void transform(double in[SIDE][SIDE], double out[SIDE][SIDE]) {
    for (int k = 0; k < SIDE; ++k) {
        const double scale = sqrt((k == 0 ? 1.0 : 2.0) / SIDE);
        double wave[SIDE];
        for (int i = 0; i < SIDE; ++i) wave[i] = scale * cos(M_PI * k * (2 * i + 1) / (2.0 * SIDE));
        for (int y = 0; y < SIDE; ++y) {
            double sum = 0;
            for (int i = 0; i < SIDE; ++i) sum += wave[i] * in[y][i];
            out[k][y] = sum;
        }
    }
}

void paced_fingerprint_take(const struct paced_image *image, float *print) {
    double t[SIDE][SIDE], half[SIDE][SIDE], length = 0;
    make_thumbnail(image, t);
    transform(t, half);
    transform(half, t);
    const double mean = t[0][0];
    t[0][0] = 0;
    for (int y = 0; y < SIDE; ++y)
        for (int x = 0; x < SIDE; ++x) length += t[y][x] * t[y][x];
    length = sqrt(length);
    bool flat = length < 1e-6; /* rounding errors only */
    const double scale = flat ? 0 : 1 / length;
    size_t at = 0;
    for (int sum = 1; sum <= 2 * (SIDE - 1); ++sum) /* diagonals, from low to high frequencies */
        for (int y = sum < SIDE ? 0 : sum - SIDE + 1; y <= sum && y < SIDE; ++y)
            print[at++] = (float)(scale * t[y][sum - y]);
    print[at] = flat ? (float)(FLAT + mean) : 0;
}

/* ---- groups: a disjoint-set forest; all chains end at the least index of a group ----------------------------- */

static size_t root_of(size_t *group, size_t i) {
    while (group[i] != i) i = group[i] = group[group[i]];
    return i;
}

void paced_groups_join(size_t *group, size_t i, size_t j) {
    size_t a = root_of(group, i), b = root_of(group, j);
    group[a > b ? a : b] = a > b ? b : a;
}

void paced_groups_settle(size_t *group, size_t count) {
    for (size_t i = 0; i < count; ++i) group[i] = root_of(group, i);
}

struct entry {
    const float *print;
    size_t image;
};

static int compare(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    for (int k = 0; k < PACED_FINGERPRINT_VALUES; ++k)
        if (x->print[k] != y->print[k]) return x->print[k] < y->print[k] ? -1 : 1;
    return x->image < y->image ? -1 : x->image > y->image;
}

enum { FIRST = 16, LANES = 16, BLOCK = 5 * LANES, TILE = 32 };
_Static_assert((PACED_FINGERPRINT_VALUES - FIRST) % BLOCK == 0, "a fingerprint is its first values and whole blocks");

/* Squared distance |p - q|^2, or any value above `most` once the sum exceeds it. Lanes allow vector code. */
static float distance(const float *restrict p, const float *restrict q, float most) {
    float sum = 0;
    for (int k = 0; k < FIRST; ++k) sum += (p[k] - q[k]) * (p[k] - q[k]);
    for (int k = FIRST; k < PACED_FINGERPRINT_VALUES && sum <= most; k += BLOCK) {
        float lane[LANES] = {0};
        for (int i = 0; i < BLOCK; i += LANES)
            for (int l = 0; l < LANES; ++l) lane[l] += (p[k + i + l] - q[k + i + l]) * (p[k + i + l] - q[k + i + l]);
        for (int l = 0; l < LANES; ++l) sum += lane[l];
    }
    return sum;
}

static void join(size_t *group, float *like, size_t i, size_t j, float likeness) {
    paced_groups_join(group, i, j);
    if (likeness > like[i]) like[i] = likeness;
    if (likeness > like[j]) like[j] = likeness;
}

/* Joins equal fingerprints and keeps the first of each; returns the number kept. */
static size_t join_equal(struct entry *entries, size_t count, size_t *group, float *like) {
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
        bool equal = kept > 0 &&
                     memcmp(entries[kept - 1].print, entries[i].print, PACED_FINGERPRINT_VALUES * sizeof(float)) == 0;
        if (equal)
            join(group, like, entries[kept - 1].image, entries[i].image, 1);
        else
            entries[kept++] = entries[i];
    }
    return kept;
}

/* Compares entry j with the entries before it in [first, last). */
static void compare_with(const struct entry *entries, size_t j, size_t first, size_t last, float most, size_t *group,
                         float *like) {
    float reach = sqrtf(most);
    for (size_t i = first; i < last && i < j; ++i) {
        if (entries[j].print[0] - entries[i].print[0] > reach) continue;
        float d = distance(entries[i].print, entries[j].print, most);
        if (d <= most) join(group, like, entries[i].image, entries[j].image, 1 - d / 2);
    }
}

void paced_fingerprint_group(const float *const *prints, size_t count, double threshold, size_t *group, float *like) {
    struct entry *entries = paced_alloc(count + 1, sizeof *entries);
    float most = (float)(2 * (1 - threshold)), reach = sqrtf(most);
    size_t n = 0;
    for (size_t i = 0; i < count; ++i) {
        group[i] = i;
        like[i] = 0;
        if (prints[i]) entries[n++] = (struct entry){prints[i], i};
    }
    qsort(entries, n, sizeof *entries, compare);
    n = join_equal(entries, n, group, like);
    for (size_t first = 0; first < n && !paced_stop_asked(); first += TILE) { /* a tile stays in the CPU cache */
        size_t last = first + TILE < n ? first + TILE : n;
        for (size_t j = first + 1; j < n && entries[j].print[0] - entries[last - 1].print[0] <= reach; ++j)
            compare_with(entries, j, first, last, most, group, like);
    }
    paced_groups_settle(group, count);
    free(entries);
}
