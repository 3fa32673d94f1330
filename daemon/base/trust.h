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

#endif
