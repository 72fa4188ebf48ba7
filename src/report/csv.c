/* csv: reading and writing of CSV fields.
 *
 * A text with a comma, a quote or a line break is quoted, with its own quotes doubled (RFC 4180). NaN, not applicable,
 * is an empty field. Nine significant digits preserve every float32 exactly. */
#include "src/report/csv.h"

#include "src/report/metrics.h"

#include <math.h>
#include <string.h>

void paced_csv_write_text(FILE *out, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *c = text; *c; ++c) {
        if (*c == '"') fputc('"', out);
        fputc(*c, out);
    }
    fputc('"', out);
}

void paced_csv_write_real(FILE *out, double value) {
    if (!isnan(value)) fprintf(out, "%.9g", value);
}

void paced_csv_write_metrics(FILE *out, const struct paced_metrics *metrics, uint64_t which) {
    for (int m = 0; m < PACED_METRICS; ++m) {
        if (!(which & METRIC_BIT(m))) continue;
        fputc(',', out);
        paced_csv_write_real(out, metric_value(metrics, (enum paced_metric)m));
    }
}

void paced_csv_write_metric_names(FILE *out, uint64_t which) {
    for (int m = 0; m < PACED_METRICS; ++m)
        if (which & METRIC_BIT(m)) fprintf(out, ",%s", paced_metric_name((enum paced_metric)m));
}

char *paced_csv_take_row(char **text) {
    char *row = *text, *c = row;
    if (!row || !*row) return *text = NULL;
    for (bool quoted = false; *c && (quoted || *c != '\n'); ++c) quoted ^= *c == '"';
    *text = *c ? c + 1 : NULL;
    if (c > row && c[-1] == '\r') --c;
    *c = '\0';
    return row;
}

char *paced_csv_take_field(char **row) {
    char *field = *row, *in = field, *out = field;
    if (!field) return NULL;
    for (bool quoted = false; *in && (quoted || *in != ','); ++in) {
        bool doubled = quoted && in[0] == '"' && in[1] == '"';
        if (doubled)
            ++in;
        else if (*in == '"')
            quoted = !quoted;
        if (doubled || *in != '"') *out++ = *in;
    }
    *row = *in ? in + 1 : NULL;
    *out = '\0';
    return field;
}
