/* stage: sections [stage NAME] and [sweep] as uninterpreted text. Private to the config module. */
#ifndef PACED_CONFIG_STAGE_H
#define PACED_CONFIG_STAGE_H

#include "keys.h"

struct stage_line {
    char *name, *text, *place; /* own key of a stage or "section.key", in a sweep also several; value; FILE:LINE */
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
    bool in_sweep;           /* the last opened section is [sweep] */
};

/* True for section names "stage ..." and "sweep"; the check reports a malformed one. */
bool paced_stage_is_header(const char *section);
enum paced_err paced_stage_check_header(const char *place, const char *section);
bool paced_stage_key_known(const char *name);
bool paced_stage_key_is_own(const char *name); /* command, config, sweep */

/* Key named "section.key", or NULL; paced_stage_key_refuse then reports it, with the nearest valid one. */
const struct config_key *paced_stage_key_find(const char *name);
enum paced_err paced_stage_key_refuse(const char *place, const char *name);

/* Opens a new stage or the sweep; adds a line to the last one opened. */
enum paced_err paced_stage_texts_open(struct stage_texts *stages, const char *place, const char *section);
enum paced_err paced_stage_texts_add_line(struct stage_texts *stages, const char *place, const char *name,
                                          const char *text);
/* Adds the implicit stages of a sweep without [stage] sections: train, then test. */
void paced_stage_texts_add_plain(struct stage_texts *stages);
/* Last line with this name, or NULL. */
const struct stage_line *paced_stage_find_line(const struct stage_text *stage, const char *name);
void paced_stage_texts_finish(struct stage_texts *stages);
void paced_stage_line_finish(struct stage_line *line);

#endif
