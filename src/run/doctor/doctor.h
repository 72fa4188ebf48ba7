/* Private to `paced doctor`: the parts of its report.
 *
 * The report is one JSON value, which --json prints as it is and print.c as text:
 *   program          version, path, kernels: folder of the kernel sources
 *   system           os, kernel, processors, memory_bytes, available_bytes, cgroup_bytes, sysfs, limits
 *   libraries        icd_loader, clblast: paths
 *   implementations  folder; files: path, library, verdict, cause, platforms
 *   devices          as of `paced devices --json`, and trials by step: verdict, result, messages of a failure
 *   listing          verdict of the list of devices
 *   selection        device (null: none), why
 *   caches           name, path, writable, free_bytes
 *   environment      variables that matter, as far as they are set
 *   advice           texts
 *   verdict, status  one line; the exit status */
#ifndef PACED_RUN_DOCTOR_H
#define PACED_RUN_DOCTOR_H

#include <jansson.h>

#include "paced/device.h"

json_t *doctor_program(void);
json_t *doctor_system(void);
json_t *doctor_libraries(void);
json_t *doctor_caches(void);
json_t *doctor_environment(void);

/* Adds implementations, devices and selection to the report. PACED_STOPPED where the user asked to stop. */
enum paced_err doctor_devices(json_t *report);

void doctor_print(FILE *out, const json_t *report);

/* Texts of a report's value, "" where it is missing. */
static inline const char *doctor_text(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Verdict of a step of a device ("kernels"), "" where it was not tried. */
static inline const char *doctor_trial(const json_t *device, const char *step) {
    return doctor_text(json_object_get(json_object_get(device, "trials"), step), "verdict");
}

#endif
