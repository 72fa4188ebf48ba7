/* sections: sections of the page, each in the file of its name. Private to the report module.
 *
 * A section appends its body to *out. If it appends nothing, because the runs have no data for it, page.c omits its
 * heading and its entry in the contents. */
#ifndef PACED_REPORT_HTML_SECTIONS_H
#define PACED_REPORT_HTML_SECTIONS_H

#include "src/report/html/report_run.h"

enum paced_err section_overview(struct paced_text *out, const struct report *report);
enum paced_err section_sweep(struct paced_text *out, const struct report *report);
enum paced_err section_results(struct paced_text *out, const struct report *report);     /* summary and intervals */
enum paced_err section_differences(struct paced_text *out, const struct report *report); /* per image */
enum paced_err section_training(struct paced_text *out, const struct report *report);
enum paced_err section_classes(struct paced_text *out, const struct report *report);
enum paced_err section_examples(struct paced_text *out, const struct report *report);
enum paced_err section_calibration(struct paced_text *out, const struct report *report);
enum paced_err section_robustness(struct paced_text *out, const struct report *report);
enum paced_err section_configuration(struct paced_text *out, const struct report *report);

#endif
