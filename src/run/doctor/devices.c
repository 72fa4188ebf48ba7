/* Implementations and devices as `paced doctor` reports them: each is tried in child processes, so that none of them
 * can end the report. */
#include <stdlib.h>
#include <string.h>

#include "src/run/doctor/doctor.h"

/* The JSON value that a trial gives; null where it gives none. */
static json_t *parsed(const struct paced_trial *trial) {
    json_t *value = trial->result ? json_loads(trial->result, JSON_DECODE_ANY, NULL) : NULL;
    return value ? value : json_null();
}

/* ---- implementations ----------------------------------------------------------------------------------------- */

static enum paced_err add_file(json_t *files, const struct paced_icd_file *file) {
    struct paced_trial trial;
    paced_log(PACED_LOG_INFO, "trying %s", file->path);
    PACED_TRY(paced_trial_make(file->driver, "implementation", 1, &trial));
    json_t *entry = json_object();
    json_object_set_new(entry, "path", json_string(file->path));
    json_object_set_new(entry, "library", json_string(file->driver));
    json_object_set_new(entry, "verdict", json_string(trial.verdict ? trial.verdict : "not tried"));
    json_object_set_new(entry, "platforms", trial.passed ? parsed(&trial) : json_array());
    json_object_set_new(entry, "cause", !trial.passed && trial.result ? json_string(trial.result) : json_null());
    json_array_append_new(files, entry);
    paced_trial_finish(&trial);
    return PACED_OK;
}

static enum paced_err add_implementations(json_t *report) {
    struct paced_icd_files found;
    paced_icd_files_find(&found);
    json_t *implementations = json_object(), *files = json_array();
    json_object_set_new(implementations, "folder", json_string(found.folder));
    json_object_set_new(implementations, "files", files);
    json_object_set_new(report, "implementations", implementations);
    enum paced_err err = PACED_OK;
    for (size_t i = 0; i < found.count && !err; ++i) err = add_file(files, &found.items[i]);
    paced_icd_files_finish(&found);
    return err;
}

/* ---- devices ------------------------------------------------------------------------------------------------- */

static json_t *add_trial(json_t *device, const char *step, const char *verdict, json_t *result) {
    json_t *entry = json_object();
    json_object_set_new(entry, "verdict", json_string(verdict));
    json_object_set_new(entry, "result", result);
    json_object_set_new(json_object_get(device, "trials"), step, entry);
    return entry;
}

/* The network's kernels take a minute to compile for the first time, on a slow machine several. */
enum { PATIENCE = 5 };

static enum paced_err try_step(json_t *device, const char *step) {
    struct paced_trial trial;
    paced_log(PACED_LOG_INFO, "device %s: trying %s", doctor_text(device, "id"), step);
    PACED_TRY(paced_trial_make(doctor_text(device, "id"), step, PATIENCE, &trial));
    json_t *entry = add_trial(device, step, trial.verdict ? trial.verdict : "not tried", parsed(&trial));
    if (!trial.passed && trial.messages) json_object_set_new(entry, "messages", json_string(trial.messages));
    paced_trial_finish(&trial);
    return PACED_OK;
}

/* A device that fails the first step is not tried any further. */
static enum paced_err try_device(json_t *device) {
    static const char *const steps[] = {"half storage",   "half arithmetic", "bfloat16 storage", "bfloat16 products",
                                        "bfloat16 tiles", "matrix products", "network"};
    struct paced_device_info info;
    char *why;
    json_object_set_new(device, "trials", json_object());
    enum paced_err err = paced_device_find(doctor_text(device, "id"), &info, &why);
    if (err == PACED_NO_DEVICE) {
        char *name = paced_format("%s %s: ", doctor_text(device, "id"), doctor_text(device, "name"));
        bool named = strncmp(why, name, strlen(name)) == 0;
        add_trial(device, "kernels", named ? why + strlen(name) : why, json_null());
        free(name);
        free(why);
        return PACED_OK;
    }
    PACED_TRY(err);
    free(why);
    add_trial(device, "kernels", "passed", json_null());
    for (size_t i = 0; i < PACED_COUNT(steps) && !err; ++i) err = try_step(device, steps[i]);
    return err;
}

static enum paced_err add_selection(json_t *report, bool listed) {
    struct paced_device_info info = {0};
    const char *variable = getenv("PACED_DEVICE");
    char *why = NULL;
    enum paced_err err = listed ? paced_device_find("auto", &info, &why) : PACED_NO_DEVICE;
    if (err && err != PACED_NO_DEVICE) return err;
    json_t *selection = json_object();
    json_object_set_new(selection, "select", json_string(variable && *variable ? variable : "auto"));
    json_object_set_new(selection, "device", err ? json_null() : json_string(info.id));
    json_object_set_new(selection, "why", json_string(why ? why : "the devices cannot be listed"));
    json_object_set_new(report, "selection", selection);
    free(why);
    return PACED_OK;
}

enum paced_err doctor_devices(json_t *report) {
    struct paced_trial list;
    PACED_TRY(add_implementations(report));
    paced_trials_forget();
    PACED_TRY(paced_trial_make("all", "devices", 1, &list));
    json_t *found = list.passed ? parsed(&list) : json_null();
    bool listed = json_is_array(found);
    json_t *devices = listed ? found : json_array();
    if (!listed) json_decref(found);
    json_object_set_new(report, "devices", devices);
    json_object_set_new(report, "listing", json_string(list.verdict ? list.verdict : "not tried"));
    paced_trial_finish(&list);
    /* If listing ends or hangs a process, OpenCL is not used in this one. */
    size_t i;
    json_t *device;
    json_array_foreach(devices, i, device) PACED_TRY(try_device(device));
    return add_selection(report, listed);
}
