/* Census of a data set. The sums are independent of the order of the pairs. */
#include "src/data/census.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LABELS = PACED_IGNORED + 1 };

void census_note(struct paced_occurrences *o, size_t i) {
    if (o->count == 0 || i < o->first) o->first = i;
    ++o->count;
}

/* Counts the labels of one mask; true if it has foreground. */
static bool count_labels(struct paced_census *census, int state, const uint8_t *label, size_t pixels) {
    uint64_t counts[LABELS] = {0};
    bool foreground = false;
    for (size_t k = 0, end; k < pixels; k = end) { /* runs, because neighbours mostly share a label */
        for (end = k + 1; end < pixels && label[end] == label[k];) ++end;
        counts[label[k]] += end - k;
    }
    for (int c = 0; c < LABELS; ++c) {
        census->pixels[state][c] += counts[c];
        census->holders[state][c] += counts[c] > 0;
        foreground |= c > 0 && c < PACED_IGNORED && counts[c] > 0;
    }
    return foreground;
}

/* True if many pixels have many values, unlike a mask with soft edges. */
static bool is_photo(const struct paced_mask *mask) {
    enum { GREYS = 16, PART = 4 };
    return mask->greys >= GREYS && PART * mask->unmapped > (size_t)mask->width * (size_t)mask->height;
}

static size_t count_foreground(const uint8_t *label, size_t count, size_t step) {
    size_t foreground = 0;
    for (size_t k = 0; k < count; ++k) foreground += label[k * step] > 0 && label[k * step] < PACED_IGNORED;
    return foreground;
}

/* True for foreground along most of the edge, where objects rarely are. */
static bool is_inverted(const struct paced_mask *mask) {
    const size_t width = (size_t)mask->width, height = (size_t)mask->height;
    const uint8_t *label = mask->label;
    size_t foreground = count_foreground(label, width, 1) + count_foreground(label + (height - 1) * width, width, 1) +
                        count_foreground(label, height, width) + count_foreground(label + width - 1, height, width);
    return foreground > width + height;
}

void census_add(struct paced_census *census, size_t i, const struct paced_mask *mask, const uint8_t *resized,
                size_t pixels) {
    ++census->images;
    bool drawn = count_labels(census, PACED_IN_FILES, mask->label, (size_t)mask->width * (size_t)mask->height);
    bool left = count_labels(census, PACED_AT_SIZE, resized, pixels);
    if (!drawn) census_note(&census->empty, i);
    if (drawn && !left) census_note(&census->lost, i);
    census->unmapped += mask->unmapped;
    if (mask->unmapped > 0) census_note(&census->odd, i);
    if (is_photo(mask)) census_note(&census->photo, i);
    if (mask->white > 0 && is_inverted(mask)) census_note(&census->inverted, i);
    if (mask->white > 0) census_note(&census->white[mask->white == 1 ? 0 : mask->white == 255 ? 1 : 2], i);
}

/* ---- report -------------------------------------------------------------------------------------------------- */

struct report {
    const struct paced_census *census;
    const struct paced_masks *masks;
    const struct paced_split *split;
    struct paced_extent extent;
    const struct paced_value_range *range;
};

static uint64_t sum_of(const uint64_t *pixels, int from, int to) {
    uint64_t sum = 0;
    for (int c = from; c < to; ++c) sum += pixels[c];
    return sum;
}

/* Masks in which every pixel, or most of them, have the same meaning. */
static void report_foreground(const struct report *r) {
    enum { MUCH = 50 }; /* percent */
    const uint64_t *pixels = r->census->pixels[PACED_IN_FILES];
    const char *path = r->split->path;
    const uint64_t foreground = sum_of(pixels, 1, PACED_IGNORED), all = foreground + pixels[0];
    if (all == 0) {
        paced_log(PACED_LOG_WARN, "%s: all mask pixels are ignored; check data.ignore and the masks", path);
    } else if (foreground == 0) {
        paced_log(PACED_LOG_WARN,
                  "%s: no mask has foreground: every pixel is of class 0; check data.dataset, data.threshold and the "
                  "masks",
                  path);
    } else if (pixels[0] == 0 && r->masks->kind->classes == 2) {
        paced_log(PACED_LOG_WARN,
                  "%s: all of every mask is foreground; check data.dataset and the masks (drawn in the alpha channel?)",
                  path);
    } else if (r->census->inverted.count > 0) {
        const struct paced_occurrences *inverted = &r->census->inverted;
        paced_log(PACED_LOG_WARN,
                  "%s: %zu of %zu masks have foreground along most of their edge, first %s; check that they are not "
                  "inverted",
                  path, inverted->count, r->census->images, r->split->pairs[inverted->first].mask);
    } else if (r->masks->kind->classes == 2 && 100 * foreground > MUCH * all) {
        paced_log(PACED_LOG_WARN, "%s: %.1f%% of the mask pixels are foreground; check that the masks are not inverted",
                  path, 100 * (double)foreground / (double)all);
    }
}

