/* paced data check CONFIG: reads both splits once and reports what would stop a run or reduce the value of its result:
 * unreadable files, masks without foreground, rare classes, and near duplicates within a split or across both. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/run/commands.h"
#include "src/run/data/dataset_stats.h"
#include "src/run/splits.h"

static const char *const set_names[] = {[PACED_TRAIN] = "train", [PACED_VAL] = "val"};

/* ---- one table for each split ------------------------------------------------------------------------------------ */

enum { MAX_KINDS = 4 }; /* different depths or spacings that are listed */

/* Number of images of each different property, such as their bit depths. */
struct kinds {
    char *text[MAX_KINDS];
    size_t images[MAX_KINDS], count, others;
};

static void add_kind(struct kinds *kinds, char *text) {
    size_t k = 0;
    while (k < kinds->count && strcmp(kinds->text[k], text) != 0) ++k;
    if (k == kinds->count && k < MAX_KINDS) kinds->text[kinds->count++] = paced_strdup(text);
    ++*(k < MAX_KINDS ? &kinds->images[k] : &kinds->others);
    free(text);
}

static void print_kinds(const char *name, struct kinds *kinds) {
    printf("  %-15s", name);
    for (size_t k = 0; k < kinds->count; ++k) {
        printf("%s%s", k ? ", " : "", kinds->text[k]);
        if (kinds->count > 1) printf(" (%zu images)", kinds->images[k]);
        free(kinds->text[k]);
    }
    if (kinds->others > 0) printf(", others (%zu images)", kinds->others);
    printf("%s\n", kinds->count == 0 ? "-" : "");
}

/* Properties of the images of a split. */
struct images {
    size_t read;
    int min_width, min_height, max_width, max_height;
    double low, high;
    struct kinds bits, spacing;
};

static void add_pair(struct images *s, const struct paced_pair_stats *pair) {
    const struct paced_image_info *image = &pair->image;
    if (s->read == 0 || image->width < s->min_width) s->min_width = image->width;
    if (s->read == 0 || image->height < s->min_height) s->min_height = image->height;
    if (image->width > s->max_width) s->max_width = image->width;
    if (image->height > s->max_height) s->max_height = image->height;
    if (s->read == 0 || pair->low < s->low) s->low = pair->low;
    if (s->read == 0 || pair->high > s->high) s->high = pair->high;
    ++s->read;
    add_kind(&s->bits, paced_format("%d%s%s", image->bits,
                                    image->is_float    ? " (real numbers)"
                                    : image->is_signed ? " (signed)"
                                                       : "",
                                    image->channels == 3 ? " colour" : " grey"));
    add_kind(&s->spacing, image->spacing_mm[0] > 0
                              ? paced_format("%.4g x %.4g mm", image->spacing_mm[0], image->spacing_mm[1])
                              : paced_strdup("unknown"));
}

static void print_images(const struct dataset_stats *stats, enum paced_phase phase) {
    struct images s = {0};
    for (size_t k = 0; k < stats->count; ++k)
        if (dataset_stats_is_in(stats, k, phase) && stats->pair[k].pixels) add_pair(&s, &stats->pair[k]);
    size_t all = paced_dataset_count(stats->set[phase]);
    const struct paced_value_range range = paced_dataset_range(stats->set[phase]);
    printf("%s: %zu %s\n", set_names[phase], all, paced_plural(all, "pair", "pairs"));
    printf("  %-15s%zu\n", "unreadable", all - s.read);
    printf("  %-15s%d x %d to %d x %d (height x width)\n", "size", s.min_height, s.min_width, s.max_height,
           s.max_width);
    print_kinds("bits", &s.bits);
    printf("  %-15s%g to %g", "values", s.low, s.high);
    if (range.low < range.high && range.kind != PACED_RANGE_FILE)
        printf("; black is %g, white %g", range.low, range.high);
    printf("\n");
    print_kinds("pixel spacing", &s.spacing);
}

