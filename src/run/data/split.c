/* paced data split CONFIG --val SHARE [--seed K] [--patient BY] --output DIR
 *
 * Near duplicates, slices of one file, and images of one patient stay in one split. The splits balance the classes that
 * are present and, if they distinguish kinds of images, the folders. A patient is the part of a file name before a
 * delimiter, or the match of a regular expression in it (POSIX extended; its first group, if it has one). */
#include "src/run/data/dataset_stats.h"
#include "src/run/lock.h"
#include "src/run/overwrite.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct named {
    char *name;
    size_t pair;
};

struct division {
    struct dataset_stats stats;
    struct paced_traits traits;
    char **trait_names;
    bool *val; /* [pairs] */
};

static int compare(const void *a, const void *b) {
    const struct named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->pair > y->pair) - (x->pair < y->pair);
}

/* ---- patients ------------------------------------------------------------------------------------------------ */

/* Patient of a file, or NULL if the name has none; free() it. */
static char *patient_of(const char *path, const char *delimiter, const regex_t *regex) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    regmatch_t match[2];
    if (delimiter) {
        const char *end = strstr(name, delimiter);
        return end && end > name ? paced_format("%.*s", (int)(end - name), name) : NULL;
    }
    if (regexec(regex, name, 2, match, 0) != 0) return NULL;
    const regmatch_t *found = match[1].rm_so >= 0 ? &match[1] : &match[0];
    if (found->rm_eo == found->rm_so) return NULL;
    return paced_format("%.*s", (int)(found->rm_eo - found->rm_so), name + found->rm_so);
}

static enum paced_err name_patients(const struct dataset_stats *s, const char *by, const regex_t *regex,
                                    struct named *list) {
    for (size_t k = 0; k < s->count; ++k) {
        struct paced_choice place = dataset_stats_place(s, k);
        const char *image = paced_dataset_image_name(place.dataset, place.index);
        list[k] = (struct named){patient_of(image, regex ? NULL : by, regex), k};
        if (!list[k].name)
            return paced_error(PACED_INVALID, "--patient %s: finds no patient in %s; choose another BY", by, image);
    }
    return PACED_OK;
}

/* Joins the groups of the pairs with the same name. */
static void join_groups(struct dataset_stats *s, struct named *list, size_t count) {
    qsort(list, count, sizeof *list, compare);
    for (size_t i = 1; i < count; ++i)
        if (strcmp(list[i].name, list[i - 1].name) == 0) paced_groups_join(s->group, list[i].pair, list[i - 1].pair);
    paced_groups_settle(s->group, s->count);
}

/* Joins the groups of the slices of a file. */
static void group_slices(struct dataset_stats *s) {
    struct named *list = paced_alloc(s->count, sizeof *list);
    size_t slices = 0;
    for (size_t k = 0; k < s->count; ++k) {
        struct paced_choice place = dataset_stats_place(s, k);
        char *path = paced_dataset_image_path(place.dataset, place.index);
        size_t length = paced_image_file_length(path);
        if (path[length]) list[slices++] = (struct named){paced_format("%.*s", (int)length, path), k};
        free(path);
    }
    join_groups(s, list, slices);
    for (size_t i = 0; i < slices; ++i) free(list[i].name);
    free(list);
}

/* A single character is a delimiter; a longer text is a regular expression. */
static enum paced_err group_patients(struct dataset_stats *s, const char *by) {
    regex_t regex;
    const bool expression = strlen(by) > 1;
    if (*by == '\0') return paced_error(PACED_INVALID, "--patient: is empty; give a delimiter or a regular expression");
    if (expression) {
        char why[128];
        int code = regcomp(&regex, by, REG_EXTENDED);
        regerror(code, &regex, why, sizeof why);
        if (code != 0)
            return paced_error(PACED_INVALID, "--patient %s: is not a regular expression: %s; fix it", by, why);
    }
    struct named *list = paced_alloc(s->count, sizeof *list);
    enum paced_err err = name_patients(s, by, expression ? &regex : NULL, list);
    if (!err) join_groups(s, list, s->count);
    for (size_t k = 0; k < s->count; ++k) free(list[k].name);
    free(list);
    if (expression) regfree(&regex);
    return err;
}

