/* 3x3 convolutions of stride 1 by Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional
 * Neural Networks", 2016): F(4x4,3x3) takes 36 multiplications for 16 outputs where the plain sum takes 144, F(2x2,3x3)
 * 16 for 4. The multiplications of all tiles and channels are one product of matrices for each of the (m + 2)^2 planes,
 * between the transforms of winograd.cl:
 *   forward            M[tiles][k]  = V(x)[tiles][c] U(w)[c][k]
 *   backward, data     M[tiles][c]  = V(dy)[tiles][k] U(w reversed)[k][c],   pad' = 2 - pad
 *   backward, weights  M[k][c]     += V'(dy)^T[k][tiles] V(x)[tiles][c]
 * A dilated convolution is dilation^2 dense ones, each over every dilation-th row and column of its source and target;
 * their tiles lie side by side: a tile's rows and columns are `dilation` apart.
 * A chunk of tiles at a time, so that V and M stay in the cache, and of each chunk a block of outputs at a time, so
 * that a product's columns do not lie far apart. U (or the M of backward-weights) is made once for all chunks where the
 * workspace holds all of its blocks; else once for each block and chunk. */
#include "src/ops/conv/conv.h"

/* Measured on 2 cores with 1 MiB of second-level cache each and 32 MiB together. Bytes of V over all planes, its rows,
 * and the outputs of a block: products of 64 columns reach nine tenths of the device's peak, those of 512 two thirds.
 */
enum { MAX_VALUES_BYTES = 2 << 20, MIN_ROWS = 112, MAX_ROWS = 496, BLOCK_OUTPUTS = 64 };

/* A convolution of `source` into `target`, tile by tile: m outputs a side. */
struct walk {
    int m, samples;
    int h, w, c;   /* source */
    int oh, ow, k; /* target */
    int pad, dilation;
    bool careful; /* products */
};

static struct walk forward_walk(const struct conv *v, int m, int samples) {
    return (struct walk){m, samples, v->h, v->w, v->c, v->oh, v->ow, v->k, v->pad, v->dilation, false};
}

static struct walk backward_walk(const struct conv *v, int m, int samples) {
    int pad = 2 * v->dilation - v->pad;
    return (struct walk){m, samples, v->oh, v->ow, v->k, v->h, v->w, v->c, pad, v->dilation, false};
}

/* Of the dense convolutions along an axis, `length` % dilation have one output more than the others. */
static int tiles_along(const struct walk *w, int length) {
    int outputs = length / w->dilation, longer = length % w->dilation;
    return longer * ((outputs + w->m) / w->m) + (w->dilation - longer) * ((outputs + w->m - 1) / w->m);
}

static int tiles_down(const struct walk *w) {
    return tiles_along(w, w->oh);
}

static int tiles_across(const struct walk *w) {
    return tiles_along(w, w->ow);
}

static int tiles_of(const struct walk *w) {
    return w->samples * tiles_down(w) * tiles_across(w);
}

static int planes(const struct walk *w) {
    return (w->m + 2) * (w->m + 2);
}

int64_t conv_winograd_products(const struct conv *v, int m, bool backward_data) {
    struct walk w = backward_data ? backward_walk(v, m, 1) : forward_walk(v, m, 1);
    return (int64_t)planes(&w) * tiles_of(&w);
}

/* ---- chunks, blocks and the workspace ------------------------------------------------------------------------- */

/* Floats of a line of channels: whole tiles of the product, but not whole pages, since then the rows that a product
 * reads side by side would push each other out of the cache (half the speed). */
static int line_floats(int channels) {
    int padded = paced_gemm_pad(channels);
    return padded % 1024 == 0 ? padded + PACED_GEMM_TILE : padded;
}

/* `total` in equal parts of at most `most`, whole tiles. */
static int part_of(int total, int most) {
    int parts = (total + most - 1) / most;
    return paced_gemm_pad((total + parts - 1) / parts);
}

/* Most rows of values[rows][c] in every plane. */
static int most_rows(const struct walk *w) {
    int rows = MAX_VALUES_BYTES / (planes(w) * 4 * line_floats(w->c)), all = paced_gemm_pad(tiles_of(w));
    rows = rows < MIN_ROWS ? MIN_ROWS : rows > MAX_ROWS ? MAX_ROWS : rows;
    return all < rows ? all : rows / PACED_GEMM_TILE * PACED_GEMM_TILE;
}

