/* Logits of a whole data set. */
#include "src/run/logits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int logits_likeliest(const float *logits, int classes) {
    int best = 0;
    for (int c = 1; c < classes; ++c)
        if (logits[c] > logits[best]) best = c;
    return best;
}

static enum paced_err collect(struct logits *l, struct network *network, struct paced_loader *loader,
                              struct paced_progress *progress) {
    struct paced_exec *exec = network->exec;
    size_t pixels = l->pixels_per_image, classes = (size_t)l->classes;
    struct paced_batch *batch;
    for (size_t done = 0;; done += (size_t)batch->count, paced_loader_release(loader, batch)) {
        PACED_TRY(paced_loader_next(loader, &batch));
        if (!batch) return PACED_OK;
        if (paced_stop_asked()) return PACED_STOPPED;
        size_t count = (size_t)batch->count * pixels;
        PACED_TRY(paced_buffer_write(paced_exec_input(exec), batch->images, count * 3 * sizeof(float)));
        PACED_TRY(paced_exec_forward(exec, batch->count, false));
        PACED_TRY(paced_buffer_read(paced_exec_output(exec), l->values + done * pixels * classes,
                                    count * classes * sizeof(float)));
        if (l->labels) memcpy(l->labels + done * pixels, batch->labels, count);
        paced_progress_step(progress, (size_t)batch->count, NAN);
    }
}

enum paced_err logits_collect(struct logits *l, struct network *network, struct paced_dataset *dataset, int batch,
                              int workers, int classes, const struct paced_change *change, bool labels,
                              const char *label) {
    *l = (struct logits){.images = paced_dataset_count(dataset),
                         .pixels_per_image = paced_extent_pixels(paced_dataset_extent(dataset)),
                         .classes = classes};
    l->values = paced_alloc(l->images * l->pixels_per_image * (size_t)classes, sizeof *l->values);
    if (labels) l->labels = paced_alloc(l->images * l->pixels_per_image, 1);
    uint32_t *order = paced_alloc(l->images, sizeof *order);
    for (size_t i = 0; i < l->images; ++i) order[i] = (uint32_t)i;
    struct paced_loader *loader = NULL;
    struct paced_progress progress;
    paced_progress_start(&progress, label, l->images);
    enum paced_err err = paced_loader_create(&loader, dataset, order, l->images, batch, 0, workers, change);
    if (!err) err = collect(l, network, loader, &progress);
    paced_progress_end(&progress);
    paced_loader_destroy(loader);
    free(order);
    if (err) logits_finish(l);
    return err;
}

void logits_finish(struct logits *l) {
    free(l->values);
    free(l->labels);
    *l = (struct logits){0};
}
