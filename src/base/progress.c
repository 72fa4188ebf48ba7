/* progress: progress bar on the terminal's status line.
 *
 *   train 3/40 [==========>         ] 48/680  loss 0.1234  31.2 images/s  ETA 0:20
 *
 * The rate is the mean since the start; ETA = remaining images / rate. The line is drawn at most ten times a second,
 * with the current terminal width; a narrow terminal omits the less important numbers. Nothing is drawn if stderr is
 * not a terminal: the log then has one plain line per epoch. */
#include "paced/base.h"

#include <math.h>
#include <string.h>

#define REDRAW_S 0.1
#define MIN_BAR 5

/* Formats as h:mm:ss or m:ss; "-" from 100 hours on. */
static void format_duration(char *out, size_t size, double seconds) {
    if (!(seconds < 360000)) {
        snprintf(out, size, "-");
        return;
    }
    int s = (int)ceil(seconds);
    if (s >= 3600)
        snprintf(out, size, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, size, "%d:%02d", s / 60, s % 60);
}

/* Formats the count, and as many numbers as fit into `room` characters. */
static void format_figures(char *out, size_t size, const struct paced_progress *progress, double loss, double elapsed_s,
                           size_t room) {
    enum { LOSS, RATE, ETA, FIGURES };
    static const int dispensable[FIGURES] = {RATE, LOSS, ETA}; /* in the order of removal */
    char text[FIGURES][48] = {""}, left_text[32];
    double rate = elapsed_s > 0 ? (double)progress->done / elapsed_s : 0;
    size_t left = progress->total > progress->done ? progress->total - progress->done : 0;
    format_duration(left_text, sizeof(left_text), left == 0 ? 0 : (double)left / rate);
    if (!isnan(loss)) snprintf(text[LOSS], sizeof(text[LOSS]), "  loss %.4f", loss);
    if (progress->done > 0) snprintf(text[RATE], sizeof(text[RATE]), "  %.1f images/s", rate);
    snprintf(text[ETA], sizeof(text[ETA]), "  ETA %s", left_text);
    for (int i = 0;; ++i) {
        int used =
            snprintf(out, size, " %zu/%zu%s%s%s", progress->done, progress->total, text[LOSS], text[RATE], text[ETA]);
        if ((size_t)used <= room || i == FIGURES) return;
        text[dispensable[i]][0] = '\0';
    }
}

static void format_bar(char *out, size_t width, size_t done, size_t total) {
    double fraction = total > 0 ? fmin(1, (double)done / (double)total) : 0;
    size_t inside = width - 3, full = (size_t)(fraction * (double)inside); /* without " [" and "]" */
    memcpy(out, " [", 2);
    for (size_t i = 0; i < inside; ++i) out[2 + i] = i < full ? '=' : i == full ? '>' : ' ';
    memcpy(out + 2 + inside, "]", 2);
}

void paced_progress_format(char line[PACED_PROGRESS_LINE], const struct paced_progress *progress, double loss,
                           double elapsed_s, size_t columns) {
    char figures[192], bar[PACED_PROGRESS_LINE] = "", whole[2 * PACED_PROGRESS_LINE] = "";
    /* The last column stays free because some terminals wrap when it is written. */
    size_t room = columns > 1 ? columns - 1 : 1;
    if (room > PACED_PROGRESS_LINE - 1) room = PACED_PROGRESS_LINE - 1;
    size_t label = strlen(progress->label);
    format_figures(figures, sizeof(figures), progress, loss, elapsed_s, room > label ? room - label : 0);
    size_t used = strlen(figures);
    if (label + used > room) label = room > used ? room - used : 0;
    if (room >= label + used + MIN_BAR + 3) format_bar(bar, room - label - used, progress->done, progress->total);
    snprintf(whole, sizeof(whole), "%.*s%s%s", (int)label, progress->label, bar, figures);
    whole[room] = '\0';
    memcpy(line, whole, room + 1);
}

static void draw(struct paced_progress *progress, double loss, double now_s) {
    char line[PACED_PROGRESS_LINE];
    paced_progress_format(line, progress, loss, now_s - progress->started_s, paced_log_columns());
    paced_log_status(line);
    progress->drawn_s = now_s;
}

void paced_progress_start(struct paced_progress *progress, const char *label, size_t total) {
    *progress = (struct paced_progress){.total = total, .started_s = paced_now_s()};
    snprintf(progress->label, sizeof(progress->label), "%s", label);
    if (paced_log_is_terminal()) draw(progress, NAN, progress->started_s);
}

void paced_progress_step(struct paced_progress *progress, size_t images, double loss) {
    progress->done += images;
    if (!paced_log_is_terminal()) return;
    double now_s = paced_now_s();
    if (now_s - progress->drawn_s >= REDRAW_S) draw(progress, loss, now_s);
}

void paced_progress_end(struct paced_progress *progress) {
    if (progress && paced_log_is_terminal()) paced_log_status(NULL);
}
