/* sweep: from the lines of [sweep] to points. Private to this room. */
#ifndef PACED_CONFIG_SWEEP_H
#define PACED_CONFIG_SWEEP_H

#include "stage.h"

bool paced_sweep_is_header(const char *section);

/* Is it a --set sweep.SECTION.KEY=...? */
bool paced_sweep_is_set(const char *set);
/* Such a one replaces the line of the same keys, or is one more. */
enum paced_err paced_sweep_apply_set(struct stage_text *lines, const char *set);

/* The points of the lines; none without lines. On an error *sweep holds nothing. */
enum paced_err paced_sweep_read(struct paced_sweep *sweep, const struct stage_text *lines);
void paced_sweep_finish(struct paced_sweep *sweep);

#endif