static uint64_t matrix_bytes(const struct walk *w, int rows, int columns) {
    uint64_t bytes = (uint64_t)planes(w) * (uint64_t)rows * (uint64_t)columns * 4;
    return (bytes + 4095) / 4096 * 4096; /* above any device's alignment of sub-buffers */
}

/* How the workspace is laid out: V of a chunk; a matrix of a chunk and a block (M, or V'(dy)^T); and one of a block (U,
 * or the M of backward-weights), of all blocks where `whole`. */
struct layout {
    int rows, outputs, blocks;
    uint64_t values, passing, lasting; /* bytes; lasting: of one block */
    bool whole;
};

static uint64_t layout_bytes(const struct layout *l) {
    return l->values + l->passing + l->lasting * (uint64_t)(l->whole ? l->blocks : 1);
}

/* w->samples are the plan's, also in a pass over fewer: the plan's workspace must hold. */
static struct layout layout_of(const struct walk *w, uint64_t limit) {
    int line = line_floats(w->c);
    struct layout l = {.rows = most_rows(w), .outputs = part_of(paced_gemm_pad(w->k), BLOCK_OUTPUTS), .whole = true};
    l.blocks = (paced_gemm_pad(w->k) + l.outputs - 1) / l.outputs;
    l.lasting = matrix_bytes(w, line, l.outputs);
    for (;; l.rows = paced_gemm_pad(l.rows / 2)) {
        l.values = matrix_bytes(w, l.rows, line);
        l.passing = matrix_bytes(w, l.rows, l.outputs);
        if (layout_bytes(&l) <= limit || l.rows == PACED_GEMM_TILE) return l;
        l.whole = false;
        if (layout_bytes(&l) <= limit) return l;
    }
}

static struct layout planned_layout(const struct paced_exec *e, const struct walk *w) {
    struct walk whole = *w;
    whole.samples = paced_exec_batch(e);
    return layout_of(&whole, paced_exec_workspace_limit(e));
}

static uint64_t workspace_bytes(const struct conv *v, int m, int samples, uint64_t limit) {
    struct walk walks[] = {forward_walk(v, m, samples), backward_walk(v, m, samples)};
    uint64_t most = 0;
    for (int i = 0; i < 2; ++i) {
        struct layout l = layout_of(&walks[i], limit);
        most = layout_bytes(&l) > most ? layout_bytes(&l) : most;
    }
    return most;
}

struct chunk {
    int first, rows; /* tiles; rows: whole GEMM tiles */
};

/* The chunk from tile `first` on: chunks are about equal. */
static struct chunk chunk_at(const struct walk *w, const struct layout *l, int first) {
    int left = tiles_of(w) - first, step = part_of(tiles_of(w), l->rows);
    return (struct chunk){first, paced_gemm_pad(left < step ? left : step)};
}

/* Outputs from `from` on, whole GEMM tiles; `real` of them are there. */
struct block {
    int from, outputs, real;
};

static struct block block_at(const struct walk *w, const struct layout *l, int index) {
    int from = index * l->outputs, left = paced_gemm_pad(w->k) - from, real = w->k - from;
    return (struct block){from, left < l->outputs ? left : l->outputs, real < l->outputs ? real : l->outputs};
}

static enum paced_err take_values(struct paced_exec *e, const struct layout *l, struct paced_buffer **values,
                                  struct paced_buffer **passing) {
    PACED_TRY(paced_exec_workspace(e, 0, l->values, values));
    return paced_exec_workspace(e, l->values, l->passing, passing);
}

static enum paced_err take_lasting(struct paced_exec *e, const struct layout *l, int block,
                                   struct paced_buffer **lasting) {
    uint64_t at = l->values + l->passing + l->lasting * (uint64_t)(l->whole ? block : 0);
    return paced_exec_workspace(e, at, l->lasting, lasting);
}

