/* Tuning of matrix products: the setting with the highest geometric mean of the rates over typical products of layers.
 */
#include <math.h>
#include <stdlib.h>

#include "src/run/speed/speed.h"

struct shape {
    int batch, m, n, k;
};

/* Shapes: Winograd's planes over a chunk of tiles at two depths, and over a block of filters for the gradient of the
 * weights; patches times weights, and patches times gradients. */
static const struct shape shapes[] = {
    {36, 448, 64, 64}, {36, 208, 64, 512}, {36, 64, 256, 208}, {1, 3072, 64, 576}, {1, 512, 4608, 208}};
enum { SHAPES = PACED_COUNT(shapes), PRODUCTS_PER_ROUND = 2 };

struct operands {
    struct paced_buffer *a, *b, *c;
};

struct trial {
    const char *name;
    double seconds[SHAPES][TUNE_ROUNDS];
};

size_t tune_products_count(const struct paced_device *device) {
    size_t count = 0;
    while (paced_gemm_setting_at(device, count)) ++count;
    return count;
}

static uint64_t max(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static enum paced_err make_operands(struct paced_device *device, struct operands *o) {
    uint64_t a = 0, b = 0, c = 0;
    for (int s = 0; s < SHAPES; ++s) {
        uint64_t batch = (uint64_t)shapes[s].batch, m = (uint64_t)shapes[s].m, n = (uint64_t)shapes[s].n,
                 k = (uint64_t)shapes[s].k;
        a = max(a, batch * m * k);
        b = max(b, batch * k * n);
        c = max(c, batch * m * n);
    }
    PACED_TRY(paced_buffer_create(&o->a, device, a * sizeof(float)));
    PACED_TRY(paced_buffer_create(&o->b, device, b * sizeof(float)));
    PACED_TRY(paced_buffer_create(&o->c, device, c * sizeof(float)));
    PACED_TRY(tune_fill(o->a, a, 1));
    return tune_fill(o->b, b, 2);
}

static enum paced_err multiply(struct paced_device *device, const struct shape *s, const struct operands *o) {
    if (paced_stop_asked()) return PACED_STOPPED;
    return paced_gemm(device, s->batch, s->m, s->n, s->k, o->a, o->b, 0, o->c);
}

static enum paced_err time_round(struct paced_device *device, struct trial *trial, const struct operands *o,
                                 int round) {
    bool passed;
    PACED_TRY(paced_gemm_use(device, trial->name, &passed));
    for (int s = 0; s < SHAPES; ++s) {
        PACED_TRY(multiply(device, &shapes[s], o)); /* warms up caches */
        PACED_TRY(paced_device_finish(device));
        double start = paced_now_s();
        for (int i = 0; i < PRODUCTS_PER_ROUND; ++i) PACED_TRY(multiply(device, &shapes[s], o));
        PACED_TRY(paced_device_finish(device));
        trial->seconds[s][round] = (paced_now_s() - start) / PRODUCTS_PER_ROUND;
    }
    return PACED_OK;
}

/* Adds a row to the table and returns the geometric mean of the rates, GFLOP/s. */
static double judge(struct tuner *t, struct trial *trial) {
    double logs = 0;
    paced_text_add(&t->table, "%-32s", trial->name);
    for (int i = 0; i < SHAPES; ++i) {
        const struct shape *s = &shapes[i];
        double rate = 2e-9 * s->batch * s->m * s->n * s->k / speed_median(trial->seconds[i], TUNE_ROUNDS);
        paced_text_add(&t->table, "%18.1f", rate);
        logs += log(rate);
    }
    double mean = exp(logs / SHAPES);
    paced_text_add(&t->table, "%10.1f\n", mean);
    return mean;
}

static void begin_table(struct paced_text *table) {
    paced_text_add(table, "%-32s", "matrix products in GFLOP/s");
    for (int s = 0; s < SHAPES; ++s) {
        char text[32];
        snprintf(text, sizeof text, "%dx(%d,%d,%d)", shapes[s].batch, shapes[s].m, shapes[s].n, shapes[s].k);
        paced_text_add(table, "%18s", text);
    }
    paced_text_add(table, "%10s\n", "mean");
}

static enum paced_err find_candidates(struct tuner *t, struct trial *trials, size_t *count) {
    const char *name;
    for (size_t i = 0; *count < TUNE_CANDIDATES && (name = paced_gemm_setting_at(t->device, i)); ++i) {
        bool passed;
        PACED_TRY(paced_gemm_use(t->device, name, &passed));
        if (passed) trials[(*count)++].name = name;
        PACED_TRY(tune_say(t, name, passed ? "verified" : "wrong results, not used"));
    }
    return PACED_OK;
}

static enum paced_err choose(struct tuner *t, struct trial *trials, size_t count) {
    const char *best = NULL;
    double highest = 0;
    begin_table(&t->table);
    for (size_t i = 0; i < count; ++i) {
        double rate = judge(t, &trials[i]);
        if (rate > highest) best = trials[i].name;
        highest = rate > highest ? rate : highest;
    }
    if (!best) return PACED_OK; /* only the plain loop remains */
    bool passed;
    char *note = paced_format("%.0f GFLOP/s", highest);
    paced_tuning_set(paced_device_tuning(t->device), "gemm", "setting", best, note);
    paced_log(PACED_LOG_INFO, "tune: matrix products by %s: %s", best, note);
    free(note);
    return paced_gemm_use(t->device, best, &passed);
}

enum paced_err tune_products(struct tuner *t) {
    struct operands operands = {0};
    struct trial *trials = paced_alloc(TUNE_CANDIDATES, sizeof *trials);
    size_t count = 0;
    enum paced_err err = make_operands(t->device, &operands);
    if (!err) err = find_candidates(t, trials, &count);
    for (int round = 0; round < TUNE_ROUNDS && !err; ++round)
        for (size_t i = 0; i < count && !err; ++i) err = time_round(t->device, &trials[i], &operands, round);
    if (!err) err = choose(t, trials, count);
    free(trials);
    paced_buffer_destroy(operands.c);
    paced_buffer_destroy(operands.b);
    paced_buffer_destroy(operands.a);
    return err;
}
