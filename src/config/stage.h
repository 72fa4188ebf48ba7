/* stage: sections [stage NAME] and [sweep] as the parser hands them over, before they mean anything. Private to this
 * room. */
#ifndef PACED_CONFIG_STAGE_H
#define PACED_CONFIG_STAGE_H

#include "keys.h"

struct stage_line {
    char *name, *text, *place; /* a stage's own key or "section.key"; of a sweep also several; place: FILE:LINE */
};

struct stage_text {
    char *name, *place;
    struct stage_line *lines;
    size_t count;
    bool once; /* sweep = no */
};

struct stage_texts {
    struct stage_text *list;
    size_t count;
    struct stage_text sweep; /* the lines of [sweep] */
    bool in_sweep;           /* it was opened last */
};

/* Is it a section's name "stage ..." or "sweep"? Is that one well formed? */
bool paced_stage_is_header(const char *section);
enum paced_err paced_stage_check_header(const char *place, const char *section);
bool paced_stage_key_known(const char *name);
bool paced_stage_key_is_own(const char *name); /* command, config, sweep */

/* The key that "section.key" names, or NULL; then the other one reports it, with the nearest valid one. */
const struct config_key *paced_stage_key_find(const char *name);
enum paced_err paced_stage_key_refuse(const char *place, const char *name);

/* A new stage, or the sweep; a line of what was opened last. */
enum paced_err paced_stage_texts_open(struct stage_texts *stages, const char *place, const char *section);
enum paced_err paced_stage_texts_add_line(struct stage_texts *stages, const char *place, const char *name,
                                          const char *text);
/* What stands for the stages of a sweep that has none of its own. */
void paced_stage_texts_add_plain(struct stage_texts *stages);
const struct stage_line *paced_stage_find_line(const struct stage_text *stage, const char *name); /* the last, or NULL */
void paced_stage_texts_finish(struct stage_texts *stages);
void paced_stage_line_finish(struct stage_line *line);

#endif
