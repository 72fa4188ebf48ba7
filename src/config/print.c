/* print: the resolved configuration as an INI file, and the table of all keys. */
#include "keys.h"

#include <stdlib.h>
#include <string.h>

char *paced_config_text(const struct paced_config *config) {
    struct paced_text out = {0};
    const char *section = "";
    for (size_t i = 0; i < config_key_count; ++i) {
        const struct config_key *key = &config_keys[i];
        if (strcmp(key->section, section) != 0) paced_text_add(&out, "%s[%s]\n", i ? "\n" : "", key->section);
        section = key->section;
        struct paced_text value = {0};
        config_value_add(&value, config, key);
        config_line_add(&out, key->name, value.data); /* fits, as checked by value_set */
        free(value.data);
    }
    return out.data;
}

uint64_t paced_config_hash(uint64_t hash, const struct paced_config *config) {
    for (size_t i = 0; i < config_key_count; ++i) {
        const struct config_key *key = &config_keys[i];
        struct paced_text text = {0};
        paced_text_add(&text, "%s.%s=", key->section, key->name);
        config_value_add(&text, config, key);
        if (!key->no_result) hash = paced_hash(hash, text.data, text.size + 1);
        free(text.data);
    }
    return hash;
}

struct paced_settings paced_config_settings(const struct paced_config *config) {
    struct paced_settings settings = {paced_alloc(config_key_count, sizeof *settings.items), config_key_count};
    for (size_t i = 0; i < settings.count; ++i) {
        const struct config_key *key = &config_keys[i];
        struct paced_text value = {0};
        paced_text_add(&value, "%s", "");
        config_value_add(&value, config, key);
        settings.items[i] = (struct paced_setting){paced_format("%s.%s", key->section, key->name), value.data};
    }
    return settings;
}

char *paced_config_value(const struct paced_config *config, const char *key) {
    struct paced_text value = {0};
    config_value_add(&value, config, config_key_named(key));
    return value.data;
}

/* ---- the table of keys ---- */

enum { KEY, TYPE, FALLBACK, RANGE, MEANING, COLUMNS };

static char *cell(const struct config_key *key, int column) {
    static const char *const types[] = {"int", "real", "size", "bool", "choice", "list", "text", "path"};
    struct paced_text range = {0};
    switch (column) {
    case KEY:
        return paced_format("%s.%s", key->section, key->name);
    case TYPE:
        return paced_strdup(types[key->kind]);
    case FALLBACK:
        return paced_strdup(key->shown ? key->shown : *key->fallback ? key->fallback : "(empty)");
    case RANGE:
        config_range_add(&range, key);
        return range.data ? range.data : paced_strdup("");
    default:
        return paced_strdup(key->meaning);
    }
}

static void measure(int widths[COLUMNS], char *const cells[COLUMNS]) {
    for (int i = 0; i < COLUMNS; ++i) {
        int width = (int)strlen(cells[i]);
        if (width > widths[i]) widths[i] = width;
    }
}

static void print_row(FILE *out, const int widths[COLUMNS], char *const cells[COLUMNS], bool markdown) {
    if (markdown) {
        fprintf(out, "| `%s` | %s | `%s` | %s | %s |\n", cells[0], cells[1], cells[2], cells[3], cells[4]);
        return;
    }
    for (int i = 0; i < COLUMNS - 1; ++i) fprintf(out, "%-*s  ", widths[i], cells[i]);
    fprintf(out, "%s\n", cells[COLUMNS - 1]);
}

void paced_config_print_keys(FILE *out, bool markdown) {
    int widths[COLUMNS] = {0};
    if (markdown) fprintf(out, "| Key | Type | Default | Range | Meaning |\n|---|---|---|---|---|\n");
    /* Pass 0 measures the columns; pass 1 prints. */
    for (int pass = 0; pass < 2; ++pass) {
        for (size_t i = 0; i < config_key_count; ++i) {
            char *cells[COLUMNS];
            for (int j = 0; j < COLUMNS; ++j) cells[j] = cell(&config_keys[i], j);
            if (pass == 0)
                measure(widths, cells);
            else
                print_row(out, widths, cells, markdown);
            for (int j = 0; j < COLUMNS; ++j) free(cells[j]);
        }
    }
}
