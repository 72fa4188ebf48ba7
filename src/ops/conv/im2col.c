/* Convolution as matrix products over gathered patches ("im2col"), for any kernel, stride, padding and dilation.
 *
 * The output is computed in chunks of pixels, so that the matrices stay in the cache and the workspace is small:
 *   forward           y[rows][k]       = col(x)[rows][taps c] W[taps c][k]
 *   backward, data    dx[rows][c]      = col(dy)[rows][taps k] W'[taps k][c]     (taps reversed)
 *   backward, weights dw[k][taps c]   += dy^T[k][rows] col(x)[rows][taps c]
 * Backward-data is a forward convolution over dy: input pixel i receives from output pixel (i + pad - tap dilation) /
 * stride if that is whole, so its gather reads dy with pad' = (size - 1) dilation - pad and stride - 1 zeros inserted
 * between pixels ("zero_insertion"). Rows and columns are padded with zeros to whole GEMM tiles. A 1x1 convolution
 * needs no gather if its channels are whole tiles and x is float32: x itself is the matrix. */
#include "src/ops/conv/conv.h"

/* Maximum elements and rows of the patch matrix of one chunk. */
enum { MAX_PATCH_ELEMENTS = 512 << 10, MAX_ROWS = 3072 };

/* A gather of size x size pixels of the source for each pixel of the target grid. */
struct conv_geometry {
    struct im2col g;
    int c;        /* of the source */
    bool blocked; /* sums in blocks */
};

static struct conv_geometry forward_geometry(const struct conv *v) {
    return (struct conv_geometry){{v->h, v->w, v->oh, v->ow, v->size, v->stride, v->pad, v->dilation, 1}, v->c, false};
}

static struct conv_geometry backward_geometry(const struct conv *v) {
    int pad = (v->size - 1) * v->dilation - v->pad;
    return (struct conv_geometry){{v->oh, v->ow, v->h, v->w, v->size, 1, pad, v->dilation, v->stride}, v->k, false};
}

static int patch_columns(const struct conv_geometry *w) {
    return paced_gemm_pad(w->g.size * w->g.size * w->c);
}

static int chunk_rows(const struct conv_geometry *w) {
    int rows = MAX_PATCH_ELEMENTS / patch_columns(w);
    rows = rows > MAX_ROWS ? MAX_ROWS : rows;
    return rows < PACED_GEMM_TILE ? PACED_GEMM_TILE : rows / PACED_GEMM_TILE * PACED_GEMM_TILE;
}

/* ---- the workspace ------------------------------------------------------------------------------------------- */

/* Bytes of three contiguous matrices: weights (or dy^T), patches, result. */
struct layout {
    uint64_t first, patches, result;
};

static uint64_t floats_aligned(uint64_t count) {
    return (count * 4 + 4095) / 4096 * 4096; /* above any device's alignment of sub-buffers */
}

static struct layout layout_of(const struct conv_geometry *w, int outputs, bool of_weights) {
    uint64_t rows = (uint64_t)chunk_rows(w), columns = (uint64_t)patch_columns(w);
    uint64_t n = (uint64_t)paced_gemm_pad(outputs);
    return (struct layout){floats_aligned((of_weights ? rows : columns) * n), floats_aligned(rows * columns),
                           floats_aligned((of_weights ? columns : rows) * n)};
}

static uint64_t total(struct layout l) {
    return l.first + l.patches + l.result;
}

static uint64_t workspace_bytes(int tile, const struct conv *v, int samples, uint64_t limit) {
    struct conv_geometry f = forward_geometry(v), b = backward_geometry(v);
    uint64_t sizes[] = {total(layout_of(&f, v->k, false)), total(layout_of(&b, v->c, false)),
                        total(layout_of(&f, v->k, true))};
    uint64_t most = 0;
    for (size_t i = 0; i < PACED_COUNT(sizes); ++i) most = sizes[i] > most ? sizes[i] : most;
    return most;
}

struct matrices {
    struct paced_buffer *first, *patches, *result;
};

static enum paced_err take(struct paced_exec *e, struct layout l, struct matrices *m) {
    PACED_TRY(paced_exec_workspace(e, 0, l.first, &m->first));
    PACED_TRY(paced_exec_workspace(e, l.first, l.patches, &m->patches));
    return paced_exec_workspace(e, l.first + l.patches, l.result, &m->result);
}

/* ---- steps --------------------------------------------------------------------------------------------------- */

/* patches[rows][columns] for target pixels first..first + rows; zero beyond `pixels` and in the padding columns. */
static enum paced_err gather(struct paced_exec *e, const struct conv_geometry *w, int pixels, int first, int rows,
                             const struct source *source, struct paced_buffer *patches) {
    struct paced_device *device = paced_exec_device(e);
    int vec = source_vector(device, source), taps = w->g.size * w->g.size;
    return PACED_LAUNCH(device, PACED_KERNEL_FOR(im2col, im2col, source->x[0], NULL), paced_range_pixels(rows, taps),
                        vec, PACED_STRUCT(im2col, &w->g), pixels, first, rows, patch_columns(w), SOURCE_ARGS(source),
                        patches);
}

