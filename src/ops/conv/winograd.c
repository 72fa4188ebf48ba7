/* 3x3 convolutions of stride 1 by Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional
 * Neural Networks", 2016): F(4x4,3x3) takes 36 multiplications for 16 outputs where the plain sum takes 144, F(2x2,3x3)
 * 16 for 4 with a tenth of the rounding error. The multiplications of all tiles and channels are one product of
 * matrices for each of the (m + 2)^2 planes, between the transforms of winograd.cl: forward           M[tiles][k]  =
 * V(x)[tiles][c]     U(w)[c][k] backward, data    M[tiles][c]  = V(dy)[tiles][k]    U(w reversed)[k][c],   pad' = 2 -
 * pad backward, weights M[k][c]     += V'(dy)^T[k][tiles] V(x)[tiles][c] A chunk of tiles and a block of outputs at a
 * time, so that all three matrices stay in the cache whatever the layer's size: making one anew costs little beside the
 * product it serves. */
#include "src/ops/conv/conv.h"

/* Bounds of values and of weights, in bytes over all planes, and of their lines. Measured on 2 cores with 1 MiB of
 * second-level cache each and 32 MiB together: within a tenth from half to four times these. */
enum { MAX_VALUES_BYTES = 2 << 20, MAX_WEIGHTS_BYTES = 8 << 20, MIN_ROWS = 112, MAX_ROWS = 496, MIN_OUTPUTS = 64 };

/* A convolution of `source` into `target`, tile by tile: m outputs a side. */
struct walk {
    int m;
    int h, w, c;   /* source */
    int oh, ow, k; /* target */
    int pad;
};

static struct walk forward_walk(const struct conv *v, int m) {
    return (struct walk){m, v->h, v->w, v->c, v->oh, v->ow, v->k, v->pad};
}

static struct walk backward_walk(const struct conv *v, int m) {
    return (struct walk){m, v->oh, v->ow, v->k, v->h, v->w, v->c, 2 - v->pad};
}

static int tiles_down(const struct walk *w) {
    return (w->oh + w->m - 1) / w->m;
}

static int tiles_across(const struct walk *w) {
    return (w->ow + w->m - 1) / w->m;
}

static int planes(const struct walk *w) {
    return (w->m + 2) * (w->m + 2);
}

/* ---- chunks, blocks and the workspace ------------------------------------------------------------------------- */

/* Lines of `line` floats in every plane such that the matrix takes `bytes`, between `least` and `most`, whole tiles. */
static int lines_within(const struct walk *w, int line, int bytes, int least, int most) {
    int lines = bytes / (planes(w) * 4 * line);
    lines = lines < least ? least : lines > most ? most : lines;
    return lines / PACED_GEMM_TILE * PACED_GEMM_TILE;
}

/* `total` in equal parts of at most `most`, whole tiles. */
static int part_of(int total, int most) {
    int parts = (total + most - 1) / most;
    return paced_gemm_pad((total + parts - 1) / parts);
}

static int most_rows(const struct walk *w) {
    return lines_within(w, paced_gemm_pad(w->c), MAX_VALUES_BYTES, MIN_ROWS, MAX_ROWS);
}

/* Outputs of one block: of weights[c][k] as of products[k][c]. */
static int block_outputs(const struct walk *w) {
    int k = paced_gemm_pad(w->k);
    return part_of(k, lines_within(w, paced_gemm_pad(w->c), MAX_WEIGHTS_BYTES, MIN_OUTPUTS, k));
}

/* The three matrices of a product, one after another: values[rows][c]; then weights[c][outputs] and
 * products[rows][outputs], or turned[outputs][rows] and products[outputs][c]. */
struct matrices {
    struct paced_buffer *values, *second, *products;
};

struct layout {
    uint64_t values, second, products;
};

static uint64_t matrix_bytes(const struct walk *w, int rows, int columns) {
    uint64_t bytes = (uint64_t)planes(w) * (uint64_t)rows * (uint64_t)columns * 4;
    return (bytes + 4095) / 4096 * 4096; /* above any device's alignment of sub-buffers */
}

static struct layout product_layout(const struct walk *w) {
    int rows = most_rows(w), c = paced_gemm_pad(w->c), outputs = block_outputs(w);
    return (struct layout){matrix_bytes(w, rows, c), matrix_bytes(w, c, outputs), matrix_bytes(w, rows, outputs)};
}

