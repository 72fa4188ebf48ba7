/* paced synth breast|needle|scene --count N --size S --seed K --output DIR [--overwrite] */
#include <string.h>

#include "paced/data.h"
#include "paced/run.h"
#include "src/run/lock.h"

static const struct {
    const char *name;
    paced_synth *make;
} kinds[] = {{"breast", paced_synth_breast}, {"needle", paced_synth_needle}, {"scene", paced_synth_scene}};

enum paced_err paced_command_synth(const struct paced_arguments *arguments) {
    size_t kind = 0;
    while (kind < PACED_COUNT(kinds) && strcmp(arguments->names[0], kinds[kind].name) != 0) ++kind;
    if (kind == PACED_COUNT(kinds))
        return paced_error(PACED_INVALID, "synth: %s: unknown kind of image; choose breast, needle or scene",
                           arguments->names[0]);
    if (!arguments->output)
        return paced_error(PACED_INVALID, "synth: --output DIR is missing; name the directory of the images");
    int64_t count = arguments->count < 0 ? 100 : arguments->count, size = arguments->size < 0 ? 224 : arguments->size,
            seed = arguments->seed < 0 ? 12345 : arguments->seed;
    struct dir_lock *lock;
    PACED_TRY(dir_lock_take(&lock, arguments->output));
    paced_catch_stop();
    enum paced_err err = arguments->overwrite ? paced_synth_claim(arguments->output, count, size) : PACED_OK;
    if (!err) err = kinds[kind].make(arguments->output, count, size, (uint64_t)seed);
    dir_lock_release(lock);
    return err;
}
