/* paced convert IN OUT: converts weights to the format that OUT's extension names. */
#include <stdlib.h>
#include <string.h>

#include "paced/onnx.h"
#include "paced/run.h"
#include "src/run/network.h"

static enum paced_err write_safetensors(const char *path, const struct paced_graph *graph,
                                        const struct paced_weights *weights, bool fold) {
    return paced_safetensors_write(path, weights);
}

static const struct format {
    const char *extension;
    enum paced_err (*write)(const char *path, const struct paced_graph *graph, const struct paced_weights *weights,
                            bool fold);
} formats[] = {{".safetensors", write_safetensors}, {".onnx", paced_onnx_write}};

static bool has_extension(const char *path, const char *extension) {
    size_t length = strlen(path), tail = strlen(extension);
    return length > tail && strcmp(path + length - tail, extension) == 0;
}

static enum paced_err find_format(const char *path, const struct format **format) {
    for (size_t i = 0; i < PACED_COUNT(formats); ++i) {
        *format = &formats[i];
        if (has_extension(path, formats[i].extension)) return PACED_OK;
    }
    if (has_extension(path, ".pth") || has_extension(path, ".pt"))
        return paced_error_at(
            PACED_INVALID, path,
            ".pth is not an output format, since PyTorch loads safetensors; convert to .safetensors "
            "and load it by model.load_state_dict(safetensors.torch.load_file(\"FILE.safetensors\"))");
    return paced_error_at(PACED_INVALID, path, "unknown extension; use .safetensors or .onnx");
}

/* Builds the graph that matches the weights. */
static enum paced_err recognise(const struct paced_weights *weights, const char *path, struct paced_network *network,
                                struct paced_graph **graph) {
    PACED_TRY(paced_model_recognise(weights, path, network));
    PACED_TRY(paced_model_build_any_size(graph, network->arch, network->classes, network->width));
    char *hint =
        paced_format("their first and last tensor are those of a %s of width %d for %d %s", network->arch,
                     network->width, network->classes, paced_plural((uint64_t)network->classes, "class", "classes"));
    enum paced_err err = paced_graph_check_weights(*graph, weights, path, hint);
    free(hint);
    return err;
}

enum paced_err paced_command_convert(const struct paced_arguments *arguments) {
    const char *in = arguments->names[0], *out = arguments->names[1];
    const struct format *format;
    struct paced_weights weights = {0};
    struct paced_graph *graph = NULL;
    struct paced_network network;
    enum paced_err err = find_format(out, &format);
    if (!err && paced_path_same(in, out))
        err = paced_error_at(PACED_INVALID, out, "IN and OUT are the same file; choose another OUT");
    if (!err) err = paced_file_check(out);
    if (!err) err = network_read(&weights, NULL, in, true);
    if (!err) err = recognise(&weights, in, &network, &graph);
    if (!err) {
        network_describe(&weights, &network, NULL);
        err = format->write(out, graph, &weights, !arguments->no_fold);
    }
    if (!err)
        printf("%s: %s, width %d, %d %s, %llu parameters\n", out, network.arch, network.width, network.classes,
               paced_plural((uint64_t)network.classes, "class", "classes"),
               (unsigned long long)paced_graph_trained_count(graph));
    paced_graph_destroy(graph);
    paced_weights_finish(&weights);
    return err;
}
