/* Lock of a directory while a command writes into it. */
#ifndef PACED_RUN_LOCK_H
#define PACED_RUN_LOCK_H

#include "paced/base.h"

struct dir_lock;

/* Creates the directory, if it is missing, and locks it until dir_lock_release. PACED_INVALID if another process holds
 * the lock, and the errors of paced_dir_check. One process may lock a directory several times. On a file system without
 * locks, prints a warning and succeeds. For one thread. */
enum paced_err dir_lock_take(struct dir_lock **lock, const char *dir);
/* Also removes the directories that dir_lock_take created, if they are still empty and dir_lock_keep was not called.
 * Accepts NULL. */
void dir_lock_release(struct dir_lock *lock);
/* Keeps the created directories, even if nothing is written into them. */
void dir_lock_keep(struct dir_lock *lock);

#endif
