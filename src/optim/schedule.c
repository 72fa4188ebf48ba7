/* schedule: learning-rate schedules, pure functions of the epoch. */
#include <math.h>

#include "paced/optim.h"

double paced_schedule_lr(const struct paced_train_options *options, int epoch) {
    double lr = options->lr, done = (double)epoch / (double)options->epochs;
    switch ((enum paced_schedule_kind)options->schedule) {
    case PACED_SCHEDULE_STEP:
        return lr * pow(options->gamma, (double)(epoch / options->step));
    case PACED_SCHEDULE_COSINE:
        return lr * (1 + cos(M_PI * done)) / 2;
    case PACED_SCHEDULE_POLY:
        return lr * pow(1 - done, options->power);
    case PACED_SCHEDULE_CONSTANT:
        break;
    }
    return lr;
}

PACED_NAMES(paced_schedule_name, [PACED_SCHEDULE_STEP] = "step", [PACED_SCHEDULE_COSINE] = "cosine",
            [PACED_SCHEDULE_POLY] = "poly", [PACED_SCHEDULE_CONSTANT] = "constant")
PACED_NAMES(paced_select_name, [PACED_SELECT_LOSS] = "loss", [PACED_SELECT_DICE] = "dice")