/* ---- steps ---------------------------------------------------------------------------------------------------- */

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
                                      const struct source *source, struct paced_buffer *values) {
    static const struct paced_kernel kernels[] = {{"winograd.cl", "winograd_input2"},
                                                  {"winograd.cl", "winograd_input4"}};
    struct paced_device *device = paced_exec_device(e);
    int vec = source_vector(device, source), line = line_floats(w->c) / vec;
    struct paced_range range = paced_range_runs(device, (uint64_t)chunk.rows, (uint32_t)line);
    return PACED_LAUNCH(device, &kernels[w->m == 4], range, vec, PACED_ARG(tiles_of(w)), PACED_ARG(chunk.first),
                        PACED_ARG(chunk.rows), PACED_ARG(range.run), PACED_ARG(tiles_down(w)),
                        PACED_ARG(tiles_across(w)), PACED_ARG(w->oh), PACED_ARG(w->ow), PACED_ARG(w->dilation),
                        PACED_ARG(w->h), PACED_ARG(w->w), PACED_ARG(line), PACED_ARG(w->pad),
                        PACED_ARG_SOURCE(source, vec), PACED_ARG(values));
}

/* U of one block from the weights [k][3][3][c]: for a forward convolution, and for one of the gradient. */
static enum paced_err transform_filter(struct paced_exec *e, const struct walk *w, struct block block,
                                       const struct paced_buffer *filter, struct paced_buffer *weights) {
    static const struct paced_kernel kernels[] = {{"winograd.cl", "winograd_filter2"},
                                                  {"winograd.cl", "winograd_filter4"}};
    struct paced_device *device = paced_exec_device(e);
    int line = line_floats(w->c), vec = turning_vector(device, w->k, w->c);
    return PACED_LAUNCH(device, &kernels[w->m == 4], turning_range(vec, line, block.outputs), vec,
                        PACED_ARG(block.from), PACED_ARG(block.outputs), PACED_ARG(w->k), PACED_ARG(w->c),
                        PACED_ARG(line), PACED_ARG(filter), PACED_ARG(weights));
}

static enum paced_err reverse_filter(struct paced_exec *e, const struct walk *w, struct block block,
                                     const struct paced_buffer *filter, struct paced_buffer *weights) {
    static const struct paced_kernel kernels[] = {{"winograd.cl", "winograd_reversed2"},
                                                  {"winograd.cl", "winograd_reversed4"}};
    struct paced_device *device = paced_exec_device(e);
    int line = line_floats(w->c), vec = paced_device_vector(device, w->k), outputs = block.outputs / vec;
    return PACED_LAUNCH(device, &kernels[w->m == 4], heavy_pixels(line, outputs), vec, PACED_ARG(block.from / vec),
                        PACED_ARG(outputs), PACED_ARG(w->c), PACED_ARG(w->k / vec), PACED_ARG(line), PACED_ARG(filter),
                        PACED_ARG(weights));
}

static enum paced_err transform_output(struct paced_exec *e, const struct walk *w, struct chunk chunk,
                                       struct block block, const struct paced_buffer *products,
                                       const struct paced_buffer *bias, float beta, struct paced_buffer *target) {
    static const struct paced_kernel kernels[] = {{"winograd.cl", "winograd_output2"},
                                                  {"winograd.cl", "winograd_output4"}};
    struct paced_device *device = paced_exec_device(e);
    int left = tiles_of(w) - chunk.first, rows = left < chunk.rows ? left : chunk.rows, has_bias = bias != NULL;
    int vec = paced_device_vector(device, w->k), vectors = block.real / vec;
    struct paced_range range = paced_range_runs(device, (uint64_t)rows, (uint32_t)vectors);
    return PACED_LAUNCH(device, &kernels[w->m == 4], range, vec, PACED_ARG(chunk.first), PACED_ARG(rows),
                        PACED_ARG(range.run), PACED_ARG(chunk.rows), PACED_ARG(tiles_down(w)),
                        PACED_ARG(tiles_across(w)), PACED_ARG(w->oh), PACED_ARG(w->ow), PACED_ARG(w->dilation),
                        PACED_ARG(block.from / vec), PACED_ARG(vectors), PACED_ARG(w->k / vec),
                        PACED_ARG(block.outputs / vec), PACED_ARG(has_bias), PACED_ARG(products),
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
                        PACED_ARG(tiles_of(w)), PACED_ARG(chunk.first), PACED_ARG(chunk.rows), PACED_ARG(tiles_down(w)),
                        PACED_ARG(tiles_across(w)), PACED_ARG(w->oh), PACED_ARG(w->ow), PACED_ARG(w->dilation),
                        PACED_ARG(block.from), PACED_ARG(block.outputs), PACED_ARG(w->k), PACED_ARG(dy),
                        PACED_ARG(turned));
}

