/* Winograd's convolutions: geometry, and the launches of their kernels. */
#include "src/ops/conv/winograd.h"

/* The outputs of a block. CLBlast's products of 64 columns reach nine tenths of the device's peak, those of 512 columns
 * two thirds. */
enum { BLOCK_OUTPUTS = 64 };

struct winograd winograd_forward(const struct conv *v, int m, int samples) {
    return (struct winograd){.m = m,
                             .samples = samples,
                             .h = v->h,
                             .w = v->w,
                             .c = v->c,
                             .oh = v->oh,
                             .ow = v->ow,
                             .k = v->k,
                             .pad = v->pad,
                             .dilation = v->dilation,
                             .max_outputs = BLOCK_OUTPUTS};
}

struct winograd winograd_backward(const struct conv *v, int m, int samples) {
    return (struct winograd){.m = m,
                             .samples = samples,
                             .h = v->oh,
                             .w = v->ow,
                             .c = v->k,
                             .oh = v->h,
                             .ow = v->w,
                             .k = v->c,
                             .pad = 2 * v->dilation - v->pad,
                             .dilation = v->dilation,
                             .max_outputs = BLOCK_OUTPUTS};
}

/* `length` % dilation of the dense convolutions along an axis have one output more than the others. */
static int tiles_along(const struct winograd *w, int length) {
    int outputs = length / w->dilation, longer = length % w->dilation;
    return longer * ((outputs + w->m) / w->m) + (w->dilation - longer) * ((outputs + w->m - 1) / w->m);
}

int winograd_tile_count(const struct winograd *w) {
    return w->samples * tiles_along(w, w->oh) * tiles_along(w, w->ow);
}

struct winograd_tiles winograd_tiles_from(const struct winograd *w, int first, int rows, uint32_t run) {
    return (struct winograd_tiles){winograd_tile_count(w), first, rows,  (int)run,   tiles_along(w, w->oh),
                                   tiles_along(w, w->ow),  w->oh, w->ow, w->dilation};
}

int winograd_planes(const struct winograd *w) {
    return (w->m + 2) * (w->m + 2);
}

/* Whole tiles of the product, but for CLBlast not whole pages, because rows that a product reads together would evict
 * each other from the cache (half the speed). */
int winograd_line(const struct winograd *w) {
    if (w->products) return (w->c + 31) / 32 * 32;
    int padded = paced_gemm_pad(w->c);
    return padded % 1024 == 0 ? padded + PACED_GEMM_TILE : padded;
}

static uint64_t matrix_bytes(const struct winograd *w, int rows, int columns, unsigned element) {
    uint64_t bytes = (uint64_t)winograd_planes(w) * (uint64_t)rows * (uint64_t)columns * element;
    return (bytes + 4095) / 4096 * 4096;
}

uint64_t winograd_operand_bytes(const struct winograd *w, int rows, int columns) {
    return matrix_bytes(w, rows, columns, paced_format_bytes(conv_operand_format(w->products)));
}

uint64_t winograd_sum_bytes(const struct winograd *w, int rows, int columns) {
    return matrix_bytes(w, rows, columns, 4);
}

int winograd_outputs(const struct winograd *w) {
    int all = paced_gemm_pad(w->k), blocks = (all + w->max_outputs - 1) / w->max_outputs;
    return paced_gemm_pad((all + blocks - 1) / blocks);
}

int winograd_blocks(const struct winograd *w) {
    int outputs = winograd_outputs(w);
    return (paced_gemm_pad(w->k) + outputs - 1) / outputs;
}

struct block winograd_block(const struct winograd *w, int index) {
    int outputs = winograd_outputs(w), from = index * outputs, left = paced_gemm_pad(w->k) - from, real = w->k - from;
    return (struct block){from, left < outputs ? left : outputs, real < outputs ? real : outputs};
}

/* ---- steps ---------------------------------------------------------------------------------------------------- */

/* A kernel for the geometry's m and products; in, out: the buffers of its tensors, or NULL. */
#define KERNEL(w, file_name, kernel_name, in, out)                                                                   \
    (&(const struct paced_kernel){.file = #file_name ".cl",                                                          \
                                  .name = (w)->m == 4 ? "winograd_" #kernel_name "4" : "winograd_" #kernel_name "2", \
                                  .storage = paced_storage_of(in, out),                                              \
                                  .products = (w)->products})

/* A range of pixels whose work-items are all heavy. */
static struct paced_range heavy_pixels(int pixels, int vectors) {
    struct paced_range range = paced_range_pixels(pixels, vectors);
    range.coarse = true;
    return range;
}

