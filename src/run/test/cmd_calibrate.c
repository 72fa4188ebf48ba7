/* paced calibrate CONFIG --weights FILE: fits the temperature tau on the validation set, and prints NLL, ECE and Brier
 * score of softmax(logits / tau) at tau = 1 and at the fitted tau. */
#include <stdlib.h>

#include "paced/metrics.h"
#include "src/run/commands.h"
#include "src/run/files.h"
#include "src/run/logits.h"

struct calibration {
    struct paced_dataset *dataset;
    struct paced_device *device;
    struct network network;
    struct logits logits;
};

static enum paced_err collect(struct calibration *k, const struct paced_config *c, const char *weights) {
    struct paced_data_options data = c->data;
    data.range = network_range(c, weights);
    enum paced_err err = paced_dataset_open(&k->dataset, &data, PACED_VAL);
    free(data.range);
    if (err) return err;
    size_t count = paced_dataset_count(k->dataset);
    int batch = (size_t)c->train.batch > count ? (int)count : (int)c->train.batch;
    PACED_TRY(open_device(&k->device, c));
    PACED_TRY(network_open(&k->network, c, k->device, batch, PACED_INFERENCE));
    PACED_TRY(network_load(&k->network, weights));
    return logits_collect(&k->logits, &k->network, k->dataset, batch, (int)c->data.workers, (int)c->data.classes, NULL,
                          true, "calibrate");
}

static void print_row(const struct logits *l, double tau) {
    size_t pixels = l->images * l->pixels_per_image;
    struct paced_metrics m = paced_calibration_measure(l->values, l->labels, pixels, l->classes, tau);
    printf("%-10.6g %10.6f %10.6f %10.6f\n", tau, m.nll, m.ece, m.brier);
}

static enum paced_err print_results(const struct logits *l) {
    size_t pixels = l->images * l->pixels_per_image;
    double tau;
    paced_log_status("fitting the temperature");
    enum paced_err err = paced_temperature_fit(l->values, l->labels, pixels, l->classes, &tau);
    paced_log_status(NULL);
    if (err) return err;
    printf("validation set: %zu %s, %zu pixels\n", l->images, paced_plural(l->images, "image", "images"),
           paced_counted(l->labels, pixels));
    printf("%-10s %10s %10s %10s\n", "tau", "NLL", "ECE", "Brier");
    print_row(l, 1);
    print_row(l, tau);
    printf("uncertainty.temperature = %.6g\n", tau);
    return PACED_OK;
}

enum paced_err paced_command_calibrate(const struct paced_arguments *arguments) {
    if (!arguments->weights)
        return paced_error(PACED_INVALID, "calibrate: needs CONFIG and --weights FILE; see `paced calibrate --help`");
    struct paced_config config;
    PACED_TRY(command_config(arguments, &config));
    struct calibration k = {0};
    char *weights = run_weights_path(&config, arguments->weights);
    paced_catch_stop();
    enum paced_err err = collect(&k, &config, weights);
    if (!err) err = print_results(&k.logits);
    free(weights);
    logits_finish(&k.logits);
    network_close(&k.network);
    paced_device_close(k.device);
    paced_dataset_close(k.dataset);
    paced_config_finish(&config);
    return err;
}
