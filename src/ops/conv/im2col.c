/* Convolution as matrix products over gathered patches ("im2col"), for any kernel, stride, padding and dilation.
 *
 * The output is computed in chunks of pixels, so that the matrices stay in the cache and the workspace is small:
 *   forward           y[rows][k]       = col(x)[rows][taps c] W[taps c][k]
 *   backward, data    dx[rows][c]      = col(dy)[rows][taps k] W'[taps k][c]     (taps reversed)
 *   backward, weights dw[k][taps c]   += dy^T[k][rows] col(x)[rows][taps c]
 * Backward-data is a forward convolution over dy: input pixel i receives from output pixel (i + pad - tap dilation) /
 * stride if that is whole, so its gather reads dy with pad' = (size - 1) dilation - pad and stride - 1 zeros inserted
 * between pixels ("zero_insertion"). Rows and columns are padded with zeros to whole GEMM tiles. A 1x1 convolution
 * needs no gather if its channels are whole tiles and x has the operands' format: x itself is the matrix.
 * In mixed precision, operands are bfloat16 if the device multiplies them. */
#include "src/ops/conv/conv.h"

/* Maximum bytes and rows of the patch matrix of one chunk. Products of bfloat16 are so fast that the weights (or the
 * sums of backward-weights), which each chunk reads, need MIN_ROWS rows to be worth it. */
enum { MAX_PATCH_BYTES = 2 << 20, MAX_ROWS = 3072, MIN_ROWS = 512 };

/* A gather of size x size pixels of the source for each pixel of the target grid. */
struct conv_geometry {
    struct im2col g;
    int c;                        /* of the source */
    bool blocked;                 /* sums in blocks */
    enum paced_products products; /* operands are bfloat16 if not PACED_PRODUCTS_FLOAT */
};

static struct conv_geometry forward_geometry(const struct conv *v) {
    return (struct conv_geometry){.g = {v->h, v->w, v->oh, v->ow, v->size, v->stride, v->pad, v->dilation, 1},
                                  .c = v->c};
}

static struct conv_geometry backward_geometry(const struct conv *v) {
    int pad = (v->size - 1) * v->dilation - v->pad;
    return (struct conv_geometry){.g = {v->oh, v->ow, v->h, v->w, v->size, 1, pad, v->dilation, v->stride}, .c = v->k};
}

/* The sizes that products sum over are multiples of it. */
static int depth_tile(const struct conv_geometry *w) {
    return w->products ? 32 : PACED_GEMM_TILE;
}

static int pad_depth(const struct conv_geometry *w, int size) {
    return (size + depth_tile(w) - 1) / depth_tile(w) * depth_tile(w);
}

static int patch_columns(const struct conv_geometry *w) {
    return pad_depth(w, w->g.size * w->g.size * w->c);
}

static int chunk_rows(const struct conv_geometry *w) {
    int rows = MAX_PATCH_BYTES / (int)paced_format_bytes(conv_operand_format(w->products)) / patch_columns(w);
    int least = w->products ? MIN_ROWS : PACED_GEMM_TILE;
    rows = rows > MAX_ROWS ? MAX_ROWS : rows;
    return rows < least ? least : rows / depth_tile(w) * depth_tile(w);
}

/* ---- the workspace ------------------------------------------------------------------------------------------- */

/* Bytes of three contiguous matrices: weights (or dy^T), patches, result. */
struct layout {
    uint64_t first, patches, result;
};

/* Above any device's alignment of sub-buffers. */
static uint64_t aligned(uint64_t bytes) {
    return (bytes + 4095) / 4096 * 4096;
}

static struct layout layout_of(const struct conv_geometry *w, int outputs, bool of_weights) {
    uint64_t rows = (uint64_t)chunk_rows(w), columns = (uint64_t)patch_columns(w);
    uint64_t n = (uint64_t)paced_gemm_pad(outputs), operand = paced_format_bytes(conv_operand_format(w->products));
    return (struct layout){aligned((of_weights ? rows : columns) * n * operand), aligned(rows * columns * operand),
                           aligned((of_weights ? columns : rows) * n * sizeof(float))};
}

