/* 3x3 convolutions of stride 1 by Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional
 * Neural Networks", 2016): F(4x4,3x3) takes 36 multiplications for 16 outputs where the plain sum takes 144, F(2x2,3x3)
 * 16 for 4. The multiplications of all tiles and channels are one matrix product for each of the (m + 2)^2 planes,
 * between the transforms of winograd.cl:
 *   forward            M[tiles][k]  = V(x)[tiles][c] U(w)[c][k]
 *   backward, data     M[tiles][c]  = V(dy)[tiles][k] U(w reversed)[k][c],   pad' = 2 - pad
 *   backward, weights  M[k][c]     += V'(dy)^T[k][tiles] V(x)[tiles][c]
 * A dilated convolution is dilation^2 dense ones, each over every dilation-th row and column of its source and target;
 * their tiles are interleaved: a tile's rows and columns are `dilation` apart.
 * Tiles are processed in chunks, so that V and M stay in the cache, and each chunk in blocks of outputs, so that the
 * columns of a product are close together. U (or the M of backward-weights) is computed once for all chunks if the
 * workspace holds all of its blocks, else once for each block and chunk. */
#include "src/ops/conv/conv.h"

/* Limits of V, in bytes over all planes and in rows, and the outputs of a block, measured on 2 cores with 1 MiB of
 * second-level cache each and 32 MiB of shared cache. Products of 64 columns reach nine tenths of the device's peak,
 * those of 512 columns two thirds. */
enum { MAX_VALUES_BYTES = 2 << 20, MIN_ROWS = 112, MAX_ROWS = 496, BLOCK_OUTPUTS = 64 };

/* A convolution from source to target in tiles of m x m outputs. */
struct conv_geometry {
    int m, samples;
    int h, w, c;   /* source */
    int oh, ow, k; /* target */
    int pad, dilation;
    bool blocked; /* sums in blocks */
};

static struct conv_geometry forward_geometry(const struct conv *v, int m, int samples) {
    return (struct conv_geometry){m, samples, v->h, v->w, v->c, v->oh, v->ow, v->k, v->pad, v->dilation, false};
}

static struct conv_geometry backward_geometry(const struct conv *v, int m, int samples) {
    int pad = 2 * v->dilation - v->pad;
    return (struct conv_geometry){m, samples, v->oh, v->ow, v->k, v->h, v->w, v->c, pad, v->dilation, false};
}

/* `length` % dilation of the dense convolutions along an axis have one output more than the others. */
static int tiles_along(const struct conv_geometry *w, int length) {
    int outputs = length / w->dilation, longer = length % w->dilation;
    return longer * ((outputs + w->m) / w->m) + (w->dilation - longer) * ((outputs + w->m - 1) / w->m);
}

static int tiles_down(const struct conv_geometry *w) {
    return tiles_along(w, w->oh);
}

static int tiles_across(const struct conv_geometry *w) {
    return tiles_along(w, w->ow);
}

static int tiles_of(const struct conv_geometry *w) {
    return w->samples * tiles_down(w) * tiles_across(w);
}

static int planes(const struct conv_geometry *w) {
    return (w->m + 2) * (w->m + 2);
}

int64_t conv_winograd_products(const struct conv *v, int m, bool backward_data) {
    struct conv_geometry w = backward_data ? backward_geometry(v, m, 1) : forward_geometry(v, m, 1);
    return (int64_t)planes(&w) * tiles_of(&w);
}

/* ---- chunks, blocks and the workspace ------------------------------------------------------------------------- */

/* Floats of a line of channels: whole tiles of the product but not whole pages, because rows that a product reads
 * together would evict each other from the cache (half the speed). */
static int line_floats(int channels) {
    int padded = paced_gemm_pad(channels);
    return padded % 1024 == 0 ? padded + PACED_GEMM_TILE : padded;
}

/* The size of equal parts of `total`, at most `most`, rounded up to whole tiles. */
static int part_of(int total, int most) {
    int parts = (total + most - 1) / most;
    return paced_gemm_pad((total + parts - 1) / parts);
}

