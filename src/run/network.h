/* The configured device, and a network that is ready to run on it: its graph, its memory, its weights' way from and to
 * files. */
#ifndef PACED_RUN_NETWORK_H
#define PACED_RUN_NETWORK_H

#include "paced/config.h"
#include "paced/models.h"

enum paced_err open_device(struct paced_device **device, const struct paced_config *config);

struct network {
    struct paced_graph *graph;
    struct paced_exec *exec;
};

/* Starts as {0}; network_close accepts {0}. */
enum paced_err network_open(struct network *network, const struct paced_config *config, struct paced_device *device,
                            int batch, enum paced_mode mode);
void network_close(struct network *network);

enum paced_err network_load(struct network *network, const char *path);

/* Weights files that earlier stages of an experiment will have written. */
struct expected {
    char **paths;
    size_t count;
};
bool expected_has(const struct expected *expected, const char *path);

/* Would network_open and network_load take the configured network and the file? For checks ahead: no device is needed.
 * Of a file that is expected nothing is asked. */
enum paced_err network_check(const struct paced_config *config, const char *path, const struct expected *expected);

/* Adds what the weights are of, and the version. size 0: of images of any size. */
void network_describe(struct paced_weights *weights, const struct paced_network *network, int64_t size);
/* The network's tensors and what it is. */
enum paced_err network_collect(struct network *network, const struct paced_config *config,
                               struct paced_weights *weights);
enum paced_err network_save(struct network *network, const struct paced_config *config, const char *path);

#endif
