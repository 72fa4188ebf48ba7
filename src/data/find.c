/* Pairs of a folder, found by file name: the usual layouts, or the pattern of data.pairs.
 *
 * Each file of an image format may be a mask. The names that its image may have follow from the mask's name by removing
 * a suffix, by replacing a folder, or both. Names are compared without regard to case. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "paced/data.h"
#include "src/data/files.h"
#include "src/data/split.h"

enum { MAX_FILES = 1 << 22 };

/* Endings of a mask's stem that its image lacks. */
static const char *const suffixes[] = {"_mask",   "_masks", "_segmentation", "_seg",        "_label",
                                       "_labels", "_gt",    "_groundtruth",  "_annotation", "-mask"};
/* Endings of an image's stem that its mask lacks (nnU-Net's first channel). */
static const char *const channels[] = {"", "_0000"};
/* Folders of masks, and of their images. */
static const char *const folders[][2] = {
    {"masks", "images"},
    {"mask", "image"},
    {"mask", "images"},
    {"masks", "imgs"},
    {"masks", "img"},
    {"mask", "imgs"},
    {"mask", "img"},
    {"labels", "images"},
    {"label", "image"},
    {"label", "images"},
    {"labelsTr", "imagesTr"},
    {"labelsTs", "imagesTs"},
    {"annotations", "images"},
    {"groundtruth", "images"},
    {"ground_truth", "images"},
    {"gt", "images"},
    {"segmentations", "images"},
    {"SegmentationClass", "JPEGImages"},
    {"targets", "inputs"},
    {"target", "input"},
};

/* ---- images by stem ------------------------------------------------------------------------------------------ */

struct stem {
    char *text; /* path without its ending */
    size_t file;
};

struct stems {
    struct stem *of;
    size_t count;
};

static int compare_stems(const void *a, const void *b) {
    const struct stem *x = a, *y = b;
    int order = strcasecmp(x->text, y->text);
    return order ? order : (x->file > y->file) - (x->file < y->file);
}

static void sort_stems(struct stems *stems, const struct file_list *files) {
    stems->of = paced_alloc(files->count + 1, sizeof *stems->of);
    for (size_t i = 0; i < files->count; ++i) {
        if (!paced_image_named(files->path[i])) continue;
        int length = (int)paced_image_stem_length(files->path[i]);
        stems->of[stems->count++] = (struct stem){paced_format("%.*s", length, files->path[i]), i};
    }
    qsort(stems->of, stems->count, sizeof *stems->of, compare_stems);
}

static void finish_stems(struct stems *stems) {
    for (size_t i = 0; i < stems->count; ++i) free(stems->of[i].text);
    free(stems->of);
}

