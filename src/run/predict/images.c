/* List of images. */
#include "src/run/predict/images.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/run/network.h"

/* ---- the list ------------------------------------------------------------------------------------------------ */

static void add(struct images *images, char *path, int slices) {
    images->paths = paced_grow(images->paths, images->count + 1, sizeof *images->paths);
    images->slices = paced_grow(images->slices, images->count + 1, sizeof *images->slices);
    images->paths[images->count] = path;
    images->slices[images->count++] = slices;
}

/* Adds a file, or each slice of a file with several. */
static void add_file(struct images *images, const char *path) {
    const int slices = paced_image_slices(path);
    const bool volume = path[paced_image_file_length(path)] == '\0' && paced_nifti_is(path);
    int digits = 1;
    for (int last = (slices - 1) / 10; last > 0; last /= 10) ++digits;
    if (slices < 2 && !volume) add(images, paced_strdup(path), 0);
    for (int k = 0; k < slices && (slices > 1 || volume); ++k)
        add(images, paced_format("%s#%0*d", path, digits, k), volume ? slices : 0);
}

/* True for a name "x_mask.*" or "x_mask_1.*" next to an image "x.png", "x.jpg" or the like. */
static bool is_mask(const char *dir, const char *name) {
    const char *mark = NULL;
    for (const char *at = name; (at = strstr(at, "_mask")); ++at) mark = at; /* the last one counts */
    if (!mark) return false;
    const char *rest = mark + strlen("_mask");
    if (*rest == '_') rest += 1 + strspn(rest + 1, "0123456789");
    if (*rest != '.') return false;
    char *stem = paced_format("%s/%.*s", dir, (int)(mark - name), name);
    bool found = paced_image_ending(stem);
    free(stem);
    return found;
}

static enum paced_err add_folder(struct images *images, const char *dir) {
    struct dirent **entries;
    int count = scandir(dir, &entries, NULL, alphasort);
    if (count < 0) return paced_error_at(PACED_INVALID, dir, "cannot be listed; check its permissions");
    size_t before = images->count;
    for (int i = 0; i < count; ++i) {
        const char *name = entries[i]->d_name;
        bool named = name[0] != '.' && paced_image_named(name), mask = named && is_mask(dir, name);
        char *path = paced_path_join(dir, name);
        if (named && !mask) add_file(images, path);
        images->masks += mask;
        free(path);
        free(entries[i]);
    }
    free(entries);
    if (images->count > before) return PACED_OK;
    return paced_error_at(PACED_INVALID, dir,
                          "contains no PNG file and no other image; name the images or their folder");
}

/* ---- names of results ---------------------------------------------------------------------------------------- */

static char *file_of(const char *path) {
    return paced_format("%.*s", (int)paced_image_file_length(path), path);
}

char *image_stem(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *number = name + paced_image_file_length(name);
    return paced_format("%.*s%s%s", (int)paced_image_stem_length(name), name, *number ? "_" : "",
                        *number ? number + 1 : "");
}

int image_slice(const char *path) {
    const char *number = path + paced_image_file_length(path);
    return *number ? atoi(number + 1) : 0;
}

char *image_mask(const char *path, bool *exists) {
    char *stem = paced_format("%.*s_mask", (int)paced_image_stem_length(path), path);
    const char *ending = paced_image_ending(stem);
    char *mask = paced_format("%s%s%s", stem, ending ? ending : ".png", path + paced_image_file_length(path));
    *exists = ending;
    free(stem);
    return mask;
}

char *result_path(const char *output, const char *image, const char *ending) {
    char *stem = image_stem(image), *path = paced_format("%s/%s%s", output, stem, ending);
    free(stem);
    return path;
}

char *item_result(const char *output, const struct item *item, struct result_endings endings, size_t e) {
    if (!item->slices || !endings.volumes || e + 1 < endings.count)
        return result_path(output, item->path, endings.ending[e]);
    char *file = file_of(item->path), *path = result_path(output, file, ".nii.gz");
    free(file);
    return path;
}

struct item images_item(const struct images *images, size_t i) {
    return (struct item){images->paths[i], images->slices ? images->slices[i] : 0};
}

