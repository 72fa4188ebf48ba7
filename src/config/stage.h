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
};

/* True for section names "stage ..." and "sweep"; the check reports a malformed one. */
bool stage_is_header(const char *section);
enum paced_err stage_check_header(const char *place, const char *section);
bool stage_key_known(const char *name);
bool stage_key_is_own(const char *name); /* command, config, sweep */

/* Collects the stages and the sweep of this file only; ignores all else. Starts as {0}; release also after an error. */
enum paced_err stage_texts_read(struct stage_texts *stages, const char *path);
/* Adds the implicit stages of a sweep without [stage] sections: train, then test. */
void stage_texts_add_plain(struct stage_texts *stages);
/* Last line with this name, or NULL. */
const struct stage_line *stage_find_line(const struct stage_text *stage, const char *name);
void stage_texts_finish(struct stage_texts *stages);

/* True for --set sweep.SECTION.KEY=... */
bool sweep_is_set(const char *set);
/* Replaces the line with the same keys, or adds a line. */
enum paced_err sweep_apply_set(struct stage_text *lines, const char *set);

/* ---- sweep.c ---- */

/* Computes the points; none without lines. On an error *sweep holds nothing to release. */
enum paced_err sweep_read(struct paced_sweep *sweep, const struct stage_text *lines);
void sweep_finish(struct paced_sweep *sweep);

#endif
