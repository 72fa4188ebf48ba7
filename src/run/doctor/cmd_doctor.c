/* paced doctor [--json]: a report of everything that decides whether the program works on a machine; its verdict, and
 * its advice: one rule for each fault that users met. */
#include <stdlib.h>
#include <string.h>

#include "paced/run.h"
#include "src/run/doctor/doctor.h"

static void advise(json_t *report, const char *fmt, ...) PACED_PRINTF(2, 3);
static void advise(json_t *report, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    json_array_append_new(json_object_get(report, "advice"), json_vsprintf(fmt, args));
    va_end(args);
}

static bool passed(const json_t *device, const char *step) {
    return strcmp(doctor_trial(device, step), "passed") == 0;
}

/* The first device with this value, or NULL. */
static const json_t *find_device(const json_t *report, const char *key, const char *value) {
    const json_t *device;
    size_t i;
    json_array_foreach(json_object_get(report, "devices"), i, device) {
        if (strcmp(doctor_text(device, key), value) == 0) return device;
    }
    return NULL;
}

static void judge_implementations(json_t *report) {
    const json_t *implementations = json_object_get(report, "implementations"),
                 *files = json_object_get(implementations, "files"), *file;
    size_t i;
    if (!json_array_size(files) && !json_array_size(json_object_get(report, "devices")))
        advise(report,
               "no OpenCL implementation is installed: on Debian and Ubuntu, pocl-opencl-icd is the one for CPUs, "
               "intel-opencl-icd for Intel's GPUs, mesa-opencl-icd for AMD's; NVIDIA's comes with its driver");
    json_array_foreach(files, i, file) {
        const char *path = doctor_text(file, "path"), *library = doctor_text(file, "library");
        if (!*library)
            advise(report, "%s is empty or cannot be read: remove it, or install its package again", path);
        else if (strcmp(doctor_text(file, "verdict"), "passed") != 0 && path[0] != '/')
            advise(report, "%s names %s, which cannot be used: correct or unset it", path, library);
        else if (strcmp(doctor_text(file, "verdict"), "passed") != 0)
            advise(report, "%s of %s cannot be used: install its package again, or remove the file", library, path);
        else if (!json_array_size(json_object_get(report, "devices")))
            advise(report,
                   "%s of %s gives no device: it finds no hardware, may not use it, or (PoCL) cannot write its cache",
                   library, path);
    }
}

/* Bytes that a cache needs for the kernels of a few networks. */
enum { LITTLE_ROOM = 64 << 20 };

static void judge_machine(json_t *report) {
    const json_t *system = json_object_get(report, "system"), *limits = json_object_get(system, "limits"), *cache;
    size_t i;
    if (!json_is_true(json_object_get(system, "sysfs")))
        advise(report, "/sys is not mounted: PoCL from version 4 on ends the process without it; mount it");
    json_array_foreach(json_object_get(report, "caches"), i, cache) {
        const char *name = doctor_text(cache, "name");
        if (json_is_string(json_object_get(cache, "path")) && !json_is_true(json_object_get(cache, "writable")))
            advise(report, "the cache of %s cannot be written, so that each start compiles again: set %s to a folder",
                   name, strcmp(name, "paced") == 0 ? "PACED_CACHE_DIR" : "POCL_CACHE_DIR");
        const json_t *room = json_object_get(cache, "free_bytes");
        if (json_is_integer(room) && json_integer_value(room) < LITTLE_ROOM)
            advise(report, "the disk of the cache of %s, %s, is full: make room; PoCL ends the process without it",
                   name, doctor_text(cache, "path"));
    }
    if (json_is_integer(json_object_get(limits, "address_space")))
        advise(report, "the address space is limited (ulimit -v): OpenCL drivers reserve much of it; lift the limit");
    if (json_is_integer(json_object_get(limits, "file_size")))
        advise(report, "the size of files is limited (ulimit -f): weights may not fit; lift the limit");
}

