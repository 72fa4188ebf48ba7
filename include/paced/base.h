/* base: errors, log, memory, random numbers, files, text and child processes. All other modules use it.
 *
 * Errors. A function that can fail returns enum paced_err. The function that knows the cause reports it once, through
 * paced_error(), in one line with a hint; its callers only pass the code on (PACED_TRY, or `goto out`). The codes (enum
 * paced_err) are also the program's exit statuses. */
#ifndef PACED_BASE_H
#define PACED_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "paced.h"

#define PACED_TRY(call)                    \
    do {                                   \
        enum paced_err err_ = (call);      \
        if (err_ != PACED_OK) return err_; \
    } while (0)

#define PACED_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PACED_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* ---- errors -------------------------------------------------------------------------------------------------- */

/* Records an error and returns its code, so that a failing function can `return paced_error(...)`. The text is "what is
 * wrong; what to do". Prints "paced: PLACE: TEXT\n", unless errors are collected. */
enum paced_err paced_error(enum paced_err code, const char *fmt, ...) PACED_PRINTF(2, 3);
/* The same with a place, which the text does not repeat: a file, FILE:LINE, a tensor or a device. */
enum paced_err paced_error_at(enum paced_err code, const char *place, const char *fmt, ...) PACED_PRINTF(3, 4);
enum paced_err paced_error_at_line(enum paced_err code, const char *path, int line, const char *fmt, ...)
    PACED_PRINTF(4, 5);

struct paced_failure {
    enum paced_err code;
    char *place, *text; /* place NULL: none */
};
/* Starts as {0}. Release with paced_failures_finish. */
struct paced_failures {
    struct paced_failure *items;
    size_t count;
};
/* Collects this thread's errors, in order, instead of printing them; NULL: prints them again. Returns the collection in
 * use before. */
struct paced_failures *paced_errors_collect(struct paced_failures *failures);
void paced_failures_finish(struct paced_failures *failures);

/* Causes that have a remedy in terms of the program: its configuration keys, or the arguments of the library. */
enum paced_cause {
    PACED_CAUSE_MEMORY,          /* host or device memory */
    PACED_CAUSE_MEMORY_LIMIT,    /* device memory, perhaps because of the limit that was set */
    PACED_CAUSE_TOO_MANY_PIXELS, /* of a batch */
    PACED_CAUSE_IMAGE_TOO_SMALL,
    PACED_CAUSE_ONE_VALUE,     /* batch normalisation over a single value */
    PACED_CAUSE_OTHER_NETWORK, /* weights of another network */
    PACED_CAUSE_DIVERGED,      /* weights that are not finite */
    PACED_CAUSE_NO_PRODUCTS,   /* a device without usable matrix products */
    PACED_CAUSE_NO_BFLOAT16,   /* a device that cannot store bfloat16 */
    PACED_CAUSES
};
/* The remedy, as the end of a message. */
const char *paced_advice(enum paced_cause cause);
/* Replaces the remedies. Called before other threads start; the texts stay valid. */
void paced_advise(const char *const texts[PACED_CAUSES]);

/* ---- log (stderr) -------------------------------------------------------------------------------------------- */

enum paced_log_level { PACED_LOG_ERROR, PACED_LOG_WARN, PACED_LOG_INFO, PACED_LOG_DEBUG };

void paced_log_set_level(enum paced_log_level level);
const char *paced_log_level_name(int level);

/* Prints a warning, an information or a debug line: "paced: warning: ...", "paced: ...", "paced: debug: ...". */
void paced_log(enum paced_log_level level, const char *fmt, ...) PACED_PRINTF(2, 3);

/* The status line of a terminal (progress bar). Log lines erase it first and redraw it afterwards. NULL removes it.
 * Does nothing if stderr is not a terminal. */
void paced_log_status(const char *text);
/* Shows text of static duration, such as "compiling", in place of the status line; NULL shows the status line again. */
void paced_log_activity(const char *text);
bool paced_log_is_terminal(void);
size_t paced_log_columns(void); /* the terminal's current width; 80 if unknown */

/* The escape sequence that starts a colour in a message; PACED_INK_PLAIN ends it. "" if stderr is not a terminal or the
 * environment variable NO_COLOR is set and not empty (no-color.org). */
enum paced_ink { PACED_INK_PLAIN, PACED_INK_GOOD, PACED_INK_WARNING, PACED_INK_ERROR };
const char *paced_log_ink(enum paced_ink ink);

/* ---- memory (host) ------------------------------------------------------------------------------------------- */

