/* comparison: the summaries of several tests in one table.
 *
 * The figures come from each test's summary.csv, whose first rows are "all,mean" and "non-empty,mean", so a test of an
 * earlier day counts like one of today. Nine digits are read and written again as they were: the table does not
 * depend on how often the way there was interrupted. */
#include "src/report/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = 2, FIGURES = 5, LARGEST_SUMMARY = 1 << 24 };

static const char *const set_names[SETS] = {"all", "non-empty"};
static const char header[] = "set,class,images,dice,iou,precision,recall,f1";

/* The field at *text without its comma; *text moves behind it. */
static char *take_field(char **text) {
    char *field = *text;
    size_t length = strcspn(field, ",\r\n");
    *text = field + length + (field[length] == ',');
    field[length] = '\0';
    return field;
}

/* One "SET,mean,IMAGES,..." line; an empty figure is one that does not apply. */
static bool take_row(char *line, const char *set, size_t *images, struct paced_metrics *metrics) {
    double *const figures[FIGURES] = {&metrics->dice, &metrics->iou, &metrics->precision, &metrics->recall,
                                      &metrics->f1};
    int64_t count;
    if (strcmp(take_field(&line), set) != 0 || strcmp(take_field(&line), "mean") != 0) return false;
    if (!paced_parse_int(take_field(&line), &count) || count < 0) return false;
    *images = (size_t)count;
    for (int i = 0; i < FIGURES; i++) {
        char *field = take_field(&line);
        *figures[i] = NAN;
        if (*field && !paced_parse_real(field, figures[i])) return false;
    }
    return true;
}

static enum paced_err take_rows(char *text, const char *path, struct paced_comparison_row *row) {
    char *line = strsep(&text, "\n");
    if (strncmp(line, header, strlen(header)) != 0)
        return paced_error(PACED_INVALID, "%s:1: is no summary; its header begins with %s", path, header);
    for (int i = 0; i < SETS; i++) {
        line = text ? strsep(&text, "\n") : NULL;
        if (!line || !take_row(line, set_names[i], &row->images[i], &row->metrics[i]))
            return paced_error(PACED_INVALID, "%s:%d: is not the row %s,mean of a summary; run the test again", path,
                               i + 2, set_names[i]);
    }
    return PACED_OK;
}

enum paced_err paced_comparison_add(struct paced_comparison *comparison, const char *name, const char *summary_path) {
    struct paced_comparison_row row = {0};
    uint8_t *data;
    size_t size;
    PACED_TRY(paced_file_read(summary_path, LARGEST_SUMMARY, &data, &size));
    enum paced_err err = take_rows((char *)data, summary_path, &row);
    free(data);
    if (err) return err;
    row.name = paced_strdup(name);
    comparison->rows = paced_grow(comparison->rows, comparison->count + 1, sizeof *comparison->rows);
    comparison->rows[comparison->count++] = row;
    return PACED_OK;
}

void paced_comparison_finish(struct paced_comparison *comparison) {
    if (!comparison) return;
    for (size_t i = 0; i < comparison->count; i++) free(comparison->rows[i].name);
    free(comparison->rows);
    *comparison = (struct paced_comparison){0};
}

enum paced_err paced_comparison_write_csv(const struct paced_comparison *comparison, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("stage,set,images,dice,iou,precision,recall,f1\n", file.stream);
    for (size_t i = 0; i < comparison->count; i++) {
        const struct paced_comparison_row *row = &comparison->rows[i];
        for (int set = 0; set < SETS; set++) {
            paced_csv_write_text(file.stream, row->name);
            fprintf(file.stream, ",%s,%zu", set_names[set], row->images[set]);
            paced_csv_write_metrics(file.stream, &row->metrics[set]);
            fputc('\n', file.stream);
        }
    }
    return paced_atomic_commit(&file);
}

static void print_figure(FILE *out, double value, int width) {
    if (isnan(value))
        fprintf(out, "  %*s", width, "-");
    else
        fprintf(out, "  %*.4f", width, value);
}

void paced_comparison_print(const struct paced_comparison *comparison, FILE *out) {
    int width = (int)strlen("stage");
    for (size_t i = 0; i < comparison->count; i++)
        if ((int)strlen(comparison->rows[i].name) > width) width = (int)strlen(comparison->rows[i].name);
    fprintf(out, "%-*s  %6s  %9s  %9s  %9s  %9s  %9s  %16s\n", width, "stage", "images", "dice", "iou", "precision",
            "recall", "f1", "dice (non-empty)");
    for (size_t i = 0; i < comparison->count; i++) {
        const struct paced_comparison_row *row = &comparison->rows[i];
        const struct paced_metrics *all = &row->metrics[0];
        const double figures[FIGURES] = {all->dice, all->iou, all->precision, all->recall, all->f1};
        fprintf(out, "%-*s  %6zu", width, row->name, row->images[0]);
        for (int j = 0; j < FIGURES; j++) print_figure(out, figures[j], 9);
        print_figure(out, row->metrics[1].dice, 16);
        fputc('\n', out);
    }
}
