/* A device's tuning: the table, and its file.
 *
 * The file is an INI for people to read and edit: lines of at most 199 bytes (inih's limit), comments after ';'. inih
 * gives no line numbers, so it reads through read_line, which counts lines. */
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "paced_build.h"
#include "src/device/tuning.h"

#define LARGEST_FILE (1 << 20)
enum { LINE_BYTES = 199 };

/* In the order of the file. */
static const char *const sections[] = {"device", "gemm", "convolution"};

struct entry {
    char *section, *key, *value, *note;
    int line; /* in the file; 0: set by the program */
};

struct paced_tuning {
    struct entry *entries;
    size_t count;
    char *path; /* the file last read; NULL: none */
};

/* ---- the table ----------------------------------------------------------------------------------------------- */

struct paced_tuning *paced_tuning_create(void) {
    return paced_alloc(1, sizeof(struct paced_tuning));
}

static void release(struct entry *entry) {
    free(entry->section);
    free(entry->key);
    free(entry->value);
    free(entry->note);
}

void paced_tuning_destroy(struct paced_tuning *tuning) {
    if (!tuning) return;
    for (size_t i = 0; i < tuning->count; ++i) release(&tuning->entries[i]);
    free(tuning->entries);
    free(tuning->path);
    free(tuning);
}

static struct entry *find(const struct paced_tuning *tuning, const char *section, const char *key) {
    for (size_t i = 0; i < tuning->count; ++i) {
        struct entry *entry = &tuning->entries[i];
        if (strcmp(entry->key, key) == 0 && strcmp(entry->section, section) == 0) return entry;
    }
    return NULL;
}

const char *paced_tuning_get(const struct paced_tuning *tuning, const char *section, const char *key) {
    const struct entry *entry = find(tuning, section, key);
    return entry ? entry->value : NULL;
}

static struct entry *set(struct paced_tuning *tuning, const char *section, const char *key, const char *value,
                         const char *note) {
    struct entry *entry = find(tuning, section, key);
    struct entry filled = {paced_strdup(section), paced_strdup(key), paced_strdup(value), paced_strdup(note), 0};
    if (entry) {
        release(entry);
    } else {
        tuning->entries = paced_grow(tuning->entries, tuning->count + 1, sizeof *tuning->entries);
        entry = &tuning->entries[tuning->count++];
    }
    *entry = filled;
    return entry;
}

void paced_tuning_set(struct paced_tuning *tuning, const char *section, const char *key, const char *value,
                      const char *note) {
    set(tuning, section, key, value, note);
}

uint64_t tuning_hash(const struct paced_tuning *tuning, uint64_t hash) {
    for (size_t i = 0; i < tuning->count; ++i) {
        const struct entry *entry = &tuning->entries[i];
        if (strcmp(entry->section, "convolution") != 0) continue;
        hash = paced_hash(hash, entry->key, strlen(entry->key) + 1);
        hash = paced_hash(hash, entry->value, strlen(entry->value) + 1);
    }
    return hash;
}

