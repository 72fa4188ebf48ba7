/* A trained network, one image at a time. */
#include "src/run/predictor.h"

#include <stdlib.h>

enum paced_err predictor_open(struct predictor *p, const struct paced_config *config, const char *weights) {
    *p = (struct predictor){.size = (int)config->data.size, .classes = (int)config->data.classes};
    size_t pixels = (size_t)p->size * (size_t)p->size, channels = p->classes > 3 ? (size_t)p->classes : 3;
    p->rgb = paced_alloc(pixels * 3, 1);
    p->values = paced_alloc(pixels * channels, sizeof *p->values); /* first the input, then the logits */
    PACED_TRY(paced_device_open(&p->device, config->device.select, (int)config->device.threads, config->device.tuning));
    PACED_TRY(network_open(&p->network, config, p->device, 1, PACED_INFERENCE));
    return network_load(&p->network, weights);
}

void predictor_close(struct predictor *p) {
    network_close(&p->network);
    paced_device_close(p->device);
    free(p->values);
    free(p->rgb);
    *p = (struct predictor){0};
}

enum paced_err predictor_run(struct predictor *p, const struct paced_image *image) {
    size_t count = (size_t)p->size * (size_t)p->size * 3;
    paced_resize_nearest(image->rgb, image->width, image->height, 3, p->rgb, p->size, p->size);
    for (size_t i = 0; i < count; ++i) p->values[i] = (float)p->rgb[i] / 255.0f;
    PACED_TRY(paced_buffer_write(paced_exec_input(p->network.exec), p->values, count * sizeof *p->values));
    return paced_exec_forward(p->network.exec, 1, false);
}

enum paced_err predictor_read(struct predictor *p) {
    size_t count = (size_t)p->size * (size_t)p->size * (size_t)p->classes;
    return paced_buffer_read(paced_exec_output(p->network.exec), p->values, count * sizeof *p->values);
}
