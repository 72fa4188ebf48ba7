/* paced doctor [--json]: a report of everything that decides whether the program works on a machine. */
#include "paced/run.h"
#include "src/run/doctor/doctor.h"

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
        err = doctor_judge(report);
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