/* Zeroed memory for count objects of `size` bytes, to be released with free(). Never NULL: when the host is out of
 * memory, the program prints one line (to stderr, even if errors are collected) and exits with status 1. */
void *paced_alloc(size_t count, size_t size);
void *paced_grow(void *old, size_t count, size_t size); /* realloc, never NULL; the new part is not zeroed */
char *paced_strdup(const char *s);                      /* NULL gives NULL */
char *paced_format(const char *fmt, ...) PACED_PRINTF(1, 2);

/* Bytes of memory that control groups (cgroup, versions 1 and 2) grant to this process: the smallest limit of its
 * groups and their parents; 0: none. `root` is "", or a directory that stands for / in tests. */
uint64_t paced_group_memory(const char *root);

/* Bytes of address space granted to this process (ulimit -v); 0: no limit. */
uint64_t paced_address_space(void);

/* True if the size of files is limited (ulimit -f). */
bool paced_file_size_is_limited(void);

/* ---- random numbers ------------------------------------------------------------------------------------------ */

/* xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64 from (seed, stream). Streams of one seed are
 * independent. Each purpose (initialisation, shuffling, a synthetic image) has its own, so none affects another. */
struct paced_rng {
    uint64_t s[4];
};

/* Streams in use. An index may be added to each. */
#define PACED_STREAM_SHUFFLE 0
#define PACED_STREAM_INIT (UINT64_C(1) << 32)
#define PACED_STREAM_SYNTH (UINT64_C(2) << 32)
#define PACED_STREAM_AUGMENT (UINT64_C(3) << 32)
#define PACED_STREAM_BOOTSTRAP (UINT64_C(4) << 32)
#define PACED_STREAM_BREAST 0 /* shared with SHUFFLE, which draws no images */
#define PACED_STREAM_BREAST_BLOCK (UINT64_C(1) << 40)
#define PACED_STREAM_NEEDLE_PATIENT (UINT64_C(1) << 41)

void paced_rng_seed(struct paced_rng *rng, uint64_t seed, uint64_t stream);
uint64_t paced_rng_next(struct paced_rng *rng);
double paced_rng_uniform(struct paced_rng *rng);                 /* [0, 1), 53 bits */
uint32_t paced_rng_below(struct paced_rng *rng, uint32_t bound); /* [0, bound), unbiased; bound > 0 */
double paced_rng_normal(struct paced_rng *rng);                  /* mean 0, stddev 1 (Box-Muller, no state) */
void paced_rng_shuffle(struct paced_rng *rng, uint32_t *items, size_t count); /* Fisher-Yates */

/* ---- files --------------------------------------------------------------------------------------------------- */

bool paced_path_exists(const char *path);
bool paced_path_is_dir(const char *path);
char *paced_path_join(const char *dir, const char *name); /* `name` if it is absolute or `dir` is empty */
char *paced_path_absolute(const char *path);              /* relative to the current directory; need not exist */
char *paced_path_dir(const char *path);                   /* "a/b.png" -> "a"; "b.png" -> "." */
char *paced_path_stem(const char *path);                  /* "a/b.c.png" -> "b.c" */
char *paced_path_real(const char *path);                  /* absolute, without links, "." and ".."; need not exist */
/* True if both paths lead to the same file or directory, which need not exist. */
bool paced_path_same(const char *a, const char *b);

/* Creates the directory and its parents. PACED_INVALID for a wrong path, for example one through a plain file;
 * PACED_FAILED if the system refuses. */
enum paced_err paced_make_dirs(const char *path);
/* Checks that the directory is writable or can be created, without creating it. Long work calls it first. The same
 * errors. */
enum paced_err paced_dir_check(const char *path);

/* Reason why the path cannot be read as a file, with a remedy: it is a directory, or a pipe, socket or device, which
 * may wait for ever. NULL for regular and missing files. */
const char *paced_path_unreadable(const char *path);
/* True if this is a regular file that begins with the text, of at most 256 bytes. Errors are silent. */
bool paced_file_begins(const char *path, const char *text);
/* Reads the whole regular file. A zero byte follows the end of *data, which the caller frees. PACED_INVALID for a file
 * larger than max_bytes (0: no limit). */
enum paced_err paced_file_read(const char *path, size_t max_bytes, uint8_t **data, size_t *size);
/* Reads a text file, without the UTF-8 byte order mark that editors on Windows write. PACED_INVALID for zero bytes, as
 * in UTF-16. */
