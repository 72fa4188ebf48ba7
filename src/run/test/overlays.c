/* Overlays of selected images. The network runs on them once more, so that the logits of a set need not be stored. */
#include "src/run/test/overlays.h"

#include <stdlib.h>

#include "src/run/overlay.h"

static enum paced_err draw(struct evaluation *e, struct example *example, const struct paced_case *c, const char *dir) {
    PACED_TRY(evaluation_take(e, c->image, example));
    char settings[96];
    size_t images = paced_dataset_count(e->dataset);
    snprintf(settings, sizeof settings, "%s %d by dice: %.4f (%zu %s tested)", c->kind, c->number, c->dice, images,
             paced_plural(images, "image", "images"));
    char *name = paced_case_file(c), *path = paced_path_join(dir, name);
    struct paced_canvas canvas =
        overlay_draw(example, e->dataset, paced_dataset_image_name(e->dataset, c->image), settings);
    enum paced_err err = paced_canvas_write(&canvas, path);
    paced_canvas_finish(&canvas);
    free(path);
    free(name);
    return err;
}

static enum paced_err draw_all(struct evaluation *e, const struct paced_case *cases, size_t count, const char *dir) {
    struct example example = example_create(e->extent, e->classes);
    enum paced_err err = paced_make_dirs(dir);
    for (size_t i = 0; !err && i < count; ++i) err = draw(e, &example, &cases[i], dir);
    example_finish(&example);
    return err;
}

enum paced_err overlays_write(struct evaluation *e, const struct paced_scores *scores, size_t wanted,
                              const struct run_files *files) {
    struct paced_case *cases = paced_alloc(wanted + 1, sizeof *cases);
    size_t count = paced_cases_choose(scores, wanted, cases);
    enum paced_err err = run_files_clear_overlays(files);
    if (!err && count > 0) err = draw_all(e, cases, count, files->overlays);
    char *table = paced_path_join(files->overlays, "overlays.csv");
    if (!err && count > 0) err = paced_cases_write_csv(scores, cases, count, table);
    free(table);
    free(cases);
    return err;
}
