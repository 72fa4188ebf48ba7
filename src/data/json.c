/* JSON lists, through jansson. Errors name the file, and the line for syntax errors. */
#include "src/data/json.h"

#include <stdlib.h>

static enum paced_err load(json_t **root, const char *path, const struct json_role *role) {
    json_error_t error;
    char *text;
    if (paced_path_is_dir(path))
        return paced_error_at(PACED_INVALID, path, "is a directory; give the JSON file of the %s", role->what);
    if (!paced_path_exists(path)) return paced_error_at(PACED_INVALID, path, "no such file; check %s", role->keys);
    PACED_TRY(paced_file_read_text(path, 0, &text));
    *root = json_loads(text, 0, &error);
    free(text);
    if (!*root) return paced_error_at_line(PACED_INVALID, path, error.line, "bad JSON: %s; fix it", error.text);
    return PACED_OK;
}

enum paced_err json_list_read(json_t **list, const char *path, const struct json_role *role) {
    json_t *root = NULL;
    *list = NULL;
    PACED_TRY(load(&root, path, role));
    enum paced_err err = PACED_OK;
    if (!json_is_array(root))
        err = paced_error_at(PACED_INVALID, path, "is not an array; a %s is [%s, ...]", role->what, role->form);
    else if (json_array_size(root) == 0)
        err = paced_error_at(PACED_INVALID, path, "the %s is empty; list at least one %s", role->what, role->form);
    else
        *list = json_incref(root);
    json_decref(root);
    return err;
}
