/* augment: the table of augmentations, the parser of lists, and their application to training samples. A new one needs
 * a function, a row, and a line in the manual's table.
 *
 * An argument is the maximum amount; the actual amount is drawn uniformly for each sample and epoch. Flips have
 * probability 1/2; all others are always applied. Amounts and formulas are those of torchvision's RandomAffine and
 * ColorJitter where they exist. Pixels from outside the image are black, and background or ignored. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/perturb/corruptions.h"
#include "src/perturb/warp.h"

/* The moves of a sample's pixels. */
struct augment_moves {
    struct paced_rng *rng;
    struct paced_extent extent;
    struct warp warp;
    unsigned flips; /* the flips in `warp` */
};

/* An augmentation either moves pixels or changes values[count], 0 to 1 before; the caller clamps the results. */
struct augment_kind {
    const char *name;
    int arguments;
    double min, max; /* of each argument */
    const char *example;
    void (*move)(struct augment_moves *moves, const double *arguments);
    void (*look)(struct paced_rng *rng, const double *arguments, float *values, size_t count);
};

static double between(struct paced_rng *rng, double low, double high) {
    return low + (high - low) * paced_rng_uniform(rng);
}

static double around(struct paced_rng *rng, double middle, double max) {
    return between(rng, middle - max, middle + max);
}

/* ---- moves --------------------------------------------------------------------------------------------------- */

static void flip(struct augment_moves *m, unsigned which) {
    if (paced_rng_uniform(m->rng) < 0.5) return;
    m->flips |= which;
    warp_flip(&m->warp, which == PACED_FLIP_H, which == PACED_FLIP_V);
}

static void hflip(struct augment_moves *m, const double *max) {
    flip(m, PACED_FLIP_H);
}

static void vflip(struct augment_moves *m, const double *max) {
    flip(m, PACED_FLIP_V);
}

static void rotate(struct augment_moves *m, const double *max) {
    warp_rotate(&m->warp, around(m->rng, 0, *max));
}

static void scale(struct augment_moves *m, const double *ends) {
    warp_scale(&m->warp, between(m->rng, ends[0], ends[1]));
}

static void translate(struct augment_moves *m, const double *max) {
    double x = around(m->rng, 0, *max * m->extent.width), y = around(m->rng, 0, *max * m->extent.height);
    warp_shift(&m->warp, x, y);
}

static void elastic(struct augment_moves *m, const double *max) {
    warp_elastic(&m->warp, between(m->rng, 0, *max), m->rng, m->extent);
}

/* ---- changes of appearance ----------------------------------------------------------------------------------- */

static void brightness(struct paced_rng *rng, const double *max, float *values, size_t count) {
    float factor = (float)around(rng, 1, *max);
    for (size_t i = 0; i < count; ++i) values[i] *= factor;
}

/* Scales the difference from the image's mean. */
static void contrast(struct paced_rng *rng, const double *max, float *values, size_t count) {
    float factor = (float)around(rng, 1, *max);
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += (double)values[i];
    float mean = (float)(sum / (double)count);
    for (size_t i = 0; i < count; ++i) values[i] = mean + factor * (values[i] - mean);
}

static void gamma_curve(struct paced_rng *rng, const double *max, float *values, size_t count) {
    float exponent = (float)around(rng, 1, *max);
    for (size_t i = 0; i < count; ++i) values[i] = powf(values[i], exponent);
}

static void noise(struct paced_rng *rng, const double *max, float *values, size_t count) {
    double stddev = between(rng, 0, *max);
    for (size_t i = 0; i < count; ++i) values[i] += (float)(stddev * paced_rng_normal(rng));
}

/* ---- the table ----------------------------------------------------------------------------------------------- */

static const struct augment_kind kinds[] = {
    {"hflip", 0, 0, 0, "hflip", .move = hflip},
    {"vflip", 0, 0, 0, "vflip", .move = vflip},
    {"rotate", 1, 0, 180, "rotate(15)", .move = rotate},
    {"scale", 2, 0.1, 10, "scale(0.9, 1.1)", .move = scale},
    {"translate", 1, 0, 1, "translate(0.1)", .move = translate},
    {"elastic", 1, 0, 100, "elastic(30)", .move = elastic},
    {"brightness", 1, 0, 1, "brightness(0.2)", .look = brightness},
    {"contrast", 1, 0, 1, "contrast(0.2)", .look = contrast},
    {"gamma", 1, 0, 0.9, "gamma(0.2)", .look = gamma_curve},
    {"noise", 1, 0, 1, "noise(0.05)", .look = noise},
};
_Static_assert(PACED_COUNT(kinds) <= PACED_AUGMENT_MOST, "a list may have every row once");

