/* Statistics of every pair of the data sets, and near duplicates among them. Reads on several threads. */
#ifndef PACED_RUN_DATASET_STATS_H
#define PACED_RUN_DATASET_STATS_H

#include "paced/config.h"
#include "paced/data.h"
#include "paced/run.h"

struct dataset_stats {
    struct paced_dataset *set[2];  /* configured splits, or a single set without splits; NULL: none */
    char *range;                   /* data.range, measured on the training images; NULL: none were opened */
    size_t count;                  /* pairs of both sets, one set after the other */
    struct paced_pair_stats *pair; /* [count]; pixels NULL: unreadable, reported as an error */
    size_t unreadable;
    size_t *group; /* [count] from paced_fingerprint_group ... */
    float *like;   /* [count] ... with the threshold SURVEY_ALIKE */
};

/* Correlation above which two thumbnails count as near duplicates. */
#define SURVEY_ALIKE 0.995

/* Opens both splits, which must exist. With `find` it opens the splits that the configuration names, or, if it names
 * none, all pairs below the root. Starts as {0}; dataset_stats_finish must be called after a failure, too. */
enum paced_err dataset_stats_open(struct dataset_stats *stats, const struct paced_config *config, bool find);
/* Unreadable pairs are counted and do not fail. PACED_STOPPED after Ctrl-C. */
enum paced_err dataset_stats_read(struct dataset_stats *stats, int workers);
void dataset_stats_finish(struct dataset_stats *stats);

/* Set of pair k, and the index there. */
struct paced_choice dataset_stats_place(const struct dataset_stats *stats, size_t k);
/* True if pair k belongs to the set of `phase`. */
bool dataset_stats_is_in(const struct dataset_stats *stats, size_t k, enum paced_phase phase);

/* Runs `paced data split`: writes train.json and val.json into --output and prints their contents. */
enum paced_err split_command(const struct paced_config *config, const struct paced_arguments *arguments);

#endif