enum paced_err paced_file_read_text(const char *path, size_t max_bytes, char **text);

/* PACED_INVALID for a symbolic link, even one that leads nowhere. Results never replace links or the files that they
 * lead to. Long work calls it first; the functions that write call it themselves. */
enum paced_err paced_link_check(const char *path);

/* A file that appears complete or not at all: written under a temporary name next to `path`, then fsync and rename.
 *   struct paced_atomic f;
 *   PACED_TRY(paced_atomic_open(&f, path));  fprintf(f.stream, ...);  return paced_atomic_commit(&f);
 * paced_atomic_abort removes the temporary file. After a commit, successful or not, it does nothing. */
struct paced_atomic {
    FILE *stream;
    char *path, *temporary;
};
enum paced_err paced_atomic_open(struct paced_atomic *file, const char *path);
enum paced_err paced_atomic_commit(struct paced_atomic *file);
void paced_atomic_abort(struct paced_atomic *file);
enum paced_err paced_file_write(const char *path, const void *data, size_t size);
/* Checks that such a file can be written. Errors as for paced_dir_check, but the directory must exist. */
enum paced_err paced_file_check(const char *path);

/* Appends to an existing file in one write and syncs it to the disk. For logs that other programs follow through an
 * open handle, which a rename would detach. */
enum paced_err paced_file_append(const char *path, const void *data, size_t size);

/* Removes a file if it exists. */
enum paced_err paced_file_remove(const char *path);

/* The path of a file that is shipped with the program, such as "cl/relu.cl", to be freed; NULL if it is not found.
 * src/base/shipped.c documents the search order. */
char *paced_shipped_path(const char *name);

/* The path of the program `paced`, which runs trials of a device in a child process: the running program if it is
 * `paced`, else the one built or installed with this code, else NULL. Release with free(). */
char *paced_program_path(void);

/* Declares that the running program is `paced`, whatever the name of its file. */
void paced_program_begin(void);

/* The path of a cache: $VARIABLE, $XDG_CACHE_HOME/NAME or ~/.cache/NAME; NULL if none of these variables is set.
 * Release with free(). */
char *paced_cache_path(const char *variable, const char *name);

/* The user's cache directory for this program ($PACED_CACHE_DIR, $XDG_CACHE_HOME/paced, ~/.cache/paced), created if
 * missing; NULL if there is none or it is not writable. */
char *paced_cache_dir(void);

/* ---- text ---------------------------------------------------------------------------------------------------- */

/* A growing string. Starts as {0}; data is NULL or zero-terminated. Release with free(text.data). */
struct paced_text {
    char *data;
    size_t size, capacity;
};
void paced_text_add(struct paced_text *text, const char *fmt, ...) PACED_PRINTF(2, 3);

/* Replaces bytes that are not valid UTF-8 by '?', in place. For text of drivers and users that goes into JSON. */
void paced_text_clean(char *text);

bool paced_text_has_control(const char *text); /* characters such as a line feed */
/* Writes the text on one line, with '?' for control characters, truncated to the buffer. */
void paced_text_quote(const char *text, char *quoted, size_t size);

/* `one` if count is 1, else `more`: "1 epoch", "2 epochs". */
const char *paced_plural(uint64_t count, const char *one, const char *more);

/* The candidate nearest to `word` by edit distance, or NULL if none is near enough to suggest. */
const char *paced_nearest(const char *word, const char *const *candidates, size_t count);

/* The next item of a list "a, b, c" without surrounding blanks, to be freed, or NULL at the end. *rest moves past it.
 * An empty text is an empty list. An item with a comma is in double quotes; text after the closing quote is skipped. */
char *paced_list_next(const char **rest);
/* PACED_INVALID for an empty item or for text that paced_list_next would skip. `where` begins the message. */
enum paced_err paced_list_check(const char *where, const char *list);
void paced_list_add(struct paced_text *list, const char *item);

/* Names of a choice by its index, an enum or a row of a table; NULL past the last. */
typedef const char *paced_names(int index);
/* Defines such a function: PACED_NAMES(paced_order_name, [PACED_ORDER_EASY] = "easy", ...) */
#define PACED_NAMES(function, ...)                                                     \
    const char *function(int index) {                                                  \
        static const char *const names[] = {__VA_ARGS__};                              \
        return index >= 0 && (size_t)index < PACED_COUNT(names) ? names[index] : NULL; \
    }
