/* SPDX-License-Identifier: MIT */
/* Where root may go without somebody else deciding where that leads. */
#ifndef EFFD_TRUST_H
#define EFFD_TRUST_H

#include <stdbool.h>
#include <sys/stat.h>

/* Nobody but root can change what it is: its own, and not for others to write. A link is as good as the folder it is in; a
 * sticky folder that all may write is fine, as what root has in it stays root's. */
bool trust_stat(const struct stat *st);
/* Every folder that leads to `path`, as the path is written and as it really is: a link in a folder that only root can write
 * leads where root said. `path` is absolute, and there. Returns 0, -EPERM, -errno. Blocks as files do. */
int trust_above(const char *path);
/* The same, and the folder itself; of one that is missing, what is there of it. `folder` is absolute. */
int trust_folder(const char *folder);
/* Others may write to the folder behind `fd` by its mode alone: it is reached by a mount that is read-only, and no mount that can
 * be seen is another way to it. Without /proc nobody knows. Blocks as files do. */
bool trust_mount(int fd);
/* As open(2), by `flags` (O_CLOEXEC is one of them), through folders and links that are each trusted when they are gone through,
 * as is a folder of root's on such a mount. What is opened is the caller's to look at. `path` is absolute. Returns a descriptor,
 * -EPERM, -errno; in *ret_at (NULL: nobody asks) what was opened, or could not be, without links: malloc'd, NULL: no memory.
 * Blocks as files do. */
int trust_open(const char *path, int flags, char **ret_at);

#endif