static double share_of(const struct paced_census *census, int state, int label) {
    uint64_t all = 0;
    for (int c = 0; c <= PACED_IGNORED; ++c) all += census->pixels[state][c];
    return all > 0 ? 100 * (double)census->pixels[state][label] / (double)all : 0;
}

static void print_class(const struct paced_census *census, int label, const char *number, const char *name) {
    printf("  %5s %8zu %10.3f%%", number, census->holders[PACED_IN_FILES][label],
           share_of(census, PACED_IN_FILES, label));
    printf("  %15zu %10.3f%%  %s\n", census->holders[PACED_AT_SIZE][label], share_of(census, PACED_AT_SIZE, label),
           name);
}

static void print_masks(const struct paced_dataset *set, int classes) {
    const struct paced_census *census = paced_dataset_census(set);
    char *size = paced_extent_text(paced_dataset_extent(set)), number[16];
    printf("  %-15s%zu\n", "empty masks", census->empty.count);
    printf("  %-15s%zu lose all foreground at data.size = %s\n", "small lesions", census->lost.count, size);
    printf("  class    masks      pixels   masks, resized      pixels  name\n");
    for (int c = 0; c < classes; ++c) {
        const char *name = paced_dataset_class_name(set, c);
        snprintf(number, sizeof number, "%d", c);
        print_class(census, c, number, name ? name : "");
    }
    if (census->holders[PACED_IN_FILES][PACED_IGNORED] > 0 || census->holders[PACED_AT_SIZE][PACED_IGNORED] > 0)
        print_class(census, PACED_IGNORED, "-", "(ignored)");
    printf("\n");
    free(size);
}

static enum paced_err print_unused(const struct dataset_stats *s, const struct paced_data_options *options) {
    struct paced_unused unused;
    PACED_TRY(paced_data_unused(options, s->set, PACED_COUNT(s->set), &unused));
    printf("files below %s in neither split: %zu of %zu%s%s\n", options->root, unused.count, unused.files,
           unused.names ? ": " : "", unused.names ? unused.names : "");
    free(unused.names);
    return PACED_OK;
}

/* ---- near duplicates --------------------------------------------------------------------------------------------- */

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

/* True if all members are slices of one file. Neighbouring slices are alike, and stay in one split. */
static bool is_one_file(const struct dataset_stats *s, const struct member *member, size_t count) {
    char *first = NULL;
    bool same = true;
    for (size_t i = 0; i < count && same; ++i) {
        struct paced_choice place = dataset_stats_place(s, member[i].pair);
        char *path = paced_dataset_image_path(place.dataset, place.index);
        size_t length = paced_image_file_length(path);
        if (!first) first = paced_strdup(path);
        same = path[length] && strncmp(first, path, length + 1) == 0;
        free(path);
    }
    free(first);
    return same;
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
        if (end - i < 2 || is_one_file(s, order + i, end - i)) continue;
        ++groups;
        alike += end - i;
        if (val > 0 && val < end - i) {
            across[PACED_VAL] += val;
            across[PACED_TRAIN] += end - i - val;
        }
        list_group(&list, s, order + i, end - i);
    }
    printf("duplicates (thumbnails that correlate above %.3f): %zu %s of %zu images\n"
           "across: %zu of val repeat images of train, %zu of train images of val\n",
           SURVEY_ALIKE, groups, paced_plural(groups, "group", "groups"), alike, across[PACED_VAL],
           across[PACED_TRAIN]);
    if (groups) printf("likeness    images\n%s", list.data);
    free(list.data);
    free(order);
}

static enum paced_err check(const struct paced_config *config) {
    struct dataset_stats stats = {0};
    enum paced_err err = dataset_stats_open(&stats, config, false);
    if (!err) err = dataset_stats_read(&stats, (int)config->data.workers);
    for (int phase = 0; phase < 2 && !err; ++phase) {
        print_images(&stats, phase);
        print_masks(stats.set[phase], (int)config->data.classes);
    }
    if (!err) splits_warn(&config->data, stats.set);
    if (!err) err = print_unused(&stats, &config->data);
    if (!err) print_duplicates(&stats);
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