/* ---- traits -------------------------------------------------------------------------------------------------- */

static void add_trait(struct division *d, size_t pair, size_t trait) {
    struct paced_traits *t = &d->traits;
    t->trait[t->first[pair + 1]++] = (uint32_t)trait;
}

/* Trait 0 belongs to every image; the classes without the background follow, then the folders. */
static void make_traits(struct division *d, size_t classes) {
    struct dataset_stats *s = &d->stats;
    struct named *list = paced_alloc(s->count, sizeof *list);
    size_t *folder = paced_alloc(s->count, sizeof *folder);
    d->traits.traits = classes;
    d->trait_names = paced_alloc(classes + s->count, sizeof *d->trait_names);
    d->trait_names[0] = paced_strdup("all images");
    for (size_t c = 1; c < classes; ++c) {
        const char *name = paced_dataset_class_name(dataset_stats_place(s, 0).dataset, (int)c);
        d->trait_names[c] = paced_format("class %zu%s%s", c, name ? " " : "", name ? name : "");
    }
    for (size_t k = 0; k < s->count; ++k) {
        struct paced_choice place = dataset_stats_place(s, k);
        list[k] = (struct named){paced_dataset_stratum(place.dataset, place.index), k};
    }
    qsort(list, s->count, sizeof *list, compare);
    for (size_t i = 0; i < s->count; ++i) {
        if (*list[i].name && (i == 0 || strcmp(list[i].name, list[i - 1].name) != 0))
            d->trait_names[d->traits.traits++] = paced_format("folder %s", list[i].name);
        folder[list[i].pair] = *list[i].name ? d->traits.traits - 1 : 0;
    }
    d->traits.first = paced_alloc(s->count + 1, sizeof *d->traits.first);
    d->traits.trait = paced_alloc(s->count * (classes + 1), sizeof *d->traits.trait);
    for (size_t k = 0; k < s->count; ++k) {
        d->traits.first[k + 1] = d->traits.first[k];
        add_trait(d, k, 0);
        for (size_t c = 1; c < classes; ++c)
            if (s->pair[k].pixels[c] > 0) add_trait(d, k, c);
        if (folder[k]) add_trait(d, k, folder[k]);
    }
    for (size_t k = 0; k < s->count; ++k) free(list[k].name);
    free(list);
    free(folder);
}

/* ---- the splits ---------------------------------------------------------------------------------------------- */

static const char *const split_names[] = {[PACED_TRAIN] = "train.json", [PACED_VAL] = "val.json"};

/* Splits that name the images, and other inputs, are not replaced, not even with --overwrite. */
static enum paced_err check_inputs(const struct paced_config *config, const char *dir) {
    const struct {
        const char *key, *path;
    } inputs[] = {{"CONFIG", config->file},
                  {"data.train", config->data.train},
                  {"data.val", config->data.val},
                  {"data.labels", config->data.labels}};
    enum paced_err err = PACED_OK;
    for (size_t i = 0; !err && i < PACED_COUNT(inputs) * PACED_COUNT(split_names); ++i) {
        char *path = paced_path_join(dir, split_names[i % PACED_COUNT(split_names)]);
        err = overwrite_check(inputs[i / PACED_COUNT(split_names)].key, inputs[i / PACED_COUNT(split_names)].path, path,
                              "--output", dir);
        free(path);
    }
    return err;
}

/* Checks that a split is not empty, before any of the two is written. */
static enum paced_err check_split(const struct division *d, const char *dir, enum paced_phase phase) {
    for (size_t k = 0; k < d->stats.count; ++k)
        if (d->val[k] == (phase == PACED_VAL)) return PACED_OK;
    return paced_error(PACED_INVALID, "%s/%s: no image is left for this split; choose another --val", dir,
                       split_names[phase]);
}

static enum paced_err write_split(const struct division *d, const char *dir, enum paced_phase phase) {
    const struct dataset_stats *s = &d->stats;
    struct paced_choice *choices = paced_alloc(s->count, sizeof *choices);
    size_t count = 0;
    for (size_t k = 0; k < s->count; ++k)
        if (d->val[k] == (phase == PACED_VAL)) choices[count++] = dataset_stats_place(s, k);
    char *path = paced_path_join(dir, split_names[phase]);
    enum paced_err err = paced_split_write(path, phase, choices, count);
    free(path);
    free(choices);
    return err;
}