/* Classes without a pixel: in no file, or only at the size of the network. */
static void report_classes(const struct report *r, int state, const char *what) {
    const size_t *holders = r->census->holders[state];
    struct paced_text list = {0};
    size_t count = 0;
    for (int c = 1; c < r->masks->classes; ++c) {
        if (holders[c] > 0 || (state == PACED_AT_SIZE && r->census->holders[PACED_IN_FILES][c] == 0)) continue;
        const char *name = paced_masks_class_name(r->masks, c);
        paced_text_add(&list, "%s%d", count++ ? ", " : "", c);
        if (name) paced_text_add(&list, " (%s)", name);
    }
    if (count > 0)
        paced_log(PACED_LOG_WARN, "%s: no mask has %s %s%s", r->split->path, paced_plural(count, "class", "classes"),
                  list.data, what);
    free(list.data);
}

static void report_lost(const struct report *r) {
    const struct paced_census *census = r->census;
    if (census->lost.count == 0) return;
    char *size = paced_extent_text(r->extent);
    size_t drawn = census->images - census->empty.count;
    paced_log(PACED_LOG_WARN, "%s: %zu of %zu masks lose all foreground at data.size = %s, first %s; use a larger size",
              r->split->path, census->lost.count, drawn, size, r->split->pairs[census->lost.first].mask);
    free(size);
}

static void report_values(const struct report *r) {
    const struct paced_census *census = r->census;
    const struct paced_occurrences *white = census->white;
    if (census->unmapped > 0) {
        char *text = paced_masks_unmapped_text(r->masks, census->unmapped);
        paced_log(PACED_LOG_WARN, "%s: %s, first in %s", r->split->path, text, r->split->pairs[census->odd.first].mask);
        free(text);
    }
    if (census->photo.count > 0)
        paced_log(
            PACED_LOG_WARN,
            "%s: %zu of %zu masks have the values of a photograph, first %s; check that the split lists each image "
            "before its mask",
            r->split->path, census->photo.count, census->images, r->split->pairs[census->photo.first].mask);
    if ((white[0].count > 0) + (white[1].count > 0) + (white[2].count > 0) > 1) {
        int rare = 0;
        for (int w = 1; w < 3; ++w)
            if (white[w].count > 0 && (white[rare].count == 0 || white[w].count < white[rare].count)) rare = w;
        paced_log(PACED_LOG_WARN,
                  "%s: white is not the same value in all masks: %zu of %zu differ, first %s; check them",
                  r->split->path, white[rare].count, white[0].count + white[1].count + white[2].count,
                  r->split->pairs[white[rare].first].mask);
    }
}

static void report_images(const struct report *r) {
    const struct paced_occurrences *clipped = &r->census->clipped;
    if (clipped->count > 0)
        paced_log(PACED_LOG_WARN,
                  "%s: %zu of %zu images have values outside data.range = %g,%g, which become black or white, first %s",
                  r->split->path, clipped->count, r->census->images, r->range->low, r->range->high,
                  r->split->pairs[clipped->first].image);
    const struct paced_occurrences *rotated = &r->census->rotated, *faulty = &r->census->faulty;
    if (rotated->count > 0)
        paced_log(PACED_LOG_WARN,
                  "%s: the EXIF orientation of %zu %s is ignored, first of %s; masks are expected to "
                  "match the stored pixels",
                  r->split->path, rotated->count, paced_plural(rotated->count, "image", "images"),
                  r->split->pairs[rotated->first].image);
    if (faulty->count > 0)
        paced_log(PACED_LOG_WARN, "%s: %zu %s a harmless fault, first %s (%s)", r->split->path, faulty->count,
                  paced_plural(faulty->count, "image has", "images have"), r->split->pairs[faulty->first].image,
                  r->census->fault);
}

void census_report(const struct paced_census *census, const struct paced_masks *masks, const struct paced_split *split,
                   struct paced_extent extent, const struct paced_value_range *range) {
    const struct report r = {census, masks, split, extent, range};
    report_values(&r);
    report_foreground(&r);
    if (sum_of(census->pixels[PACED_IN_FILES], 1, PACED_IGNORED) > 0) {
        report_classes(&r, PACED_IN_FILES, "; check data.classes and the masks");
        report_lost(&r);
        if (masks->classes > 2) report_classes(&r, PACED_AT_SIZE, " at data.size; use a larger size");
    }
    report_images(&r);
}