static struct paced_range turning_range(int vec, int rows, int columns) {
    uint64_t items = (uint64_t)(rows / vec) * (uint64_t)(columns / vec);
    return vec == 1 ? paced_range_items(items) : paced_range_chunks(items);
}

enum paced_err winograd_input(struct paced_exec *e, const struct winograd *w, struct chunk chunk,
                              const struct source *source, struct paced_buffer *values) {
    struct paced_device *device = paced_exec_device(e);
    int vec = source_vector(device, source), line = winograd_line(w) / vec, rows = w->products ? 2 : 1;
    struct paced_range range = paced_range_runs(device, (uint64_t)(chunk.rows / rows), (uint32_t)line);
    struct winograd_tiles tiles = winograd_tiles_from(w, chunk.first, chunk.rows, range.run);
    const struct paced_kernel *kernel = w->products ? KERNEL(w, winograd_weights, pairs, source->x[0], NULL)
                                                    : KERNEL(w, winograd, input, source->x[0], NULL);
    return PACED_LAUNCH(device, kernel, range, vec, PACED_STRUCT(winograd_tiles, &tiles), w->h, w->w, line, w->pad,
                        SOURCE_ARGS(source), values);
}

static enum paced_err reversed_filter(struct paced_exec *e, const struct winograd *w, struct block block,
                                      const struct paced_buffer *filter, struct paced_buffer *u) {
    struct paced_device *device = paced_exec_device(e);
    int line = winograd_line(w), vec = paced_device_vector(device, w->k), outputs = block.outputs / vec;
    return PACED_LAUNCH(device, KERNEL(w, winograd, reversed, NULL, NULL), heavy_pixels(line, outputs), vec,
                        block.from / vec, outputs, w->c, w->k / vec, line, filter, u);
}

enum paced_err winograd_filter(struct paced_exec *e, const struct winograd *w, bool reversed, struct block block,
                               const struct paced_buffer *filter, struct paced_buffer *u) {
    if (reversed) return reversed_filter(e, w, block, filter, u);
    struct paced_device *device = paced_exec_device(e);
    int line = winograd_line(w), vec = conv_turning_vector(device, w->k, w->c);
    return PACED_LAUNCH(device, KERNEL(w, winograd, filter, NULL, NULL), turning_range(vec, line, block.outputs), vec,
                        block.from, block.outputs, w->k, w->c, line, filter, u);
}

enum paced_err winograd_output(struct paced_exec *e, const struct winograd *w, struct chunk chunk, struct block block,
                               const struct paced_buffer *products, const struct paced_buffer *bias, float beta,
                               struct paced_buffer *target) {
    struct paced_device *device = paced_exec_device(e);
    int left = winograd_tile_count(w) - chunk.first, rows = left < chunk.rows ? left : chunk.rows;
    int vec = paced_device_vector(device, w->k), vectors = block.real / vec, has_bias = bias != NULL;
    struct paced_range range = paced_range_runs(device, (uint64_t)rows, (uint32_t)vectors);
    struct winograd_tiles tiles = winograd_tiles_from(w, chunk.first, rows, range.run);
    return PACED_LAUNCH(device, KERNEL(w, winograd, output, NULL, target), range, vec,
                        PACED_STRUCT(winograd_tiles, &tiles), chunk.rows, block.from / vec, vectors, w->k / vec,
                        block.outputs / vec, has_bias, products, bias ? bias : products, beta, target);
}

enum paced_err winograd_gradient(struct paced_exec *e, const struct winograd *w, struct chunk chunk, struct block block,
                                 const struct paced_buffer *dy, struct paced_buffer *transposed) {
    struct paced_device *device = paced_exec_device(e);
    int vec = conv_turning_vector(device, chunk.rows, w->k);
    struct winograd_tiles tiles = winograd_tiles_from(w, chunk.first, chunk.rows, 1);
    return PACED_LAUNCH(device, KERNEL(w, winograd_weights, transposed, NULL, dy),
                        turning_range(vec, block.outputs, chunk.rows), vec, PACED_STRUCT(winograd_tiles, &tiles),
                        block.from, block.outputs, w->k, dy, transposed);
}

enum paced_err winograd_taps(struct paced_exec *e, const struct winograd *w, struct block block,
                             const struct paced_buffer *products, struct paced_buffer *dw) {
    struct paced_device *device = paced_exec_device(e);
    int vec = paced_device_vector(device, w->c), vectors = w->c / vec, line = winograd_line(w) / vec;
    return PACED_LAUNCH(device, KERNEL(w, winograd_weights, taps, NULL, NULL), heavy_pixels(block.real, vectors), vec,
                        block.from, block.real, block.outputs, vectors, line, products, dw);
}
