/* run_log: the training log, log.csv and losses.json.
 *
 * One row per epoch and phase, nine significant digits; a value that is not applicable is an empty field. Writer and
 * reader share one table of columns, so that values are read back as the same float32. The reader drops the epochs
 * after the one that a resumed run continues from, and reports malformed lines as errors with file and line. */
#include "paced/report.h"

#include "src/report/csv.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const phases[] = {"train", "val"};

#define COLUMN(name, member) \
    { name, offsetof(struct paced_log_row, member) }
/* Columns after epoch and phase; all are numbers. */
static const struct {
    const char *name;
    size_t offset;
} columns[] = {
    COLUMN("loss", loss),
    COLUMN("ce", ce),
    COLUMN("kld", kld),
    COLUMN("lr", lr),
    COLUMN("mu", mu),
    COLUMN("admitted", admitted),
    COLUMN("dice", metrics.dice),
    COLUMN("iou", metrics.iou),
    COLUMN("precision", metrics.precision),
    COLUMN("recall", metrics.recall),
    COLUMN("f1", metrics.f1),
    COLUMN("seconds", seconds),
    COLUMN("images_per_second", images_per_second),
};

static double *field(struct paced_log_row *row, size_t column) {
    return (double *)((char *)row + columns[column].offset);
}

/* Static name of a phase, or NULL. */
static const char *known_phase(const char *name) {
    for (size_t i = 0; i < PACED_COUNT(phases); ++i)
        if (strcmp(name, phases[i]) == 0) return phases[i];
    return NULL;
}

void paced_run_log_add(struct paced_run_log *log, const struct paced_log_row *row) {
    log->rows = paced_grow(log->rows, log->count + 1, sizeof(*log->rows));
    log->rows[log->count++] = *row;
}