static struct layout weights_layout(const struct walk *w) {
    int rows = most_rows(w), c = paced_gemm_pad(w->c), outputs = block_outputs(w);
    return (struct layout){matrix_bytes(w, rows, c), matrix_bytes(w, outputs, rows), matrix_bytes(w, outputs, c)};
}

static uint64_t workspace_bytes(const struct conv *v, int m) {
    struct walk f = forward_walk(v, m), b = backward_walk(v, m);
    struct layout layouts[] = {product_layout(&f), product_layout(&b), weights_layout(&f)};
    uint64_t most = 0;
    for (size_t i = 0; i < PACED_COUNT(layouts); ++i) {
        uint64_t bytes = layouts[i].values + layouts[i].second + layouts[i].products;
        most = bytes > most ? bytes : most;
    }
    return most;
}

static enum paced_err take(struct paced_exec *e, struct layout l, struct matrices *m) {
    PACED_TRY(paced_exec_workspace(e, 0, l.values, &m->values));
    PACED_TRY(paced_exec_workspace(e, l.values, l.second, &m->second));
    return paced_exec_workspace(e, l.values + l.second, l.products, &m->products);
}

/* ---- steps ---------------------------------------------------------------------------------------------------- */

struct chunk {
    int tiles;       /* of the whole run */
    int first, rows; /* whole GEMM tiles */
};

struct block {
    int from, outputs; /* whole GEMM tiles */
};

static struct chunk chunk_at(int tiles, int first, int step) {
    int left = tiles - first;
    return (struct chunk){tiles, first, paced_gemm_pad(left < step ? left : step)};
}

static struct block block_at(const struct walk *w, int from, int step) {
    int left = paced_gemm_pad(w->k) - from;
    return (struct block){from, left < step ? left : step};
}

/* Every work-item is heavy. */
static struct paced_range heavy_pixels(int pixels, int vectors) {
    struct paced_range range = paced_range_pixels((uint64_t)pixels, (uint32_t)vectors);
    range.coarse = true;
    return range;
}

/* 16 where both sizes are whole vectors of 16 and the device likes them, else 1: what the kernels that turn matrices
 * over are written for. */
static int turning_vector(struct paced_device *device, int rows, int columns) {
    bool whole = rows % 16 == 0 && columns % 16 == 0;
    return whole && paced_device_vector(device, 16) == 16 ? 16 : 1;
}

static struct paced_range turning_range(int vec, int rows, int columns) {
    uint64_t items = (uint64_t)(rows / vec) * (uint64_t)(columns / vec);
    return vec == 1 ? paced_range_items(items) : paced_range_chunks(items);
}

static enum paced_err transform_input(struct paced_exec *e, const struct walk *w, struct chunk chunk,
                                      const struct paced_buffer *source, struct paced_buffer *values) {
    static const struct paced_kernel kernels[] = {{"winograd.cl", "winograd_input2"},
                                                  {"winograd.cl", "winograd_input4"}};
    struct paced_device *device = paced_exec_device(e);
    int vec = paced_device_vector(device, w->c), vectors = w->c / vec, padded = paced_gemm_pad(w->c) / vec;
    return PACED_LAUNCH(device, &kernels[w->m == 4], heavy_pixels(chunk.rows, padded), vec, PACED_ARG(chunk.tiles),
                        PACED_ARG(chunk.first), PACED_ARG(chunk.rows), PACED_ARG(tiles_down(w)),
                        PACED_ARG(tiles_across(w)), PACED_ARG(w->h), PACED_ARG(w->w), PACED_ARG(vectors),
                        PACED_ARG(padded), PACED_ARG(w->pad), PACED_ARG(source), PACED_ARG(values));
}

static enum paced_err transform_filter(struct paced_exec *e, const struct walk *w, struct block block,
                                       const struct paced_buffer *filter, struct paced_buffer *weights) {
    static const struct paced_kernel kernels[] = {{"winograd.cl", "winograd_filter2"},
                                                  {"winograd.cl", "winograd_filter4"}};
    struct paced_device *device = paced_exec_device(e);
    int c = paced_gemm_pad(w->c), vec = turning_vector(device, w->k, w->c);
    return PACED_LAUNCH(device, &kernels[w->m == 4], turning_range(vec, c, block.outputs), vec, PACED_ARG(block.from),
                        PACED_ARG(block.outputs), PACED_ARG(w->k), PACED_ARG(w->c), PACED_ARG(c), PACED_ARG(filter),
                        PACED_ARG(weights));
}

