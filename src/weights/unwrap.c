/* unwrap: removes the prefix that PyTorch's wrappers and training frameworks put before all names of a network. */
#include <stdlib.h>
#include <string.h>

#include "paced/weights.h"

/* Attributes under which DataParallel, torch.compile, Lightning and common training code hold a network. */
static const char *const wrappers[] = {"module.", "_orig_mod.", "model.", "net."};

static bool begin_with(const struct paced_weights *weights, const char *prefix, size_t length) {
    for (size_t i = 0; i < weights->count; ++i) {
        const char *name = weights->entries[i].name;
        if (strncmp(name, prefix, length) != 0 || !name[length]) return false;
    }
    return weights->count > 0;
}

static size_t count_known(const struct paced_weights *weights, size_t skipped, paced_weights_known *known,
                          const void *network) {
    size_t count = 0;
    for (size_t i = 0; i < weights->count; ++i) count += known(network, weights->entries[i].name + skipped);
    return count;
}

/* Length of the shortest shared prefix after which the most names are known; 0: the names as they are. */
static size_t known_prefix(const struct paced_weights *weights, paced_weights_known *known, const void *network) {
    const char *first = weights->entries[0].name;
    size_t best = 0, most = count_known(weights, 0, known, network);
    for (const char *dot = first; (dot = strchr(dot, '.')); ++dot) {
        size_t length = (size_t)(dot - first) + 1;
        if (!begin_with(weights, first, length)) break;
        size_t count = count_known(weights, length, known, network);
        if (count <= most) continue;
        most = count;
        best = length;
    }
    return best;
}

/* Length of the wrapper that all names have at this place; 0: none. */
static size_t wrapper_at(const struct paced_weights *weights, size_t at) {
    const char *first = weights->entries[0].name;
    for (size_t w = 0; w < PACED_COUNT(wrappers); ++w) {
        size_t length = strlen(wrappers[w]);
        if (strncmp(first + at, wrappers[w], length) == 0 && begin_with(weights, first, at + length)) return length;
    }
    return 0;
}

static size_t wrapper_prefix(const struct paced_weights *weights) {
    size_t length = 0;
    for (size_t more; (more = wrapper_at(weights, length)) > 0;) length += more;
    return length;
}

char *paced_weights_unwrap(struct paced_weights *weights, paced_weights_known *known, const void *network) {
    if (weights->count == 0) return NULL;
    size_t length = known ? known_prefix(weights, known, network) : wrapper_prefix(weights);
    if (length == 0) return NULL;
    char *prefix = paced_format("%.*s", (int)length, weights->entries[0].name);
    for (size_t i = 0; i < weights->count; ++i) {
        char *name = weights->entries[i].name;
        memmove(name, name + length, strlen(name) - length + 1);
    }
    return prefix;
}
