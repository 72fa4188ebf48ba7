/* Commands without side effects: paced graph, config, devices. */
#include <stdlib.h>

#include "paced/device.h"
#include "src/run/commands.h"
#include "src/run/network.h"

enum paced_err paced_command_graph(const struct paced_arguments *arguments) {
    struct paced_config c;
    PACED_TRY(command_config(arguments, &c));
    struct paced_graph *graph = NULL;
    struct paced_plan training = {0}, inference = {0};
    int batch = (int)c.train.batch;
    enum paced_err err = network_build(&graph, &c);
    /* Plan for a device without limits. A real device may need more chunks and less workspace. */
    const struct paced_limits limits = {UINT64_MAX / 2, 4096, PACED_WORKSPACE_BYTES};
    if (!err)
        err = paced_plan_make(&training, graph, batch, PACED_TRAINING, network_precision(&c, PACED_TRAINING), limits);
    if (!err)
        err =
            paced_plan_make(&inference, graph, batch, PACED_INFERENCE, network_precision(&c, PACED_INFERENCE), limits);
    if (!err) {
        paced_graph_print(graph, &training, stdout);
        paced_plan_print(&inference, stdout);
    }
    paced_plan_finish(&inference);
    paced_plan_finish(&training);
    paced_graph_destroy(graph);
    paced_config_finish(&c);
    return err;
}

enum paced_err paced_command_config(const struct paced_arguments *arguments) {
    if (arguments->keys) {
        if (arguments->name_count || arguments->set_count)
            return paced_error(PACED_INVALID,
                               "config: --keys does not depend on CONFIG; give neither CONFIG nor --set");
        paced_config_print_keys(stdout, arguments->markdown);
        return PACED_OK;
    }
    if (arguments->markdown) return paced_error(PACED_INVALID, "config: --markdown needs --keys; give both");
    if (arguments->name_count == 0)
        return paced_error(PACED_INVALID, "config: CONFIG is missing; give CONFIG or --keys");
    struct paced_config config;
    PACED_TRY(command_config(arguments, &config));
    char *text = paced_config_text(&config);
    fputs(text, stdout);
    free(text);
    paced_config_finish(&config);
    return PACED_OK;
}

enum paced_err paced_command_devices(const struct paced_arguments *arguments) {
    return paced_device_list(stdout, "auto", arguments->json);
}
