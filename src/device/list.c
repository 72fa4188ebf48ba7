/* paced devices: the devices of the machine, for people and as JSON. */
#include <stdlib.h>

#include <jansson.h>

#include "src/device/opencl.h"
#include "src/device/trial.h"

static const char *kind_name(enum paced_device_kind kind) {
    return kind == PACED_GPU ? "gpu" : kind == PACED_CPU ? "cpu" : "accelerator";
}

static void print_memory(FILE *out, const char *what, uint64_t bytes) {
    if (bytes == PACED_MEMORY_UNKNOWN)
        fprintf(out, "%s unknown, ", what);
    else
        fprintf(out, "%s %.0f MiB, ", what, (double)bytes / 1048576);
}

static void list_text(FILE *out, const struct candidates *all, int chosen) {
    for (size_t i = 0; i < all->count; ++i) {
        const struct candidate *c = &all->items[i];
        const struct paced_device_info *info = &c->info;
        fprintf(out, "%c %s  %s  [%s]", (int)i == chosen ? '*' : ' ', info->id, info->name, kind_name(info->kind));
        if (c->fault) fprintf(out, "  not usable: %s", c->fault);
        fputc('\n', out);
        fprintf(out, "       platform %s, %s, driver %s\n", info->platform, info->version, info->driver);
        fprintf(out, "       %u compute %s at %u MHz, float vectors of %u, work-groups up to %zu\n",
                info->compute_units, paced_plural(info->compute_units, "unit", "units"), info->clock_mhz,
                info->float_width, info->max_work_group);
        print_memory(out, "       memory", info->global_bytes);
        if (info->process_bytes) fprintf(out, "half of the process's limit, ");
        print_memory(out, "one buffer up to", info->max_alloc_bytes);
        fprintf(out, "local %.0f KiB, sub-buffers aligned to %zu bytes\n", (double)info->local_bytes / 1024,
                info->align_bytes);
    }
    if (chosen >= 0) fprintf(out, "* is taken: %s.\n", all->why);
}

/* null if unknown. */
static json_t *json_memory(uint64_t bytes) {
    return bytes == PACED_MEMORY_UNKNOWN ? json_null() : json_integer((json_int_t)bytes);
}

static json_t *json_of(const struct candidate *c, bool chosen, const char *why) {
    const struct paced_device_info *info = &c->info;
    return json_pack("{ss ss ss ss ss ss ss si si si sI so so so sI sI sb ss* sb ss*}", "id", info->id, "name",
                     info->name, "platform", info->platform, "vendor", info->vendor, "kind", kind_name(info->kind),
                     "version", info->version, "driver", info->driver, "compute_units", (int)info->compute_units,
                     "clock_mhz", (int)info->clock_mhz, "float_width", (int)info->float_width, "max_work_group",
                     (json_int_t)info->max_work_group, "global_bytes", json_memory(info->global_bytes),
                     "max_alloc_bytes", json_memory(info->max_alloc_bytes), "process_bytes",
                     info->process_bytes ? json_memory(info->process_bytes) : json_null(), "local_bytes",
                     (json_int_t)info->local_bytes, "align_bytes", (json_int_t)info->align_bytes, "usable", !c->fault,
                     "fault", c->fault, "selected", chosen, "why", chosen ? why : NULL);
}

/* The list as text; release with free(). */
static char *json_text(const struct candidates *all, int chosen, size_t flags) {
    json_t *array = json_array();
    for (size_t i = 0; i < all->count; ++i)
        json_array_append_new(array, json_of(&all->items[i], (int)i == chosen, all->why));
    char *text = json_dumps(array, flags);
    json_decref(array);
    return text;
}

static void list_json(FILE *out, const struct candidates *all, int chosen) {
    char *text = json_text(all, chosen, JSON_INDENT(2));
    fprintf(out, "%s\n", text);
    free(text);
}

enum paced_err paced_device_list(FILE *out, const char *select, bool json) {
    struct candidates all;
    int chosen;
    PACED_TRY(candidates_find(&all, 0, false));
    enum paced_err err = candidates_take(&all, candidates_asked_for(select), false, &chosen);
    if (!err && json)
        list_json(out, &all, chosen);
    else if (!err)
        list_text(out, &all, chosen);
    if (!err && chosen < 0)
        err = paced_error(PACED_NO_DEVICE, "no usable OpenCL device (%s); `paced doctor` shows what to do", all.why);
    candidates_finish(&all);
    return err;
}

int list_answer(void) {
    struct candidates all;
    enum paced_err err = candidates_find(&all, 0, true);
    if (err) return (int)err;
    char *text = json_text(&all, -1, JSON_COMPACT);
    paced_trial_result("%s", text);
    free(text);
    candidates_finish(&all);
    return PACED_OK;
}
