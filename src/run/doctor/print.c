/* The report of `paced doctor` as text. */
#include <string.h>

#include "src/run/doctor/doctor.h"

static void print_bytes(FILE *out, const char *before, const json_t *bytes, const char *after) {
    if (json_is_integer(bytes))
        fprintf(out, "%s%.1f GiB%s", before, (double)json_integer_value(bytes) / (1 << 30), after);
    else
        fprintf(out, "%sunknown%s", before, after);
}

static void print_system(FILE *out, const json_t *report) {
    const json_t *program = json_object_get(report, "program"), *system = json_object_get(report, "system"),
                 *libraries = json_object_get(report, "libraries"), *group = json_object_get(system, "cgroup_bytes"),
                 *limits = json_object_get(system, "limits"), *limit;
    fprintf(out, "paced %s: %s, kernels in %s\n", doctor_text(program, "version"), doctor_text(program, "path"),
            doctor_text(program, "kernels"));
    fprintf(out, "system: %s, %s, %lld processors\n", doctor_text(system, "os"), doctor_text(system, "kernel"),
            (long long)json_integer_value(json_object_get(system, "processors")));
    print_bytes(out, "memory: ", json_object_get(system, "memory_bytes"), "");
    print_bytes(out, ", available ", json_object_get(system, "available_bytes"), "");
    if (json_is_integer(group)) print_bytes(out, ", control group limits to ", group, "");
    const char *name;
    fputs("\nlimits:", out);
    json_object_foreach((json_t *)limits, name, limit) {
        if (json_is_integer(limit)) fprintf(out, " %s %lld,", name, (long long)json_integer_value(limit));
    }
    fprintf(out, " others none\nlibraries: ICD loader %s, CLBlast %s\n", doctor_text(libraries, "icd_loader"),
            doctor_text(libraries, "clblast"));
}

static void print_implementations(FILE *out, const json_t *report) {
    const json_t *implementations = json_object_get(report, "implementations"), *file, *platform;
    const json_t *files = json_object_get(implementations, "files");
    size_t i, p;
    fprintf(out, "OpenCL implementations in %s%s\n", doctor_text(implementations, "folder"),
            json_array_size(files) ? "" : ": none");
    json_array_foreach(files, i, file) {
        const char *cause = doctor_text(file, "cause");
        fprintf(out, "  %s: %s: %s%s%s\n", doctor_text(file, "path"), doctor_text(file, "library"),
                doctor_text(file, "verdict"), *cause ? ": " : "", cause);
        json_array_foreach(json_object_get(file, "platforms"), p, platform)
            fprintf(out, "    %s, %s, devices: %lld\n", doctor_text(platform, "name"), doctor_text(platform, "version"),
                    (long long)json_integer_value(json_object_get(platform, "devices")));
    }
}

/* Formats that a device may lack without a fault. */
static bool is_optional(const char *step) {
    return strncmp(step, "half", strlen("half")) == 0 || strncmp(step, "bfloat16", strlen("bfloat16")) == 0;
}

/* A step's result is a text, a number, or null. */
static void print_trials(FILE *out, const json_t *device) {
    const char *step;
    json_t *trial;
    json_object_foreach(json_object_get(device, "trials"), step, trial) {
        const json_t *result = json_object_get(trial, "result");
        const char *verdict = doctor_text(trial, "verdict");
        bool passed = strcmp(verdict, "passed") == 0;
        fprintf(out, "    %-18s %s%s", step, !passed && is_optional(step) ? "no: " : "",
                passed && is_optional(step) ? "yes" : verdict);
        if (json_is_string(result)) fprintf(out, ": %s", json_string_value(result));
        if (json_is_real(result)) fprintf(out, ": relative error %.2g", json_real_value(result));
        fputc('\n', out);
    }
}

static void print_devices(FILE *out, const json_t *report) {
    const json_t *selection = json_object_get(report, "selection"), *devices = json_object_get(report, "devices"),
                 *device;
    const char *selected = doctor_text(selection, "device"), *listing = doctor_text(report, "listing");
    size_t i;
    fprintf(out, "devices%s%s%s\n", json_array_size(devices) ? "" : ": none",
            strcmp(listing, "passed") == 0 ? "" : "; listing them: ", strcmp(listing, "passed") == 0 ? "" : listing);
    json_array_foreach(devices, i, device) {
        const char *id = doctor_text(device, "id");
        fprintf(out, "%c %s  %s  [%s]  %s, driver %s\n", strcmp(id, selected) == 0 ? '*' : ' ', id,
                doctor_text(device, "name"), doctor_text(device, "kind"), doctor_text(device, "platform"),
                doctor_text(device, "driver"));
        print_bytes(out, "    memory ", json_object_get(device, "global_bytes"), ", ");
        print_bytes(out, "one buffer up to ", json_object_get(device, "max_alloc_bytes"), "\n");
        print_trials(out, device);
    }
    fprintf(out, "device.select = %s takes %s: %s\n", doctor_text(selection, "select"), *selected ? selected : "none",
            doctor_text(selection, "why"));
}

static void print_caches(FILE *out, const json_t *report) {
    const json_t *cache;
    size_t i;
    json_array_foreach(json_object_get(report, "caches"), i, cache) {
        if (!json_is_string(json_object_get(cache, "path"))) {
            fprintf(out, "cache of %s: unknown, HOME is not set\n", doctor_text(cache, "name"));
            continue;
        }
        fprintf(out, "cache of %s: %s, %s", doctor_text(cache, "name"), doctor_text(cache, "path"),
                json_is_true(json_object_get(cache, "writable")) ? "writable" : "cannot be written");
        print_bytes(out, ", free ", json_object_get(cache, "free_bytes"), "\n");
    }
}

void doctor_print(FILE *out, const json_t *report) {
    const char *name;
    json_t *value;
    size_t i;
    print_system(out, report);
    print_implementations(out, report);
    print_devices(out, report);
    print_caches(out, report);
    json_object_foreach(json_object_get(report, "environment"), name, value)
        fprintf(out, "environment: %s=%s\n", name, json_string_value(value));
    json_array_foreach(json_object_get(report, "advice"), i, value)
        fprintf(out, "advice: %s\n", json_string_value(value));
    fprintf(out, "verdict: %s\n", doctor_text(report, "verdict"));
}
