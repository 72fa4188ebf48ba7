/* run_log: the training log, log.csv and losses.json.
 *
 * One row per epoch and phase, nine significant digits; a value that is not applicable is an empty field. The reader
 * drops the epochs after the one that a resumed run continues from, and reports malformed lines as errors with file and
 * line. */
#include "paced/report.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const phases[] = {"train", "val"};

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
    for (size_t c = 0; c < PACED_MEASURES; ++c) fprintf(file.stream, ",%s", paced_measure_table[c].name);
    fputc('\n', file.stream);
    for (size_t i = 0; i < log->count; ++i) {
        fprintf(file.stream, "%d,%s", log->rows[i].epoch, log->rows[i].phase);
        paced_csv_write_reals(file.stream, log->rows[i].measures.of, PACED_MEASURES);
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
        if (isfinite(log->rows[i].measures.ce))
            fprintf(out, "%.9g", log->rows[i].measures.ce);
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
    fprintf(out, "%-8s %5d  %10.4f  %10.4f\n", name, val->epoch, val->measures.ce, val->measures.dice);
}

void paced_run_log_print(const struct paced_run_log *log, int best_epoch, FILE *out) {
    double seconds = 0, train_seconds = 0, train_images = 0;
    const struct paced_log_row *best = NULL, *last = NULL;
    for (size_t i = 0; i < log->count; ++i) {
        const struct paced_log_row *row = &log->rows[i];
        bool training = strcmp(row->phase, "train") == 0;
        seconds += row->measures.seconds;
        if (training) train_seconds += row->measures.seconds;
        if (training) train_images += row->measures.seconds * row->measures.images_per_second;
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

static enum paced_err check_header(const struct paced_csv *csv) {
    for (size_t i = 0; i < csv->columns; ++i) {
        bool known = strcmp(csv->names[i], "epoch") == 0 || strcmp(csv->names[i], "phase") == 0;
        for (size_t c = 0; !known && c < PACED_MEASURES; ++c)
            known = strcmp(csv->names[i], paced_measure_table[c].name) == 0;
        if (!known)
            return paced_csv_error(csv, PACED_CSV_HEADER, "the header has an unknown column '%s'", csv->names[i]);
    }
    return PACED_OK;
}

static enum paced_err take_row(const struct paced_csv *csv, size_t i, struct paced_log_row *row) {
    int64_t epoch = 0;
    PACED_TRY(paced_csv_take_count(csv, i, "epoch", 1, INT_MAX, &epoch));
    row->epoch = (int)epoch;
    row->phase = known_phase(paced_csv_text(csv, i, "phase"));
    if (!row->phase) return paced_csv_refuse(csv, i, "phase", "train or val");
    for (size_t c = 0; c < PACED_MEASURES; ++c)
        PACED_TRY(paced_csv_take_real(csv, i, paced_measure_table[c].name, &row->measures.of[c]));
    return PACED_OK;
}

enum paced_err paced_run_log_read(struct paced_run_log *log, const char *path, int last_epoch) {
    struct paced_run_log result = {0};
    struct paced_text names = {0};
    struct paced_csv csv;
    paced_text_add(&names, "epoch,phase");
    for (size_t c = 0; c < PACED_MEASURES; ++c) paced_text_add(&names, ",%s", paced_measure_table[c].name);
    enum paced_err err = paced_csv_read(&csv, path, names.data, "restore the log or restart the run with --overwrite");
    free(names.data);
    if (err) return err;
    err = check_header(&csv);
    for (size_t i = 0; !err && i < csv.rows; ++i) {
        struct paced_log_row row = {0};
        err = take_row(&csv, i, &row);
        if (!err && row.epoch <= last_epoch) paced_run_log_add(&result, &row);
    }
    paced_csv_finish(&csv);
    paced_run_log_finish(err ? &result : log);
    if (!err) *log = result;
    return err;
}
