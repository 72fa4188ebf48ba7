/* json: files that hold a JSON list. Private to the data room. */
#ifndef PACED_SRC_DATA_JSON_H
#define PACED_SRC_DATA_JSON_H

#include <jansson.h>

#include "paced/base.h"

/* What a list is to the user; for error messages. */
struct json_role {
    const char *what; /* "split" */
    const char *keys; /* the configuration keys that may have named it */
    const char *form; /* of its elements */
};

/* The list in the file at `path`: an array with one element at least; else PACED_INVALID. Release with json_decref. */
enum paced_err json_list_read(json_t **list, const char *path, const struct json_role *role);

#endif
