/* Verdicts about devices in the user's cache directory; see verdicts.h. */
#include "src/device/verdicts.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "paced_build.h"
#include "src/device/libraries.h"

#define PREFIX "verdicts-"
enum { LARGEST_FILE = 1 << 16 };

static char *file_path(const struct paced_device_info *info) {
    char *dir = paced_cache_dir();
    if (!dir) return NULL;
    const char *options = getenv("CLBLAST_BUILD_OPTIONS");
    char *library = library_blas_fingerprint();
    const char *parts[] = {PACED_VERSION,  info->name,
                           info->platform, info->version,
                           info->driver,   info->variant == PACED_VARIANT_CPU ? "cpu" : "gpu",
                           library,        options ? options : ""};
    uint64_t hash = program_source_hash("trial.cl");
    for (size_t i = 0; i < PACED_COUNT(parts); ++i) hash = paced_hash(hash, parts[i], strlen(parts[i]) + 1);
    char *path = paced_format("%s/" PREFIX "%016llx", dir, (unsigned long long)hash);
    free(library);
    free(dir);
    return path;
}

/* The file's text; empty if there is none. */
static char *read_text(const char *path) {
    char *text;
    if (!path || !paced_path_exists(path) || paced_file_read_text(path, LARGEST_FILE, &text) != PACED_OK)
        return paced_strdup("");
    return text;
}

/* The start of the subject's line, or NULL. */
static const char *find_line(const char *text, const char *subject) {
    size_t length = strlen(subject);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, subject, length) == 0 && strncmp(line + length, ": ", 2) == 0) return line;
    return NULL;
}

char *verdict_recall(const struct paced_device_info *info, const char *subject) {
    char *path = file_path(info), *text = read_text(path);
    const char *line = find_line(text, subject);
    const char *verdict = line ? line + strlen(subject) + 2 : NULL;
    char *copy = verdict ? paced_format("%.*s", (int)strcspn(verdict, "\n"), verdict) : NULL;
    free(text);
    free(path);
    return copy;
}

void verdict_keep(const struct paced_device_info *info, const char *subject, const char *verdict) {
    char *path = file_path(info), *text = read_text(path);
    const char *old = find_line(text, subject);
    int before = old ? (int)(old - text) : (int)strlen(text);
    const char *after = old ? old + strcspn(old, "\n") : "";
    char *new = paced_format("%.*s%s: %s\n%s", before, text, subject, verdict, *after ? after + 1 : "");
    if (path) paced_file_write(path, new, strlen(new));
    free(new);
    free(text);
    free(path);
}

void verdicts_forget(void) {
    char *dir = paced_cache_dir();
    DIR *stream = dir ? opendir(dir) : NULL;
    const struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0) continue;
        char *path = paced_path_join(dir, entry->d_name);
        paced_file_remove(path);
        free(path);
    }
    if (stream) closedir(stream);
    free(dir);
}
