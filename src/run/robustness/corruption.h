/* Plan of [robustness], and one corruption as the loader's change of samples. */
#ifndef PACED_RUN_CORRUPTION_H
#define PACED_RUN_CORRUPTION_H

#include "paced/config.h"
#include "paced/data.h"
#include "paced/perturb.h"

struct corruption_plan {
    size_t *corruptions; /* [count] rows of the perturb module's table, in its order */
    const char **names;  /* [count] */
    size_t count;
    int severities[PACED_SEVERITIES]; /* [severity_count] rising */
    size_t severity_count;
};

/* PACED_INVALID for an unknown name or severity, or an empty list. Nothing is left to release after an error. */
enum paced_err corruption_plan_read(struct corruption_plan *plan, const struct paced_config *config);
void corruption_plan_finish(struct corruption_plan *plan);

/* Context of corruption_apply. */
struct corruption {
    size_t index; /* in the perturb module's table */
    int severity;
    uint64_t seed;
    uint8_t outside; /* label of pixels from outside the image */
};

/* `apply` of a paced_change. The random numbers of a sample depend only on the seed, the corruption's name, the
 * severity and the sample's index in the split. */
enum paced_err corruption_apply(const void *corruption, size_t sample, struct paced_extent extent, float *rgb,
                                uint8_t *label);

#endif