/* Device files of the kernel show a GPU that OpenCL does not list. */
static void judge_hidden_gpus(json_t *report) {
    static const struct {
        const char *path, *advice;
    } rows[] = {{"/dev/nvidia0", "install NVIDIA's OpenCL library (on Debian nvidia-opencl-icd)"},
                {"/dev/kfd", "install AMD's OpenCL (ROCm, or mesa-opencl-icd), and join the group render"},
                {"/dev/dri/renderD128", "install its OpenCL (intel-opencl-icd or mesa-opencl-icd), and join the group "
                                        "render"}};
    if (find_device(report, "kind", "gpu")) return;
    for (size_t i = 0; i < PACED_COUNT(rows); ++i)
        if (paced_path_exists(rows[i].path)) {
            advise(report, "%s is there, but OpenCL lists no GPU: %s", rows[i].path, rows[i].advice);
            return;
        }
}

static void judge_device(json_t *report, const json_t *device) {
    const char *id = doctor_text(device, "id");
    const json_t *products = json_object_get(json_object_get(device, "trials"), "matrix products");
    if (!passed(device, "kernels")) {
        advise(report, "device %s cannot be used: %s; update its driver, or choose another device", id,
               doctor_trial(device, "kernels"));
        return;
    }
    if (strcmp(doctor_text(products, "result"), "plain loop") == 0)
        advise(report,
               "device %s: CLBlast computes no matrix product there, so that training runs at about a tenth of the "
               "speed; update the driver or CLBlast, or choose another device",
               id);
    if (!passed(device, "matrix products") || !passed(device, "network"))
        advise(report, "device %s fails a network of this program: report it, with this output; choose another device",
               id);
}

static void judge_selection(json_t *report) {
    const json_t *selection = json_object_get(report, "selection");
    const char *select = doctor_text(selection, "select");
    if (json_is_null(json_object_get(selection, "device")) && strcmp(select, "auto") != 0)
        advise(report, "PACED_DEVICE=%s replaces auto and matches no usable device: correct or unset it", select);
}

static enum paced_err decide(json_t *report) {
    const char *id = doctor_text(json_object_get(report, "selection"), "device");
    const json_t *device = find_device(report, "id", id);
    enum paced_err status = PACED_OK;
    json_t *verdict;
    if (!device) {
        status = PACED_NO_DEVICE;
        verdict = json_string("no usable OpenCL device");
    } else if (!passed(device, "matrix products") || !passed(device, "network")) {
        status = PACED_FAILED;
        verdict = json_sprintf("device %s, which is selected, does not compute a network correctly", id);
    } else {
        verdict = json_sprintf("device %s, %s, works", id, doctor_text(device, "name"));
    }
    json_object_set_new(report, "verdict", verdict);
    json_object_set_new(report, "status", json_integer(status));
    return status;
}

/* Adds advice, verdict and status to the report, and returns the status. */
static enum paced_err judge(json_t *report) {
    const json_t *device;
    size_t i;
    json_object_set_new(report, "advice", json_array());
    judge_selection(report);
    judge_machine(report);
    judge_implementations(report);
    judge_hidden_gpus(report);
    json_array_foreach(json_object_get(report, "devices"), i, device) judge_device(report, device);
    return decide(report);
}

enum paced_err paced_command_doctor(const struct paced_arguments *arguments) {
    paced_catch_stop();
    json_t *report = json_object();
    json_object_set_new(report, "program", doctor_program());
    json_object_set_new(report, "system", doctor_system());
    json_object_set_new(report, "libraries", doctor_libraries());
    json_object_set_new(report, "environment", doctor_environment()); /* before the program adds to it */
    enum paced_err err = doctor_devices(report);
    if (!err) {
        json_object_set_new(report, "caches", doctor_caches());
        err = judge(report);
        if (arguments->json) {
            json_dumpf(report, stdout, JSON_INDENT(2));
            putchar('\n');
        } else {
            doctor_print(stdout, report);
        }
    }
    json_decref(report);
    return err;
}
