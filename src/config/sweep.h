/* sweep: points from the lines of [sweep]. Private to the config module. */
#ifndef PACED_CONFIG_SWEEP_H
#define PACED_CONFIG_SWEEP_H

#include "stage.h"

bool paced_sweep_is_header(const char *section);

/* True for --set sweep.SECTION.KEY=... */
bool paced_sweep_is_set(const char *set);
/* Replaces the line with the same keys, or adds a line. */
enum paced_err paced_sweep_apply_set(struct stage_text *lines, const char *set);

/* Computes the points; none without lines. On an error *sweep holds nothing to release. */
enum paced_err paced_sweep_read(struct paced_sweep *sweep, const struct stage_text *lines);
void paced_sweep_finish(struct paced_sweep *sweep);

#endif
