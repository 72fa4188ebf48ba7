/* paced data check CONFIG: reads both splits once and reports what would stop a run or reduce the value of its result:
 * unreadable files, masks without foreground, rare classes, and near duplicates within a split or across both. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/run/commands.h"
#include "src/run/data/dataset_stats.h"

static const char *const set_names[] = {[PACED_TRAIN] = "train", [PACED_VAL] = "val"};

/* Sums over the pairs of a split. */
struct sums {
    size_t images, unreadable, empty; /* empty: no class but 0 */
    int min_width, min_height, max_width, max_height;
    uint64_t total, *pixels; /* [classes] */
    size_t *holders;         /* [classes]: images that contain the class */
};

static void add_pair(struct sums *u, const struct paced_pair_stats *pair, size_t classes) {
    ++u->images;
    if (!pair->pixels) {
        ++u->unreadable;
        return;
    }
    const uint64_t pixels = (uint64_t)pair->width * (uint64_t)pair->height;
    u->total += pixels;
    u->empty += pair->pixels[0] == pixels;
    for (size_t c = 0; c < classes; ++c) {
        u->pixels[c] += pair->pixels[c];
        u->holders[c] += pair->pixels[c] > 0;
    }
    if (u->min_width == 0 || pair->width < u->min_width) u->min_width = pair->width;
    if (u->min_height == 0 || pair->height < u->min_height) u->min_height = pair->height;
    if (pair->width > u->max_width) u->max_width = pair->width;
    if (pair->height > u->max_height) u->max_height = pair->height;
}

static void print_sets(const struct sums sums[2]) {
    printf("set    images  unreadable  empty masks  width       height\n");
    for (int phase = 0; phase < 2; ++phase) {
        const struct sums *u = &sums[phase];
        char *width = paced_format("%d to %d", u->min_width, u->max_width);
        printf("%-5s %7zu %11zu %12zu  %-10s  %d to %d\n", set_names[phase], u->images, u->unreadable, u->empty, width,
               u->min_height, u->max_height);
        free(width);
    }
}

static void print_classes(const struct dataset_stats *s, const struct sums sums[2], int classes) {
    printf("\nclass  train pixels  train images  val pixels  val images  name\n");
    for (int c = 0; c < classes; ++c) {
        const char *name = paced_dataset_class_name(s->set[PACED_TRAIN], c);
        double share[2];
        for (int phase = 0; phase < 2; ++phase)
            share[phase] = sums[phase].total ? 100.0 * (double)sums[phase].pixels[c] / (double)sums[phase].total : 0;
        printf("%5d %12.3f%% %13zu %10.3f%% %11zu  %s\n", c, share[0], sums[0].holders[c], share[1], sums[1].holders[c],
               name ? name : "");
    }
}

/* Pair and its group. Sorting makes the pairs of a group adjacent. */
struct member {
    size_t group, pair;
};

static int compare(const void *a, const void *b) {
    const struct member *x = a, *y = b;
    return x->group != y->group ? (x->group < y->group ? -1 : 1) : (x->pair > y->pair) - (x->pair < y->pair);
}

static void list_group(struct paced_text *list, const struct dataset_stats *s, const struct member *member,
                       size_t count) {
    float min = 1;
    for (size_t i = 0; i < count; ++i)
        if (s->like[member[i].pair] < min) min = s->like[member[i].pair];
    paced_text_add(list, "%10.4f  ", min);
    for (size_t i = 0; i < count; ++i) {
        struct paced_choice place = dataset_stats_place(s, member[i].pair);
        paced_text_add(list, "%s%s: %s", i ? ", " : "", set_names[dataset_stats_is_in(s, member[i].pair, PACED_VAL)],
                       paced_dataset_image_name(place.dataset, place.index));
    }
    paced_text_add(list, "\n");
}

static void print_duplicates(const struct dataset_stats *s) {
    struct member *order = paced_alloc(s->count, sizeof *order);
    struct paced_text list = {0};
    size_t groups = 0, alike = 0, across[2] = {0};
    for (size_t k = 0; k < s->count; ++k) order[k] = (struct member){s->group[k], k};
    qsort(order, s->count, sizeof *order, compare);
    for (size_t i = 0, end; i < s->count; i = end) {
        size_t val = 0; /* the group's images in the validation set */
        for (end = i; end < s->count && order[end].group == order[i].group; ++end)
            val += dataset_stats_is_in(s, order[end].pair, PACED_VAL);
        if (end - i < 2) continue;
        ++groups;
        alike += end - i;
        if (val > 0 && val < end - i) {
            across[PACED_VAL] += val;
            across[PACED_TRAIN] += end - i - val;
        }
        list_group(&list, s, order + i, end - i);
    }
    printf("\nduplicates (thumbnails that correlate above %.3f): %zu %s of %zu images\n"
           "across: %zu of val repeat images of train, %zu of train images of val\n",
           SURVEY_ALIKE, groups, paced_plural(groups, "group", "groups"), alike, across[PACED_VAL],
           across[PACED_TRAIN]);
    if (groups) printf("likeness    images\n%s", list.data);
    free(list.data);
    free(order);
}

static void print_report(const struct dataset_stats *s, int classes) {
    struct sums sums[2] = {{0}};
    for (int phase = 0; phase < 2; ++phase) {
        sums[phase].pixels = paced_alloc((size_t)classes, sizeof *sums[phase].pixels);
        sums[phase].holders = paced_alloc((size_t)classes, sizeof *sums[phase].holders);
    }
    for (size_t k = 0; k < s->count; ++k)
        add_pair(&sums[dataset_stats_is_in(s, k, PACED_VAL)], &s->pair[k], (size_t)classes);
    print_sets(sums);
    print_classes(s, sums, classes);
    print_duplicates(s);
    for (int phase = 0; phase < 2; ++phase) {
        free(sums[phase].pixels);
        free(sums[phase].holders);
    }
}

static enum paced_err check(const struct paced_config *config) {
    struct dataset_stats stats = {0};
    enum paced_err err = dataset_stats_open(&stats, config, false);
    if (!err) err = dataset_stats_read(&stats, (int)config->data.workers);
    if (!err) print_report(&stats, (int)config->data.classes);
    if (!err && stats.unreadable)
        err = paced_error(PACED_INVALID, "%zu of %zu %s cannot be read; fix the files that are listed above",
                          stats.unreadable, stats.count, paced_plural(stats.count, "pair", "pairs"));
    dataset_stats_finish(&stats);
    return err;
}

enum paced_err paced_command_data(const struct paced_arguments *arguments) {
    const char *what = arguments->names[0];
    const bool split = strcmp(what, "split") == 0;
    if (!split && strcmp(what, "check") != 0)
        return paced_error(PACED_INVALID,
                           "data: %s: unknown action; use `paced data check CONFIG` or `paced data split CONFIG`",
                           what);
    if (!split &&
        (arguments->output || arguments->share || arguments->patient || arguments->overwrite || arguments->seed >= 0))
        return paced_error(PACED_INVALID, "data check: accepts no option but --set; see `paced data --help`");
    struct paced_arguments rest = *arguments; /* CONFIG is the second name here */
    ++rest.names;
    --rest.name_count;
    struct paced_config config;
    PACED_TRY(command_config(&rest, &config));
    paced_catch_stop();
    enum paced_err err = split ? split_command(&config, arguments) : check(&config);
    paced_config_finish(&config);
    return err;
}