static enum paced_err reverse_filter(struct paced_exec *e, const struct walk *w, struct block block,
                                     const struct paced_buffer *filter, struct paced_buffer *weights) {
    static const struct paced_kernel kernels[] = {{"winograd.cl", "winograd_reversed2"},
                                                  {"winograd.cl", "winograd_reversed4"}};
    struct paced_device *device = paced_exec_device(e);
    int c = paced_gemm_pad(w->c), vec = paced_device_vector(device, w->k), outputs = block.outputs / vec;
    return PACED_LAUNCH(device, &kernels[w->m == 4], heavy_pixels(c, outputs), vec, PACED_ARG(block.from / vec),
                        PACED_ARG(outputs), PACED_ARG(w->c), PACED_ARG(w->k / vec), PACED_ARG(c), PACED_ARG(filter),
                        PACED_ARG(weights));
}

static enum paced_err transform_output(struct paced_exec *e, const struct walk *w, struct chunk chunk,
                                       struct block block, const struct paced_buffer *products,
                                       const struct paced_buffer *bias, float beta, struct paced_buffer *target) {
    static const struct paced_kernel kernels[] = {{"winograd.cl", "winograd_output2"},
                                                  {"winograd.cl", "winograd_output4"}};
    struct paced_device *device = paced_exec_device(e);
    int left = chunk.tiles - chunk.first, rows = left < chunk.rows ? left : chunk.rows, has_bias = bias != NULL;
    int real = w->k - block.from < block.outputs ? w->k - block.from : block.outputs;
    int vec = paced_device_vector(device, w->k), vectors = real / vec;
    return PACED_LAUNCH(device, &kernels[w->m == 4], heavy_pixels(rows, vectors), vec, PACED_ARG(chunk.first),
                        PACED_ARG(rows), PACED_ARG(chunk.rows), PACED_ARG(tiles_down(w)), PACED_ARG(tiles_across(w)),
                        PACED_ARG(w->oh), PACED_ARG(w->ow), PACED_ARG(block.from / vec), PACED_ARG(vectors),
                        PACED_ARG(w->k / vec), PACED_ARG(block.outputs / vec), PACED_ARG(has_bias), PACED_ARG(products),
                        PACED_ARG(bias ? bias : products), PACED_ARG(beta), PACED_ARG(target));
}

static enum paced_err transform_gradient(struct paced_exec *e, const struct walk *w, struct chunk chunk,
                                         struct block block, const struct paced_buffer *dy,
                                         struct paced_buffer *turned) {
    static const struct paced_kernel kernels[] = {{"winograd.cl", "winograd_turned2"},
                                                  {"winograd.cl", "winograd_turned4"}};
    struct paced_device *device = paced_exec_device(e);
    int vec = turning_vector(device, chunk.rows, w->k);
    return PACED_LAUNCH(device, &kernels[w->m == 4], turning_range(vec, block.outputs, chunk.rows), vec,
                        PACED_ARG(chunk.tiles), PACED_ARG(chunk.first), PACED_ARG(chunk.rows), PACED_ARG(tiles_down(w)),
                        PACED_ARG(tiles_across(w)), PACED_ARG(w->oh), PACED_ARG(w->ow), PACED_ARG(block.from),
                        PACED_ARG(block.outputs), PACED_ARG(w->k), PACED_ARG(dy), PACED_ARG(turned));
}

static enum paced_err transform_taps(struct paced_exec *e, const struct walk *w, struct block block,
                                     const struct paced_buffer *products, struct paced_buffer *dw) {
    static const struct paced_kernel kernels[] = {{"winograd.cl", "winograd_taps2"}, {"winograd.cl", "winograd_taps4"}};
    struct paced_device *device = paced_exec_device(e);
    int real = w->k - block.from < block.outputs ? w->k - block.from : block.outputs;
    int vec = paced_device_vector(device, w->c), vectors = w->c / vec, padded = paced_gemm_pad(w->c) / vec;
    return PACED_LAUNCH(device, &kernels[w->m == 4], heavy_pixels(real, vectors), vec, PACED_ARG(block.from),
                        PACED_ARG(real), PACED_ARG(block.outputs), PACED_ARG(vectors), PACED_ARG(padded),
                        PACED_ARG(products), PACED_ARG(dw));
}

/* ---- the three directions ------------------------------------------------------------------------------------- */

