/* keys: the table of configuration keys and what can be done with one key. Private to this room. */
#ifndef PACED_CONFIG_KEYS_H
#define PACED_CONFIG_KEYS_H

#include "paced/config.h"

enum config_kind { CONFIG_INT, CONFIG_REAL, CONFIG_BOOL, CONFIG_CHOICE, CONFIG_SET, CONFIG_STRING, CONFIG_PATH };

struct config_key {
    const char *section, *name;
    size_t offset; /* of the field in struct paced_config */
    enum config_kind kind;
    const char *fallback; /* the default, as an INI would give it */
    double min, max;      /* numbers: the range, with its ends ... */
    bool above, below;    /* ... or without */
    bool odd;             /* whole numbers: odd ones only */
    bool list;            /* of a path: several, with commas between */
    bool no_result;       /* no result depends on it */
    bool not_empty;       /* a string that must not be given empty, though it is until it is filled in */
    const char *words;    /* "a|b": the choices, one of them or (a set) several; of a string: all that it may be; of a
                             path: words that are no file names; of a real: the one word that is stored as NaN */
    const char *meaning;
    const char *shown; /* the default as shown, where it depends on other keys (then `fallback` is empty) */
    enum paced_err (*check)(const char *where, const char *text); /* what else a text must be; NULL: nothing */
};

extern const struct config_key paced_config_keys[];
extern const size_t paced_config_key_count;

/* ---- keys.c: looking up ---- */

bool paced_config_section_known(const char *section);
const struct config_key *paced_config_key_find(const char *section, const char *name);

/* Reports an unknown section (name NULL: a header) or key at `place` ("FILE:LINE"), with the nearest valid one. */
enum paced_err paced_config_key_unknown(const char *place, const char *section, const char *name);

/* ---- value.c: text to field and back ---- */

/* Checks `text` and stores it; a wrong one is reported as "place: section.key: ...". */
enum paced_err paced_config_value_set(struct paced_config *config, const struct config_key *key, const char *place,
                                      const char *text);

/* The field as text, such that value_set gives the same field. */
void paced_config_value_add(struct paced_text *out, const struct paced_config *config, const struct config_key *key);

/* The place of a string or path field. */
char **paced_config_string(struct paced_config *config, const struct config_key *key);

/* Is `text` one of the words in "a|b|c"? Its index, or -1. */
int paced_config_word_index(const char *words, const char *text);

/* "1 to 64", "> 0", "a, b": what the key takes. */
void paced_config_range_add(struct paced_text *out, const struct config_key *key);

/* ---- print.c ---- */

/* "name = value", wrapped so that it reads back; false (and nothing added) where no place to wrap is found. */
bool paced_config_line_add(struct paced_text *out, const char *name, const char *value);

/* ---- parse.c ---- */

struct stage_texts;

/* Applies an INI file and, before it, the files that it inherits from; passes over stages and sweeps. */
enum paced_err paced_config_read(struct paced_config *config, const char *path);

/* Collects the stages and the sweep of this one file; passes over all else. */
enum paced_err paced_config_read_stages(struct stage_texts *stages, const char *path);

/* ---- config.c ---- */

/* A value that comes after the files; `if_empty`: only where the files gave none. */
struct config_setting {
    const struct config_key *key;
    const char *place;
    char *text;
    bool if_empty;
};

/* paced_config_load, with settings between the files and --set. */
enum paced_err paced_config_load_with(struct paced_config *config, const char *path,
                                      const struct config_setting *settings, size_t count, const char *const *sets,
                                      size_t set_count);

/* The key that a --set names, or NULL. */
const struct config_key *paced_config_set_key(const char *set);

#endif
