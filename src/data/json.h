/* json: files that hold a JSON list. Private to the data module. */
#ifndef PACED_DATA_JSON_H
#define PACED_DATA_JSON_H

#include <jansson.h>

#include "paced/base.h"

/* Role of a list, for error messages. */
struct json_role {
    const char *what; /* name of the list: "split" */
    const char *keys; /* configuration keys that name its file */
    const char *form; /* form of one element */
};

/* Reads a JSON array with at least one element; anything else is PACED_INVALID. Release *list with json_decref. */
enum paced_err json_list_read(json_t **list, const char *path, const struct json_role *role);

#endif
