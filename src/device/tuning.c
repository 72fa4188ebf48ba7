/* A device's tuning: the table, and its file, an INI for people to read and edit. */
#include <stdlib.h>
#include <string.h>

#include "paced_build.h"
#include "src/device/opencl.h"

enum { LINE_BYTES = 199 }; /* of an INI */

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

static enum paced_err refuse_line(const struct paced_ini_entry *entry, const char *what) {
    return paced_error_at(PACED_INVALID, entry->place, "[%s] %s: %s", entry->section, entry->name, what);
}

static enum paced_err take_value(void *context, const struct paced_ini_entry *entry) {
    struct paced_tuning *tuning = context;
    bool known = false;
    for (size_t i = 0; i < PACED_COUNT(sections); ++i) known = known || strcmp(entry->section, sections[i]) == 0;
    if (!known) return refuse_line(entry, "the sections are [device], [gemm] and [convolution]");
    if (strcmp(entry->section, "gemm") == 0 && strcmp(entry->name, "setting") != 0)
        return refuse_line(entry, "unknown key; [gemm] has setting");
    if (find(tuning, entry->section, entry->name)) return refuse_line(entry, "given twice; remove one of the lines");
    set(tuning, entry->section, entry->name, entry->text, NULL)->line = entry->line;
    return PACED_OK;
}

static enum paced_err refuse_indented(void *context, const struct paced_ini_entry *entry) {
    (void)context;
    return refuse_line(entry, "given twice, by an indented line; remove it");
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
    struct paced_tuning *read = paced_tuning_create();
    read->path = paced_strdup(path);
    const struct paced_ini ini = {.value = take_value, .indented = refuse_indented, .context = read};
    enum paced_err err = paced_ini_read(path, &ini);
    if (!err) add_all(tuning, read);
    paced_tuning_destroy(read);
    return err;
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