/* ---- lists: NAME or NAME(NUMBER, ...), separated by commas ------------------------------------------------------ */

#define BLANKS " \t"

/* Cuts the next part off *rest, up to a comma outside parentheses, without surrounding blanks. */
static char *next_part(char **rest) {
    char *part = *rest + strspn(*rest, BLANKS), *end = part;
    for (int depth = 0; *end && !(*end == ',' && depth == 0); ++end) depth += (*end == '(') - (*end == ')');
    *rest = *end ? end + 1 : NULL;
    *end = '\0';
    while (end > part && strchr(BLANKS, end[-1])) *--end = '\0';
    return part;
}

static const char *kind_name(int i) {
    return i < (int)PACED_COUNT(kinds) ? kinds[i].name : NULL;
}

static enum paced_err find_kind(const char *where, const char *name, size_t *kind) {
    const int found = paced_names_find(kind_name, name);
    *kind = (size_t)found;
    if (found >= 0) return PACED_OK;
    const char *nearest = paced_names_nearest(kind_name, name);
    if (nearest)
        return paced_error_at(PACED_INVALID, where, "'%s' is not an augmentation; did you mean %s?", name, nearest);
    struct paced_text all = {0};
    paced_names_add(&all, kind_name);
    enum paced_err err =
        paced_error_at(PACED_INVALID, where, "'%s' is not an augmentation; choose from %s", name, all.data);
    free(all.data);
    return err;
}

static enum paced_err read_argument(const char *where, const struct augment_kind *kind, const char *text,
                                    double *argument) {
    if (!paced_parse_real(text, argument))
        return paced_error_at(PACED_INVALID, where, "%s: '%s' is not a number; write for example %s", kind->name, text,
                              kind->example);
    if (*argument >= kind->min && *argument <= kind->max) return PACED_OK;
    return paced_error_at(PACED_INVALID, where, "%s: '%s' is out of range; give a number %g to %g", kind->name, text,
                          kind->min, kind->max);
}

/* `text`: the text between the parentheses, or NULL. */
static enum paced_err read_arguments(const char *where, const struct augment_kind *kind, char *text,
                                     double *arguments) {
    int count = 0;
    for (char *rest = text; rest; ++count) {
        const char *part = next_part(&rest);
        if (count < kind->arguments) PACED_TRY(read_argument(where, kind, part, &arguments[count]));
    }
    if (count != kind->arguments)
        return paced_error_at(PACED_INVALID, where, "%s takes %d %s, not %d; write %s", kind->name, kind->arguments,
                              paced_plural((uint64_t)kind->arguments, "argument", "arguments"), count, kind->example);
    if (kind->arguments == 2 && arguments[0] > arguments[1])
        return paced_error_at(PACED_INVALID, where, "%s: %g is above %g; give the smaller number first", kind->name,
                              arguments[0], arguments[1]);
    return PACED_OK;
}

static enum paced_err read_item(struct paced_augment *augment, const char *where, char *text) {
    size_t kind = 0, length = strlen(text);
    char *inner = strchr(text, '(');
    if (length == 0)
        return paced_error_at(PACED_INVALID, where, "a name is missing beside a comma; write none for an empty list");
    if (inner ? strchr(inner, ')') != text + length - 1 : strchr(text, ')') != NULL)
        return paced_error_at(PACED_INVALID, where,
                              "'%s': the parentheses do not match; write for example rotate(15), hflip", text);
    if (inner) {
        text[length - 1] = '\0';
        *inner++ = '\0';
        for (char *end = inner - 1; end > text && strchr(BLANKS, end[-1]);) *--end = '\0';
    }
    if (strcmp(text, "none") == 0)
        return paced_error_at(PACED_INVALID, where, "none cannot be combined with others; remove it, or the others");
    PACED_TRY(find_kind(where, text, &kind));
    for (size_t i = 0; i < augment->count; ++i)
        if (augment->items[i].kind == kind)
            return paced_error_at(PACED_INVALID, where, "%s is given twice; give it once", text);
    struct paced_augment_item *item = &augment->items[augment->count++];
    item->kind = kind;
    return read_arguments(where, &kinds[kind], inner, item->argument);
}