static uint64_t total(struct layout l) {
    return l.first + l.patches + l.result;
}

/* For operands of either format. */
static uint64_t workspace_bytes(int tile, const struct conv *v, int samples, uint64_t limit) {
    uint64_t most = 0;
    for (int products = PACED_PRODUCTS_FLOAT; products <= PACED_PRODUCTS_PAIRS; ++products) {
        struct conv_geometry f = forward_geometry(v), b = backward_geometry(v);
        f.products = b.products = (enum paced_products)products;
        uint64_t sizes[] = {total(layout_of(&f, v->k, false)), total(layout_of(&b, v->c, false)),
                            total(layout_of(&f, v->k, true))};
        for (size_t i = 0; i < PACED_COUNT(sizes); ++i) most = sizes[i] > most ? sizes[i] : most;
    }
    return most;
}

struct matrices {
    struct paced_buffer *first, *patches, *result;
};

static enum paced_err take(struct paced_exec *e, const struct conv_geometry *w, struct layout l, struct matrices *m) {
    enum paced_format operands = conv_operand_format(w->products);
    PACED_TRY(paced_exec_workspace_as(e, 0, l.first, operands, &m->first));
    PACED_TRY(paced_exec_workspace_as(e, l.first, l.patches, operands, &m->patches));
    return paced_exec_workspace(e, l.first + l.patches, l.result, &m->result);
}

/* ---- steps --------------------------------------------------------------------------------------------------- */

/* A kernel for the geometry's products; in, out: the buffers of its tensors, or NULL. */
#define KERNEL(w, kernel_name, in, out) \
    (&(const struct paced_kernel){"im2col.cl", (kernel_name), NULL, paced_storage_of(in, out), (w)->products})

/* patches[rows][columns] for target pixels first..first + rows, or (pairs) patches[rows / 2][columns][2]; zero beyond
 * `pixels` and in the padding columns. */
static enum paced_err gather(struct paced_exec *e, const struct conv_geometry *w, bool pairs, int pixels, int first,
                             int rows, const struct source *source, struct paced_buffer *patches) {
    struct paced_device *device = paced_exec_device(e);
    int vec = source_vector(device, source), taps = w->g.size * w->g.size;
    struct paced_range range = paced_range_pixels((uint64_t)(pairs ? rows / 2 : rows), (uint32_t)taps);
    range.coarse = w->products && taps * w->c / vec >= 16; /* such work-items are few and heavy */
    return PACED_LAUNCH(device, KERNEL(w, pairs ? "im2col_pairs" : "im2col", source->x[0], NULL), range, vec,
                        PACED_STRUCT(im2col, &w->g), pixels, first, rows, patch_columns(w), SOURCE_ARGS(source),
                        patches);
}

static bool is_matrix(const struct conv_geometry *w, const struct source *source) {
    return w->g.size == 1 && w->g.stride == 1 && w->g.pad == 0 && w->g.zero_insertion == 1 &&
           w->c == patch_columns(w) && source_is_plain(source) &&
           paced_buffer_format(source->x[0]) == conv_operand_format(w->products);
}

static enum paced_err multiply(struct paced_exec *e, const struct conv_geometry *w, int rows, int n, int columns,
                               const struct paced_buffer *patches, const struct matrices *m) {
    struct paced_device *device = paced_exec_device(e);
    if (w->products)
        return paced_multiply_bfloat16(device, w->products, 1, rows, n, columns, PACED_PANEL, patches, m->first, 0.0f,
                                       m->result);
    return w->blocked ? paced_gemm_blocked(device, 1, rows, n, columns, patches, m->first, m->result)
                      : paced_gemm(device, 1, rows, n, columns, patches, m->first, 0.0f, m->result);
}

