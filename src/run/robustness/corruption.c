/* Lists of [robustness], and corruption of samples. */
#include "src/run/robustness/corruption.h"

#include <stdlib.h>
#include <string.h>

/* ---- plan ---------------------------------------------------------------------------------------------------- */

static enum paced_err read_corruptions(struct corruption_plan *plan, const char *list) {
    size_t max = paced_corruption_count();
    bool *chosen = paced_alloc(max, sizeof *chosen);
    enum paced_err err = paced_corruptions_read("robustness.corruptions", list, chosen);
    plan->corruptions = paced_alloc(max, sizeof *plan->corruptions);
    plan->names = paced_alloc(max, sizeof *plan->names);
    for (size_t i = 0; !err && i < max; ++i) {
        if (!chosen[i]) continue;
        plan->corruptions[plan->count] = i;
        plan->names[plan->count++] = paced_corruption_name(i);
    }
    free(chosen);
    return err;
}

static enum paced_err read_severities(struct corruption_plan *plan, const char *list) {
    bool chosen[PACED_SEVERITIES + 1] = {false};
    PACED_TRY(paced_severities_read("robustness.severities", list, chosen));
    for (int i = 1; i <= PACED_SEVERITIES; ++i)
        if (chosen[i]) plan->severities[plan->severity_count++] = i;
    return PACED_OK;
}

enum paced_err corruption_plan_read(struct corruption_plan *plan, const struct paced_config *config) {
    *plan = (struct corruption_plan){0};
    enum paced_err err = read_corruptions(plan, config->robustness.corruptions);
    if (!err) err = read_severities(plan, config->robustness.severities);
    if (err) corruption_plan_finish(plan);
    return err;
}

void corruption_plan_finish(struct corruption_plan *plan) {
    free(plan->corruptions);
    free(plan->names);
    *plan = (struct corruption_plan){0};
}

/* ---- samples ------------------------------------------------------------------------------------------------- */

enum paced_err corruption_apply(const void *context, size_t sample, struct paced_extent extent, float *rgb,
                                uint8_t *label) {
    const struct corruption *c = context;
    const char *name = paced_corruption_name(c->index);
    const uint64_t which[] = {(uint64_t)c->severity, sample};
    struct paced_rng rng;
    paced_rng_seed(&rng, c->seed, paced_hash(paced_hash(PACED_HASH_START, name, strlen(name)), which, sizeof which));
    struct paced_sample s = {extent, rgb, label, c->outside};
    return paced_corrupt(c->index, c->severity, &rng, &s);
}
