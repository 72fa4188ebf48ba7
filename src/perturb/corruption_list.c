/* corruption_list: parser of lists of corruptions and severities. */
#include <stdlib.h>
#include <string.h>

#include "paced/perturb.h"

enum { MAX_WORDS = 64 };

static enum paced_err refuse_name(const char *where, const char *name) {
    const char *words[MAX_WORDS] = {"all", "geometric"};
    size_t count = 2;
    for (size_t i = 0; i < paced_corruption_count() && count < MAX_WORDS; ++i)
        words[count++] = paced_corruption_name(i);
    const char *nearest = paced_nearest(name, words, count);
    if (nearest)
        return paced_error_at(PACED_INVALID, where, "'%s' is not a corruption; did you mean %s?", name, nearest);
    return paced_error_at(PACED_INVALID, where, "'%s' is not a corruption; write all, geometric or a list of names",
                          name);
}

static enum paced_err choose_corruption(const char *where, const char *word, bool *chosen) {
    bool all = strcmp(word, "all") == 0, geometric = strcmp(word, "geometric") == 0;
    size_t found;
    for (size_t i = 0; (all || geometric) && i < paced_corruption_count(); ++i)
        if (paced_corruption_is_geometric(i) == geometric) chosen[i] = true;
    if (all || geometric) return PACED_OK;
    if (!paced_corruption_find(word, &found)) return refuse_name(where, word);
    chosen[found] = true;
    return PACED_OK;
}

static enum paced_err choose_severity(const char *where, const char *word, bool *chosen) {
    int64_t severity;
    if (!paced_parse_int(word, &severity) || severity < 1 || severity > PACED_SEVERITIES)
        return paced_error_at(PACED_INVALID, where, "'%s' is not a severity; write a list of 1 to %d", word,
                              PACED_SEVERITIES);
    chosen[severity] = true;
    return PACED_OK;
}

/* Passes each item of a list that must not be empty to `choose`. */
static enum paced_err read_list(const char *where, const char *list, bool *chosen,
                                enum paced_err (*choose)(const char *where, const char *word, bool *chosen)) {
    if (!*list) return paced_error_at(PACED_INVALID, where, "the list is empty; name at least one");
    PACED_TRY(paced_list_check(where, list));
    enum paced_err err = PACED_OK;
    for (char *word; !err && (word = paced_list_next(&list)); free(word)) err = choose(where, word, chosen);
    return err;
}

enum paced_err paced_corruptions_read(const char *where, const char *list, bool *chosen) {
    return read_list(where, list, chosen, choose_corruption);
}

enum paced_err paced_severities_read(const char *where, const char *list, bool chosen[PACED_SEVERITIES + 1]) {
    return read_list(where, list, chosen, choose_severity);
}

enum paced_err paced_corruptions_check(const char *where, const char *list) {
    bool *chosen = paced_alloc(paced_corruption_count(), sizeof *chosen);
    enum paced_err err = paced_corruptions_read(where, list, chosen);
    free(chosen);
    return err;
}

enum paced_err paced_severities_check(const char *where, const char *list) {
    bool chosen[PACED_SEVERITIES + 1];
    return paced_severities_read(where, list, chosen);
}
