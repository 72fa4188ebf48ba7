/* The small network. Weights, images and labels come from a formula, so that the check needs no files. Of each result
 * only two numbers are stored, its norm and its projection on a vector that is uniform in [-1, 1): the projection of an
 * error e is |e| / sqrt(3) in the mean, wherever in the tensor it lies, and so shows wrong signs and wrong places. */
#include "src/run/doctor/small_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paced/distill.h"
#include "paced/models.h"
#include "src/run/doctor/formula.h"
#include "src/run/doctor/small_network_numbers.h"

enum { PIXELS = BATCH * SIZE * SIZE };
static const struct paced_extent extent = {SIZE, SIZE};

/* ---- running ------------------------------------------------------------------------------------------------- */

/* Running variances are divided by 8, which brings them near those of the layers' values. Otherwise values would vanish
 * on their way through an inference, and its logits would be little more than the last bias. */
static struct paced_weights weights_of(const struct paced_graph *graph) {
    struct paced_weights state = formula_state(graph);
    for (size_t i = 0; i < state.count; ++i) {
        if (!strstr(state.entries[i].name, "running_var")) continue;
        float *values = state.entries[i].data;
        for (size_t j = 0; j < state.entries[i].bytes / sizeof *values; ++j) values[j] /= 8;
    }
    return state;
}

static enum paced_err write_images(struct paced_exec *exec) {
    enum { COUNT = PIXELS * 3 };
    float *images = paced_alloc(COUNT, sizeof *images);
    for (uint64_t i = 0; i < COUNT; ++i) images[i] = (float)((formula_uniform(IMAGES, i) + 1) / 2);
    enum paced_err err = paced_buffer_write(paced_exec_input(exec), images, COUNT * sizeof *images);
    free(images);
    return err;
}

static enum paced_err write_labels(struct paced_loss *loss) {
    uint8_t labels[PIXELS];
    for (uint64_t i = 0; i < PIXELS; ++i) labels[i] = formula_uniform(LABELS, i) >= 0;
    return paced_loss_write_labels(loss, labels, BATCH);
}

static enum paced_err read_logits(struct paced_exec *exec, const char *name, struct paced_weights *results) {
    static const int64_t shape[] = {BATCH, SIZE, SIZE, CLASSES};
    float logits[PIXELS * CLASSES];
    PACED_TRY(paced_buffer_read(paced_exec_output(exec), logits, sizeof logits));
    paced_weights_add(results, name, PACED_F32, PACED_COUNT(shape), shape, logits);
    return PACED_OK;
}

static enum paced_err infer(struct paced_exec *exec, struct paced_weights *results) {
    PACED_TRY(write_images(exec));
    PACED_TRY(paced_exec_forward(exec, BATCH, false));
    return read_logits(exec, "logits.inference", results);
}

/* Logits are read before the backward pass, which may reuse their memory. */
static enum paced_err train(struct paced_exec *exec, struct paced_loss *loss, struct paced_weights *results) {
    struct paced_loss_sums sums;
    PACED_TRY(write_images(exec));
    PACED_TRY(write_labels(loss));
    PACED_TRY(paced_exec_forward(exec, BATCH, true));
    PACED_TRY(paced_loss_run(loss, paced_exec_output(exec), BATCH, paced_exec_output_grad(exec)));
    PACED_TRY(paced_loss_read_later(loss, BATCH));
    PACED_TRY(read_logits(exec, "logits.training", results));
    PACED_TRY(paced_exec_backward(exec));
    PACED_TRY(paced_loss_wait(loss, &sums));
    const float mean = (float)(sums.loss / PIXELS);
    paced_weights_add(results, "loss", PACED_F32, 0, NULL, &mean);
    return paced_exec_save_flat(exec, paced_exec_trained_grad(exec), "", results);
}

static enum paced_err run_mode(struct paced_device *device, const struct paced_graph *graph, enum paced_mode mode,
                               struct paced_weights *results) {
    struct paced_exec *exec = NULL;
    struct paced_loss *loss = NULL;
    const struct paced_objective plain = paced_objective_plain();
    struct paced_weights state = weights_of(graph);
    enum paced_err err = paced_exec_create(&exec, graph, device, BATCH, mode, PACED_PRECISION_FLOAT32);
    if (!err) err = paced_exec_load_params(exec, &state, "small network");
    if (!err) err = paced_loss_create(&loss, device, &plain, false, BATCH, extent, CLASSES);
    if (!err) err = mode == PACED_TRAINING ? train(exec, loss, results) : infer(exec, results);
    paced_loss_destroy(loss);
    paced_exec_destroy(exec);
    paced_weights_finish(&state);
    return err;
}

/* ---- comparing ----------------------------------------------------------------------------------------------- */

static double error_of(const struct number *want, const struct paced_entry *got) {
    if (!got) return INFINITY;
    char *vector = paced_format("projection %s", want->name);
    const float *values = got->data;
    double squares = 0, projection = 0;
    for (size_t i = 0; i < got->bytes / sizeof *values; ++i) {
        squares += (double)values[i] * values[i];
        projection += values[i] * formula_uniform(vector, i);
    }
    free(vector);
    if (isnan(squares)) return INFINITY;
    return fmax(fabs(sqrt(squares) - want->norm), sqrt(3) * fabs(projection - want->projection)) / want->norm;
}

static double largest_error(const struct paced_weights *results) {
    double largest = 0;
    const char *name = "";
    for (size_t i = 0; i < PACED_COUNT(numbers); ++i) {
        double error = error_of(&numbers[i], paced_weights_find(results, numbers[i].name));
        if (error <= largest) continue;
        largest = error;
        name = numbers[i].name;
    }
    paced_log(PACED_LOG_DEBUG, "small network: the largest relative error is that of %s, %.3g", name, largest);
    return largest;
}

enum paced_err small_network_error(struct paced_device *device, double *error) {
    struct paced_graph *graph;
    struct paced_weights results = {0};
    PACED_TRY(paced_model_build(&graph, "unet", extent, CLASSES, WIDTH));
    enum paced_err err = run_mode(device, graph, PACED_INFERENCE, &results);
    if (!err) err = run_mode(device, graph, PACED_TRAINING, &results);
    if (!err) *error = largest_error(&results);
    paced_weights_finish(&results);
    paced_graph_destroy(graph);
    return err;
}
