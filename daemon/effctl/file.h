/* SPDX-License-Identifier: MIT */
/* Files that the command line names. */
#ifndef EFFCTL_FILE_H
#define EFFCTL_FILE_H

#include "base/text.h"

/* The path from the root on, as written, links and all: what it goes through is looked at, too. malloc'd; NULL: out of
 * memory, or there is no folder that this is run in. */
char *file_absolute(const char *path);
/* Append all of a file (`-`: of the standard input) to a text. Returns 0; -EFBIG over `limit` bytes; -EILSEQ when it is no
 * UTF-8; -errno. */
int file_take(const char *path, size_t limit, struct text *to);

#endif
