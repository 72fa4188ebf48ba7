/* Winograd's convolutions whose tiles stay in local memory (winograd_kept.cl), for CPUs: a work-group transforms a few
 * tiles, multiplies and transforms back, so that V and M never leave the core's own cache. Compared with matrices in
 * memory (winograd.c) it saves the trips of V and M, and reads U once for each few tiles. Products of bfloat16 halve U
 * and V. */
#include "src/ops/conv/winograd.h"

enum {
    VEC = 16,
    MOST_ROWS = 32,    /* tiles of a work-group */
    MOST_OUTPUTS = 32, /* of a block: the columns of a product in registers, so that U is read from end to end */
    MOST_DEPTH = 128,  /* channels of V, which leave half of the cache to U; 64 to 512 were tried */
    ITEMS_PER_CORE = 4,
    PADDING = 16,     /* floats between planes, which otherwise fall into the same sets of a cache */
    RESERVE = 4 << 10 /* bytes of local memory that stay free, for the driver's alignment */
};

/* The launch of a convolution; groups: 0 if the device's local memory is too small. */
struct kept {
    struct winograd_tiles tiles;
    struct winograd_kept sizes;
    size_t local_bytes;
    uint64_t u_bytes; /* of a block */
    int groups;
};

/* U is read once for each `rows` tiles. */
static void set_rows(struct kept *k, const struct winograd *w, int rows) {
    struct winograd_kept *s = &k->sizes;
    int element = w->products ? 2 : 4;
    s->plane = rows * s->depth + PADDING * 4 / element;
    s->sums_plane = rows * s->outputs + PADDING;
    k->tiles = winograd_tiles_from(w, 0, rows, 1);
    k->groups = (k->tiles.tiles + rows - 1) / rows;
    k->local_bytes = (size_t)winograd_planes(w) * ((size_t)s->plane * (size_t)element + (size_t)s->sums_plane * 4);
}

/* A target in bfloat16 would round the sum of each slice, so V then holds all channels. */
static int slice_depth(int line, enum paced_precision precision) {
    int slices = precision == PACED_PRECISION_MIXED ? 1 : (line + MOST_DEPTH - 1) / MOST_DEPTH;
    return paced_gemm_pad((line + slices - 1) / slices);
}

/* The most tiles that fit. If a core would get too few work-items, parts of the outputs, so that U is still read once
 * for as many tiles; if there are too few parts, fewer tiles. */
static struct kept lay_out(const struct winograd *w, const struct paced_device_info *info,
                           enum paced_precision precision) {
    int line = winograd_line(w), outputs = winograd_outputs(w), blocks = winograd_blocks(w);
    int least = w->products == PACED_PRODUCTS_TILES ? 16 : 8; /* rows of a product */
    int wanted = ITEMS_PER_CORE * (int)info->compute_units;
    struct kept k = {.u_bytes = winograd_operand_bytes(w, line, outputs),
                     .sizes = {.h = w->h,
                               .w = w->w,
                               .pad = w->pad,
                               .line = line,
                               .depth = slice_depth(line, precision),
                               .outputs = outputs,
                               .padded = paced_gemm_pad(w->k),
                               .filters = w->k,
                               .parts = 1}};
    k.sizes.block = (int)(k.u_bytes / (w->products ? 2 : 4));
    for (int rows = MOST_ROWS; rows >= least; rows /= 2) {
        set_rows(&k, w, rows);
        if (k.local_bytes + RESERVE <= info->local_bytes && k.groups * blocks >= wanted) break;
    }
    if (k.local_bytes + RESERVE > info->local_bytes) k.groups = 0;
    while (k.groups && k.groups * k.sizes.parts < wanted && 2 * k.sizes.parts <= blocks) k.sizes.parts *= 2;
    return k;
}

/* The geometry of a direction, with the blocks of this algorithm. */
static struct winograd geometry(const struct conv *v, int m, int samples, bool backward, enum paced_products products) {
    struct winograd w = backward ? winograd_backward(v, m, samples) : winograd_forward(v, m, samples);
    w.max_outputs = MOST_OUTPUTS;
    w.products = products;
    return w;
}

/* U of all blocks. */
static uint64_t u_bytes(const struct winograd *w) {
    return winograd_operand_bytes(w, winograd_line(w), winograd_outputs(w)) * (uint64_t)winograd_blocks(w);
}

bool conv_kept_applies(const struct conv *v, int m, enum paced_precision precision, enum paced_products products,
                       const struct paced_device *device, uint64_t limit) {
    const struct paced_device_info *info = paced_device_info(device);
    if (info->variant != PACED_VARIANT_CPU || paced_device_vector(device, VEC) != VEC) return false;
    if (v->c % VEC || v->k % VEC) return false;
    for (int backward = 0; backward < 2; ++backward) {
        struct winograd w = geometry(v, m, 1, backward, products);
        struct kept k = lay_out(&w, info, precision);
        if (!k.groups || u_bytes(&w) > limit) return false;
    }
    return true;
}

