/* paced report DIR... --output DIR: one page about the runs and experiments in the directories. */
#include <stdlib.h>

#include "paced/run.h"
#include "src/run/files.h"
#include "src/run/lock.h"
#include "src/run/report_runs.h"

enum paced_err paced_command_report(const struct paced_arguments *arguments) {
    if (!arguments->output)
        return paced_error(PACED_INVALID, "report: --output DIR is missing; name the directory of the report");
    struct dir_lock *lock;
    PACED_TRY(dir_lock_take(&lock, arguments->output));
    struct report_runs list = {0};
    enum paced_err err = run_files_check_report_links(arguments->output);
    for (size_t i = 0; !err && i < arguments->name_count; ++i) err = report_runs_take(&list, arguments->names[i]);
    char *title = arguments->name_count > 1
                      ? paced_format("%zu %s", list.run_count, paced_plural(list.run_count, "run", "runs"))
                      : NULL;
    if (!err) err = report_runs_show(&list, title, arguments->output);
    free(title);
    report_runs_finish(&list);
    dir_lock_release(lock);
    return err;
}
