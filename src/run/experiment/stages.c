/* Records of an experiment's stages.
 *
 * Invariant: a record never claims more than is true, wherever the process is killed. `begun` is therefore written
 * before `done` is removed (the stage stays known as one of this experiment), and `done` before `begun` is removed. */
#include "src/run/experiment/stages.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_DIGITS = 16, LARGEST_RECORD = 64 };

uint64_t stage_hash(const struct paced_experiment *experiment, size_t index, const uint64_t *hashes) {
    const struct paced_stage *stage = &experiment->stages[index];
    uint64_t hash = paced_hash(PACED_HASH_START, stage->command, strlen(stage->command) + 1);
    hash = paced_config_hash(hash, &stage->config);
    for (size_t i = 0; i < index; ++i)
        if (stage->uses[i]) hash = paced_hash(hash, &hashes[i], sizeof hashes[i]);
    return hash;
}

void stage_record_init(struct stage_record *record, const char *output, const char *name, uint64_t hash) {
    *record = (struct stage_record){.hash = hash};
    record->begun = paced_format("%s/stages/%s.begun", output, name);
    record->done = paced_format("%s/stages/%s.done", output, name);
    record->dir = paced_path_dir(record->begun);
}

void stage_record_finish(struct stage_record *record) {
    free(record->dir);
    free(record->begun);
    free(record->done);
    *record = (struct stage_record){0};
}

bool stage_record_exists(const struct stage_record *record) {
    return paced_path_exists(record->begun) || paced_path_exists(record->done);
}

/* An unreadable record counts as one of another hash: the stage is run again. */
static bool holds(const char *path, uint64_t hash) {
    char text[LARGEST_RECORD] = "", expected[HASH_DIGITS + 2];
    FILE *file = paced_path_unreadable(path) ? NULL : fopen(path, "r");
    if (!file) return false;
    snprintf(expected, sizeof expected, "%016" PRIx64 "\n", hash);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    return size == strlen(expected) && strcmp(text, expected) == 0;
}

bool stage_record_is_begun(const struct stage_record *record) {
    return holds(record->begun, record->hash);
}

bool stage_record_is_done(const struct stage_record *record) {
    return holds(record->done, record->hash);
}

static enum paced_err move(const struct stage_record *record, const char *to, const char *from) {
    char text[HASH_DIGITS + 2];
    snprintf(text, sizeof text, "%016" PRIx64 "\n", record->hash);
    PACED_TRY(paced_make_dirs(record->dir));
    PACED_TRY(paced_file_write(to, text, strlen(text)));
    return paced_file_remove(from);
}

enum paced_err stage_record_begin(const struct stage_record *record) {
    return move(record, record->begun, record->done);
}

enum paced_err stage_record_end(const struct stage_record *record) {
    return move(record, record->done, record->begun);
}
