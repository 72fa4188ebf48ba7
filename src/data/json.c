/* JSON lists, through jansson. What is wrong is said with the file, and with its line where the syntax is. */
#include "src/data/json.h"

static enum paced_err load(json_t **root, const char *path, const struct json_role *role) {
    json_error_t error;
    if (paced_path_is_dir(path))
        return paced_error(PACED_INVALID, "%s: is a directory; give the JSON file of the %s", path, role->what);
    if (!paced_path_exists(path)) return paced_error(PACED_INVALID, "%s: no such file; check %s", path, role->keys);
    *root = json_load_file(path, 0, &error);
    if (*root == NULL && error.line > 0)
        return paced_error(PACED_INVALID, "%s:%d: bad JSON: %s", path, error.line, error.text);
    if (*root == NULL) return paced_error(PACED_INVALID, "%s: cannot read: %s", path, error.text);
    return PACED_OK;
}

enum paced_err json_list_read(json_t **list, const char *path, const struct json_role *role) {
    json_t *root = NULL;
    *list = NULL;
    PACED_TRY(load(&root, path, role));
    enum paced_err err = PACED_OK;
    if (!json_is_array(root))
        err = paced_error(PACED_INVALID, "%s: is no array; a %s is [%s, ...]", path, role->what, role->form);
    else if (json_array_size(root) == 0)
        err = paced_error(PACED_INVALID, "%s: the %s is empty; list at least one %s", path, role->what, role->form);
    else
        *list = json_incref(root);
    json_decref(root);
    return err;
}
