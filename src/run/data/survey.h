/* Reading whole data sets once, on threads: what each pair holds, and which pairs cannot be read. */
#ifndef PACED_RUN_SURVEY_H
#define PACED_RUN_SURVEY_H

#include "paced/data.h"

struct survey {
    struct paced_dataset *set[2]; /* the configuration's splits, or one where there are no splits; NULL: none */
    size_t count;                 /* pairs of them all, one set after the other */
    struct paced_survey *pair;    /* [count]; pixels NULL: unreadable, and named by an error */
    size_t unreadable;
    size_t *group; /* [count] as of paced_print_group ... */
    float *like;   /* ... at SURVEY_ALIKE */
};

/* Correlation from which two thumbnails count as one image. */
#define SURVEY_ALIKE 0.995

/* Both splits, which must be there; or, with `find`, those that the configuration names, and where it names none all
 * pairs below the root. Starts as {0}. */
enum paced_err survey_open(struct survey *survey, const struct paced_config *config, bool find);
/* PACED_OK also where pairs are unreadable; PACED_STOPPED after Ctrl-C. */
enum paced_err survey_read(struct survey *survey, int workers);
void survey_finish(struct survey *survey);

/* Where pair k is: its set, and its index there. */
struct paced_choice survey_place(const struct survey *survey, size_t k);
/* Is it in the set of this phase? */
bool survey_is_in(const struct survey *survey, size_t k, enum paced_phase phase);

#endif
