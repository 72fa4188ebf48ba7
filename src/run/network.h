/* Network on a device: graph, memory, and weights from and to files. */
#ifndef PACED_RUN_NETWORK_H
#define PACED_RUN_NETWORK_H

#include "paced/config.h"
#include "paced/models.h"

enum paced_err open_device(struct paced_device **device, const struct paced_config *config);

/* Builds the configured network without a device. */
enum paced_err network_build(struct paced_graph **graph, const struct paced_config *config);

struct network {
    struct paced_graph *graph;
    struct paced_exec *exec;
};

/* train.precision, or for inference predict.precision. */
enum paced_precision network_precision(const struct paced_config *config, enum paced_mode mode);

/* Opens the configured network for batches of up to `batch` images. network_close accepts {0}. */
enum paced_err network_open(struct network *network, const struct paced_config *config, struct paced_device *device,
                            int batch, enum paced_mode mode);
void network_close(struct network *network);

/* Reads weights and removes a prefix that all names share if the names then are the network's. graph NULL: only the
 * prefixes of common wrappers. say: the log reports a removal. */
enum paced_err network_read(struct paced_weights *weights, const struct paced_graph *graph, const char *path, bool say);
enum paced_err network_load(struct network *network, const char *path);

/* Weights files that earlier stages of an experiment will write. */
struct expected {
    char **paths;
    size_t count;
};
bool expected_has(const struct expected *expected, const char *path);

/* Checks, without a device, that network_open and network_load accept the configured network and the file. An expected
 * file is not read. */
enum paced_err network_check(const struct paced_config *config, const char *path, const struct expected *expected);

/* Range of values for the images that weights are applied to: data.range, or for `auto` the range that was measured in
 * their training, from the metadata of the file. Release with free(). */
char *network_range(const struct paced_config *config, const char *path);

/* Adds architecture, width, classes, image size and the program's version as metadata. size NULL: any size. */
void network_describe(struct paced_weights *weights, const struct paced_network *network,
                      const struct paced_extent *size);
/* Collects all tensors of the network and the metadata: those of network_describe, and data.range unless it is `auto`.
 */
enum paced_err network_collect(struct network *network, const struct paced_config *config,
                               struct paced_weights *weights);
enum paced_err network_save(struct network *network, const struct paced_config *config, const char *path);

#endif