/* Maximum rows of values[rows][c] in each plane. */
static int max_rows(const struct conv_geometry *w) {
    int rows = MAX_VALUES_BYTES / (planes(w) * 4 * line_floats(w->c)), all = paced_gemm_pad(tiles_of(w));
    rows = rows < MIN_ROWS ? MIN_ROWS : rows > MAX_ROWS ? MAX_ROWS : rows;
    return all < rows ? all : rows / PACED_GEMM_TILE * PACED_GEMM_TILE;
}

static uint64_t matrix_bytes(const struct conv_geometry *w, int rows, int columns) {
    uint64_t bytes = (uint64_t)planes(w) * (uint64_t)rows * (uint64_t)columns * 4;
    return (bytes + 4095) / 4096 * 4096; /* above any device's alignment of sub-buffers */
}

/* The layout of the workspace: V of a chunk; a matrix of a chunk and a block (M, or V'(dy)^T); and one of a block (U,
 * or the M of backward-weights), or of all blocks if `whole`. */
struct layout {
    int rows, outputs, blocks;
    uint64_t values, scratch, persistent; /* bytes; persistent: per block */
    bool whole;
};

static uint64_t layout_bytes(const struct layout *l) {
    return l->values + l->scratch + l->persistent * (uint64_t)(l->whole ? l->blocks : 1);
}

/* w->samples must be the plan's, even in a pass over fewer samples, so that the result fits the plan's workspace. */
static struct layout layout_of(const struct conv_geometry *w, uint64_t limit) {
    int line = line_floats(w->c);
    struct layout l = {.rows = max_rows(w), .outputs = part_of(paced_gemm_pad(w->k), BLOCK_OUTPUTS), .whole = true};
    l.blocks = (paced_gemm_pad(w->k) + l.outputs - 1) / l.outputs;
    l.persistent = matrix_bytes(w, line, l.outputs);
    for (;; l.rows = paced_gemm_pad(l.rows / 2)) {
        l.values = matrix_bytes(w, l.rows, line);
        l.scratch = matrix_bytes(w, l.rows, l.outputs);
        if (layout_bytes(&l) <= limit || l.rows == PACED_GEMM_TILE) return l;
        l.whole = false;
        if (layout_bytes(&l) <= limit) return l;
    }
}

static struct layout planned_layout(const struct paced_exec *e, const struct conv_geometry *w) {
    struct conv_geometry whole = *w;
    whole.samples = paced_exec_batch(e);
    return layout_of(&whole, paced_exec_workspace_limit(e));
}

static uint64_t workspace_bytes(int m, const struct conv *v, int samples, uint64_t limit) {
    struct conv_geometry geometries[] = {forward_geometry(v, m, samples), backward_geometry(v, m, samples)};
    uint64_t most = 0;
    for (int i = 0; i < 2; ++i) {
        struct layout l = layout_of(&geometries[i], limit);
        most = layout_bytes(&l) > most ? layout_bytes(&l) : most;
    }
    return most;
}

struct chunk {
    int first, rows; /* tiles; rows: whole GEMM tiles */
};

/* The chunk from tile `first` on. Chunks have about equal sizes. */
static struct chunk chunk_at(const struct conv_geometry *w, const struct layout *l, int first) {
    int left = tiles_of(w) - first, step = part_of(tiles_of(w), l->rows);
    return (struct chunk){first, paced_gemm_pad(left < step ? left : step)};
}

/* Outputs from `from` on: whole GEMM tiles, of which the first `real` outputs exist. */
struct block {
    int from, outputs, real;
};

static struct block block_at(const struct conv_geometry *w, const struct layout *l, int index) {
    int from = index * l->outputs, left = paced_gemm_pad(w->k) - from, real = w->k - from;
    return (struct block){from, left < l->outputs ? left : l->outputs, real < l->outputs ? real : l->outputs};
}

static enum paced_err take_values(struct paced_exec *e, const struct layout *l, struct paced_buffer **values,
                                  struct paced_buffer **scratch) {
    PACED_TRY(paced_exec_workspace(e, 0, l->values, values));
    return paced_exec_workspace(e, l->values, l->scratch, scratch);
}

static enum paced_err take_persistent(struct paced_exec *e, const struct layout *l, int block,
                                      struct paced_buffer **persistent) {
    uint64_t at = l->values + l->scratch + l->persistent * (uint64_t)(l->whole ? block : 0);
    return paced_exec_workspace(e, at, l->persistent, persistent);
}

