/* Survey of data sets. Threads take the pairs in turn and store the results by pair, so the result does not depend on
 * their number. */
#include "src/run/data/dataset_stats.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- open and close ------------------------------------------------------------------------------------------ */

enum paced_err dataset_stats_open(struct dataset_stats *s, const struct paced_config *config, bool find) {
    const char *split[] = {config->data.train, config->data.val};
    const bool none = *split[0] == '\0' && *split[1] == '\0';
    struct paced_data_options data = config->data;
    for (int phase = 0; phase < 2; ++phase) {
        if (find && *split[phase] == '\0') continue;
        if (s->set[PACED_TRAIN]) /* the validation images have the range of the training images */
            data.range = s->range =
                paced_value_range_text(paced_dataset_range(s->set[PACED_TRAIN]), config->data.range);
        PACED_TRY(paced_dataset_open(&s->set[phase], &data, phase));
    }
    if (find && none) PACED_TRY(paced_dataset_find(&s->set[PACED_TRAIN], &config->data));
    for (int phase = 0; phase < 2; ++phase)
        if (s->set[phase]) s->count += paced_dataset_count(s->set[phase]);
    s->pair = paced_alloc(s->count, sizeof *s->pair);
    s->group = paced_alloc(s->count, sizeof *s->group);
    s->like = paced_alloc(s->count, sizeof *s->like);
    return PACED_OK;
}

void dataset_stats_finish(struct dataset_stats *s) {
    for (size_t k = 0; s->pair && k < s->count; ++k) paced_pair_stats_finish(&s->pair[k]);
    free(s->pair);
    free(s->group);
    free(s->like);
    free(s->range);
    for (int phase = 0; phase < 2; ++phase) paced_dataset_close(s->set[phase]);
    *s = (struct dataset_stats){0};
}

bool dataset_stats_is_in(const struct dataset_stats *s, size_t k, enum paced_phase phase) {
    size_t train = s->set[PACED_TRAIN] ? paced_dataset_count(s->set[PACED_TRAIN]) : 0;
    return (k < train) == (phase == PACED_TRAIN);
}

struct paced_choice dataset_stats_place(const struct dataset_stats *s, size_t k) {
    if (dataset_stats_is_in(s, k, PACED_TRAIN)) return (struct paced_choice){s->set[PACED_TRAIN], k};
    return (struct paced_choice){s->set[PACED_VAL],
                                 s->set[PACED_TRAIN] ? k - paced_dataset_count(s->set[PACED_TRAIN]) : k};
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

struct reading {
    struct dataset_stats *stats;
    size_t next;
    struct paced_progress progress;
    enum paced_err err; /* other than an unreadable pair */
    pthread_mutex_t lock;
};

/* Next pair, or the count if none is left. */
static size_t take_next(struct reading *r) {
    pthread_mutex_lock(&r->lock);
    bool end = r->err || paced_stop_asked() || r->next >= r->stats->count;
    size_t k = end ? r->stats->count : r->next++;
    pthread_mutex_unlock(&r->lock);
    return k;
}

static void *work(void *argument) {
    struct reading *r = argument;
    struct dataset_stats *s = r->stats;
    for (size_t k; (k = take_next(r)) < s->count;) {
        struct paced_choice place = dataset_stats_place(s, k);
        enum paced_err err = paced_dataset_pair_stats(place.dataset, place.index, &s->pair[k]);
        pthread_mutex_lock(&r->lock);
        if (err == PACED_INVALID) ++s->unreadable;
        if (err && err != PACED_INVALID) r->err = err;
        paced_progress_step(&r->progress, 1, NAN);
        pthread_mutex_unlock(&r->lock);
    }
    return NULL;
}

static enum paced_err run_threads(struct reading *r, int workers) {
    pthread_t threads[64];
    int count = 0, code = 0;
    while (count < workers && count < (int)PACED_COUNT(threads) && code == 0) {
        code = pthread_create(&threads[count], NULL, work, r);
        count += code == 0;
    }
    if (code != 0) {
        enum paced_err err = paced_error(PACED_FAILED, "cannot start a thread: %s; lower data.workers", strerror(code));
        pthread_mutex_lock(&r->lock);
        r->err = err;
        pthread_mutex_unlock(&r->lock);
    }
    while (count > 0) pthread_join(threads[--count], NULL);
    return r->err;
}

enum paced_err dataset_stats_read(struct dataset_stats *s, int workers) {
    struct reading r = {.stats = s};
    pthread_mutex_init(&r.lock, NULL);
    paced_progress_start(&r.progress, "reading", s->count);
    enum paced_err err = run_threads(&r, workers);
    paced_progress_end(&r.progress);
    pthread_mutex_destroy(&r.lock);
    if (!err && r.next < s->count) err = PACED_STOPPED;
    if (err) return err;
    paced_log_status("comparing");
    const float **prints = paced_alloc(s->count, sizeof *prints);
    for (size_t k = 0; k < s->count; ++k) prints[k] = s->pair[k].print;
    paced_fingerprint_group(prints, s->count, SURVEY_ALIKE, s->group, s->like);
    free(prints);
    paced_log_status(NULL);
    return paced_stop_asked() ? PACED_STOPPED : PACED_OK;
}
