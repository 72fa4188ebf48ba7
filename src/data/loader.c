/* Loader: threads that prepare batches ahead of the consumer. The states of a buffer:
 *
 *   idle -> (a worker claims the buffer with the next batch number) -> filling -> ready
 *        -> (the consumer takes it) -> taken -> idle
 *
 * Invariant: buffer and batch number are claimed together under the lock, in order. So the batch that the consumer
 * waits for always owns a buffer, and with at least HELD + 1 buffers there is no deadlock, whichever batch is released
 * first. The content of a batch depends on `order` only. A failed batch is delivered in its place like any other; no
 * batch is claimed after it. */
#include "paced/data.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { HELD = 2 }; /* batches that the consumer may hold at once */

enum buffer_state { IDLE, FILLING, READY, TAKEN };

struct buffer {
    struct paced_batch batch; /* first, so that the consumer's pointer leads back to the buffer */
    enum buffer_state state;
    size_t number; /* batch number */
    enum paced_err err;
};

struct paced_loader {
    struct paced_dataset *dataset;
    uint32_t *order;
    size_t count;  /* samples in `order` */
    size_t batch;  /* samples per batch */
    size_t pixels; /* pixels per sample */
    struct paced_change change;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct buffer *buffers;
    size_t buffer_count;
    size_t claim, end; /* next batch number to prepare; first one not to prepare */
    size_t deliver;    /* next batch number for the consumer */
    size_t held;
    bool stop;

    pthread_t *threads;
    size_t thread_count;
};

/* ---- workers ------------------------------------------------------------------------------------------------- */

static struct buffer *find(struct paced_loader *l, enum buffer_state state) {
    for (size_t i = 0; i < l->buffer_count; ++i)
        if (l->buffers[i].state == state) return &l->buffers[i];
    return NULL;
}

/* Waits for an idle buffer and assigns it the next batch number; NULL when no work is left. */
static struct buffer *claim_next(struct paced_loader *l) {
    struct buffer *b = NULL;
    pthread_mutex_lock(&l->lock);
    while (!l->stop && l->claim < l->end && !(b = find(l, IDLE))) pthread_cond_wait(&l->changed, &l->lock);
    if (l->stop || l->claim >= l->end) b = NULL;
    if (b) {
        b->state = FILLING;
        b->number = l->claim++;
    }
    pthread_mutex_unlock(&l->lock);
    return b;
}

static bool is_stopped(struct paced_loader *l) {
    pthread_mutex_lock(&l->lock);
    bool stop = l->stop;
    pthread_mutex_unlock(&l->lock);
    return stop;
}

static enum paced_err fill(struct paced_loader *l, struct buffer *b, uint8_t *rgb) {
    struct paced_batch *batch = &b->batch;
    size_t first = b->number * l->batch, left = l->count - first;
    batch->count = (int)(left < l->batch ? left : l->batch);
    batch->index = l->order + first;
    for (size_t n = 0; n < (size_t)batch->count && !is_stopped(l); ++n) {
        uint8_t *label = batch->labels + n * l->pixels;
        float *image = batch->images + n * 3 * l->pixels;
        PACED_TRY(paced_dataset_load(l->dataset, batch->index[n], rgb, label));
        for (size_t i = 0; i < 3 * l->pixels; ++i) image[i] = paced_unit(rgb[i]);
        if (!l->change.apply) continue;
        PACED_TRY(l->change.apply(l->change.context, batch->index[n], paced_dataset_extent(l->dataset), image, label));
    }
    return PACED_OK;
}

static void *work(void *argument) {
    struct paced_loader *l = argument;
    uint8_t *rgb = paced_alloc(l->pixels, 3);
    for (struct buffer *b; (b = claim_next(l));) {
        enum paced_err err = fill(l, b, rgb);
        pthread_mutex_lock(&l->lock);
        b->err = err;
        b->state = READY;
        if (err && l->end > b->number + 1) l->end = b->number + 1;
        pthread_cond_broadcast(&l->changed);
        pthread_mutex_unlock(&l->lock);
    }
    free(rgb);
    return NULL;
}

/* ---- create and destroy -------------------------------------------------------------------------------------- */

