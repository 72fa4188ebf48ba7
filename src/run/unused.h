/* Report of the files below data.root that the configured splits do not use. */
#ifndef PACED_RUN_UNUSED_H
#define PACED_RUN_UNUSED_H

#include "paced/data.h"

/* Logs their number and the first ones, unless the last report of this process said the same. */
enum paced_err unused_report(const struct paced_data_options *options);

#endif
