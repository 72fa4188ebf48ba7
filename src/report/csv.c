/* csv: the fields of metrics.csv, summary.csv and log.csv.
 *
 * RFC 4180: a text with a comma, a quote or a line break stands in quotes, its own quotes doubled. A figure that does
 * not apply (NaN) is an empty field. Nine significant digits are enough to get every float32 back exactly. */
#include "src/report/csv.h"

#include <math.h>
#include <string.h>

void paced_csv_write_text(FILE *out, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *c = text; *c; c++) {
        if (*c == '"') fputc('"', out);
        fputc(*c, out);
    }
    fputc('"', out);
}

void paced_csv_write_real(FILE *out, double value) {
    if (!isnan(value)) fprintf(out, "%.9g", value);
}

void paced_csv_write_metrics(FILE *out, const struct paced_metrics *metrics) {
    const double values[] = {metrics->dice, metrics->iou, metrics->precision, metrics->recall, metrics->f1};
    for (size_t i = 0; i < PACED_COUNT(values); i++) {
        fputc(',', out);
        paced_csv_write_real(out, values[i]);
    }
}
