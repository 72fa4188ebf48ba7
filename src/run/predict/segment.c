/* Segmentation of an image.
 *
 * The image is covered with windows; an image that is resized to the network's size has a single window. A view is a
 * window or its mirror image. Views pass through the network in two alternating batches, so that the host gathers one
 * and blends the other while the device works. */
#include "src/run/predict/segment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/data.h"
#include "src/run/logits.h"
#include "src/run/network.h"
#include "src/run/predict/blend.h"

enum { RING = 2 };

struct slot {
    float *input, *logits; /* [batch][height][width][3], [batch][height][width][classes] */
    struct paced_ticket ticket;
    size_t first; /* index of the first view */
    int count;
};

struct segmenter {
    struct paced_device *device;
    struct network network;
    struct paced_extent extent;
    int fit;                    /* enum paced_fit */
    int classes, batch, passes; /* passes: views per window, 2 with predict.flip */
    double overlap;
    int *column; /* [width]: columns of the image for the columns of a view */
    struct slot ring[RING];
    uint8_t *small; /* [height][width][3]: resized image; NULL with predict.mode = window */
    float *whole;   /* [height][width][classes]: logits of the resized image */
};

/* Image that is being segmented. */
struct job {
    struct segmenter *segmenter;
    const uint8_t *rgb; /* [down.length][across.length][3] */
    struct windows down, across;
    struct blend blend;
    const struct segment_rows *rows;
    int width;          /* of the rows that are delivered */
    uint8_t *label;     /* [width] */
    float *probability; /* [width][classes], or NULL */
};

/* ---- open and close ------------------------------------------------------------------------------------------ */

static void make_buffers(struct segmenter *s, bool squeeze) {
    size_t pixels = paced_extent_pixels(s->extent), classes = (size_t)s->classes;
    s->column = paced_alloc((size_t)s->extent.width, sizeof *s->column);
    for (int i = 0; i < RING; ++i) {
        s->ring[i].input = paced_alloc((size_t)s->batch * pixels * 3, sizeof(float));
        s->ring[i].logits = paced_alloc((size_t)s->batch * pixels * classes, sizeof(float));
    }
    if (squeeze) {
        s->small = paced_alloc(pixels * 3, 1);
        s->whole = paced_alloc(pixels * classes, sizeof *s->whole);
    }
}

enum paced_err segmenter_open(struct segmenter **out, const struct paced_config *config, const char *weights) {
    bool squeeze = config->predict.mode == PACED_PREDICT_RESIZE;
    if (squeeze && config->data.fit == PACED_FIT_CROP) {
        *out = NULL;
        return paced_error(PACED_INVALID, "data.fit = crop leaves no prediction for the edges of an image; set "
                                          "predict.mode = window, or data.fit = pad");
    }
    int passes = config->predict.flip ? 2 : 1;
    struct segmenter *s = paced_alloc(1, sizeof *s);
    *s = (struct segmenter){.extent = config->data.size,
                            .fit = config->data.fit,
                            .classes = (int)config->data.classes,
                            .batch = squeeze ? passes : (int)config->predict.batch,
                            .passes = passes,
                            .overlap = config->predict.overlap};
    *out = NULL;
    enum paced_err err = open_device(&s->device, config);
    if (!err) err = network_open(&s->network, config, s->device, s->batch, PACED_INFERENCE);
    if (!err) err = network_load(&s->network, weights);
    if (err) {
        segmenter_close(s);
        return err;
    }
    make_buffers(s, squeeze);
    *out = s;
    return PACED_OK;
}

void segmenter_close(struct segmenter *s) {
    if (!s) return;
    network_close(&s->network);
    paced_device_close(s->device);
    for (int i = 0; i < RING; ++i) {
        free(s->ring[i].input);
        free(s->ring[i].logits);
    }
    free(s->column);
    free(s->small);
    free(s->whole);
    free(s);
}

/* ---- through the network ------------------------------------------------------------------------------------- */

struct view {
    int i, j; /* the window down and across */
    bool mirrored;
};

static size_t view_count(const struct job *job) {
    return (size_t)job->down.count * (size_t)job->across.count * (size_t)job->segmenter->passes;
}