static bool is_matrix(const struct conv_geometry *w, const struct source *source) {
    return w->g.size == 1 && w->g.stride == 1 && w->g.pad == 0 && w->g.zero_insertion == 1 &&
           w->c % PACED_GEMM_TILE == 0 && source_is_plain(source) && paced_buffer_format(source->x[0]) == PACED_FLOAT32;
}

static enum paced_err multiply(struct paced_exec *e, const struct conv_geometry *w, int rows, int n, int columns,
                               const struct paced_buffer *patches, const struct matrices *m) {
    struct paced_device *device = paced_exec_device(e);
    return w->blocked ? paced_gemm_blocked(device, 1, rows, n, columns, patches, m->first, m->result)
                      : paced_gemm(device, 1, rows, n, columns, patches, m->first, 0.0f, m->result);
}

/* result[rows][n] = patches of the chunk times weights[columns][n]; the patches are x itself where possible. */
static enum paced_err multiply_chunk(struct paced_exec *e, const struct conv_geometry *w, int pixels, int first,
                                     int rows, const struct source *source, const struct matrices *m, int n) {
    uint64_t row_bytes = (uint64_t)w->c * 4, offset = (uint64_t)first * row_bytes;
    bool aligned = offset % paced_device_info(paced_exec_device(e))->align_bytes == 0;
    if (!is_matrix(w, source) || first + rows > pixels || !aligned) {
        PACED_TRY(gather(e, w, pixels, first, rows, source, m->patches));
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
    struct conv_geometry geometry = forward_geometry(v);
    geometry.blocked = blocked;
    struct matrices m;
    PACED_TRY(take(e, layout_of(&geometry, v->k, false), &m));
    int columns = v->size * v->size * v->c, rows = patch_columns(&geometry), n = paced_gemm_pad(v->k);
    PACED_TRY(PACED_LAUNCH(paced_exec_device(e), PACED_KERNEL(im2col, pack_forward),
                           paced_range_items((uint64_t)rows * (uint64_t)n), 1, rows, n, columns, v->k, weights,
                           m.first));
    return gather_multiply(e, &geometry, &m, v->k, x, bias, beta, y);
}

static enum paced_err backward_data(struct paced_exec *e, int tile, const struct conv *v, const struct paced_buffer *dy,
                                    const struct paced_buffer *weights, bool blocked, float beta,
                                    struct paced_buffer *dx) {
    struct conv_geometry geometry = backward_geometry(v);
    geometry.blocked = blocked;
    struct matrices m;
    PACED_TRY(take(e, layout_of(&geometry, v->c, false), &m));
    int taps = v->size * v->size, rows = patch_columns(&geometry), n = paced_gemm_pad(v->c);
    PACED_TRY(PACED_LAUNCH(paced_exec_device(e), PACED_KERNEL(im2col, pack_backward),
                           paced_range_items((uint64_t)rows * (uint64_t)n), 1, rows, n, taps, v->k, v->c, weights,
                           m.first));
    struct source source = source_of_buffer(dy, (struct paced_shape){v->oh, v->ow, v->k});
    return gather_multiply(e, &geometry, &m, v->c, &source, NULL, beta, dx);
}

static enum paced_err backward_weights(struct paced_exec *e, int tile, const struct conv *v, const struct source *x,
                                       const struct paced_buffer *dy, struct paced_buffer *dw) {
    struct paced_device *device = paced_exec_device(e);
    struct conv_geometry geometry = forward_geometry(v);
    struct matrices m;
    PACED_TRY(take(e, layout_of(&geometry, v->k, true), &m));
    int pixels = paced_exec_samples(e) * v->oh * v->ow, columns = patch_columns(&geometry), k = paced_gemm_pad(v->k);
    for (int first = 0; first < pixels; first += chunk_rows(&geometry)) {
        int left = pixels - first, rows = paced_gemm_pad(left < chunk_rows(&geometry) ? left : chunk_rows(&geometry));
        PACED_TRY(PACED_LAUNCH(device, PACED_KERNEL_FOR(im2col, transpose_rows, NULL, dy),
                               paced_range_items((uint64_t)rows / 16 * (uint64_t)k / 16), 1, pixels, first, rows, v->k,
                               k, dy, m.first));
        PACED_TRY(gather(e, &geometry, pixels, first, rows, x, m.patches));
        PACED_TRY(paced_gemm(device, 1, k, columns, rows, m.first, m.patches, first ? 1.0f : 0.0f, m.result));
    }
    int used = v->size * v->size * v->c;
    return PACED_LAUNCH(device, PACED_KERNEL(im2col, unpad), paced_range_items((uint64_t)v->k * (uint64_t)used), 1,
                        v->k, used, columns, m.result, dw);
}

const struct conv_algorithm conv_im2col = {"im2col", 0, workspace_bytes, forward, backward_data, backward_weights};