/* ---- steps ---------------------------------------------------------------------------------------------------- */

#define KERNEL_FOR(w, name, in, out)                                       \
    ((w)->m == 4 ? PACED_KERNEL_FOR(winograd, winograd_##name##4, in, out) \
                 : PACED_KERNEL_FOR(winograd, winograd_##name##2, in, out))
#define KERNEL(w, name) KERNEL_FOR(w, name, NULL, NULL)

/* A range of pixels whose work-items are all heavy. */
static struct paced_range heavy_pixels(int pixels, int vectors) {
    struct paced_range range = paced_range_pixels(pixels, vectors);
    range.coarse = true;
    return range;
}

/* The vector width of the kernels that transpose: 16 if both sizes are multiples of 16 and the device handles vectors
 * of 16 well, else 1. */
static int turning_vector(struct paced_device *device, int rows, int columns) {
    bool whole = rows % 16 == 0 && columns % 16 == 0;
    return whole && paced_device_vector(device, 16) == 16 ? 16 : 1;
}

static struct paced_range turning_range(int vec, int rows, int columns) {
    uint64_t items = (uint64_t)(rows / vec) * (uint64_t)(columns / vec);
    return vec == 1 ? paced_range_items(items) : paced_range_chunks(items);
}

/* The first `rows` of the chunk's rows, in runs of `run`. */
static struct winograd_tiles tiles_from(const struct conv_geometry *w, struct chunk chunk, int rows, uint32_t run) {
    return (struct winograd_tiles){tiles_of(w),     chunk.first, rows,  (int)run,   tiles_down(w),
                                   tiles_across(w), w->oh,       w->ow, w->dilation};
}

static enum paced_err transform_input(struct paced_exec *e, const struct conv_geometry *w, struct chunk chunk,
                                      const struct source *source, struct paced_buffer *values) {
    struct paced_device *device = paced_exec_device(e);
    int vec = source_vector(device, source), line = line_floats(w->c) / vec;
    struct paced_range range = paced_range_runs(device, (uint64_t)chunk.rows, (uint32_t)line);
    struct winograd_tiles tiles = tiles_from(w, chunk, chunk.rows, range.run);
    return PACED_LAUNCH(device, KERNEL_FOR(w, input, source->x[0], NULL), range, vec,
                        PACED_STRUCT(winograd_tiles, &tiles), w->h, w->w, line, w->pad, SOURCE_ARGS(source), values);
}

/* U of one block from the weights [k][3][3][c]: transform_filter for forward, reverse_filter for backward-data. */
static enum paced_err transform_filter(struct paced_exec *e, const struct conv_geometry *w, struct block block,
                                       const struct paced_buffer *filter, struct paced_buffer *weights) {
    struct paced_device *device = paced_exec_device(e);
    int line = line_floats(w->c), vec = turning_vector(device, w->k, w->c);
    return PACED_LAUNCH(device, KERNEL(w, filter), turning_range(vec, line, block.outputs), vec, block.from,
                        block.outputs, w->k, w->c, line, filter, weights);
}

static enum paced_err reverse_filter(struct paced_exec *e, const struct conv_geometry *w, struct block block,
                                     const struct paced_buffer *filter, struct paced_buffer *weights) {
    struct paced_device *device = paced_exec_device(e);
    int line = line_floats(w->c), vec = paced_device_vector(device, w->k), outputs = block.outputs / vec;
    return PACED_LAUNCH(device, KERNEL(w, reversed), heavy_pixels(line, outputs), vec, block.from / vec, outputs, w->c,
                        w->k / vec, line, filter, weights);
}

static enum paced_err transform_output(struct paced_exec *e, const struct conv_geometry *w, struct chunk chunk,
                                       struct block block, const struct paced_buffer *products,
                                       const struct paced_buffer *bias, float beta, struct paced_buffer *target) {
    struct paced_device *device = paced_exec_device(e);
    int left = tiles_of(w) - chunk.first, rows = left < chunk.rows ? left : chunk.rows, has_bias = bias != NULL;
    int vec = paced_device_vector(device, w->k), vectors = block.real / vec;
    struct paced_range range = paced_range_runs(device, (uint64_t)rows, (uint32_t)vectors);
    struct winograd_tiles tiles = tiles_from(w, chunk, rows, range.run);
    return PACED_LAUNCH(device, KERNEL_FOR(w, output, NULL, target), range, vec, PACED_STRUCT(winograd_tiles, &tiles),
                        chunk.rows, block.from / vec, vectors, w->k / vec, block.outputs / vec, has_bias, products,
                        bias ? bias : products, beta, target);
}

static enum paced_err transform_gradient(struct paced_exec *e, const struct conv_geometry *w, struct chunk chunk,
                                         struct block block, const struct paced_buffer *dy,
                                         struct paced_buffer *transposed) {
    struct paced_device *device = paced_exec_device(e);
    int vec = turning_vector(device, chunk.rows, w->k);
    struct winograd_tiles tiles = tiles_from(w, chunk, chunk.rows, 1);
    return PACED_LAUNCH(device, KERNEL_FOR(w, transposed, NULL, dy), turning_range(vec, block.outputs, chunk.rows), vec,
                        PACED_STRUCT(winograd_tiles, &tiles), block.from, block.outputs, w->k, dy, transposed);
}

static enum paced_err transform_taps(struct paced_exec *e, const struct conv_geometry *w, struct block block,
                                     const struct paced_buffer *products, struct paced_buffer *dw) {
    struct paced_device *device = paced_exec_device(e);
    int vec = paced_device_vector(device, w->c), vectors = w->c / vec, line = line_floats(w->c) / vec;
    return PACED_LAUNCH(device, KERNEL(w, taps), heavy_pixels(block.real, vectors), vec, block.from, block.real,
                        block.outputs, vectors, line, products, dw);
}

/* ---- the three directions ------------------------------------------------------------------------------------- */

/* The transform of a convolution's weights to U. `cached`: a cache of U that outlives the step, or NULL. */
struct filter {
    enum paced_err (*transform)(struct paced_exec *, const struct conv_geometry *, struct block,
                                const struct paced_buffer *, struct paced_buffer *);
    const struct paced_buffer *weights;
    struct paced_buffer *cached;
    bool fresh;
};

static enum paced_err multiply(struct paced_exec *e, const struct conv_geometry *w, int rows, int outputs,
                               const struct paced_buffer *values, const struct paced_buffer *u,
                               struct paced_buffer *products) {
    struct paced_device *device = paced_exec_device(e);
    int line = line_floats(w->c);
    return w->blocked ? paced_gemm_blocked(device, planes(w), rows, outputs, line, values, u, products)
                      : paced_gemm(device, planes(w), rows, outputs, line, values, u, 0.0f, products);
}

/* U of a block, computed unless it exists already. */
static enum paced_err block_weights(struct paced_exec *e, const struct conv_geometry *w, const struct layout *l,
                                    const struct filter *f, int index, bool first_chunk, struct paced_buffer **u) {
    bool make = f->cached ? f->fresh && first_chunk : first_chunk || !l->whole;
    if (f->cached)
        PACED_TRY(paced_buffer_view(u, f->cached, l->persistent * (uint64_t)index, l->persistent));
    else
        PACED_TRY(take_persistent(e, l, index, u));
    return make ? f->transform(e, w, block_at(w, l, index), f->weights, *u) : PACED_OK;
}

static enum paced_err convolve_block(struct paced_exec *e, const struct conv_geometry *w, const struct layout *l,
                                     const struct filter *f, struct chunk chunk, int index,
                                     const struct paced_buffer *values, struct paced_buffer *products) {
    struct paced_buffer *u = NULL;
    enum paced_err err = block_weights(e, w, l, f, index, chunk.first == 0, &u);
    if (!err) err = multiply(e, w, chunk.rows, block_at(w, l, index).outputs, values, u, products);
    if (f->cached) paced_buffer_destroy(u);
    return err;
}

static enum paced_err convolve(struct paced_exec *e, const struct conv_geometry *w, const struct filter *f,
                               const struct source *source, const struct paced_buffer *bias, float beta,
                               struct paced_buffer *target) {
    struct layout l = planned_layout(e, w);
    struct paced_buffer *values, *products;
    PACED_TRY(take_values(e, &l, &values, &products));
    for (int first = 0; first < tiles_of(w);) {
        struct chunk chunk = chunk_at(w, &l, first);
        PACED_TRY(transform_input(e, w, chunk, source, values));
        for (int i = 0; i < l.blocks; ++i) {
            PACED_TRY(convolve_block(e, w, &l, f, chunk, i, values, products));
            PACED_TRY(transform_output(e, w, chunk, block_at(w, &l, i), products, bias, beta, target));
        }
        first += chunk.rows;
    }
    return PACED_OK;
}

/* dw of the blocks from..to. If the workspace holds M of all blocks, the caller passes all of them at once, so that V
 * is computed once; else it passes them one by one. */
static enum paced_err correlate_blocks(struct paced_exec *e, const struct conv_geometry *w, const struct layout *l,
                                       int from, int to, const struct source *x, const struct paced_buffer *dy,
                                       struct paced_buffer *dw) {
    struct paced_buffer *values, *transposed, *products;
    PACED_TRY(take_values(e, l, &values, &transposed));
    for (int first = 0; first < tiles_of(w);) {
        struct chunk chunk = chunk_at(w, l, first);
        PACED_TRY(transform_input(e, w, chunk, x, values));
        for (int i = from; i < to; ++i) {
            struct block block = block_at(w, l, i);
            PACED_TRY(take_persistent(e, l, i, &products));
            PACED_TRY(transform_gradient(e, w, chunk, block, dy, transposed));
            PACED_TRY(paced_gemm(paced_exec_device(e), planes(w), block.outputs, line_floats(w->c), chunk.rows,
                                 transposed, values, first ? 1.0f : 0.0f, products));
        }
        first += chunk.rows;
    }
    for (int i = from; i < to; ++i) {
        PACED_TRY(take_persistent(e, l, i, &products));
        PACED_TRY(transform_taps(e, w, block_at(w, l, i), products, dw));
    }
    return PACED_OK;
}

static enum paced_err forward(struct paced_exec *e, int m, const struct paced_node *node, const struct conv *v,
                              const struct source *x, const struct paced_buffer *weights,
                              const struct paced_buffer *bias, bool blocked, float beta, struct paced_buffer *y) {
    struct conv_geometry w = forward_geometry(v, m, paced_exec_samples(e));
    w.blocked = blocked;
    struct layout l = planned_layout(e, &w);
    struct filter f = {.transform = transform_filter, .weights = weights};
    PACED_TRY(paced_exec_cached(e, node, l.persistent * (uint64_t)l.blocks, &f.cached, &f.fresh));
    return convolve(e, &w, &f, x, bias, beta, y);
}

static enum paced_err backward_data(struct paced_exec *e, int m, const struct conv *v, const struct paced_buffer *dy,
                                    const struct paced_buffer *weights, bool blocked, float beta,
                                    struct paced_buffer *dx) {
    struct conv_geometry w = backward_geometry(v, m, paced_exec_samples(e));
    w.blocked = blocked;
    struct filter f = {.transform = reverse_filter, .weights = weights};
    struct source source = source_of_buffer(dy, (struct paced_shape){v->oh, v->ow, v->k});
    return convolve(e, &w, &f, &source, NULL, beta, dx);
}

static enum paced_err backward_weights(struct paced_exec *e, int m, const struct conv *v, const struct source *x,
                                       const struct paced_buffer *dy, struct paced_buffer *dw) {
    struct conv_geometry w = forward_geometry(v, m, paced_exec_samples(e));
    struct layout l = planned_layout(e, &w);
    int step = l.whole ? l.blocks : 1;
    for (int from = 0; from < l.blocks; from += step)
        PACED_TRY(correlate_blocks(e, &w, &l, from, from + step, x, dy, dw));
    return PACED_OK;
}

const struct conv_algorithm conv_winograd2 = {"winograd2",     2, workspace_bytes, forward, backward_data,
                                              backward_weights};
const struct conv_algorithm conv_winograd4 = {"winograd4",     4, workspace_bytes, forward, backward_data,
                                              backward_weights};
