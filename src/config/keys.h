/* keys: the table of configuration keys and operations on one key. Private to the config module. */
#ifndef PACED_CONFIG_KEYS_H
#define PACED_CONFIG_KEYS_H

#include "paced/config.h"

enum config_kind {
    CONFIG_INT,
    CONFIG_REAL,
    CONFIG_EXTENT,
    CONFIG_BOOL,
    CONFIG_CHOICE,
    CONFIG_SET,
    CONFIG_STRING,
    CONFIG_PATH
};

struct config_key {
    const char *section, *name;
    size_t offset; /* offset of the field in struct paced_config */
    enum config_kind kind;
    const char *fallback; /* default, as text in an INI */
    double min, max;      /* numbers, sides of an extent: range, inclusive unless ... */
    bool above, below;    /* ... min or max is exclusive */
    bool odd;             /* integers: odd values only */
    bool list;            /* paths: comma-separated list */
    bool no_result;       /* results do not depend on it */
    bool not_empty;       /* string that must not be set to an empty value; empty until resolved */
    paced_names *words; /* the choices: one of them (choice, string; "" if that is the default) or several (set); path:
                           words that are not file names; real: the single word that is stored as NaN */
    const char *meaning;
    const char *shown; /* displayed default if it depends on other keys (`fallback` is then empty) */
    enum paced_err (*check)(const char *where, const char *text); /* further check of a text; may be NULL */
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* ---- keys.c: lookup ---- */

bool config_section_known(const char *section);
const struct config_key *config_key_find(const char *section, const char *name);
const struct config_key *config_key_named(const char *name); /* "section.name" */

/* Reports an unknown section header (name NULL) or key at `place` ("FILE:LINE"), with the nearest valid one. */
enum paced_err config_key_unknown(const char *place, const char *section, const char *name);
enum paced_err config_key_refuse(const char *place, const char *name); /* the same for "section.name" */

/* ---- value.c: conversion between text and field ---- */

/* Checks and stores `text`. Errors have the form "place: section.key: ...". */
enum paced_err config_value_set(struct paced_config *config, const struct config_key *key, const char *place,
                                const char *text);

/* Adds the field as text, which config_value_set reads back to the same field. */
void config_value_add(struct paced_text *out, const struct paced_config *config, const struct config_key *key);

/* Address of a string or path field. */
char **config_string(struct paced_config *config, const struct config_key *key);

/* Adds the valid values of the key: "1 to 64", "> 0", "a, b". */
void config_range_add(struct paced_text *out, const struct config_key *key);

/* Adds "name = value", wrapped so that it reads back; false, with nothing added, if it cannot be wrapped. */
bool config_line_add(struct paced_text *out, const char *name, const char *value);

/* ---- parse.c ---- */

/* Applies the base files of an INI file, then the file itself; ignores stages and sweeps. */
enum paced_err config_read(struct paced_config *config, const char *path);

/* ---- config.c ---- */

/* A value applied after the files; with `if_empty`, only if the files did not set it. */
struct config_setting {
    const struct config_key *key;
    const char *place;
    char *text;
    bool if_empty;
};

/* paced_config_load, with settings applied between the files and --set. */
enum paced_err config_load_with(struct paced_config *config, const char *path, const struct config_setting *settings,
                                size_t count, const char *const *sets, size_t set_count);

/* ---- moved.c ---- */

/* If the file is the config.ini of a run that is no longer in run.output: sets run.output to the file's directory, and
 * the paths of files that moved along. */
enum paced_err config_follow_move(struct paced_config *config);

/* ---- config.c ---- */

/* Key named in a --set, or NULL. */
const struct config_key *config_set_key(const char *set);

#endif