enum paced_err paced_augment_parse(struct paced_augment *augment, const char *where, const char *list) {
    *augment = (struct paced_augment){0};
    if (strcmp(list, "none") == 0) return PACED_OK;
    char *copy = paced_strdup(list);
    enum paced_err err = PACED_OK;
    for (char *rest = copy; rest && !err;) err = read_item(augment, where, next_part(&rest));
    free(copy);
    return err;
}

enum paced_err paced_augment_check(const char *where, const char *list) {
    struct paced_augment augment;
    return paced_augment_parse(&augment, where, list);
}

/* ---- a sample ------------------------------------------------------------------------------------------------ */

static void seed_sample(const struct paced_augment *augment, size_t index, struct paced_rng *rng) {
    paced_rng_seed(rng, augment->seed, PACED_STREAM_AUGMENT + augment->epoch);
    paced_rng_seed(rng, paced_rng_next(rng), index);
}

/* Draws the moves before the changes of appearance, so that they do not depend on them. Release: warp_finish. */
static struct augment_moves draw_moves(const struct paced_augment *augment, struct paced_rng *rng,
                                       struct paced_extent extent) {
    struct augment_moves moves = {.rng = rng, .extent = extent};
    warp_init(&moves.warp);
    for (size_t i = 0; i < augment->count; ++i) {
        const struct paced_augment_item *item = &augment->items[i];
        const struct augment_kind *kind = &kinds[item->kind];
        if (kind->move) kind->move(&moves, item->argument);
    }
    return moves;
}

static void change_looks(const struct paced_augment *augment, struct paced_rng *rng, float *values, size_t count) {
    for (size_t i = 0; i < augment->count; ++i) {
        const struct paced_augment_item *item = &augment->items[i];
        const struct augment_kind *kind = &kinds[item->kind];
        if (!kind->look) continue;
        kind->look(rng, item->argument, values, count);
        clamp_values(values, count);
    }
}

enum paced_err paced_augment_apply(const void *context, size_t index, struct paced_extent extent, float *rgb,
                                   uint8_t *label) {
    const struct paced_augment *augment = context;
    struct paced_sample sample = {extent, rgb, label, augment->outside};
    struct paced_rng rng;
    seed_sample(augment, index, &rng);
    struct augment_moves moves = draw_moves(augment, &rng, extent);
    warp_apply(&moves.warp, BORDER_BLACK, &sample);
    warp_finish(&moves.warp);
    change_looks(augment, &rng, rgb, paced_extent_pixels(extent) * 3);
    return PACED_OK;
}

/* ---- flips --------------------------------------------------------------------------------------------------- */

bool paced_augment_only_flips(const struct paced_augment *augment, unsigned *flips) {
    *flips = 0;
    for (size_t i = 0; i < augment->count; ++i) {
        const struct augment_kind *kind = &kinds[augment->items[i].kind];
        if (kind->move == hflip)
            *flips |= PACED_FLIP_H;
        else if (kind->move == vflip)
            *flips |= PACED_FLIP_V;
        else
            return false;
    }
    return true;
}

unsigned paced_augment_flips(const struct paced_augment *augment, size_t index) {
    struct paced_rng rng;
    seed_sample(augment, index, &rng);
    struct augment_moves moves = draw_moves(augment, &rng, (struct paced_extent){1, 1});
    warp_finish(&moves.warp);
    return moves.flips;
}

enum paced_err paced_flip(const void *context, size_t index, struct paced_extent extent, float *rgb, uint8_t *label) {
    const unsigned flips = *(const unsigned *)context;
    struct paced_sample sample = {extent, rgb, label, 0}; /* flips bring no pixel in */
    struct warp warp;
    warp_init(&warp);
    warp_flip(&warp, flips & PACED_FLIP_H, flips & PACED_FLIP_V);
    warp_apply(&warp, BORDER_BLACK, &sample);
    return PACED_OK;
}