/* File that no result may replace. */
struct input {
    dev_t device;
    ino_t inode;
    const char *path; /* of the file, or of the image to which the mask belongs */
};

struct inputs {
    struct input *list;
    size_t count;
};

static int compare_inputs(const void *a, const void *b) {
    const struct input *one = a, *other = b;
    if (one->device != other->device) return one->device < other->device ? -1 : 1;
    return (one->inode > other->inode) - (one->inode < other->inode);
}

static void add_input(struct inputs *inputs, const char *file, const char *path) {
    struct stat info;
    if (stat(file, &info) == 0) inputs->list[inputs->count++] = (struct input){info.st_dev, info.st_ino, path};
}

/* Lists the images with their masks, CONFIG and the weights. */
static struct inputs list_inputs(const struct images *images, const char *config, const char *weights) {
    struct inputs inputs = {paced_alloc(2 * images->count + 2, sizeof *inputs.list), 0};
    add_input(&inputs, config, config);
    add_input(&inputs, weights, weights);
    for (size_t i = 0; i < images->count; ++i) {
        bool exists;
        char *file = file_of(images->paths[i]), *mask = image_mask(file, &exists);
        add_input(&inputs, paced_path_exists(images->paths[i]) ? images->paths[i] : file, images->paths[i]);
        add_input(&inputs, mask, images->paths[i]);
        free(mask);
        free(file);
    }
    qsort(inputs.list, inputs.count, sizeof *inputs.list, compare_inputs);
    return inputs;
}

static enum paced_err check_input(const struct inputs *inputs, const char *result, const char *output) {
    struct stat info;
    if (stat(result, &info) != 0) return paced_link_check(result);
    const struct input key = {info.st_dev, info.st_ino, NULL};
    const struct input *found = bsearch(&key, inputs->list, inputs->count, sizeof key, compare_inputs);
    if (!found) return paced_link_check(result);
    return paced_error_at(PACED_INVALID, found->path,
                          "--output %s would replace an input by the result %s; choose another directory", output,
                          result);
}

struct result {
    char *path;
    const char *image;
};

static int compare_results(const void *a, const void *b) {
    const struct result *one = a, *other = b;
    return strcmp(one->path, other->path);
}

/* True for different slices of a file, whose results are one volume. */
static bool is_same_volume(const char *a, const char *b) {
    size_t length = paced_image_file_length(a);
    return a[length] && strncmp(a, b, length + 1) == 0 && strcmp(a, b) != 0;
}

static enum paced_err check_results(const struct images *images, const struct inputs *inputs, const char *output,
                                    struct result_endings endings) {
    size_t count = images->count * endings.count;
    struct result *results = paced_alloc(count, sizeof *results);
    enum paced_err err = PACED_OK;
    for (size_t i = 0; i < count; ++i) {
        const struct item item = images_item(images, i / endings.count);
        results[i] = (struct result){item_result(output, &item, endings, i % endings.count), item.path};
        if (!err) err = check_input(inputs, results[i].path, output);
    }
    qsort(results, count, sizeof *results, compare_results);
    for (size_t i = 1; i < count && !err; ++i)
        if (strcmp(results[i - 1].path, results[i].path) == 0 &&
            !is_same_volume(results[i - 1].image, results[i].image))
            err = paced_error(PACED_INVALID, "%s and %s would both write %s; give each its own --output",
                              results[i - 1].image, results[i].image, results[i].path);
    for (size_t i = 0; i < count; ++i) free(results[i].path);
    free(results);
    return err;
}

enum paced_err images_list(struct images *images, const struct paced_arguments *arguments, const char *weights,
                           struct result_endings results) {
    for (size_t i = 1; i < arguments->name_count; ++i) {
        const char *name = arguments->names[i];
        if (!*name)
            return paced_error(PACED_INVALID, "'' is not the name of an image; name image files, or their folder");
        if (paced_path_is_dir(name))
            PACED_TRY(add_folder(images, name));
        else
            add_file(images, name);
    }
    struct inputs inputs = list_inputs(images, arguments->names[0], weights);
    enum paced_err err = check_results(images, &inputs, arguments->output, results);
    free(inputs.list);
    return err;
}

