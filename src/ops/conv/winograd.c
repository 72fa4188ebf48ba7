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
#include "src/ops/conv/winograd.h"

/* Limits of V, in bytes over all planes and in rows, measured on 2 cores with 1 MiB of second-level cache each and 32
 * MiB of shared cache. */
enum { MAX_VALUES_BYTES = 2 << 20, MIN_ROWS = 112, MAX_ROWS = 496 };

int64_t conv_winograd_products(const struct conv *v, int m, bool backward_data) {
    struct winograd w = backward_data ? winograd_backward(v, m, 1) : winograd_forward(v, m, 1);
    return (int64_t)winograd_planes(&w) * winograd_tile_count(&w);
}

/* ---- chunks and the workspace ------------------------------------------------------------------------------------ */

/* Rows of whole tiles of the product. */
static int pad_rows(const struct winograd *w, int rows) {
    return w->products ? (rows + 31) / 32 * 32 : paced_gemm_pad(rows);
}

/* Maximum rows of values[rows][c] in each plane. */
static int max_rows(const struct winograd *w) {
    int element = w->products ? 2 : 4, all = pad_rows(w, winograd_tile_count(w));
    int rows = MAX_VALUES_BYTES / (winograd_planes(w) * element * winograd_line(w));
    rows = pad_rows(w, (rows < MIN_ROWS ? MIN_ROWS : rows > MAX_ROWS ? MAX_ROWS : rows) - PACED_GEMM_TILE + 1);
    return all < rows ? all : rows;
}

/* The layout of the workspace: V of a chunk; a matrix of a chunk and a block (M, or V'(dy)^T); and one of a block (U,
 * or the M of backward-weights), or of all blocks if `whole`. */
struct layout {
    int rows, blocks;
    uint64_t values, scratch, persistent; /* bytes; persistent: per block */
    bool whole;
};

static uint64_t layout_bytes(const struct layout *l) {
    return l->values + l->scratch + l->persistent * (uint64_t)(l->whole ? l->blocks : 1);
}

/* w->samples must be the plan's, even in a pass over fewer samples, so that the result fits the plan's workspace. */
static struct layout layout_of(const struct winograd *w, uint64_t limit) {
    int line = winograd_line(w), outputs = winograd_outputs(w);
    struct layout l = {.rows = max_rows(w), .blocks = winograd_blocks(w), .whole = true};
    l.persistent = winograd_sum_bytes(w, line, outputs);
    for (;; l.rows = pad_rows(w, l.rows / 2)) {
        l.values = winograd_operand_bytes(w, l.rows, line);
        l.scratch = winograd_operand_bytes(w, l.rows, outputs);
        if (layout_bytes(&l) <= limit || l.rows == pad_rows(w, 1)) return l;
        l.whole = false;
        if (layout_bytes(&l) <= limit) return l;
    }
}

static struct layout planned_layout(const struct paced_exec *e, const struct winograd *w) {
    struct winograd whole = *w;
    whole.samples = paced_exec_batch(e);
    return layout_of(&whole, paced_exec_workspace_limit(e));
}

static uint64_t workspace_bytes(int m, const struct conv *v, int samples, uint64_t limit) {
    struct winograd geometries[] = {winograd_forward(v, m, samples), winograd_backward(v, m, samples),
                                    winograd_forward(v, m, samples)};
    geometries[2].products = PACED_PRODUCTS_PAIRS;
    uint64_t most = 0;
    for (size_t i = 0; i < PACED_COUNT(geometries); ++i) {
        struct layout l = layout_of(&geometries[i], limit);
        most = layout_bytes(&l) > most ? layout_bytes(&l) : most;
    }
    return most;
}

/* The chunk from tile `first` on. Chunks have about equal sizes. */
static struct chunk chunk_at(const struct winograd *w, const struct layout *l, int first) {
    int all = winograd_tile_count(w), left = all - first, chunks = (all + l->rows - 1) / l->rows;
    int step = pad_rows(w, (all + chunks - 1) / chunks);
    return (struct chunk){first, pad_rows(w, left < step ? left : step)};
}

static enum paced_err take_values(struct paced_exec *e, const struct winograd *w, const struct layout *l,
                                  struct paced_buffer **values, struct paced_buffer **scratch) {
    enum paced_format format = conv_operand_format(w->products);
    PACED_TRY(paced_exec_workspace_as(e, 0, l->values, format, values));
    return paced_exec_workspace_as(e, l->values, l->scratch, format, scratch);
}

static enum paced_err take_persistent(struct paced_exec *e, const struct layout *l, int block,
                                      struct paced_buffer **persistent) {
    uint64_t at = l->values + l->scratch + l->persistent * (uint64_t)(l->whole ? block : 0);
    return paced_exec_workspace(e, at, l->persistent, persistent);
}

/* ---- the three directions ------------------------------------------------------------------------------------- */

/* A convolution's weights. `cached`: a cache of U that outlives the step, or NULL. */
struct filter {
    bool reversed;
    const struct paced_buffer *weights;
    struct paced_buffer *cached;
    bool fresh;
};

static enum paced_err multiply(struct paced_exec *e, const struct winograd *w, int rows, int outputs,
                               const struct paced_buffer *values, const struct paced_buffer *u,
                               struct paced_buffer *products) {
    struct paced_device *device = paced_exec_device(e);
    int line = winograd_line(w);
    return w->blocked ? paced_gemm_blocked(device, winograd_planes(w), rows, outputs, line, values, u, products)
                      : paced_gemm(device, winograd_planes(w), rows, outputs, line, values, u, 0.0f, products);
}