int paced_names_find(paced_names *names, const char *name); /* its index, or -1 */
/* Adds all names that are not empty, separated by ", ". */
void paced_names_add(struct paced_text *text, paced_names *names);
const char *paced_names_nearest(paced_names *names, const char *word); /* as paced_nearest */

/* Whole-string conversions: false unless `s`, without surrounding blanks, is one number in range. */
bool paced_parse_int(const char *s, int64_t *value);
bool paced_parse_real(const char *s, double *value); /* finite */

/* FNV-1a, 64 bits, continued from `hash` (start with PACED_HASH_START). */
#define PACED_HASH_START 14695981039346656037ULL
uint64_t paced_hash(uint64_t hash, const void *data, size_t size);

/* ---- tables as CSV ------------------------------------------------------------------------------------------- */

/* Writing (RFC 4180). The caller writes line ends, and commas before texts. Nine significant digits preserve every
 * float32 exactly; NaN, not applicable, is an empty field. */
void paced_csv_write_text(FILE *out, const char *text);                    /* quoted if necessary */
void paced_csv_write_reals(FILE *out, const double *values, size_t count); /* a comma before each */

/* A table in memory, whose cells are addressed by row and column name. Cells keep the text of the file. */
struct paced_csv {
    const char *path, *remedy; /* borrowed */
    char *data;
    const char **names, **cells; /* [columns] and [rows][columns], pointers into data */
    uint32_t *lines, end;        /* [rows], line of each row in the file; the line after the last row */
    size_t columns, rows;        /* rows: without the header */
};
#define PACED_CSV_HEADER SIZE_MAX /* row number of the header, for errors */

/* Reads a table. PACED_INVALID, with nothing to release, if it lacks one of the columns `required` ("a,b"; there may be
 * others, in any order) or if a row has not as many cells as the header. `remedy` ends each error of this table. */
enum paced_err paced_csv_read(struct paced_csv *csv, const char *path, const char *required, const char *remedy);
/* Reads any table: a missing file is empty, missing cells of a row are empty, and cells beyond the columns of the
 * header are dropped. */
enum paced_err paced_csv_read_any(struct paced_csv *csv, const char *path);
void paced_csv_finish(struct paced_csv *csv);

bool paced_csv_has(const struct paced_csv *csv, const char *column);
/* Text of a cell, row < rows; "" if there is no such column. */
const char *paced_csv_text(const struct paced_csv *csv, size_t row, const char *column);
/* Number in a cell; NaN if it is not a number or its magnitude is 1e100 or more. */
double paced_csv_real(const struct paced_csv *csv, size_t row, const char *column);
bool paced_csv_is(const struct paced_csv *csv, size_t row, const char *column, const char *text);

/* Strict conversions. The error, PACED_INVALID, names file, line and column. An empty real is NaN; "inf" and "-inf" are
 * reals. */
enum paced_err paced_csv_take_real(const struct paced_csv *csv, size_t row, const char *column, double *value);
enum paced_err paced_csv_take_count(const struct paced_csv *csv, size_t row, const char *column, int64_t min,
                                    int64_t max, int64_t *value);
/* Reports that a cell is not `meaning`; a message of the caller at a row. Both return PACED_INVALID. */
enum paced_err paced_csv_refuse(const struct paced_csv *csv, size_t row, const char *column, const char *meaning);
enum paced_err paced_csv_error(const struct paced_csv *csv, size_t row, const char *fmt, ...) PACED_PRINTF(3, 4);

/* ---- INI files ----------------------------------------------------------------------------------------------- */

struct paced_ini_entry {
    const char *place; /* FILE:LINE */
    int line;
    const char *section; /* "" before the first section */
    const char *name, *text;
};
typedef enum paced_err paced_ini_handler(void *context, const struct paced_ini_entry *entry);
/* Handlers, called in the order of the file until one fails; NULL: none. */
struct paced_ini {
    paced_ini_handler *section;  /* a header; the entry has neither name nor text */
    paced_ini_handler *value;    /* a complete value, with the line of its key */
    paced_ini_handler *indented; /* an indented line that continues the value of `name` */
    void *context;
};
/* Reads lines of at most 199 bytes; ';' begins a comment. A value may continue in indented lines: they are joined with
 * a blank, or without one (and without `indented`) if the previous line ends in a backslash. PACED_INVALID for lines of
 * another form. */
enum paced_err paced_ini_read(const char *path, const struct paced_ini *ini);

