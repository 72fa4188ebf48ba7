/* base: what every other room stands on: errors, log, memory, random numbers, files, text.
 *
 * Errors. A function that can fail returns enum paced_err. The place that knows the cause reports it once, through
 * paced_error(), in one line with a hint; everybody above only passes the code on (PACED_TRY, or `goto out`). The
 * codes (enum paced_err) are the program's exit statuses, and the library's. */
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

/* ---- log (stderr, or where the caller wants it) -------------------------------------------------------------- */

enum paced_log_level { PACED_LOG_ERROR, PACED_LOG_WARN, PACED_LOG_INFO, PACED_LOG_DEBUG };

void paced_log_set_level(enum paced_log_level level);

/* Prints "paced: <message>\n" and returns `code`, so that a failing function can `return paced_error(...)`.
 * The message: where (file:line, tensor, device), what is wrong; what to do. */
enum paced_err paced_error(enum paced_err code, const char *fmt, ...) PACED_PRINTF(2, 3);

/* Warnings, information and debug lines: "paced: warning: ...", "paced: ...". */
void paced_log(enum paced_log_level level, const char *fmt, ...) PACED_PRINTF(2, 3);

/* From now on this thread's messages of all levels go to `sink`, as the text alone; NULL: to stderr again. */
typedef void paced_log_sink(void *context, enum paced_log_level level, const char *fmt, va_list args);
void paced_log_divert(paced_log_sink *sink, void *context);

/* The one status line of a terminal (progress bar). Log lines erase it first and draw it again after. Text NULL:
 * remove it. Does nothing when stderr is no terminal. */
void paced_log_status(const char *text);
bool paced_log_is_terminal(void);
size_t paced_log_columns(void); /* of the terminal, as wide as it is now; 80 where that is unknown */

/* What begins a colour within a message; PACED_INK_PLAIN ends it. "" where there is none: stderr is no terminal, or the
 * environment variable NO_COLOR is set and not empty (no-color.org). */
enum paced_ink { PACED_INK_PLAIN, PACED_INK_GOOD, PACED_INK_WARNING, PACED_INK_ERROR };
const char *paced_log_ink(enum paced_ink ink);

/* ---- memory (host) ------------------------------------------------------------------------------------------- */

/* Zeroed memory for count objects of `size` bytes. Never NULL: when the host has no memory left there is nothing
 * useful to do, so the program ends with one line (on stderr, also where messages are diverted) and status 1. Release
 * with free(). */
void *paced_alloc(size_t count, size_t size);
void *paced_grow(void *old, size_t count, size_t size); /* realloc with the same promise; new part not zeroed */
char *paced_strdup(const char *s);                      /* NULL gives NULL */
char *paced_format(const char *fmt, ...) PACED_PRINTF(1, 2);

/* ---- random numbers ------------------------------------------------------------------------------------------ */

/* xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64 from (seed, stream). Streams of one seed are
 * independent: one for each purpose (initialisation, shuffling, a synthetic image), so that none disturbs another. */
struct paced_rng {
    uint64_t s[4];
};

/* Streams in use; an index may be added to each. */
#define PACED_STREAM_SHUFFLE 0
#define PACED_STREAM_INIT (UINT64_C(1) << 32)
#define PACED_STREAM_SYNTH (UINT64_C(2) << 32)
#define PACED_STREAM_AUGMENT (UINT64_C(3) << 32)
#define PACED_STREAM_BOOTSTRAP (UINT64_C(4) << 32)
#define PACED_STREAM_BREAST 0 /* as SHUFFLE, which draws no pictures */
#define PACED_STREAM_BREAST_BLOCK (UINT64_C(1) << 40)
#define PACED_STREAM_NEEDLE_PATIENT (UINT64_C(1) << 41)

void paced_rng_seed(struct paced_rng *rng, uint64_t seed, uint64_t stream);
uint64_t paced_rng_next(struct paced_rng *rng);
double paced_rng_uniform(struct paced_rng *rng);                 /* [0, 1), 53 bits */
uint32_t paced_rng_below(struct paced_rng *rng, uint32_t bound); /* [0, bound), unbiased; bound > 0 */
double paced_rng_normal(struct paced_rng *rng);                  /* mean 0, deviation 1 (Box-Muller, no state) */
void paced_rng_shuffle(struct paced_rng *rng, uint32_t *items, size_t count); /* Fisher-Yates */

/* ---- files --------------------------------------------------------------------------------------------------- */

bool paced_path_exists(const char *path);
bool paced_path_is_dir(const char *path);
char *paced_path_join(const char *dir, const char *name); /* name alone when it is absolute or dir is empty */
char *paced_path_absolute(const char *path);              /* against the current directory; need not exist */
char *paced_path_dir(const char *path);                   /* "a/b.png" -> "a"; "b.png" -> "." */
char *paced_path_stem(const char *path);                  /* "a/b.c.png" -> "b.c" */

/* Makes the directory and its parents. PACED_INVALID where the path is wrong, such as one through a plain file;
 * PACED_FAILED where the system refuses. */
