/* corruptions: what the table's rows are made of. Private to the perturb room. */
#ifndef PACED_SRC_PERTURB_CORRUPTIONS_H
#define PACED_SRC_PERTURB_CORRUPTIONS_H

#include "paced/perturb.h"

/* severity 0..PACED_SEVERITIES - 1 indexes the constants. Values may leave 0..1: they are cut off afterwards. */
typedef enum paced_err paced_corruptor(int severity, struct paced_rng *rng, struct paced_sample *sample);

paced_corruptor paced_gaussian_noise;
paced_corruptor paced_elastic;
paced_corruptor paced_rotate, paced_translate, paced_scale, paced_hflip;

#endif
