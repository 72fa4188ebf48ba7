/* stage: sections [stage NAME] as the parser hands them over, before they mean anything. Private to this room. */
#ifndef PACED_CONFIG_STAGE_H
#define PACED_CONFIG_STAGE_H

#include "keys.h"

struct stage_line {
    char *name, *text, *place; /* "command", "config" or "section.key"; place: FILE:LINE */
};

struct stage_text {
    char *name, *place;
    struct stage_line *lines;
    size_t count;
};

struct stage_texts {
    struct stage_text *list;
    size_t count;
};

/* Is it a section's name "stage ..."? Is that one well formed? */
bool paced_stage_is_header(const char *section);
enum paced_err paced_stage_check_header(const char *place, const char *section);
bool paced_stage_key_known(const char *name);

/* A new stage; a line of the newest one. */
enum paced_err paced_stage_texts_open(struct stage_texts *stages, const char *place, const char *section);
enum paced_err paced_stage_texts_add_line(struct stage_texts *stages, const char *place, const char *name,
                                          const char *text);

#endif
