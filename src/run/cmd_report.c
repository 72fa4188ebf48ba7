/* paced report RUN_DIR... --output DIR: what run directories hold, as one page. */
#include <stdlib.h>

#include "paced/report.h"
#include "paced/run.h"

enum paced_err paced_command_report(const struct paced_arguments *arguments) {
    if (!arguments->output)
        return paced_error(PACED_INVALID, "report: --output DIR is missing; name where it shall go");
    char *title = arguments->name_count > 1 ? paced_format("%zu runs", arguments->name_count) : NULL;
    enum paced_err err = paced_report_write(arguments->names, arguments->name_count, title, arguments->output);
    free(title);
    return err;
}
