/* Persistent record of a stage: two small files below <output>/stages, each with the hash of everything that the
 * results of the stage depend on. NAME is a path if it includes the name of a point.
 *   NAME.begun  exists from before the first write of the stage until it is done
 *   NAME.done   exists from its end until it is started again */
#ifndef PACED_RUN_STAGES_H
#define PACED_RUN_STAGES_H

#include "paced/config.h"

struct stage_record {
    char *dir, *begun, *done;
    uint64_t hash;
};

/* Hash of the stage's command and resolved configuration and, through hashes[index], of the earlier stages that it
 * uses.
 */
uint64_t stage_hash(const struct paced_experiment *experiment, size_t index, const uint64_t *hashes);

void stage_record_init(struct stage_record *record, const char *output, const char *name, uint64_t hash);
void stage_record_finish(struct stage_record *record);

bool stage_record_exists(const struct stage_record *record); /* with any hash */
bool stage_record_is_begun(const struct stage_record *record);
bool stage_record_is_done(const struct stage_record *record);

enum paced_err stage_record_begin(const struct stage_record *record);
enum paced_err stage_record_end(const struct stage_record *record);

#endif