void paced_run_log_finish(struct paced_run_log *log) {
    if (!log) return;
    free(log->rows);
    *log = (struct paced_run_log){0};
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

enum paced_err paced_run_log_write(const struct paced_run_log *log, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fputs("epoch,phase", file.stream);
    for (size_t c = 0; c < PACED_COUNT(columns); ++c) fprintf(file.stream, ",%s", columns[c].name);
    fputc('\n', file.stream);
    for (size_t i = 0; i < log->count; ++i) {
        struct paced_log_row row = log->rows[i];
        fprintf(file.stream, "%d,%s", row.epoch, row.phase);
        for (size_t c = 0; c < PACED_COUNT(columns); ++c) {
            fputc(',', file.stream);
            paced_csv_write_real(file.stream, *field(&row, c));
        }
        fputc('\n', file.stream);
    }
    return paced_atomic_commit(&file);
}

static void write_losses(FILE *out, const struct paced_run_log *log, const char *phase) {
    const char *separator = "";
    fprintf(out, "\"%s\": [", phase);
    for (size_t i = 0; i < log->count; ++i) {
        if (strcmp(log->rows[i].phase, phase) != 0) continue;
        fputs(separator, out);
        if (isfinite(log->rows[i].ce))
            fprintf(out, "%.9g", log->rows[i].ce);
        else
            fputs("null", out); /* JSON has neither NaN nor infinity */
        separator = ", ";
    }
    fputc(']', out);
}

enum paced_err paced_run_log_write_losses(const struct paced_run_log *log, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    for (size_t i = 0; i < PACED_COUNT(phases); ++i) {
        fputs(i == 0 ? "{" : ", ", file.stream);
        write_losses(file.stream, log, phases[i]);
    }
    fputs("}\n", file.stream);
    return paced_atomic_commit(&file);
}

/* ---- printing ------------------------------------------------------------------------------------------------ */

static void print_epoch(FILE *out, const char *name, const struct paced_log_row *val) {
    fprintf(out, "%-8s %5d  %10.4f  %10.4f\n", name, val->epoch, val->ce, val->metrics.dice);
}

void paced_run_log_print(const struct paced_run_log *log, int best_epoch, FILE *out) {
    double seconds = 0, train_seconds = 0, train_images = 0;
    const struct paced_log_row *best = NULL, *last = NULL;
    for (size_t i = 0; i < log->count; ++i) {
        const struct paced_log_row *row = &log->rows[i];
        bool training = strcmp(row->phase, "train") == 0;
        seconds += row->seconds;
        if (training) train_seconds += row->seconds;
        if (training) train_images += row->seconds * row->images_per_second;
        if (!training) last = row;
        if (!training && row->epoch == best_epoch) best = row;
    }
    if (!last) return;
    int s = (int)(seconds + 0.5);
    fprintf(out, "%-8s %5s  %10s  %10s\n", "weights", "epoch", "val ce", "val dice");
    if (best) print_epoch(out, "best", best);
    print_epoch(out, "last", last);
    fprintf(out, "%d %s in %d:%02d:%02d, %.1f images/s in training\n", last->epoch,
            paced_plural((uint64_t)last->epoch, "epoch", "epochs"), s / 3600, s / 60 % 60, s % 60,
            train_images / train_seconds);
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

/* Reading position in a file; `next`, the unread text, is split in place. */
struct lines {
    const char *path;
    char *next;
    int number; /* number of the last line read, from 1 */
};

static char *next_line(struct lines *lines) {
    ++lines->number;
    return paced_csv_take_row(&lines->next);
}

/* Parses a number; empty gives NaN, and inf occurs in the log of a diverged run. */
static bool parse_figure(const char *text, double *value) {
    *value = NAN;
    if (*text == '\0') return true;
    if (strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0) {
        *value = *text == '-' ? -INFINITY : INFINITY;
        return true;
    }
    return paced_parse_real(text, value);
}

static enum paced_err refuse(const struct lines *lines, const char *what, const char *field_text) {
    return paced_error_at_line(PACED_INVALID, lines->path, lines->number,
                               "%s '%s'; restore the log or restart the run with --overwrite", what,
                               field_text ? field_text : "");
}

static enum paced_err check_header(struct lines *lines) {
    char *rest = next_line(lines);
    for (size_t i = 0; i < PACED_COUNT(columns) + 2; ++i) {
        const char *expected = i == 0 ? "epoch" : i == 1 ? "phase" : columns[i - 2].name;
        const char *name = paced_csv_take_field(&rest);
        if (!name || strcmp(name, expected) != 0) return refuse(lines, "the header lacks the column", expected);
    }
    return rest ? refuse(lines, "the header has an unknown column", rest) : PACED_OK;
}

static enum paced_err parse_row(const struct lines *lines, char *line, struct paced_log_row *row) {
    char *rest = line;
    int64_t epoch = 0;
    const char *text = paced_csv_take_field(&rest);
    if (!paced_parse_int(text, &epoch) || epoch < 1 || epoch > INT_MAX)
        return refuse(lines, "the epoch is not a whole number from 1:", text);
    row->epoch = (int)epoch;
    text = paced_csv_take_field(&rest);
    row->phase = text ? known_phase(text) : NULL;
    if (!row->phase) return refuse(lines, "the phase is neither train nor val:", text);
    for (size_t c = 0; c < PACED_COUNT(columns); ++c) {
        text = paced_csv_take_field(&rest);
        if (!text) return refuse(lines, "the row ends before the column", columns[c].name);
        if (!parse_figure(text, field(row, c))) return refuse(lines, "not a number:", text);
    }
    return rest ? refuse(lines, "the row goes on after its last column:", rest) : PACED_OK;
}

enum paced_err paced_run_log_read(struct paced_run_log *log, const char *path, int last_epoch) {
    struct paced_run_log result = {0};
    char *text = NULL;
    enum paced_err err = paced_file_read_text(path, 0, &text);
    if (err != PACED_OK) goto out;
    struct lines lines = {.path = path, .next = text};
    err = check_header(&lines);
    for (char *line; err == PACED_OK && (line = next_line(&lines));) {
        struct paced_log_row row = {0};
        err = parse_row(&lines, line, &row);
        if (err == PACED_OK && row.epoch <= last_epoch) paced_run_log_add(&result, &row);
    }
    if (err != PACED_OK) goto out;
    paced_run_log_finish(log);
    *log = result;
    result = (struct paced_run_log){0};
out:
    paced_run_log_finish(&result);
    free(text);
    return err;
}
