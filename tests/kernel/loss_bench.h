/* Loss on the device with a batch of inputs by formula, and the plain loops that it is compared with. */
#ifndef PACED_TESTS_LOSS_BENCH_H
#define PACED_TESTS_LOSS_BENCH_H

#include <stdlib.h>

#include "paced/config.h"
#include "paced/distill.h"
#include "tests/kernel/harness.h"
#include "tests/ref/ref.h"

struct batch {
    int n, h, w, classes;
    bool small;
};

static const struct batch batches[] = {{1, 1, 1, 2, true},    {2, 5, 4, 3, true},    {1, 7, 7, 2, true},
                                       {3, 11, 15, 5, false}, {2, 17, 17, 2, false}, {1, 33, 20, 12, false}};
static char teacher_file[] = "teacher";

struct bench {
    struct batch b;
    struct paced_config config;
    struct paced_objective objective;
    struct paced_loss *loss;
    struct paced_buffer *logits, *dlogits;
    size_t pixels, count; /* count: number of logits */
    float *s, *t;
    uint8_t *labels;
};

static inline struct paced_config config_of(int method) {
    return (struct paced_config){
        .distill = {.method = method, .teacher = teacher_file, .alpha = 0.3, .temperature = 4},
        .uncertainty = {.temperature = 6.26, .kernel = 3, .sigma = 1, .sigma_decay = 1, .beta = 0.3, .smoothing = 0.1},
    };
}

static inline float *scaled(const char *name, size_t count, float scale) {
    float *values = uniform(name, count);
    for (size_t i = 0; i < count; ++i) values[i] *= scale;
    return values;
}

/* Labels in patches, with interiors and edges. */
static inline uint8_t *make_labels(const struct batch *b) {
    uint8_t *labels = paced_alloc((size_t)(b->n * b->h * b->w), 1);
    for (int i = 0; i < b->n * b->h * b->w; ++i) {
        int n = i / (b->h * b->w), y = i / b->w % b->h, x = i % b->w;
        double u = formula_uniform("patches", (uint64_t)((n * 100 + y / 3) * 100 + x / 4));
        labels[i] = (uint8_t)((u + 1) / 2 * b->classes);
    }
    return labels;
}

static inline struct bench start(const struct batch *b, const struct paced_config *config) {
    struct bench bench = {.b = *b, .config = *config};
    bench.pixels = (size_t)(b->n * b->h * b->w);
    bench.count = bench.pixels * (size_t)b->classes;
    bench.s = scaled("s", bench.count, 5);
    bench.t = scaled("t", bench.count, 20);
    bench.labels = make_labels(b);
    assert_ok(paced_objective_init(&bench.objective, &config->distill, &config->uncertainty, &config->pacing));
    assert_ok(paced_loss_create(&bench.loss, harness_device, &bench.objective, true, b->n + 1,
                                (struct paced_extent){b->h, b->w}, b->classes));
    assert_ok(paced_buffer_create(&bench.logits, harness_device, bench.count * sizeof(float)));
    assert_ok(paced_buffer_create(&bench.dlogits, harness_device, bench.count * sizeof(float)));
    return bench;
}

static inline void send(struct bench *k) {
    assert_ok(paced_buffer_write(k->logits, k->s, k->count * sizeof(float)));
    assert_ok(paced_buffer_write(paced_loss_teacher(k->loss), k->t, k->count * sizeof(float)));
    assert_ok(paced_loss_write_labels(k->loss, k->labels, k->b.n));
}

static inline void finish(struct bench *k) {
    paced_loss_destroy(k->loss);
    paced_buffer_destroy(k->logits);
    paced_buffer_destroy(k->dlogits);
    free(k->s);
    free(k->t);
    free(k->labels);
}

static inline float *measure(struct bench *k, int fuse) {
    assert_ok(paced_loss_set_epoch(k->loss, 0.5, k->config.uncertainty.sigma));
    assert_ok(paced_loss_measure(k->loss, k->b.n, fuse));
    return read_floats(paced_loss_uncertainty(k->loss), k->pixels);
}

static inline struct paced_loss_sums run(struct bench *k, double mu, bool with_gradient) {
    struct paced_loss_sums sums;
    assert_ok(paced_loss_set_epoch(k->loss, mu, k->config.uncertainty.sigma));
    assert_ok(paced_loss_run(k->loss, k->logits, k->b.n, with_gradient ? k->dlogits : NULL));
    assert_ok(paced_loss_read_later(k->loss, k->b.n));
    assert_ok(paced_loss_wait(k->loss, &sums));
    return sums;
}

static inline struct ref_uncertainty ref_of(const struct bench *k, int fuse) {
    return (struct ref_uncertainty){.n = k->b.n,
                                    .h = k->b.h,
                                    .w = k->b.w,
                                    .classes = k->b.classes,
                                    .prediction = k->config.uncertainty.prediction,
                                    .boundary = k->config.uncertainty.boundary,
                                    .fuse = fuse,
                                    .tau = k->config.uncertainty.temperature,
                                    .beta = k->config.uncertainty.beta,
                                    .sigma = k->config.uncertainty.sigma,
                                    .kernel = (int)k->config.uncertainty.kernel};
}

static inline double *expected(const struct bench *k, int fuse) {
    struct ref_uncertainty ref = ref_of(k, fuse);
    double *u = paced_alloc(k->pixels, sizeof *u);
    ref_uncertainty(&ref, k->t, k->labels, u);
    return u;
}

/* Targets [n][h][w][classes] by the plain loops. */
static inline double *soft_target(const struct bench *k) {
    double *target = paced_alloc(k->count, sizeof *target), epsilon = k->config.uncertainty.smoothing;
    struct ref_uncertainty ref = ref_of(k, 0);
    int kind = k->objective.target, classes = k->b.classes;
    ref_svls_label(&ref, k->labels, target);
    for (size_t i = 0; kind != PACED_TARGET_SVLS && i < k->count; ++i) {
        double hard = (int)(i % (size_t)classes) == k->labels[i / (size_t)classes];
        target[i] = kind == PACED_TARGET_HARD ? hard : (1 - epsilon) * hard + epsilon / classes;
    }
    return target;
}

/* Plain loss of one pixel as a function of its logits, and its derivative by central differences. */
static inline double differentiate(const struct ref_mixture *m, double *s, const float *t, const double *target,
                                   double *ds) {
    static const double h = 1e-5;
    for (int c = 0; c < m->classes; ++c) {
        double at = s[c];
        s[c] = at + h;
        double above = ref_distill_pixel(m, s, t, target);
        s[c] = at - h;
        ds[c] = (above - ref_distill_pixel(m, s, t, target)) / (2 * h);
        s[c] = at;
    }
    return ref_distill_pixel(m, s, t, target);
}

#endif
