/* files: the files below a folder. Private to the data module. */
#ifndef PACED_DATA_FILES_H
#define PACED_DATA_FILES_H

#include "paced/base.h"

struct file_list {
    char **path; /* [count], relative to the folder, sorted */
    size_t count;
    bool cut; /* more files than `max`: the list is incomplete */
};

/* Lists at most `max` files below `root`, without the hidden files that systems leave behind: names that start with a
 * dot, Thumbs.db, desktop.ini and the folder __MACOSX. PACED_INVALID if a folder cannot be listed. Release with
 * file_list_finish, also on an error. */
enum paced_err file_list_read(struct file_list *list, const char *root, size_t max);
void file_list_finish(struct file_list *list);
/* Index of `path`, or the count if the list lacks it. */
size_t file_list_find(const struct file_list *list, const char *path);

#endif