/* U of a block, computed unless it exists already. */
static enum paced_err block_weights(struct paced_exec *e, const struct winograd *w, const struct layout *l,
                                    const struct filter *f, int index, bool first_chunk, struct paced_buffer **u) {
    bool make = f->cached ? f->fresh && first_chunk : first_chunk || !l->whole;
    if (f->cached)
        PACED_TRY(paced_buffer_view(u, f->cached, l->persistent * (uint64_t)index, l->persistent));
    else
        PACED_TRY(take_persistent(e, l, index, u));
    return make ? winograd_filter(e, w, f->reversed, winograd_block(w, index), f->weights, *u) : PACED_OK;
}

static enum paced_err convolve_block(struct paced_exec *e, const struct winograd *w, const struct layout *l,
                                     const struct filter *f, struct chunk chunk, int index,
                                     const struct paced_buffer *values, struct paced_buffer *products) {
    struct paced_buffer *u = NULL;
    enum paced_err err = block_weights(e, w, l, f, index, chunk.first == 0, &u);
    if (!err) err = multiply(e, w, chunk.rows, winograd_block(w, index).outputs, values, u, products);
    if (f->cached) paced_buffer_destroy(u);
    return err;
}

static enum paced_err convolve(struct paced_exec *e, const struct winograd *w, const struct filter *f,
                               const struct source *source, const struct paced_buffer *bias, float beta,
                               struct paced_buffer *target) {
    struct layout l = planned_layout(e, w);
    struct paced_buffer *values, *products;
    PACED_TRY(take_values(e, w, &l, &values, &products));
    for (int first = 0; first < winograd_tile_count(w);) {
        struct chunk chunk = chunk_at(w, &l, first);
        PACED_TRY(winograd_input(e, w, chunk, source, values));
        for (int i = 0; i < l.blocks; ++i) {
            PACED_TRY(convolve_block(e, w, &l, f, chunk, i, values, products));
            PACED_TRY(winograd_output(e, w, chunk, winograd_block(w, i), products, bias, beta, target));
        }
        first += chunk.rows;
    }
    return PACED_OK;
}

/* M of backward-weights: over the first chunk (beta 0) or added to that of the former ones. */
static enum paced_err accumulate(struct paced_exec *e, const struct winograd *w, int outputs, int rows,
                                 const struct paced_buffer *transposed, const struct paced_buffer *values, float beta,
                                 struct paced_buffer *products) {
    struct paced_device *device = paced_exec_device(e);
    int count = winograd_planes(w), line = winograd_line(w);
    if (w->products)
        return paced_multiply_bfloat16(device, w->products, count, outputs, line, rows, line, transposed, values, beta,
                                       products);
    return paced_gemm(device, count, outputs, line, rows, transposed, values, beta, products);
}

/* dw of the blocks from..to. If the workspace holds M of all blocks, the caller passes all of them at once, so that V
 * is computed once; else it passes them one by one. */
static enum paced_err correlate_blocks(struct paced_exec *e, const struct winograd *w, const struct layout *l, int from,
                                       int to, const struct source *x, const struct paced_buffer *dy,
                                       struct paced_buffer *dw) {
    struct paced_buffer *values, *transposed, *products;
    PACED_TRY(take_values(e, w, l, &values, &transposed));
    for (int first = 0; first < winograd_tile_count(w);) {
        struct chunk chunk = chunk_at(w, l, first);
        PACED_TRY(winograd_input(e, w, chunk, x, values));
        for (int i = from; i < to; ++i) {
            struct block block = winograd_block(w, i);
            PACED_TRY(take_persistent(e, l, i, &products));
            PACED_TRY(winograd_gradient(e, w, chunk, block, dy, transposed));
            PACED_TRY(accumulate(e, w, block.outputs, chunk.rows, transposed, values, first ? 1.0f : 0.0f, products));
        }
        first += chunk.rows;
    }
    for (int i = from; i < to; ++i) {
        PACED_TRY(take_persistent(e, l, i, &products));
        PACED_TRY(winograd_taps(e, w, winograd_block(w, i), products, dw));
    }
    return PACED_OK;
}

static enum paced_err forward(struct paced_exec *e, int m, const struct paced_node *node, const struct conv *v,
                              const struct source *x, const struct paced_buffer *weights,
                              const struct paced_buffer *bias, bool blocked, float beta, struct paced_buffer *y) {
    struct winograd w = winograd_forward(v, m, paced_exec_samples(e));
    w.blocked = blocked;
    struct layout l = planned_layout(e, &w);
    struct filter f = {.weights = weights};
    PACED_TRY(paced_exec_cached(e, node, l.persistent * (uint64_t)l.blocks, PACED_FLOAT32, &f.cached, &f.fresh));
    return convolve(e, &w, &f, x, bias, beta, y);
}

static enum paced_err backward_data(struct paced_exec *e, int m, const struct conv *v, const struct paced_buffer *dy,
                                    const struct paced_buffer *weights, bool blocked, float beta,
                                    struct paced_buffer *dx) {
    struct winograd w = winograd_backward(v, m, paced_exec_samples(e));
    w.blocked = blocked;
    struct filter f = {.reversed = true, .weights = weights};
    struct source source = source_of_buffer(dy, (struct paced_shape){v->oh, v->ow, v->k});
    return convolve(e, &w, &f, &source, NULL, beta, dx);
}

static enum paced_err backward_weights(struct paced_exec *e, int m, const struct conv *v, const struct source *x,
                                       const struct paced_buffer *dy, struct paced_buffer *dw) {
    struct winograd w = winograd_forward(v, m, paced_exec_samples(e));
    bool whole = v->c % 16 == 0 && v->k % 16 == 0; /* vectors of the kernels that transpose */
    if (whole) PACED_TRY(conv_products(paced_exec_device(e), paced_exec_precision(e), &w.products));
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
