/* The products of bfloat16 that a device computes correctly. */
#include <stdlib.h>
#include <string.h>

#include "src/device/trial.h"

#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

PACED_NAMES(paced_products_name, [PACED_PRODUCTS_FLOAT] = "float", [PACED_PRODUCTS_PAIRS] = "pairs",
            [PACED_PRODUCTS_TILES] = "tiles")

/* Linux saves the tile registers (AMX) only for processes that ask for it; other systems and processors refuse. A
 * refusal shows in the trial. */
void products_allow_tiles(void) {
#if defined(SYS_arch_prctl)
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 }; /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA */
    syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA);
#endif
}

static enum paced_err try_products(const struct paced_device *device, const char *step, enum paced_products products,
                                   enum paced_products *found) {
    char *verdict;
    PACED_TRY(trial_verdict(&device->info, step, &verdict));
    if (verdict && strcmp(verdict, VERDICT_PASSED) == 0) *found = products;
    free(verdict);
    return PACED_OK;
}

/* The last of the kinds that may be used: the one that PACED_PRODUCTS in the environment names, else all. */
static enum paced_err read_limit(enum paced_products *most) {
    const char *name = getenv("PACED_PRODUCTS");
    *most = PACED_PRODUCTS_TILES;
    if (!name || !*name) return PACED_OK;
    for (int p = PACED_PRODUCTS_FLOAT; p <= PACED_PRODUCTS_TILES; ++p)
        if (strcmp(name, paced_products_name(p)) == 0) {
            *most = (enum paced_products)p;
            return PACED_OK;
        }
    return paced_error(PACED_INVALID, "PACED_PRODUCTS=%s: must be float, pairs or tiles; unset it for the fastest",
                       name);
}

static enum paced_err find_products(struct paced_device *device, enum paced_products *found) {
    enum paced_products most;
    *found = PACED_PRODUCTS_FLOAT;
    PACED_TRY(read_limit(&most));
    if (device->info.variant != PACED_VARIANT_CPU || paced_device_vector(device, 16) != 16) return PACED_OK;
    if (most >= PACED_PRODUCTS_TILES) PACED_TRY(try_products(device, TRIAL_TILES, PACED_PRODUCTS_TILES, found));
    if (*found == PACED_PRODUCTS_FLOAT && most >= PACED_PRODUCTS_PAIRS)
        PACED_TRY(try_products(device, TRIAL_PAIRS, PACED_PRODUCTS_PAIRS, found));
    paced_log(PACED_LOG_DEBUG, "device %s: products of bfloat16 by %s", device->info.name, paced_products_name(*found));
    return PACED_OK;
}

enum paced_err paced_device_products(struct paced_device *device, enum paced_products *products) {
    if (!device->products_known) PACED_TRY(find_products(device, &device->products));
    device->products_known = true;
    *products = device->products;
    return PACED_OK;
}

/* Rows and columns of a work-item. */
struct split {
    int rows, columns;
};

static uint64_t items_of(const struct split *s, int batch, int m, int n) {
    uint64_t down = (uint64_t)((m + s->rows - 1) / s->rows), across = (uint64_t)((n + s->columns - 1) / s->columns);
    return (uint64_t)batch * down * across;
}

/* The largest blocks, which read their operands least often, of which each core gets a few. */
static struct split split_product(const struct paced_device_info *info, int batch, int m, int n) {
    enum { MAX_ROWS = 128, MAX_COLUMNS = 256, MIN_SIDE = 32, ITEMS_PER_CORE = 4 };
    struct split s = {MAX_ROWS, MAX_COLUMNS};
    uint64_t wanted = (uint64_t)ITEMS_PER_CORE * info->compute_units;
    while (s.columns > MIN_SIDE && items_of(&s, batch, m, n) < wanted) {
        if (s.columns <= s.rows) s.rows /= 2;
        if (items_of(&s, batch, m, n) < wanted) s.columns /= 2;
    }
    return s;
}

enum paced_err paced_multiply_bfloat16(struct paced_device *device, enum paced_products products, int batch, int m,
                                       int n, int k, int panel, const struct paced_buffer *a,
                                       const struct paced_buffer *b, float beta, struct paced_buffer *c) {
    const struct paced_kernel kernel = {"products.cl", "products", NULL, 0, products};
    if (m % 16 || n % 16 || k % 32)
        return paced_error(PACED_FAILED,
                           "product of bfloat16, %d x (%d, %d, %d): m and n must be multiples of 16, k of 32", batch, m,
                           n, k);
    struct split s = split_product(&device->info, batch, m, n);
    return PACED_LAUNCH(device, &kernel, paced_range_chunks(items_of(&s, batch, m, n)), 16, batch, m, n, k, panel,
                        s.rows, s.columns, a, b, beta, c);
}