void images_finish(struct images *images) {
    for (size_t i = 0; i < images->count; ++i) free(images->paths[i]);
    free(images->paths);
    free(images->slices);
    *images = (struct images){0};
}

enum paced_err images_set_range(struct images *images, const struct paced_config *config, const char *weights) {
    char *range = network_range(config, weights);
    enum paced_err err = paced_value_range_parse(&images->range, "data.range", range);
    free(range);
    return err;
}

/* Moves image i to the end of those that are kept. */
static void keep(struct images *images, size_t i, size_t *kept) {
    images->paths[*kept] = images->paths[i];
    if (images->slices) images->slices[*kept] = images->slices[i];
    ++*kept;
}

void images_drop(struct images *images, bool (*is_done)(const void *context, const struct item *item),
                 const void *context) {
    size_t kept = 0;
    for (size_t i = 0, end; i < images->count; i = end) {
        bool done = true;
        int slices = images_item(images, i).slices;
        end = i + (slices ? (size_t)slices : 1);
        for (size_t k = i; k < end && done; ++k) {
            const struct item item = images_item(images, k);
            done = is_done(context, &item);
        }
        for (size_t k = i; k < end; ++k)
            if (done)
                free(images->paths[k]);
            else
                keep(images, k, &kept);
    }
    images->count = kept;
}

/* ---- visit --------------------------------------------------------------------------------------------------- */

/* Image that is read on its own thread. path NULL: none. */
struct reading {
    const char *path;
    const struct paced_value_range *range;
    struct paced_image image;
    enum paced_err err;
    pthread_t thread;
    bool apart; /* the thread was started and must be joined */
};

static void *read_image(void *argument) {
    struct reading *r = argument;
    r->err = paced_image_read(r->path, NULL, r->range, &r->image);
    return NULL;
}

static void start_reading(struct reading *r, const struct images *images, size_t i) {
    const char *path = i < images->count ? images->paths[i] : NULL;
    *r = (struct reading){.path = path, .range = &images->range};
    r->apart = path && pthread_create(&r->thread, NULL, read_image, r) == 0;
}

static void wait_reading(struct reading *r) {
    if (r->apart)
        pthread_join(r->thread, NULL);
    else if (r->path)
        read_image(r); /* no thread could be started */
    r->apart = false;
}

static void finish_reading(struct reading *r) {
    if (r->apart) pthread_join(r->thread, NULL);
    free(r->image.rgb);
    *r = (struct reading){0};
}

/* Index of the image to visit after image i. A volume that cannot be read has no other slices to visit. */
static size_t index_after(const struct images *images, size_t i, bool unreadable) {
    const struct item item = images_item(images, i);
    return i + (unreadable && item.slices ? (size_t)(item.slices - image_slice(item.path)) : 1);
}

enum paced_err images_visit(struct images *images, const char *label, images_visitor *visit, void *context) {
    enum paced_err worst = PACED_OK;
    size_t kept = 0, i = 0;
    struct paced_progress progress;
    struct reading readings[2] = {{0}}, *now = &readings[0], *next = &readings[1];
    paced_progress_start(&progress, label, images->count);
    start_reading(now, images, 0);
    while (i < images->count && !paced_stop_asked()) {
        wait_reading(now);
        size_t after = index_after(images, i, now->err == PACED_INVALID);
        start_reading(next, images, after);
        images->visited = images_item(images, i);
        enum paced_err err = now->err ? now->err : visit(context, now->path, &now->image);
        finish_reading(now);
        if (err) worst = err;
        if (err && err != PACED_INVALID) break;
        paced_progress_step(&progress, after - i, NAN);
        for (; i < after; ++i)
            if (err)
                free(images->paths[i]);
            else
                keep(images, i, &kept);
        struct reading *done = now;
        now = next;
        next = done;
    }
    for (size_t k = 0; k < PACED_COUNT(readings); ++k) finish_reading(&readings[k]);
    bool stopped = paced_stop_asked() && i < images->count;
    while (i < images->count) keep(images, i++, &kept); /* not reached */
    images->count = kept;
    paced_progress_end(&progress);
    return stopped ? PACED_STOPPED : worst;
}
