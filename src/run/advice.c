/* advice: the one place that names configuration keys for errors of the modules below run. */
#include "paced/run.h"

#define FOR_MEMORY "lower train.batch, data.size or model.width"

static const char *const advice[PACED_CAUSES] = {
    [PACED_CAUSE_MEMORY] = FOR_MEMORY,
    [PACED_CAUSE_MEMORY_LIMIT] = FOR_MEMORY ", or raise device.memory_limit_mb if that is set",
    [PACED_CAUSE_TOO_MANY_PIXELS] = "lower train.batch or data.size",
    [PACED_CAUSE_IMAGE_TOO_SMALL] = "raise data.size",
    [PACED_CAUSE_ONE_VALUE] = "raise train.batch or data.size",
    [PACED_CAUSE_OTHER_NETWORK] = ("set model.arch, model.width and data.classes (for a teacher "
                                   "distill.teacher_arch and _width) to the file's"),
    [PACED_CAUSE_DIVERGED] = "use other weights or train again with a lower train.lr",
    [PACED_CAUSE_NO_PRODUCTS] = "device.select chooses another device",
    [PACED_CAUSE_NO_BFLOAT16] =
        "set train.precision and predict.precision to float32, or device.select to another device",
};

void paced_command_advise(void) {
    paced_advise(advice);
}