/* result[rows][n] = patches of the chunk times weights[columns][n]; the patches are x itself where possible. */
static enum paced_err multiply_chunk(struct paced_exec *e, const struct conv_geometry *w, int pixels, int first,
                                     int rows, const struct source *source, const struct matrices *m, int n) {
    uint64_t row_bytes = (uint64_t)w->c * paced_format_bytes(conv_operand_format(w->products)),
             offset = (uint64_t)first * row_bytes;
    bool fits = offset % paced_device_info(paced_exec_device(e))->align_bytes == 0;
    if (!is_matrix(w, source) || first + rows > pixels || !fits) {
        PACED_TRY(gather(e, w, false, pixels, first, rows, source, m->patches));
        return multiply(e, w, rows, n, patch_columns(w), m->patches, m);
    }
    struct paced_buffer *part;
    PACED_TRY(paced_buffer_view(&part, source->x[0], offset, (uint64_t)rows * row_bytes));
    enum paced_err err = multiply(e, w, rows, n, w->c, part, m);
    paced_buffer_destroy(part);
    return err;
}

/* target[pixels][outputs] = beta target + (gathered source) weights + bias, chunk by chunk. */
static enum paced_err gather_multiply(struct paced_exec *e, const struct conv_geometry *w, const struct matrices *m,
                                      int outputs, const struct source *source, const struct paced_buffer *bias,
                                      float beta, struct paced_buffer *target) {
    struct paced_device *device = paced_exec_device(e);
    int pixels = paced_exec_samples(e) * w->g.oh * w->g.ow, n = paced_gemm_pad(outputs);
    int vec = paced_device_vector(device, outputs), vectors = outputs / vec, has_bias = bias != NULL;
    for (int first = 0; first < pixels; first += chunk_rows(w)) {
        int left = pixels - first, rows = left < chunk_rows(w) ? left : chunk_rows(w);
        PACED_TRY(multiply_chunk(e, w, pixels, first, paced_gemm_pad(rows), source, m, n));
        PACED_TRY(PACED_LAUNCH(device, PACED_KERNEL_FOR(im2col, conv_store, NULL, target),
                               paced_range_pixels(rows, vectors), vec, rows, vectors, first, n / vec, has_bias,
                               m->result, bias ? bias : m->result, beta, target));
    }
    return PACED_OK;
}

/* ---- the three directions ------------------------------------------------------------------------------------ */

static enum paced_err forward(struct paced_exec *e, int tile, const struct paced_node *node, const struct conv *v,
                              const struct source *x, const struct paced_buffer *weights,
                              const struct paced_buffer *bias, bool blocked, float beta, struct paced_buffer *y) {
    struct paced_device *device = paced_exec_device(e);
    struct conv_geometry geometry = forward_geometry(v);
    geometry.blocked = blocked;
    PACED_TRY(conv_products(device, paced_exec_precision(e), &geometry.products));
    struct matrices m;
    PACED_TRY(take(e, &geometry, layout_of(&geometry, v->k, false), &m));
    int columns = v->size * v->size * v->c, rows = patch_columns(&geometry), n = paced_gemm_pad(v->k);
    int vec = conv_turning_vector(device, columns, v->k), together = vec == 1 && geometry.products ? 2 : vec;
    struct paced_range range = paced_range_items((uint64_t)(rows / together) * (uint64_t)(n / vec));
    PACED_TRY(PACED_LAUNCH(device, KERNEL(&geometry, "pack_forward", NULL, NULL), range, vec, rows, n, columns, v->k,
                           weights, m.first));
    return gather_multiply(e, &geometry, &m, v->k, x, bias, beta, y);
}

