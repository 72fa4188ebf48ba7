/* read: weights of either format. Files of PyTorch before 1.6 are a sequence of pickles, recognised by the number in
 * the first one. A safetensors file cannot begin like either: as a header's length, these bytes exceed the limit. */
#include <stdlib.h>
#include <string.h>

#include "src/weights/set.h"

static bool begins(const uint8_t *file, size_t size, size_t at, const char *magic) {
    size_t length = strlen(magic);
    return size >= at + length && memcmp(file + at, magic, length) == 0;
}

static enum paced_err parse_any(const char *path, const uint8_t *file, size_t size, struct paced_weights *weights) {
    if (begins(file, size, 0, "PK\3\4")) return pytorch_parse(path, file, size, weights);
    if (begins(file, size, 0, "\x80") && begins(file, size, 2, "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"))
        return paced_error_at(PACED_INVALID, path,
                              "is in PyTorch's format before 1.6; save it again with a newer PyTorch, as in "
                              "torch.save(torch.load('%s'), '%s')",
                              path, path);
    return safetensors_parse(path, file, size, weights);
}

/* Parses a whole file. The set is replaced only by a complete one. */
static enum paced_err read_file(const char *path, parser *parse, struct paced_weights *weights) {
    struct paced_weights result = {0};
    uint8_t *file;
    size_t size;
    PACED_TRY(paced_file_read(path, 0, &file, &size));
    enum paced_err err = parse(path, file, size, &result);
    free(file);
    paced_weights_finish(err ? &result : weights);
    if (!err) *weights = result;
    return err;
}

enum paced_err paced_safetensors_read(const char *path, struct paced_weights *weights) {
    return read_file(path, safetensors_parse, weights);
}

enum paced_err paced_weights_read(const char *path, struct paced_weights *weights) {
    return read_file(path, parse_any, weights);
}