enum paced_err paced_make_dirs(const char *path);
/* Is the directory there to be written into, or can it be made? To be asked before hours of work; makes nothing. The
 * same errors. */
enum paced_err paced_dir_check(const char *path);

/* The whole file; *data has one zero byte after its end. Refuses files above max_bytes (0: no limit). */
enum paced_err paced_file_read(const char *path, size_t max_bytes, uint8_t **data, size_t *size);
/* The same of a text, without the byte order mark that editors on Windows put before UTF-8. Refuses zero bytes, which
 * UTF-16 is full of. */
enum paced_err paced_file_read_text(const char *path, size_t max_bytes, char **text);

/* A file that appears whole or not at all: written under a temporary name beside `path`, then fsync and rename.
 *   struct paced_atomic f;
 *   PACED_TRY(paced_atomic_open(&f, path));  fprintf(f.stream, ...);  return paced_atomic_commit(&f);
 * paced_atomic_abort removes the temporary file; after a commit (also a failed one) it does nothing. */
struct paced_atomic {
    FILE *stream;
    char *path, *temporary;
};
enum paced_err paced_atomic_open(struct paced_atomic *file, const char *path);
enum paced_err paced_atomic_commit(struct paced_atomic *file);
void paced_atomic_abort(struct paced_atomic *file);
enum paced_err paced_file_write(const char *path, const void *data, size_t size);
/* Can such a file be written? As paced_dir_check, but its directory must be there. */
enum paced_err paced_file_check(const char *path);

/* Adds to the end of a file that is there, in one write, and forces it to the disk: for logs that others watch as they
 * grow, through a handle that a rename would leave behind. */
enum paced_err paced_file_append(const char *path, const void *data, size_t size);

/* Removes a file, if it is there. */
enum paced_err paced_file_remove(const char *path);

/* A file that the program comes with, such as "cl/relu.cl", where it can be found; NULL where it cannot. See
 * src/base/shipped.c for the order of the places. */
char *paced_shipped_path(const char *name);

/* The program `paced` itself, which trials of a device run in a child process: the running program where it is that,
 * else the one that was built or installed with this code; NULL where there is none. Release with free(). */
char *paced_program_path(void);

/* The user's cache directory for this program ($PACED_CACHE_DIR, $XDG_CACHE_HOME/paced, ~/.cache/paced), made if
 * missing; NULL where there is none or it cannot be written. */
char *paced_cache_dir(void);

/* ---- text ---------------------------------------------------------------------------------------------------- */

/* A growing string; starts as {0}; data is NULL or zero-terminated. Release with free(text.data). */
struct paced_text {
    char *data;
    size_t size, capacity;
};
void paced_text_add(struct paced_text *text, const char *fmt, ...) PACED_PRINTF(2, 3);

/* The word for what there are `count` of: "1 epoch", "2 epochs". */
const char *paced_plural(uint64_t count, const char *one, const char *more);

/* The candidate nearest to `word` by edit distance, or NULL where none is near enough to be meant. */
const char *paced_nearest(const char *word, const char *const *candidates, size_t count);

/* The next item of a list "a, b, c" without the blanks around it, to be freed, or NULL at the end; *rest moves behind
 * it. An empty text is an empty list. An item with a comma stands in double quotes; text behind them is passed over. */
char *paced_list_next(const char **rest);
/* PACED_INVALID, reported at `where`, for a list with an empty item or of which paced_list_next would pass over
 * something. */
enum paced_err paced_list_check(const char *where, const char *list);
void paced_list_add(struct paced_text *list, const char *item);

/* Whole-string conversions: false unless all of `s` (but surrounding blanks) is one number in range. */
bool paced_parse_int(const char *s, int64_t *value);
bool paced_parse_real(const char *s, double *value); /* finite */

/* FNV-1a, 64 bits, continued from `hash` (start with PACED_HASH_START). */
#define PACED_HASH_START 14695981039346656037ULL
uint64_t paced_hash(uint64_t hash, const void *data, size_t size);

/* ---- protocol buffers ---------------------------------------------------------------------------------------- */

/* A message in their wire format; starts as {0}. Fields stand in the order of the calls; `field` is its number. */
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

/* The end of a child process. `output` holds the first 64 KiB of stdout and stderr; release it with free(). */
struct paced_child {
    int status, signal; /* exit status, or -1 and the signal that ended it */
    bool timed_out;     /* it was killed at its limit */
    bool stopped;       /* it was killed because the user asked this program to stop */
    char *output;
};

/* Runs a program (words[0], a path; the words end with NULL) and waits for its end, limit_s seconds at most.
 * PACED_FAILED where it cannot be started; then there is nothing to release. */
enum paced_err paced_child_run(const char *const *words, double limit_s, struct paced_child *child);

/* ---- time and stopping --------------------------------------------------------------------------------------- */

double paced_now_s(void); /* monotonic seconds */

/* After paced_catch_stop, Ctrl-C (SIGINT) and SIGTERM only set the flag that paced_stop_asked returns; a second
 * Ctrl-C ends the program at once. To be called before any other thread starts. */
void paced_catch_stop(void);
bool paced_stop_asked(void);

#endif