static enum paced_err backward_data(struct paced_exec *e, int tile, const struct conv *v, const struct paced_buffer *dy,
                                    const struct paced_buffer *weights, bool blocked, float beta,
                                    struct paced_buffer *dx) {
    struct paced_device *device = paced_exec_device(e);
    struct conv_geometry geometry = backward_geometry(v);
    geometry.blocked = blocked;
    PACED_TRY(conv_products(device, paced_exec_precision(e), &geometry.products));
    struct matrices m;
    PACED_TRY(take(e, &geometry, layout_of(&geometry, v->c, false), &m));
    int taps = v->size * v->size, rows = patch_columns(&geometry), vec = paced_device_vector(device, v->c);
    int n = paced_gemm_pad(v->c) / vec, lines = geometry.products ? rows / 2 : rows;
    PACED_TRY(PACED_LAUNCH(device, KERNEL(&geometry, "pack_backward", NULL, NULL),
                           paced_range_pixels((uint64_t)lines, (uint32_t)n), vec, rows, n, taps, v->k, v->c / vec,
                           weights, m.first));
    struct source source = source_of_buffer(dy, (struct paced_shape){v->oh, v->ow, v->k});
    return gather_multiply(e, &geometry, &m, v->c, &source, NULL, beta, dx);
}

/* sums[k][columns] += dy^T of a chunk times its patches; the first chunk overwrites. */
static enum paced_err accumulate(struct paced_exec *e, const struct conv_geometry *w, const struct conv *v, int first,
                                 const struct source *x, const struct paced_buffer *dy, const struct matrices *m,
                                 struct paced_buffer *sums) {
    struct paced_device *device = paced_exec_device(e);
    int pixels = paced_exec_samples(e) * v->oh * v->ow, columns = patch_columns(w), k = paced_gemm_pad(v->k);
    int left = pixels - first, rows = pad_depth(w, left < chunk_rows(w) ? left : chunk_rows(w));
    int vec = conv_turning_vector(device, 16, v->k);
    float beta = first ? 1.0f : 0.0f;
    PACED_TRY(PACED_LAUNCH(device, KERNEL(w, "transpose_rows", NULL, dy),
                           paced_range_items((uint64_t)rows / 16 * (uint64_t)k / 16), vec, pixels, first, rows, v->k, k,
                           dy, m->first));
    PACED_TRY(gather(e, w, w->products != PACED_PRODUCTS_FLOAT, pixels, first, rows, x, m->patches));
    if (w->products)
        return paced_multiply_bfloat16(device, w->products, 1, k, columns, rows, PACED_PANEL, m->first, m->patches,
                                       beta, sums);
    return paced_gemm(device, 1, k, columns, rows, m->first, m->patches, beta, sums);
}

static enum paced_err backward_weights(struct paced_exec *e, int tile, const struct conv *v, const struct source *x,
                                       const struct paced_buffer *dy, struct paced_buffer *dw) {
    struct paced_device *device = paced_exec_device(e);
    struct conv_geometry geometry = forward_geometry(v);
    PACED_TRY(conv_products(device, paced_exec_precision(e), &geometry.products));
    struct matrices m;
    PACED_TRY(take(e, &geometry, layout_of(&geometry, v->k, true), &m));
    int pixels = paced_exec_samples(e) * v->oh * v->ow, columns = patch_columns(&geometry);
    int used = v->size * v->size * v->c;
    bool padded = columns != used || v->k % PACED_GEMM_TILE;
    for (int first = 0; first < pixels; first += chunk_rows(&geometry))
        PACED_TRY(accumulate(e, &geometry, v, first, x, dy, &m, padded ? m.result : dw));
    if (!padded) return PACED_OK;
    return PACED_LAUNCH(device, PACED_KERNEL(im2col, unpad), paced_range_items((uint64_t)v->k * (uint64_t)used), 1,
                        v->k, used, columns, m.result, dw);
}

const struct conv_algorithm conv_im2col = {"im2col", 0, workspace_bytes, forward, backward_data, backward_weights};