static enum paced_err transform_taps(struct paced_exec *e, const struct walk *w, struct block block,
                                     const struct paced_buffer *products, struct paced_buffer *dw) {
    static const struct paced_kernel kernels[] = {{"winograd.cl", "winograd_taps2"}, {"winograd.cl", "winograd_taps4"}};
    struct paced_device *device = paced_exec_device(e);
    int vec = paced_device_vector(device, w->c), vectors = w->c / vec, line = line_floats(w->c) / vec;
    return PACED_LAUNCH(device, &kernels[w->m == 4], heavy_pixels(block.real, vectors), vec, PACED_ARG(block.from),
                        PACED_ARG(block.real), PACED_ARG(block.outputs), PACED_ARG(vectors), PACED_ARG(line),
                        PACED_ARG(products), PACED_ARG(dw));
}

/* ---- the three directions ------------------------------------------------------------------------------------- */

/* The weights of a convolution on their way to U. `kept`: what memory lasts longer than the step, or NULL. */
struct filter {
    enum paced_err (*transform)(struct paced_exec *, const struct walk *, struct block, const struct paced_buffer *,
                                struct paced_buffer *);
    const struct paced_buffer *weights;
    struct paced_buffer *kept;
    bool fresh;
};

static enum paced_err multiply(struct paced_exec *e, const struct walk *w, int rows, int outputs,
                               const struct paced_buffer *values, const struct paced_buffer *u,
                               struct paced_buffer *products) {
    struct paced_device *device = paced_exec_device(e);
    int line = line_floats(w->c);
    return w->careful ? paced_gemm_careful(device, planes(w), rows, outputs, line, values, u, products)
                      : paced_gemm(device, planes(w), rows, outputs, line, values, u, 0.0f, products);
}

/* U of a block, made where it is not there yet. */
static enum paced_err block_weights(struct paced_exec *e, const struct walk *w, const struct layout *l,
                                    const struct filter *f, int index, bool first_chunk, struct paced_buffer **u) {
    bool make = f->kept ? f->fresh && first_chunk : first_chunk || !l->whole;
    if (f->kept)
        PACED_TRY(paced_buffer_view(u, f->kept, l->lasting * (uint64_t)index, l->lasting));
    else
        PACED_TRY(take_lasting(e, l, index, u));
    return make ? f->transform(e, w, block_at(w, l, index), f->weights, *u) : PACED_OK;
}

static enum paced_err convolve_block(struct paced_exec *e, const struct walk *w, const struct layout *l,
                                     const struct filter *f, struct chunk chunk, int index,
                                     const struct paced_buffer *values, struct paced_buffer *products) {
    struct paced_buffer *u = NULL;
    enum paced_err err = block_weights(e, w, l, f, index, chunk.first == 0, &u);
    if (!err) err = multiply(e, w, chunk.rows, block_at(w, l, index).outputs, values, u, products);
    if (f->kept) paced_buffer_destroy(u);
    return err;
}

