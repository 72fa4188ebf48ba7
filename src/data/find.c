/* Pairs of a folder, found by file name: the usual layouts, or the pattern of data.pairs.
 *
 * Each file of an image format may be a mask. The names that its image may have follow from the mask's name by
 * replacing a folder, by removing a suffix, or both. Names are compared without regard to case. Invariant: a mask is no
 * image, an image has one mask, and a mask one image; another reading of the names is an error. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "paced/data.h"
#include "src/data/files.h"
#include "src/data/masks.h"
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

/* First image with this stem in any case, or the count. */
static size_t find_stem(const struct stems *stems, const char *text) {
    size_t low = 0, high = stems->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcasecmp(stems->of[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- pairs --------------------------------------------------------------------------------------------------- */

/* Pairs and unpaired files of one search. */
struct search {
    const char *root;
    struct file_list files;
    struct stems stems;   /* of layouts */
    size_t *image;        /* [files] image of the mask; NONE: the file is no mask */
    bool *known;          /* [files] image[] is set: by folder in the first pass ... */
    bool *mask_elsewhere; /* [files] ... which finds the mask of this image in another folder */
    bool *mixed;          /* [files] image in a folder of images with masks elsewhere */
    bool *used;           /* [files] image, mask or numbered mask of a pair */
    enum paced_err err;   /* first contradiction, reported */
};

#define NONE SIZE_MAX
#define REMEDY "remove one, or set data.pairs, such as images/*.png, masks/*.png"

static void search_finish(struct search *s) {
    finish_stems(&s->stems);
    free(s->image);
    free(s->known);
    free(s->mask_elsewhere);
    free(s->mixed);
    free(s->used);
    file_list_finish(&s->files);
}

/* Marks x_mask_1.png, x_mask_2.png ... which follow the mask x_mask.png. */
static void use_numbered(struct search *s, const char *mask) {
    bool more = true;
    for (int number = 1; more; ++number) {
        char *path = masks_numbered_path(mask, number);
        size_t i = file_list_find(&s->files, path);
        more = i < s->files.count;
        if (more) s->used[i] = true;
        free(path);
    }
}

static void add_pair(struct search *s, struct paced_split *split, size_t image, size_t mask) {
    char **path = s->files.path;
    s->used[image] = s->used[mask] = true;
    use_numbered(s, path[mask]);
    split->pairs[split->count++] = (struct paced_pair){paced_strdup(path[image]), paced_strdup(path[mask])};
}

/* Adds the pairs of image[], sorted by the masks. An image with two masks is an error. */
static void add_pairs(struct search *s, struct paced_split *split) {
    char **path = s->files.path;
    size_t *mask = paced_alloc(s->files.count + 1, sizeof *mask); /* of an image, from 1; 0: none */
    for (size_t i = 0; i < s->files.count && !s->err; ++i) {
        size_t image = s->image[i];
        if (image == NONE) continue;
        if (mask[image] > 0)
            s->err = paced_error_at(PACED_INVALID, s->root, "%s has two masks, %s and %s; " REMEDY, path[image],
                                    path[mask[image] - 1], path[i]);
        mask[image] = i + 1;
        add_pair(s, split, image, i);
    }
    free(mask);
}

/* Warns of images without a mask. */
static void report_unpaired(const struct search *s, const bool *images) {
    size_t count = 0, first = 0;
    for (size_t i = 0; i < s->files.count; ++i) {
        if (!images[i] || s->used[i]) continue;
        if (count++ == 0) first = i;
    }
    if (count > 0)
        paced_log(PACED_LOG_WARN, "%s: %zu %s no mask, first %s", s->root, count,
                  paced_plural(count, "image has", "images have"), s->files.path[first]);
}

/* ---- folders ------------------------------------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Images in the folders of the chosen files; free() the result. */
static bool *images_beside(const struct search *s, const bool *chosen) {
    const size_t files = s->files.count;
    bool *beside = paced_alloc(files + 1, sizeof *beside);
    char **dir = paced_alloc(files + 1, sizeof *dir);
    size_t count = 0;
    for (size_t i = 0; i < files; ++i)
        if (chosen[i]) dir[count++] = paced_path_dir(s->files.path[i]);
    qsort(dir, count, sizeof *dir, compare_texts);
    for (size_t i = 0; i < files; ++i) {
        char *here = paced_path_dir(s->files.path[i]);
        beside[i] = paced_image_named(s->files.path[i]) && bsearch(&here, dir, count, sizeof *dir, compare_texts);
        free(here);
    }
    for (size_t i = 0; i < count; ++i) free(dir[i]);
    free(dir);
    return beside;
}

/* ---- layouts ------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, size_t length, const char *tail) {
    size_t n = strlen(tail);
    return length > n && strncasecmp(text + length - n, tail, n) == 0;
}

/* Search for the image of one file. */
struct query {
    struct search *search;
    size_t mask, image;
    bool (*is_mask)(struct search *search, size_t file);
};

static void take(struct query *q, size_t file) {
    struct search *s = q->search;
    if (s->err || file == q->mask || file == q->image || q->is_mask(s, file) || s->err) return;
    if (q->image != NONE)
        s->err = paced_error_at(PACED_INVALID, s->root, "%s may be the mask of %s or of %s; " REMEDY,
                                s->files.path[q->mask], s->files.path[q->image], s->files.path[file]);
    q->image = file;
}

/* Images with this stem; those that differ in case only if none has it exactly. */
static void query_stem(struct query *q, const char *text) {
    const struct stems *stems = &q->search->stems;
    size_t first = find_stem(stems, text), end = first;
    bool exact = false;
    for (; end < stems->count && strcasecmp(stems->of[end].text, text) == 0; ++end)
        exact |= strcmp(stems->of[end].text, text) == 0;
    for (size_t i = first; i < end; ++i)
        if (!exact || strcmp(stems->of[i].text, text) == 0) take(q, stems->of[i].file);
}

/* Images named `folder`/`name`, or with a channel's ending. */
static void query_named(struct query *q, const char *folder, const char *name, size_t name_length) {
    for (size_t c = 0; c < PACED_COUNT(channels); ++c) {
        char *text = paced_format("%s%s%.*s%s", folder, *folder ? "/" : "", (int)name_length, name, channels[c]);
        query_stem(q, text);
        free(text);
    }
}

/* Images in a folder that belongs to the masks' folder `dir`: one part of the path replaced, or "_mask" removed. */
static void query_beside(struct query *q, const char *dir, const char *name, size_t name_length) {
    size_t length = strlen(dir);
    if (ends_with(dir, length, "_mask")) {
        char *folder = paced_format("%.*s", (int)(length - strlen("_mask")), dir);
        query_named(q, folder, name, name_length);
        free(folder);
    }
    for (const char *part = dir, *end; *part; part = *end ? end + 1 : end) {
        end = part + strcspn(part, "/");
        for (size_t f = 0; f < PACED_COUNT(folders); ++f) {
            if ((size_t)(end - part) != strlen(folders[f][0])) continue;
            if (strncasecmp(part, folders[f][0], (size_t)(end - part)) != 0) continue;
            char *folder = paced_format("%.*s%s%s", (int)(part - dir), dir, folders[f][1], end);
            query_named(q, folder, name, name_length);
            free(folder);
        }
    }
}

/* Image of a mask, by `query` for its name as it is, if `whole`, and without suffixes; NONE: there is none. */
static size_t find_image(struct query q, bool whole,
                         void (*query)(struct query *q, const char *dir, const char *name, size_t length)) {
    const char *mask = q.search->files.path[q.mask], *slash = strrchr(mask, '/'), *name = slash ? slash + 1 : mask;
    char *dir = paced_path_dir(mask);
    const char *folder = strcmp(dir, ".") == 0 ? "" : dir;
    size_t length = paced_image_stem_length(name);
    if (whole) query(&q, folder, name, length);
    for (size_t s = 0; s < PACED_COUNT(suffixes) && q.image == NONE; ++s)
        if (ends_with(name, length, suffixes[s])) query(&q, folder, name, length - strlen(suffixes[s]));
    free(dir);
    return q.image;
}

/* First pass: masks by folder. Recursion ends because each step leaves one folder of masks. */
static bool is_mask_by_folder(struct search *s, size_t i) {
    if (!s->known[i]) {
        s->image[i] = find_image((struct query){s, i, NONE, is_mask_by_folder}, true, query_beside);
        s->known[i] = true;
    }
    return s->image[i] != NONE;
}

static bool is_mask(struct search *s, size_t i);

/* Second pass: image of a mask in the same folder. Among images with masks in other folders, only an image with such a
 * mask may have this one, which add_pairs then refuses. */
static size_t image_by_suffix(struct search *s, size_t i) {
    size_t image = find_image((struct query){s, i, NONE, is_mask}, false, query_named);
    if (image == NONE || s->err || !s->mixed[i]) return image;
    if (!s->mask_elsewhere[i]) return s->mask_elsewhere[image] ? image : NONE;
    if (!s->mask_elsewhere[image])
        s->err = paced_error_at(PACED_INVALID, s->root, "%s has a mask, but may be the mask of %s; " REMEDY,
                                s->files.path[i], s->files.path[image]);
    return NONE;
}

static bool is_mask(struct search *s, size_t i) {
    return is_mask_by_folder(s, i) || image_by_suffix(s, i) != NONE;
}

/* Finds the pairs; returns the images in the folders of their images. free() the result. */
static bool *find_layouts(struct search *s, struct paced_split *split) {
    const size_t count = s->files.count;
    sort_stems(&s->stems, &s->files);
    for (size_t i = 0; i < count; ++i)
        if (paced_image_named(s->files.path[i]) && is_mask_by_folder(s, i)) s->mask_elsewhere[s->image[i]] = true;
    s->mixed = images_beside(s, s->mask_elsewhere);
    for (size_t i = 0; i < count && !s->err; ++i)
        if (paced_image_named(s->files.path[i]) && s->image[i] == NONE) s->image[i] = image_by_suffix(s, i);
    add_pairs(s, split);
    bool *has_mask = paced_alloc(count + 1, sizeof *has_mask);
    for (size_t i = 0; i < count; ++i)
        if (s->image[i] != NONE) has_mask[s->image[i]] = true;
    bool *images = images_beside(s, has_mask);
    free(has_mask);
    return images;
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

/* Mask of an image by the patterns, or the count; *matches: the path matches the pattern of images. */
static size_t mask_of(const struct file_list *files, const char *path, const struct pattern pattern[2], bool *matches) {
    const struct pattern *image = &pattern[0], *mask = &pattern[1];
    int length = (int)strlen(path), middle = length - image->before_length - image->after_length;
    *matches = middle >= 1 && strncmp(path, image->before, (size_t)image->before_length) == 0 &&
               strncmp(path + length - image->after_length, image->after, (size_t)image->after_length) == 0;
    if (!*matches) return files->count;
    char *other = paced_format("%.*s%.*s%.*s", mask->before_length, mask->before, middle, path + image->before_length,
                               mask->after_length, mask->after);
    size_t found = file_list_find(files, other);
    free(other);
    return found;
}

/* Finds the pairs, sorted by their images; returns the files that match the pattern of images. free() the result. */
static bool *find_pattern(struct search *s, struct paced_split *split, const struct pattern pattern[2]) {
    const size_t count = s->files.count;
    bool *images = paced_alloc(count + 1, sizeof *images);
    size_t *mask = paced_alloc(count + 1, sizeof *mask);
    for (size_t i = 0; i < count; ++i) {
        mask[i] = mask_of(&s->files, s->files.path[i], pattern, &images[i]);
        if (mask[i] == i) mask[i] = count;
        if (mask[i] < count) s->image[mask[i]] = i;
    }
    for (size_t i = 0; i < count; ++i)
        if (mask[i] < count && s->image[i] == NONE) add_pair(s, split, i, mask[i]);
    free(mask);
    return images;
}

/* ---- find ---------------------------------------------------------------------------------------------------- */

static enum paced_err search_start(struct search *s, const char *root) {
    *s = (struct search){.root = root};
    enum paced_err err = file_list_read(&s->files, root, MAX_FILES);
    const size_t count = s->files.count + 1;
    s->image = paced_alloc(count, sizeof *s->image);
    s->known = paced_alloc(count, sizeof *s->known);
    s->mask_elsewhere = paced_alloc(count, sizeof *s->mask_elsewhere);
    s->used = paced_alloc(count, sizeof *s->used);
    for (size_t i = 0; i < count; ++i) s->image[i] = NONE;
    return err;
}

static enum paced_err refuse_empty(const char *root, const char *pairs) {
    if (pairs)
        return paced_error_at(PACED_INVALID, root, "data.pairs = %s matches no image with its mask; check both", pairs);
    return paced_error_at(PACED_INVALID, root,
                          "contains no image with a mask, such as x.png and x_mask.png, or images/x.png and "
                          "masks/x.png; check data.root, set data.pairs = images/*.png, masks/*.png, or list the "
                          "pairs in data.train: [[\"images/x.png\", \"masks/x.png\"], ...]");
}

enum paced_err split_find(struct paced_split *split, const char *root, const char *pairs) {
    struct search s;
    struct pattern pattern[2];
    bool by_pattern = pairs && *pairs;
    *split = (struct paced_split){0};
    if (by_pattern) PACED_TRY(paced_pairs_check("data.pairs", pairs));
    split->path = paced_strdup(root);
    enum paced_err err = search_start(&s, root);
    split->pairs = paced_alloc(s.files.count + 1, sizeof *split->pairs);
    if (!err) {
        bool *images =
            by_pattern && read_patterns(pairs, pattern) ? find_pattern(&s, split, pattern) : find_layouts(&s, split);
        err = s.err;
        if (!err && split->count == 0) err = refuse_empty(root, by_pattern ? pairs : NULL);
        if (!err) report_unpaired(&s, images);
        free(images);
    }
    search_finish(&s);
    if (err) split_finish(split);
    return err;
}