static uint64_t workspace_bytes(int m, const struct conv *v, int samples, uint64_t limit) {
    uint64_t most = 0;
    for (int products = PACED_PRODUCTS_FLOAT; products <= PACED_PRODUCTS_PAIRS; ++products)
        for (int backward = 0; backward < 2; ++backward) {
            struct winograd w = geometry(v, m, samples, backward, (enum paced_products)products);
            uint64_t bytes = u_bytes(&w);
            if (bytes <= limit && bytes > most) most = bytes;
        }
    return most;
}

/* Computes U of all blocks in `u`. */
static enum paced_err transform_filters(struct paced_exec *e, const struct winograd *w, const struct kept *k,
                                        bool reversed, const struct paced_buffer *weights,
                                        const struct paced_buffer *u) {
    for (int i = 0; i < winograd_blocks(w); ++i) {
        struct paced_buffer *part;
        PACED_TRY(paced_buffer_view(&part, u, k->u_bytes * (uint64_t)i, k->u_bytes));
        enum paced_err err = winograd_filter(e, w, reversed, winograd_block(w, i), weights, part);
        paced_buffer_destroy(part);
        PACED_TRY(err);
    }
    return PACED_OK;
}

static enum paced_err convolve(struct paced_exec *e, const struct winograd *w, struct kept *k,
                               const struct source *source, const struct paced_buffer *u,
                               const struct paced_buffer *bias, float beta, struct paced_buffer *target) {
    const struct paced_kernel kernel = {.file = "winograd_kept.cl",
                                        .name = w->m == 4 ? "winograd_kept4" : "winograd_kept2",
                                        .storage = paced_storage_of(source->x[0], target),
                                        .products = w->products};
    k->sizes.has_bias = bias != NULL;
    uint64_t items = (uint64_t)k->groups * (uint64_t)k->sizes.parts;
    return PACED_LAUNCH(paced_exec_device(e), &kernel, paced_range_chunks(items), VEC,
                        PACED_STRUCT(winograd_tiles, &k->tiles), PACED_STRUCT(winograd_kept, &k->sizes),
                        SOURCE_ARGS(source), u, bias, beta, target, paced_arg_local(k->local_bytes));
}

/* The geometry and launch of a direction of a pass. */
static enum paced_err prepare(struct paced_exec *e, const struct conv *v, int m, bool backward, struct winograd *w,
                              struct kept *k) {
    enum paced_products products;
    PACED_TRY(conv_products(paced_exec_device(e), paced_exec_precision(e), &products));
    *w = geometry(v, m, paced_exec_samples(e), backward, products);
    *k = lay_out(w, paced_device_info(paced_exec_device(e)), paced_exec_precision(e));
    return PACED_OK;
}

static enum paced_err forward(struct paced_exec *e, int m, const struct paced_node *node, const struct conv *v,
                              const struct source *x, const struct paced_buffer *weights,
                              const struct paced_buffer *bias, bool blocked, float beta, struct paced_buffer *y) {
    struct winograd w;
    struct kept k;
    PACED_TRY(prepare(e, v, m, false, &w, &k));
    struct paced_buffer *u;
    bool fresh;
    PACED_TRY(paced_exec_cached(e, node, u_bytes(&w), conv_operand_format(w.products), &u, &fresh));
    if (!u) PACED_TRY(paced_exec_workspace_as(e, 0, u_bytes(&w), conv_operand_format(w.products), &u));
    if (fresh) PACED_TRY(transform_filters(e, &w, &k, false, weights, u));
    return convolve(e, &w, &k, x, u, bias, beta, y);
}

static enum paced_err backward_data(struct paced_exec *e, int m, const struct conv *v, const struct paced_buffer *dy,
                                    const struct paced_buffer *weights, bool blocked, float beta,
                                    struct paced_buffer *dx) {
    struct winograd w;
    struct kept k;
    PACED_TRY(prepare(e, v, m, true, &w, &k));
    struct source source = source_of_buffer(dy, (struct paced_shape){v->oh, v->ow, v->k});
    struct paced_buffer *u;
    PACED_TRY(paced_exec_workspace_as(e, 0, u_bytes(&w), conv_operand_format(w.products), &u));
    PACED_TRY(transform_filters(e, &w, &k, true, weights, u));
    return convolve(e, &w, &k, &source, u, NULL, beta, dx);
}

const struct conv_algorithm conv_kept2 = {"kept2", 2, workspace_bytes, forward, backward_data, NULL};
const struct conv_algorithm conv_kept4 = {"kept4", 4, workspace_bytes, forward, backward_data, NULL};
