/* Blending of overlapping windows. */
#include "src/run/predict/blend.h"

#include <stdlib.h>
#include <string.h>

static size_t row_values(const struct blend *b) {
    return (size_t)b->across->length * (size_t)b->classes;
}

void blend_start(struct blend *b, const struct windows *down, const struct windows *across, int classes, blend_row *row,
                 void *context) {
    int kept = down->length < down->size ? down->length : down->size;
    *b = (struct blend){down, across, classes, kept, .row = row, .context = context};
    b->sum = paced_alloc((size_t)kept * row_values(b), sizeof *b->sum);
}

void blend_finish(struct blend *b) {
    free(b->sum);
    *b = (struct blend){0};
}

/* Delivers the rows before `end`. The others move up, followed by zeros. */
static enum paced_err give_rows(struct blend *b, int end) {
    if (end <= b->next) return PACED_OK;
    size_t row = row_values(b), given = (size_t)(end - b->next), rest = (size_t)b->kept - given;
    for (size_t r = 0; r < given; ++r) PACED_TRY(b->row(b->context, b->next + (int)r, b->sum + r * row));
    memmove(b->sum, b->sum + given * row, rest * row * sizeof *b->sum);
    memset(b->sum + rest * row, 0, given * row * sizeof *b->sum);
    b->next = end;
    return PACED_OK;
}

/* Adds one row of a window with the factor `part`. */
static void add_row(const struct blend *b, int j, float part, bool mirrored, const float *logits, float *sum) {
    const struct windows *w = b->across;
    const float *share = w->share + (size_t)j * (size_t)w->size;
    int start = w->start[j], first = start < 0 ? -start : 0;
    int end = start + w->size > w->length ? w->length - start : w->size;
    for (int t = first; t < end; ++t) {
        const float *from = logits + (size_t)(mirrored ? w->size - 1 - t : t) * (size_t)b->classes;
        float *to = sum + (size_t)(start + t) * (size_t)b->classes, weight = part * share[t];
        for (int c = 0; c < b->classes; ++c) to[c] += weight * from[c];
    }
}

enum paced_err blend_add(struct blend *b, int i, int j, float part, bool mirrored, const float *logits) {
    const struct windows *w = b->down;
    PACED_TRY(give_rows(b, w->start[i]));
    for (int t = 0; t < w->size; ++t) {
        int y = w->start[i] + t;
        if (y < 0 || y >= w->length) continue;
        add_row(b, j, part * w->share[(size_t)i * (size_t)w->size + (size_t)t], mirrored,
                logits + (size_t)t * (size_t)b->across->size * (size_t)b->classes,
                b->sum + (size_t)(y - b->next) * row_values(b));
    }
    return PACED_OK;
}

enum paced_err blend_end(struct blend *b) {
    return give_rows(b, b->down->length);
}