enum paced_err paced_tuning_refuse(const struct paced_tuning *tuning, const char *section, const char *key,
                                   const char *what) {
    const struct entry *entry = find(tuning, section, key);
    return paced_error_at_line(PACED_INVALID, tuning->path ? tuning->path : "tuning", entry ? entry->line : 0,
                               "[%s] %s = %s: %s", section, key, entry ? entry->value : "", what);
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

struct reader {
    struct paced_tuning *tuning;
    const char *unread;
    int line;
    enum paced_err err;
};

static int refuse_line(struct reader *reader, const char *section, const char *key, const char *what) {
    reader->err =
        paced_error_at_line(PACED_INVALID, reader->tuning->path, reader->line, "[%s] %s: %s", section, key, what);
    return 0;
}

/* inih's reader. */
static char *read_line(char *line, int size, void *stream) {
    struct reader *reader = stream;
    if (reader->err || !*reader->unread) return NULL;
    size_t length = strcspn(reader->unread, "\n");
    ++reader->line;
    if (length >= (size_t)size) {
        reader->err = paced_error_at_line(PACED_INVALID, reader->tuning->path, reader->line,
                                          "the line is longer than %d bytes; shorten it", size - 1);
        return NULL;
    }
    memcpy(line, reader->unread, length);
    line[length] = '\0';
    reader->unread += length + (reader->unread[length] == '\n');
    return line;
}

/* inih's handler. */
static int take_line(void *user, const char *section, const char *key, const char *value) {
    struct reader *reader = user;
    if (reader->err) return 0;
    bool known = false;
    for (size_t i = 0; i < PACED_COUNT(sections); ++i) known = known || strcmp(section, sections[i]) == 0;
    if (!known) return refuse_line(reader, section, key, "the sections are [device], [gemm] and [convolution]");
    if (strcmp(section, "gemm") == 0 && strcmp(key, "setting") != 0)
        return refuse_line(reader, section, key, "unknown key; [gemm] has setting");
    if (find(reader->tuning, section, key))
        return refuse_line(reader, section, key, "given twice; remove one of the lines");
    set(reader->tuning, section, key, value, NULL)->line = reader->line;
    return 1;
}

static void add_all(struct paced_tuning *tuning, const struct paced_tuning *read) {
    for (size_t i = 0; i < read->count; ++i) {
        const struct entry *entry = &read->entries[i];
        set(tuning, entry->section, entry->key, entry->value, entry->note)->line = entry->line;
    }
    free(tuning->path);
    tuning->path = paced_strdup(read->path);
}

enum paced_err paced_tuning_read(struct paced_tuning *tuning, const char *path) {
    char *text;
    PACED_TRY(paced_file_read_text(path, LARGEST_FILE, &text));
    struct paced_tuning *read = paced_tuning_create();
    read->path = paced_strdup(path);
    struct reader reader = {.tuning = read, .unread = text};
    int bad_line = ini_parse_stream(read_line, &reader, take_line, &reader);
    if (!reader.err && bad_line)
        reader.err = paced_error_at_line(PACED_INVALID, path, bad_line,
                                         "neither 'key = value' nor [section]; comments begin with ';'");
    if (!reader.err) add_all(tuning, read);
    paced_tuning_destroy(read);
    free(text);
    return reader.err;
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

/* A copy of a driver's text that can neither end a line nor begin a comment. */
static char *plain(const char *text) {
    char *copy = paced_strdup(text);
    for (char *c = copy; *c; ++c)
        if ((unsigned char)*c < ' ' || *c == ';') *c = ' ';
    return copy;
}

static void write_entry(FILE *out, const struct entry *entry) {
    char *value = plain(entry->value);
    char *line = paced_format("%s = %s", entry->key, value);
    char *whole = entry->note ? paced_format("%s ; %s", line, entry->note) : paced_strdup(line);
    fprintf(out, "%.*s\n", LINE_BYTES, strlen(whole) > LINE_BYTES ? line : whole);
    free(whole);
    free(line);
    free(value);
}

enum paced_err paced_tuning_write(const struct paced_tuning *tuning, const char *path) {
    struct paced_atomic file;
    PACED_TRY(paced_atomic_open(&file, path));
    fprintf(file.stream,
            "; The fastest settings of one device, measured by `paced tune` (%s). device.tuning = auto | off | FILE\n"
            "; chooses the file. The comment after a choice gives the measurements behind it.\n",
            PACED_VERSION);
    for (size_t s = 0; s < PACED_COUNT(sections); ++s) {
        fprintf(file.stream, "\n[%s]\n", sections[s]);
        for (size_t i = 0; i < tuning->count; ++i)
            if (strcmp(tuning->entries[i].section, sections[s]) == 0) write_entry(file.stream, &tuning->entries[i]);
    }
    return paced_atomic_commit(&file);
}
