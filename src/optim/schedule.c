/* schedule: learning-rate schedules, pure functions of the epoch. */
#include <math.h>

#include "paced/optim.h"

double paced_schedule_lr(const struct paced_config *config, int epoch) {
    double lr = config->train.lr, done = (double)epoch / (double)config->train.epochs;
    switch ((enum paced_schedule_kind)config->train.schedule) {
    case PACED_SCHEDULE_STEP:
        return lr * pow(config->train.gamma, (double)(epoch / config->train.step));
    case PACED_SCHEDULE_COSINE:
        return lr * (1 + cos(M_PI * done)) / 2;
    case PACED_SCHEDULE_POLY:
        return lr * pow(1 - done, config->train.power);
    case PACED_SCHEDULE_CONSTANT:
        break;
    }
    return lr;
}