static enum paced_err convolve(struct paced_exec *e, const struct walk *w, const struct filter *f,
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

/* Chunks outside, blocks inside where the M of all blocks are held; else the other way round. */
static enum paced_err correlate_blocks(struct paced_exec *e, const struct walk *w, const struct layout *l, int from,
                                       int to, const struct source *x, const struct paced_buffer *dy,
                                       struct paced_buffer *dw) {
    struct paced_buffer *values, *turned, *products;
    PACED_TRY(take_values(e, l, &values, &turned));
    for (int first = 0; first < tiles_of(w);) {
        struct chunk chunk = chunk_at(w, l, first);
        PACED_TRY(transform_input(e, w, chunk, x, values));
        for (int i = from; i < to; ++i) {
            struct block block = block_at(w, l, i);
            PACED_TRY(take_lasting(e, l, i, &products));
            PACED_TRY(transform_gradient(e, w, chunk, block, dy, turned));
            PACED_TRY(paced_gemm(paced_exec_device(e), planes(w), block.outputs, line_floats(w->c), chunk.rows, turned,
                                 values, first ? 1.0f : 0.0f, products));
        }
        first += chunk.rows;
    }
    for (int i = from; i < to; ++i) {
        PACED_TRY(take_lasting(e, l, i, &products));
        PACED_TRY(transform_taps(e, w, block_at(w, l, i), products, dw));
    }
    return PACED_OK;
}

static enum paced_err forward(struct paced_exec *e, int m, const struct paced_node *node, const struct conv *v,
                              const struct source *x, const struct paced_buffer *weights,
                              const struct paced_buffer *bias, bool careful, float beta, struct paced_buffer *y) {
    struct walk w = forward_walk(v, m, paced_exec_samples(e));
    w.careful = careful;
    struct layout l = planned_layout(e, &w);
    struct filter f = {.transform = transform_filter, .weights = weights};
    PACED_TRY(paced_exec_kept(e, node, l.lasting * (uint64_t)l.blocks, &f.kept, &f.fresh));
    return convolve(e, &w, &f, x, bias, beta, y);
}

static enum paced_err backward_data(struct paced_exec *e, int m, const struct conv *v, const struct paced_buffer *dy,
                                    const struct paced_buffer *weights, bool careful, float beta,
                                    struct paced_buffer *dx) {
    struct walk w = backward_walk(v, m, paced_exec_samples(e));
    w.careful = careful;
    struct filter f = {.transform = reverse_filter, .weights = weights};
    struct source source = source_of_buffer(dy, (struct paced_shape){v->oh, v->ow, v->k});
    return convolve(e, &w, &f, &source, NULL, beta, dx);
}

static enum paced_err backward_weights(struct paced_exec *e, int m, const struct conv *v, const struct source *x,
                                       const struct paced_buffer *dy, struct paced_buffer *dw) {
    struct walk w = forward_walk(v, m, paced_exec_samples(e));
    struct layout l = planned_layout(e, &w);
    int step = l.whole ? l.blocks : 1;
    for (int from = 0; from < l.blocks; from += step)
        PACED_TRY(correlate_blocks(e, &w, &l, from, from + step, x, dy, dw));
    return PACED_OK;
}

/* ---- the algorithms ------------------------------------------------------------------------------------------- */

#define ALGORITHM(m)                                                                                                  \
    static uint64_t workspace_bytes##m(const struct conv *v, int samples, uint64_t limit) {                           \
        return workspace_bytes(v, m, samples, limit);                                                                 \
    }                                                                                                                 \
    static enum paced_err forward##m(struct paced_exec *e, const struct paced_node *node, const struct conv *v,       \
                                     const struct source *x, const struct paced_buffer *w,                            \
                                     const struct paced_buffer *bias, bool careful, float beta,                       \
                                     struct paced_buffer *y) {                                                        \
        return forward(e, m, node, v, x, w, bias, careful, beta, y);                                                  \
    }                                                                                                                 \
    static enum paced_err backward_data##m(struct paced_exec *e, const struct conv *v, const struct paced_buffer *dy, \
                                           const struct paced_buffer *w, bool careful, float beta,                    \
                                           struct paced_buffer *dx) {                                                 \
        return backward_data(e, m, v, dy, w, careful, beta, dx);                                                      \
    }                                                                                                                 \
    static enum paced_err backward_weights##m(struct paced_exec *e, const struct conv *v, const struct source *x,     \
                                              const struct paced_buffer *dy, struct paced_buffer *dw) {               \
        return backward_weights(e, m, v, x, dy, dw);                                                                  \
    }                                                                                                                 \
    const struct conv_algorithm conv_winograd##m = {"winograd" #m, workspace_bytes##m, forward##m, backward_data##m,  \
                                                    backward_weights##m};

ALGORITHM(4)
ALGORITHM(2)