/* Settings of a run by name, "train.lr". Release with paced_settings_finish. */
struct paced_setting {
    char *name, *value;
};
struct paced_settings {
    struct paced_setting *items;
    size_t count;
};
const char *paced_settings_value(const struct paced_settings *settings, const char *name); /* "" if there is none */
void paced_settings_finish(struct paced_settings *settings);

/* ---- protocol buffers ---------------------------------------------------------------------------------------- */

/* A message in the wire format. Starts as {0}. Fields are in the order of the calls; `field` is the field number. */
struct paced_message {
    uint8_t *bytes;
    size_t size, capacity;
};
void paced_message_integer(struct paced_message *message, int field, int64_t value); /* (u)int32/64, bool, enum */
void paced_message_float(struct paced_message *message, int field, float value);
void paced_message_double(struct paced_message *message, int field, double value);
void paced_message_bytes(struct paced_message *message, int field, const void *data, size_t size);
void paced_message_text(struct paced_message *message, int field, const char *text);
void paced_message_nested(struct paced_message *message, int field, struct paced_message *inner); /* empties inner */
void paced_message_finish(struct paced_message *message);

/* ---- child processes ----------------------------------------------------------------------------------------- */

/* The end of a child process. `output` holds stdout and stderr, of a long text the last 64 KiB or more, as UTF-8;
 * release it with free(). */
struct paced_child {
    int status, signal; /* exit status, or -1 and the signal that ended it */
    bool timed_out;     /* it was killed at its limit */
    bool stopped;       /* it was killed because the user asked this program to stop */
    char *output;
};

/* Runs a program (words[0], a path; the words end with NULL) and waits for its end, limit_s seconds at most. Signals
 * have their default effect on it. PACED_FAILED if it cannot be started or its end cannot be known; then there is
 * nothing to release. */
enum paced_err paced_child_run(const char *const *words, double limit_s, struct paced_child *child);

/* ---- progress ------------------------------------------------------------------------------------------------ */

/* Progress bar with loss, images/s and ETA on the terminal's status line. Draws nothing if stderr is not a terminal. */
struct paced_progress {
    char label[64];
    size_t done, total; /* images */
    double started_s, drawn_s;
};
void paced_progress_start(struct paced_progress *progress, const char *label, size_t total);
void paced_progress_step(struct paced_progress *progress, size_t images, double loss);
void paced_progress_end(struct paced_progress *progress);

#define PACED_PROGRESS_LINE 512 /* maximum size of a line, bytes */
/* Formats "label [====>    ] 48/680  loss 0.1234  31.2 images/s  ETA 0:20" in fewer than `columns` columns. If the line
 * is too long, the rate is omitted, then the loss, then the ETA, and finally the label is truncated. The bar takes the
 * remaining columns if there are enough. A loss of NaN is omitted. */
void paced_progress_format(char line[PACED_PROGRESS_LINE], const struct paced_progress *progress, double loss,
                           double elapsed_s, size_t columns);

/* ---- extents ------------------------------------------------------------------------------------------------- */

/* Height and width of an image or of a network's input, pixels. */
struct paced_extent {
    int height, width;
};
static inline size_t paced_extent_pixels(struct paced_extent extent) {
    return (size_t)extent.height * (size_t)extent.width;
}
static inline bool paced_extent_equal(struct paced_extent a, struct paced_extent b) {
    return a.height == b.height && a.width == b.width;
}
/* "224" for a square, else height and width, "360x480". Release with free(). */
char *paced_extent_text(struct paced_extent extent);

/* ---- labels -------------------------------------------------------------------------------------------------- */

/* Label of a pixel that has no class and does not count: without loss, gradient, uncertainty and score. Classes are
 * below it. */
enum { PACED_IGNORED = 255 };

/* Number of pixels that count. */
static inline size_t paced_counted(const uint8_t *label, size_t pixels) {
    size_t counted = 0;
    for (size_t i = 0; i < pixels; ++i) counted += label[i] != PACED_IGNORED;
    return counted;
}

/* ---- time and stopping --------------------------------------------------------------------------------------- */

double paced_now_s(void);       /* monotonic seconds of wall time, which go on while the process is suspended */
double paced_processor_s(void); /* processor time of all threads of the process, seconds */

/* Makes SIGINT (Ctrl-C) and SIGTERM print a line and set the flag that paced_stop_asked returns. A second Ctrl-C ends
 * the program at once. Call it before any other thread starts. */
void paced_catch_stop(void);
bool paced_stop_asked(void);
/* While on, paced_stop_asked returns false: for work that is useless unless it is complete. Not thread-safe. */
void paced_stop_later(bool on);

#endif