static void print_traits(const struct division *d) {
    size_t *sum = paced_alloc(2 * d->traits.traits, sizeof *sum), groups = 0;
    for (size_t k = 0; k < d->stats.count; ++k) {
        groups += d->stats.group[k] == k;
        for (size_t i = d->traits.first[k]; i < d->traits.first[k + 1]; ++i) ++sum[2 * d->traits.trait[i] + d->val[k]];
    }
    printf("  train      val  val share  what (%zu %s in %zu %s)\n", d->stats.count,
           paced_plural(d->stats.count, "image", "images"), groups, paced_plural(groups, "group", "groups"));
    for (size_t t = 0; t < d->traits.traits; ++t) {
        size_t all = sum[2 * t] + sum[2 * t + 1];
        printf("%7zu  %7zu  %9.4f  %s\n", sum[2 * t], sum[2 * t + 1], all ? (double)sum[2 * t + 1] / (double)all : 0.0,
               d->trait_names[t]);
    }
    free(sum);
}

static enum paced_err split_stats(struct division *d, const struct paced_config *config, double share,
                                  const struct paced_arguments *arguments) {
    struct dataset_stats *s = &d->stats;
    PACED_TRY(dataset_stats_open(s, config, true));
    PACED_TRY(dataset_stats_read(s, (int)config->data.workers));
    if (s->unreadable)
        return paced_error(PACED_INVALID, "%zu of %zu %s cannot be read; fix them or remove them from the splits",
                           s->unreadable, s->count, paced_plural(s->count, "pair", "pairs"));
    group_slices(s);
    if (arguments->patient) PACED_TRY(group_patients(s, arguments->patient));
    make_traits(d, (size_t)config->data.classes);
    d->val = paced_alloc(s->count, sizeof *d->val);
    int64_t seed = arguments->seed < 0 ? config->run.seed : arguments->seed;
    paced_split_pairs(s->count, s->group, &d->traits, share, (uint64_t)seed, d->val);
    PACED_TRY(check_split(d, arguments->output, PACED_TRAIN));
    PACED_TRY(check_split(d, arguments->output, PACED_VAL));
    PACED_TRY(paced_make_dirs(arguments->output));
    PACED_TRY(write_split(d, arguments->output, PACED_TRAIN));
    PACED_TRY(write_split(d, arguments->output, PACED_VAL));
    print_traits(d);
    return PACED_OK;
}

static void division_finish(struct division *d) {
    for (size_t t = 0; t < d->traits.traits; ++t) free(d->trait_names[t]);
    free(d->trait_names);
    free(d->traits.first);
    free(d->traits.trait);
    free(d->val);
    dataset_stats_finish(&d->stats);
}

/* Existing splits are replaced only with --overwrite. */
static enum paced_err check_output(const struct paced_arguments *arguments) {
    for (size_t i = 0; i < PACED_COUNT(split_names); ++i) {
        char *path = paced_path_join(arguments->output, split_names[i]);
        enum paced_err err = paced_link_check(path);
        if (!err && !arguments->overwrite && paced_path_exists(path))
            err = paced_error_at(PACED_INVALID, path,
                                 "exists already; replace it with --overwrite, or choose another --output");
        free(path);
        if (err) return err;
    }
    return PACED_OK;
}

enum paced_err split_command(const struct paced_config *config, const struct paced_arguments *arguments) {
    double share = 0.2;
    if (arguments->share && (!paced_parse_real(arguments->share, &share) || share <= 0 || share >= 1))
        return paced_error(PACED_INVALID, "--val %s: must be a fraction between 0 and 1, such as 0.2",
                           arguments->share);
    if (!arguments->output)
        return paced_error(PACED_INVALID, "data split: --output DIR is missing; name the directory of the splits");
    struct division division = {0};
    struct dir_lock *lock;
    PACED_TRY(dir_lock_take(&lock, arguments->output));
    enum paced_err err = check_output(arguments);
    if (!err) err = check_inputs(config, arguments->output);
    if (!err) err = split_stats(&division, config, share, arguments);
    division_finish(&division);
    dir_lock_release(lock);
    return err;
}
