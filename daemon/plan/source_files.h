/* SPDX-License-Identifier: MIT */
/* The world as a plan reads it: files of this machine, its programs, users and groups. What runs as root reads only what
 * nobody but root can change: regular files of root's, in folders of root's, by links of root's, all the way. */
#ifndef EFFD_SOURCE_FILES_H
#define EFFD_SOURCE_FILES_H

#include "plan/plan.h"

/* Fill in a source that reads this machine, as the user that this process is. `environment` is not copied. Its functions
 * block as files and user databases do, and never suspend; they hold nothing open. Their errors beside those of struct
 * plan_source: -ENOTSUP for what is neither a regular file nor a folder. */
void source_files(plan_strv environment, struct plan_source *ret_source);
/* By the clock of files, as plan_source.read_at. */
eff_ns source_now(void);

#endif
