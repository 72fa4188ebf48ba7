/* Learning-rate schedules: pure functions of the epoch. */
#include <math.h>

#include "paced/optim.h"

double paced_schedule_lr(const struct paced_config *config, int epoch) {
    if (config->train.schedule == PACED_SCHEDULE_CONSTANT) return config->train.lr;
    return config->train.lr * pow(config->train.gamma, (double)(epoch / (int)config->train.step));
}