/* Image with this stem, exactly or in another case; SIZE_MAX: none. */
static size_t find_stem(const struct stems *stems, const char *text) {
    size_t low = 0, high = stems->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcasecmp(stems->of[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == stems->count || strcasecmp(stems->of[low].text, text) != 0) return SIZE_MAX;
    for (size_t i = low; i < stems->count && strcasecmp(stems->of[i].text, text) == 0; ++i)
        if (strcmp(stems->of[i].text, text) == 0) return stems->of[i].file;
    return stems->of[low].file;
}

/* ---- layouts ------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, size_t length, const char *tail) {
    size_t n = strlen(tail);
    return length > n && strncasecmp(text + length - n, tail, n) == 0;
}

/* Image named `folder`/`name`, or with a channel's ending. */
static size_t find_named(const struct stems *stems, const char *folder, const char *name, size_t name_length) {
    size_t found = SIZE_MAX;
    for (size_t c = 0; c < PACED_COUNT(channels) && found == SIZE_MAX; ++c) {
        char *text = paced_format("%s%s%.*s%s", folder, *folder ? "/" : "", (int)name_length, name, channels[c]);
        found = find_stem(stems, text);
        free(text);
    }
    return found;
}

/* Image in a folder that belongs to the masks' folder `dir`: one part of the path replaced, or "_mask" removed. */
static size_t find_beside(const struct stems *stems, const char *dir, const char *name, size_t name_length) {
    size_t found = SIZE_MAX, length = strlen(dir);
    if (ends_with(dir, length, "_mask")) {
        char *folder = paced_format("%.*s", (int)(length - strlen("_mask")), dir);
        found = find_named(stems, folder, name, name_length);
        free(folder);
    }
    for (const char *part = dir, *end; *part && found == SIZE_MAX; part = *end ? end + 1 : end) {
        end = part + strcspn(part, "/");
        for (size_t f = 0; f < PACED_COUNT(folders) && found == SIZE_MAX; ++f) {
            if ((size_t)(end - part) != strlen(folders[f][0])) continue;
            if (strncasecmp(part, folders[f][0], (size_t)(end - part)) != 0) continue;
            char *folder = paced_format("%.*s%s%s", (int)(part - dir), dir, folders[f][1], end);
            found = find_named(stems, folder, name, name_length);
            free(folder);
        }
    }
    return found;
}

/* Image of a mask; SIZE_MAX if `mask` belongs to no image. */
static size_t image_of(const struct stems *stems, const char *mask) {
    char *dir = paced_path_dir(mask);
    const char *folder = strcmp(dir, ".") == 0 ? "" : dir, *slash = strrchr(mask, '/'),
               *name = slash ? slash + 1 : mask;
    size_t length = paced_image_stem_length(name), found = SIZE_MAX;
    for (size_t s = 0; s < PACED_COUNT(suffixes) && found == SIZE_MAX; ++s) {
        if (!ends_with(name, length, suffixes[s])) continue;
        size_t rest = length - strlen(suffixes[s]);
        found = find_named(stems, folder, name, rest);
        if (found == SIZE_MAX) found = find_beside(stems, folder, name, rest);
    }
    if (found == SIZE_MAX) found = find_beside(stems, folder, name, length);
    free(dir);
    return found;
}

static void find_layouts(struct paced_split *split, const struct file_list *files) {
    struct stems stems = {0};
    sort_stems(&stems, files);
    for (size_t i = 0; i < files->count; ++i) {
        if (!paced_image_named(files->path[i])) continue;
        size_t image = image_of(&stems, files->path[i]);
        if (image == SIZE_MAX || image == i) continue;
        split->pairs[split->count++] =
            (struct paced_pair){paced_strdup(files->path[image]), paced_strdup(files->path[i])};
    }
    finish_stems(&stems);
}

/* ---- data.pairs ---------------------------------------------------------------------------------------------- */

/* Text before and after the only `*` of a pattern. */
struct pattern {
    const char *before, *after;
    int before_length, after_length;
};

/* Reads two patterns, separated by a comma. */
static bool read_patterns(const char *text, struct pattern pattern[2]) {
    const char *comma = strchr(text, ',');
    if (!comma || strchr(comma + 1, ',')) return false;
    const char *start[] = {text, comma + 1}, *end[] = {comma, text + strlen(text)};
    for (int i = 0; i < 2; ++i) {
        while (start[i] < end[i] && isspace((unsigned char)*start[i])) ++start[i];
        while (end[i] > start[i] && isspace((unsigned char)end[i][-1])) --end[i];
        const char *star = memchr(start[i], '*', (size_t)(end[i] - start[i]));
        if (!star || memchr(star + 1, '*', (size_t)(end[i] - star - 1))) return false;
        pattern[i] = (struct pattern){start[i], star + 1, (int)(star - start[i]), (int)(end[i] - star - 1)};
    }
    return true;
}

enum paced_err paced_pairs_check(const char *where, const char *text) {
    struct pattern pattern[2];
    if (!*text || read_patterns(text, pattern)) return PACED_OK;
    return paced_error(PACED_INVALID,
                       "%s: '%s' is not a pair of patterns; write one of images and one of masks with one * each, such "
                       "as images/*.jpg, masks/*.png",
                       where, text);
}

static void find_pattern(struct paced_split *split, const struct file_list *files, const struct pattern pattern[2]) {
    const struct pattern *image = &pattern[0], *mask = &pattern[1];
    for (size_t i = 0; i < files->count; ++i) {
        const char *path = files->path[i];
        int length = (int)strlen(path), middle = length - image->before_length - image->after_length;
        if (middle < 1 || strncmp(path, image->before, (size_t)image->before_length) != 0) continue;
        if (strncmp(path + length - image->after_length, image->after, (size_t)image->after_length) != 0) continue;
        char *other = paced_format("%.*s%.*s%.*s", mask->before_length, mask->before, middle,
                                   path + image->before_length, mask->after_length, mask->after);
        if (file_list_find(files, other) < files->count && strcmp(path, other) != 0)
            split->pairs[split->count++] = (struct paced_pair){paced_strdup(path), other};
        else
            free(other);
    }
}

/* ---- find ---------------------------------------------------------------------------------------------------- */

enum paced_err split_find(struct paced_split *split, const char *root, const char *pairs) {
    struct file_list files;
    struct pattern pattern[2];
    bool by_pattern = pairs && *pairs;
    *split = (struct paced_split){.path = paced_strdup(root)};
    enum paced_err err = by_pattern ? paced_pairs_check("data.pairs", pairs) : PACED_OK;
    if (err) goto out;
    err = file_list_read(&files, root, MAX_FILES);
    split->pairs = paced_alloc(files.count + 1, sizeof *split->pairs);
    if (!err && by_pattern && read_patterns(pairs, pattern)) find_pattern(split, &files, pattern);
    if (!err && !by_pattern) find_layouts(split, &files);
    file_list_finish(&files);
    if (!err && split->count == 0 && by_pattern)
        err = paced_error_at(PACED_INVALID, root, "data.pairs = %s matches no image with its mask; check both", pairs);
    else if (!err && split->count == 0)
        err = paced_error_at(PACED_INVALID, root,
                             "contains no image with a mask, such as x.png and x_mask.png, or images/x.png and "
                             "masks/x.png; check data.root, set data.pairs = images/*.png, masks/*.png, or list the "
                             "pairs in data.train: [[\"images/x.png\", \"masks/x.png\"], ...]");
out:
    if (err) split_finish(split);
    return err;
}