/* View k, in the order of rows that blend_add requires. */
static struct view view_at(const struct job *job, size_t k) {
    size_t passes = (size_t)job->segmenter->passes, across = (size_t)job->across.count, window = k / passes;
    return (struct view){(int)(window / across), (int)(window % across), k % passes == 1};
}

/* Copies the pixels of a view. Outside the image they are mirrored at the edge pixels. */
static void gather(const struct job *job, struct view view, float *input) {
    const struct segmenter *s = job->segmenter;
    for (int q = 0; q < s->extent.width; ++q) {
        int x = job->across.start[view.j] + (view.mirrored ? s->extent.width - 1 - q : q);
        s->column[q] = windows_mirror(x, job->across.length);
    }
    for (int r = 0; r < s->extent.height; ++r) {
        size_t y = (size_t)windows_mirror(job->down.start[view.i] + r, job->down.length);
        const uint8_t *row = job->rgb + y * (size_t)job->across.length * 3;
        for (int q = 0; q < s->extent.width; ++q, input += 3) {
            const uint8_t *pixel = row + 3 * (size_t)s->column[q];
            for (int c = 0; c < 3; ++c) input[c] = paced_unit(pixel[c]);
        }
    }
}

static enum paced_err start_batch(struct job *job, struct slot *slot, size_t first) {
    struct segmenter *s = job->segmenter;
    size_t left = view_count(job) - first, pixels = paced_extent_pixels(s->extent);
    slot->first = first;
    slot->count = left < (size_t)s->batch ? (int)left : s->batch;
    size_t values = (size_t)slot->count * pixels;
    for (size_t n = 0; n < (size_t)slot->count; ++n) gather(job, view_at(job, first + n), slot->input + n * pixels * 3);
    struct paced_exec *exec = s->network.exec;
    PACED_TRY(paced_buffer_write_later(paced_exec_input(exec), slot->input, values * 3 * sizeof(float)));
    PACED_TRY(paced_exec_forward(exec, slot->count, false));
    return paced_buffer_read_later(paced_exec_output(exec), slot->logits, values * (size_t)s->classes * sizeof(float),
                                   &slot->ticket);
}

static enum paced_err collect_batch(struct job *job, struct slot *slot) {
    struct segmenter *s = job->segmenter;
    size_t values = paced_extent_pixels(s->extent) * (size_t)s->classes;
    PACED_TRY(paced_ticket_wait(&slot->ticket));
    for (size_t n = 0; n < (size_t)slot->count; ++n) {
        struct view view = view_at(job, slot->first + n);
        PACED_TRY(
            blend_add(&job->blend, view.i, view.j, 1.0f / (float)s->passes, view.mirrored, slot->logits + n * values));
    }
    return PACED_OK;
}

static enum paced_err run_views(struct job *job) {
    struct slot *running = NULL, *slot = NULL;
    size_t next = 0, count = view_count(job);
    for (int turn = 0; next < count || running; ++turn, running = slot) {
        if (paced_stop_asked()) return PACED_STOPPED;
        slot = next < count ? &job->segmenter->ring[turn % RING] : NULL;
        if (slot) PACED_TRY(start_batch(job, slot, next));
        if (running) PACED_TRY(collect_batch(job, running));
        if (slot) next += (size_t)slot->count;
    }
    return blend_end(&job->blend);
}

/* ---- rows out ------------------------------------------------------------------------------------------------ */

static void softmax(const float *logits, int classes, int likeliest, float *probability) {
    float sum = 0;
    for (int c = 0; c < classes; ++c) sum += probability[c] = expf(logits[c] - logits[likeliest]);
    for (int c = 0; c < classes; ++c) probability[c] /= sum;
}

/* Delivers row y, whose pixel x has the logits at column[x] (column NULL: at x). */
static enum paced_err deliver(struct job *job, int y, const float *logits, const int *column) {
    size_t classes = (size_t)job->segmenter->classes;
    for (size_t x = 0; x < (size_t)job->width; ++x) {
        const float *pixel = logits + (column ? (size_t)column[x] : x) * classes;
        int best = logits_likeliest(pixel, (int)classes);
        job->label[x] = (uint8_t)best;
        if (job->probability) softmax(pixel, (int)classes, best, job->probability + x * classes);
    }
    return job->rows->take(job->rows->context, y, job->label, job->probability);
}

