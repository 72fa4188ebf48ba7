/* Images by name or by folder. */
#include "src/run/images.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "paced/report.h"

/* ---- the list ------------------------------------------------------------------------------------------------ */

static void add(struct images *images, char *path) {
    images->paths = paced_grow(images->paths, images->count + 1, sizeof *images->paths);
    images->paths[images->count++] = path;
}

static bool is_png(const char *name) {
    size_t n = strlen(name);
    return n > 4 && strcasecmp(name + n - 4, ".png") == 0;
}

/* Is the name "x_mask..." and there an image "x.png"? */
static bool is_mask(const char *dir, const char *name) {
    const char *mark = NULL;
    for (const char *at = name; (at = strstr(at, "_mask")); ++at) mark = at;
    if (!mark) return false;
    char *image = paced_format("%s/%.*s.png", dir, (int)(mark - name), name);
    bool found = paced_path_exists(image);
    free(image);
    return found;
}

static enum paced_err add_folder(struct images *images, const char *dir, enum images_choice choice) {
    struct dirent **entries;
    int count = scandir(dir, &entries, NULL, alphasort);
    if (count < 0) return paced_error(PACED_INVALID, "%s: cannot be listed; check its permissions", dir);
    size_t before = images->count;
    for (int i = 0; i < count; ++i) {
        const char *name = entries[i]->d_name;
        if (is_png(name) && !(choice == IMAGES_NO_MASKS && is_mask(dir, name))) add(images, paced_path_join(dir, name));
        free(entries[i]);
    }
    free(entries);
    if (images->count > before) return PACED_OK;
    return paced_error(PACED_INVALID, "%s: holds no PNG file; name the images or their folder", dir);
}

/* Two images of one stem would write one result. */
static enum paced_err check_stems(const struct images *images) {
    for (size_t i = 0; i < images->count; ++i) {
        char *stem = paced_path_stem(images->paths[i]);
        for (size_t k = 0; k < i; ++k) {
            char *other = paced_path_stem(images->paths[k]);
            bool same = strcmp(stem, other) == 0;
            free(other);
            if (!same) continue;
            free(stem);
            return paced_error(PACED_INVALID, "%s and %s would both write one file; give each an --output of its own",
                               images->paths[k], images->paths[i]);
        }
        free(stem);
    }
    return PACED_OK;
}

/* Results beside their images would take the images' names. */
static enum paced_err check_output(const struct images *images, const char *output) {
    for (size_t i = 0; i < images->count; ++i) {
        char *stem = paced_path_stem(images->paths[i]), *result = paced_format("%s/%s.png", output, stem);
        struct stat a, b;
        bool same =
            stat(images->paths[i], &a) == 0 && stat(result, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
        free(stem);
        free(result);
        if (same)
            return paced_error(PACED_INVALID, "%s: --output %s would replace the image; choose another directory",
                               images->paths[i], output);
    }
    return PACED_OK;
}

enum paced_err images_list(struct images *images, const struct paced_arguments *arguments, enum images_choice choice) {
    for (size_t i = 1; i < arguments->name_count; ++i) {
        const char *name = arguments->names[i];
        if (paced_path_is_dir(name))
            PACED_TRY(add_folder(images, name, choice));
        else
            add(images, paced_strdup(name));
    }
    PACED_TRY(check_stems(images));
    return check_output(images, arguments->output);
}

void images_finish(struct images *images) {
    for (size_t i = 0; i < images->count; ++i) free(images->paths[i]);
    free(images->paths);
    *images = (struct images){0};
}

/* ---- the walk ------------------------------------------------------------------------------------------------ */

static enum paced_err visit_one(const char *path, images_visitor *visit, void *context) {
    struct paced_image image = {0};
    PACED_TRY(paced_png_read(path, NULL, &image));
    enum paced_err err = visit(context, path, &image);
    free(image.rgb);
    return err;
}

enum paced_err images_visit(struct images *images, const char *label, images_visitor *visit, void *context) {
    enum paced_err worst = PACED_OK;
    size_t kept = 0, i = 0;
    struct paced_progress progress;
    paced_progress_start(&progress, label, images->count);
    while (i < images->count && !paced_stop_asked()) {
        enum paced_err err = visit_one(images->paths[i], visit, context);
        if (err) worst = err;
        if (err && err != PACED_INVALID) break;
        if (err)
            free(images->paths[i]);
        else
            images->paths[kept++] = images->paths[i];
        paced_progress_step(&progress, 1, NAN);
        ++i;
    }
    while (i < images->count) images->paths[kept++] = images->paths[i++]; /* not reached */
    images->count = kept;
    paced_progress_end(&progress);
    return paced_stop_asked() ? PACED_STOPPED : worst;
}