typedef enum paced_err (*filter_transform)(struct paced_exec *, const struct walk *, struct block,
                                           const struct paced_buffer *, struct paced_buffer *);

static enum paced_err convolve(struct paced_exec *e, const struct walk *w, filter_transform transform,
                               const struct paced_buffer *source, const struct paced_buffer *filter,
                               const struct paced_buffer *bias, float beta, struct paced_buffer *target) {
    struct matrices m;
    PACED_TRY(take(e, product_layout(w), &m));
    int tiles = paced_exec_samples(e) * tiles_down(w) * tiles_across(w), c = paced_gemm_pad(w->c);
    int step = part_of(tiles, most_rows(w)), outputs = block_outputs(w);
    for (int first = 0; first < tiles; first += step) {
        struct chunk chunk = chunk_at(tiles, first, step);
        PACED_TRY(transform_input(e, w, chunk, source, m.values));
        for (int from = 0; from < w->k; from += outputs) {
            struct block block = block_at(w, from, outputs);
            if (first == 0 || outputs < w->k) PACED_TRY(transform(e, w, block, filter, m.second));
            PACED_TRY(paced_gemm(paced_exec_device(e), planes(w), chunk.rows, block.outputs, c, m.values, m.second,
                                 0.0f, m.products));
            PACED_TRY(transform_output(e, w, chunk, block, m.products, bias, beta, target));
        }
    }
    return PACED_OK;
}

static enum paced_err correlate(struct paced_exec *e, const struct walk *w, const struct paced_buffer *x,
                                const struct paced_buffer *dy, struct paced_buffer *dw) {
    struct matrices m;
    PACED_TRY(take(e, weights_layout(w), &m));
    int tiles = paced_exec_samples(e) * tiles_down(w) * tiles_across(w), c = paced_gemm_pad(w->c);
    int step = part_of(tiles, most_rows(w)), outputs = block_outputs(w);
    for (int from = 0; from < w->k; from += outputs) {
        struct block block = block_at(w, from, outputs);
        for (int first = 0; first < tiles; first += step) {
            struct chunk chunk = chunk_at(tiles, first, step);
            if (from == 0 || step < tiles) PACED_TRY(transform_input(e, w, chunk, x, m.values));
            PACED_TRY(transform_gradient(e, w, chunk, block, dy, m.second));
            PACED_TRY(paced_gemm(paced_exec_device(e), planes(w), block.outputs, c, chunk.rows, m.second, m.values,
                                 first ? 1.0f : 0.0f, m.products));
        }
        PACED_TRY(transform_taps(e, w, block, m.products, dw));
    }
    return PACED_OK;
}

/* ---- the algorithms ------------------------------------------------------------------------------------------- */

#define ALGORITHM(m)                                                                                                  \
    static uint64_t workspace_bytes##m(const struct conv *v) {                                                        \
        return workspace_bytes(v, m);                                                                                 \
    }                                                                                                                 \
    static enum paced_err forward##m(struct paced_exec *e, const struct conv *v, const struct paced_buffer *x,        \
                                     const struct paced_buffer *w, const struct paced_buffer *bias, float beta,       \
                                     struct paced_buffer *y) {                                                        \
        struct walk walk = forward_walk(v, m);                                                                        \
        return convolve(e, &walk, transform_filter, x, w, bias, beta, y);                                             \
    }                                                                                                                 \
    static enum paced_err backward_data##m(struct paced_exec *e, const struct conv *v, const struct paced_buffer *dy, \
                                           const struct paced_buffer *w, float beta, struct paced_buffer *dx) {       \
        struct walk walk = backward_walk(v, m);                                                                       \
        return convolve(e, &walk, reverse_filter, dy, w, NULL, beta, dx);                                             \
    }                                                                                                                 \
    static enum paced_err backward_weights##m(struct paced_exec *e, const struct conv *v,                             \
                                              const struct paced_buffer *x, const struct paced_buffer *dy,            \
                                              struct paced_buffer *dw) {                                              \
        struct walk walk = forward_walk(v, m);                                                                        \
        return correlate(e, &walk, x, dy, dw);                                                                        \
    }                                                                                                                 \
    const struct conv_algorithm conv_winograd##m = {"winograd" #m, workspace_bytes##m, forward##m, backward_data##m,  \
                                                    backward_weights##m};

ALGORITHM(4)
ALGORITHM(2)
