/* JSON lists, through jansson. Errors name the file, and the line for syntax errors. */
#include "src/data/json.h"

#include <stdlib.h>

static enum paced_err load(json_t **root, const char *path, const struct json_role *role) {
    json_error_t error;
    char *text;
    if (paced_path_is_dir(path))
        return paced_error(PACED_INVALID, "%s: is a directory; give the JSON file of the %s", path, role->what);
    if (!paced_path_exists(path)) return paced_error(PACED_INVALID, "%s: no such file; check %s", path, role->keys);
    PACED_TRY(paced_file_read_text(path, 0, &text));
    *root = json_loads(text, 0, &error);
    free(text);
    if (!*root) return paced_error(PACED_INVALID, "%s:%d: bad JSON: %s; fix it", path, error.line, error.text);
    return PACED_OK;
}

enum paced_err json_list_read(json_t **list, const char *path, const struct json_role *role) {
    json_t *root = NULL;
    *list = NULL;
    PACED_TRY(load(&root, path, role));
    enum paced_err err = PACED_OK;
    if (!json_is_array(root))
        err = paced_error(PACED_INVALID, "%s: is not an array; a %s is [%s, ...]", path, role->what, role->form);
    else if (json_array_size(root) == 0)
        err = paced_error(PACED_INVALID, "%s: the %s is empty; list at least one %s", path, role->what, role->form);
    else
        *list = json_incref(root);
    json_decref(root);
    return err;
}