static enum paced_err check_order(const struct paced_dataset *dataset, const uint32_t *order, size_t count, int batch) {
    if (batch < 1) return paced_error(PACED_INVALID, "a batch of %d samples is not possible; use 1 or more", batch);
    for (size_t i = 0; i < count; ++i)
        if (order[i] >= paced_dataset_count(dataset))
            return paced_error(PACED_INVALID,
                               "sample %u is requested, but the split has only %zu; check that it is the same split",
                               order[i], paced_dataset_count(dataset));
    return PACED_OK;
}

static void make_buffers(struct paced_loader *l, size_t count) {
    l->buffer_count = count;
    l->buffers = paced_alloc(count, sizeof *l->buffers);
    for (size_t i = 0; i < count; ++i) {
        l->buffers[i].batch.images = paced_alloc(l->batch * 3 * l->pixels, sizeof(float));
        l->buffers[i].batch.labels = paced_alloc(l->batch * l->pixels, 1);
    }
}

static enum paced_err start_threads(struct paced_loader *l, size_t count) {
    l->threads = paced_alloc(count, sizeof *l->threads);
    for (; l->thread_count < count; ++l->thread_count) {
        int code = pthread_create(&l->threads[l->thread_count], NULL, work, l);
        if (code != 0)
            return paced_error(PACED_FAILED, "cannot start a loader thread: %s; lower data.workers", strerror(code));
    }
    return PACED_OK;
}

enum paced_err paced_loader_create(struct paced_loader **loader, struct paced_dataset *dataset, const uint32_t *order,
                                   size_t count, int batch, size_t first_batch, int workers,
                                   const struct paced_change *change) {
    *loader = NULL;
    PACED_TRY(check_order(dataset, order, count, batch));
    struct paced_loader *l = paced_alloc(1, sizeof *l);
    l->dataset = dataset;
    if (change) l->change = *change;
    l->count = count;
    l->batch = (size_t)batch < count ? (size_t)batch : count; /* no memory for samples that do not exist */
    l->pixels = paced_extent_pixels(paced_dataset_extent(dataset));
    l->end = count == 0 ? 0 : (count - 1) / l->batch + 1;
    l->claim = l->deliver = first_batch < l->end ? first_batch : l->end;
    if (count > 0) {
        l->order = paced_alloc(count, sizeof *l->order);
        memcpy(l->order, order, count * sizeof *order);
    }
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);

    size_t batches = l->end - l->claim;
    size_t threads = workers < 1 ? 1 : (size_t)workers;
    if (threads > batches) threads = batches;
    enum paced_err err = PACED_OK;
    if (batches > 0) {
        make_buffers(l, threads + HELD < batches ? threads + HELD : batches);
        err = start_threads(l, threads);
    }
    if (!err) *loader = l;
    if (err) paced_loader_destroy(l);
    return err;
}

void paced_loader_destroy(struct paced_loader *l) {
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < l->thread_count; ++i) pthread_join(l->threads[i], NULL);
    for (size_t i = 0; i < l->buffer_count; ++i) {
        free(l->buffers[i].batch.images);
        free(l->buffers[i].batch.labels);
    }
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    free(l->threads);
    free(l->buffers);
    free(l->order);
    free(l);
}

/* ---- consumer ------------------------------------------------------------------------------------------------ */

static struct buffer *find_ready(struct paced_loader *l, size_t number) {
    for (size_t i = 0; i < l->buffer_count; ++i)
        if (l->buffers[i].state == READY && l->buffers[i].number == number) return &l->buffers[i];
    return NULL;
}

enum paced_err paced_loader_next(struct paced_loader *l, struct paced_batch **batch) {
    *batch = NULL;
    struct buffer *b = NULL;
    enum paced_err err = PACED_OK;
    pthread_mutex_lock(&l->lock);
    if (l->deliver >= l->end) goto out;
    if (l->held >= HELD) {
        err = paced_error(PACED_FAILED, "%d batches are held already; release one before requesting the next", HELD);
        goto out;
    }
    while (!(b = find_ready(l, l->deliver))) pthread_cond_wait(&l->changed, &l->lock);
    err = b->err;
    if (err) goto out; /* the batch stays in place, so that the next call returns the error again */
    b->state = TAKEN;
    ++l->held;
    ++l->deliver;
    *batch = &b->batch;
out:
    pthread_mutex_unlock(&l->lock);
    return err;
}

void paced_loader_release(struct paced_loader *l, struct paced_batch *batch) {
    if (!batch) return;
    struct buffer *b = (struct buffer *)batch;
    pthread_mutex_lock(&l->lock);
    if (b->state == TAKEN) {
        b->state = IDLE;
        l->held--;
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
}