static enum paced_err take_row(void *context, int y, const float *logits) {
    return deliver(context, y, logits, NULL);
}

static enum paced_err keep_row(void *context, int y, const float *logits) {
    struct segmenter *s = ((struct job *)context)->segmenter;
    size_t values = (size_t)s->extent.width * (size_t)s->classes;
    memcpy(s->whole + (size_t)y * values, logits, values * sizeof *logits);
    return PACED_OK;
}

static enum paced_err stretch(struct job *job, int height) {
    struct segmenter *s = job->segmenter;
    size_t values = (size_t)s->extent.width * (size_t)s->classes;
    int *column = paced_alloc((size_t)job->width, sizeof *column);
    const struct paced_extent image = {height, job->width};
    const struct paced_placement p = paced_fit_place(s->fit, image, s->extent);
    for (int x = 0; x < job->width; ++x) column[x] = paced_fit_index(x, job->width, p.left, p.size.width);
    enum paced_err err = PACED_OK;
    for (int y = 0; y < height && !err; ++y) {
        size_t row = (size_t)paced_fit_index(y, height, p.top, p.size.height);
        err = deliver(job, y, s->whole + row * values, column);
    }
    free(column);
    return err;
}

/* ---- an image ------------------------------------------------------------------------------------------------ */

/* Runs all windows; the blended logits go to `row`. */
static enum paced_err run_windows(struct job *job, const uint8_t *rgb, int width, int height, blend_row *row) {
    struct segmenter *s = job->segmenter;
    job->rgb = rgb;
    windows_lay_out(&job->down, height, s->extent.height, s->overlap);
    windows_lay_out(&job->across, width, s->extent.width, s->overlap);
    blend_start(&job->blend, &job->down, &job->across, s->classes, row, job);
    enum paced_err err = run_views(job), finished = PACED_OK;
    for (int i = 0; i < RING; ++i) /* after an error a batch may be pending */
        if (paced_ticket_wait(&s->ring[i].ticket)) finished = PACED_FAILED;
    blend_finish(&job->blend);
    windows_finish(&job->across);
    windows_finish(&job->down);
    return err ? err : finished;
}

enum paced_err segmenter_run(struct segmenter *s, const uint8_t *rgb, int width, int height,
                             const struct segment_rows *rows) {
    struct job job = {.segmenter = s, .rows = rows, .width = width, .label = paced_alloc((size_t)width, 1)};
    if (rows->probabilities) job.probability = paced_alloc((size_t)width * (size_t)s->classes, sizeof *job.probability);
    enum paced_err err;
    if (s->small) {
        paced_fit_nearest(s->fit, rgb, (struct paced_extent){height, width}, 3, 0, s->small, s->extent);
        err = run_windows(&job, s->small, s->extent.width, s->extent.height, keep_row);
        if (!err) err = stretch(&job, height);
    } else {
        err = run_windows(&job, rgb, width, height, take_row);
    }
    free(job.probability);
    free(job.label);
    return err;
}

struct arrays {
    size_t width, classes;
    uint8_t *label;
    float *probability;
};

static enum paced_err fill_row(void *context, int y, const uint8_t *label, const float *probability) {
    struct arrays *a = context;
    size_t row = (size_t)y * a->width;
    memcpy(a->label + row, label, a->width);
    if (probability)
        memcpy(a->probability + row * a->classes, probability, a->width * a->classes * sizeof *probability);
    return PACED_OK;
}

enum paced_err segmenter_fill(struct segmenter *s, const uint8_t *rgb, int width, int height, uint8_t *label,
                              float *probability) {
    struct arrays arrays = {(size_t)width, (size_t)s->classes, label, probability};
    const struct segment_rows rows = {.probabilities = probability, .take = fill_row, .context = &arrays};
    return segmenter_run(s, rgb, width, height, &rows);
}

const float *segmenter_logits(const struct segmenter *s) {
    return s->whole;
}
